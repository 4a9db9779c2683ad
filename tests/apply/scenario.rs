//! A plan with every kind of step, on a machine where somebody else's things stand beside.

use std::collections::BTreeMap;

use harden::apply::{self, Failed, Journal, Machine, Store};
use harden::model::{Access, Action, Asked, Checker, Class, Contents, Gid, Mode, Plan, Reason, Setting, Uid};
use harden::plan::{self, Of, Seen, Want, Wanted};

use crate::invented::{Invented, abs};

pub(crate) const RUN: &str = "run-1";

pub(crate) fn store() -> Store {
    Store::new(abs("/var/lib/harden"), Access::of_root(0o700))
}

pub(crate) fn journal() -> Journal {
    Journal::of(&store().run(RUN).expect("a name"))
}

/// The machine before anything is done, with a run's folder made.
pub(crate) fn machine() -> Invented {
    let mut machine = Invented::new();
    machine.file("/etc/sudoers.d/theirs", "dev ALL=(ALL) ALL\n", 0o440);
    machine.file("/etc/sudoers.d/ours", "dev ALL=(old) /bin/true\n", 0o440);
    machine.file("/srv/app/.gitignore", "target\n", 0o664);
    machine.file("/srv/app/agent.json", "{\n  // theirs\n  \"share\": \"manual\"\n}\n", 0o600);
    machine.file("/etc/audit/rules.d/10-theirs.rules", &format!("-D\n{}\n", machine.audit[0].clone()), 0o640);
    machine.file("/etc/auditd.conf", "# theirs\nnum_logs = 5\n", 0o640);
    machine.file("/srv/app/notes", "mine\n", 0o666);
    store().open(&mut machine).expect("made");
    machine
}

pub(crate) fn actions() -> Vec<Action> {
    let root = Access::of_root;
    let agent = |mode| Access { uid: Uid(990), gid: Gid(990), ..root(mode) };
    let text = |text: &str| text.to_owned();
    let rule = |by: &str| format!("-a always,exit -F arch=b64 -S execve,execveat -F {by}=990 -F key=harden-exec");
    vec![
        Action::EnsureUser {
            name: text("agent"),
            uid: Uid(990),
            gid: Gid(990),
            home: text("/var/lib/agent"),
            shell: text("/usr/sbin/nologin"),
        },
        Action::LeaveGroup { user: text("old"), group: text("docker") },
        Action::EnsureDir { path: abs("/etc/harden"), access: root(0o755) },
        Action::EnsureDir { path: abs("/var/lib/agent"), access: agent(0o700) },
        Action::EnsureDir { path: abs("/var/lib/agent/tmp"), access: agent(0o700) },
        Action::SetAccess { path: abs("/srv/app/notes"), take: Mode::new(0o022), owner: Some((Uid(7), Gid(7))) },
        Action::WriteFile {
            path: abs("/etc/harden/rules"),
            content: text("rules\n"),
            access: root(0o644),
            check: None,
        },
        Action::WriteFile {
            path: abs("/etc/sudoers.d/ours"),
            content: text("dev ALL=(agent) /usr/local/bin/agent\n"),
            access: root(0o440),
            check: Some(Checker::Visudo),
        },
        Action::EditBlock {
            path: abs("/srv/app/.gitignore"),
            label: text("state"),
            lines: vec![text(".agent/")],
            access: root(0o644),
        },
        Action::EditConfig {
            path: abs("/srv/app/agent.json"),
            set: vec![Setting { at: vec![text("share")], value: "disabled".into() }],
            access: root(0o644),
        },
        Action::EnsureLink { path: abs("/etc/harden/link"), target: text("/etc/harden/rules") },
        Action::EditKeys {
            path: abs("/etc/auditd.conf"),
            set: vec![(text("num_logs"), text("8"))],
            check: Some(Checker::Auditd),
        },
        Action::WriteFile {
            path: abs("/etc/audit/rules.d/60-ours.rules"),
            content: format!("{}\n{}\n", rule("uid"), rule("euid")),
            access: root(0o640),
            check: Some(Checker::Augenrules),
        },
        Action::WriteFile {
            path: abs("/etc/harden/unit"),
            content: text("[Service]\n"),
            access: root(0o644),
            check: Some(Checker::Systemd),
        },
        Action::EnableAudit,
        Action::SetKernel { name: text("kernel.yama.ptrace_scope"), value: text("1") },
        Action::LoadAudit { key: text("harden-exec"), rules: vec![rule("uid"), rule("euid")] },
        Action::StartService { unit: text("auditd.service") },
        Action::LoadTable { table: text("harden"), text: text("table inet harden {\n}\n") },
    ]
}

/// What the machine needs of the actions.
pub(crate) fn plan(machine: &dyn Machine) -> (Plan, Contents) {
    let reason = Reason {
        code: "TST-01".into(),
        check: "test".into(),
        subject: None,
        fingerprint: "0".into(),
        evidence: "0".into(),
    };
    let wants: Vec<Want> =
        actions().into_iter().map(|action| Want { action, wanted_by: vec![reason.clone()] }).collect();
    let look = |want: &Want| {
        let thing = want.action.thing();
        let seen = apply::look(machine, &thing).map_err(|trouble| trouble.to_string());
        (thing, seen)
    };
    let seen: Seen = wants.iter().map(look).collect::<BTreeMap<_, _>>();
    let classes = vec![Class::Safe, Class::Guarded, Class::Unsafe];
    let of = Of { profile: "test".into(), policy: "0".into(), asked: Asked { classes, ..Asked::default() } };
    let (plan, contents) = plan::build(Wanted { wants, person: Vec::new() }, &seen, of, &|_| true);
    (plan, contents)
}

/// Begins a run and applies the plan.
pub(crate) fn apply(machine: &mut Invented, plan: &Plan, contents: &Contents) -> Result<(), Failed> {
    let begun = store().begin(machine, RUN).map_err(|error| Failed::Nothing { why: error.to_string() })?;
    apply::apply(machine, &store(), &begun, plan, contents, "2026-01-01T00:00:00Z", &mut |_, _| {})
}

/// Takes the run back as `harden rollback` does; true where there was one.
pub(crate) fn rollback(machine: &mut Invented) -> Result<bool, String> {
    let Some(record) = journal().read(machine).map_err(|error| error.to_string())? else { return Ok(false) };
    let obstacles = apply::obstacles(machine, &journal(), &record);
    if !obstacles.is_empty() {
        return Err(format!("in the way: {obstacles:?}"));
    }
    let left = apply::rollback(machine, &journal(), &record, &[]).map_err(|error| error.to_string())?;
    if left.is_empty() { Ok(true) } else { Err(format!("left: {left:?}")) }
}
