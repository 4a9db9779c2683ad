//! From findings to the actions that they ask for, each once, with everything that wants it.

use sha2::{Digest, Sha256};

use crate::artifact::{self, Dialect, Refusal, Site};
use crate::model::{
    AbsPath, Access, Action, Finding, Gid, LeftToPerson, Mode, Reason, Setting, Status, Uid, Wish, hex,
};

/// Folders whose rights the whole system rests on.
const OF_EVERYBODY: &[&str] = &[
    "/",
    "/bin",
    "/boot",
    "/dev",
    "/dev/shm",
    "/etc",
    "/home",
    "/lib",
    "/lib64",
    "/media",
    "/mnt",
    "/opt",
    "/proc",
    "/run",
    "/sbin",
    "/srv",
    "/sys",
    "/tmp",
    "/usr",
    "/usr/bin",
    "/usr/lib",
    "/usr/local",
    "/usr/sbin",
    "/var",
    "/var/lib",
    "/var/tmp",
    "/Applications",
    "/Library",
    "/System",
    "/Users",
    "/private",
    "/private/tmp",
    "/private/var",
];

/// An action with the findings that want it.
#[derive(Clone, Debug)]
pub struct Want {
    /// The action.
    pub action: Action,
    /// The findings.
    pub wanted_by: Vec<Reason>,
}

/// What the findings ask for.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// In the order of a plan.
    pub wants: Vec<Want>,
    /// What is for a person.
    pub person: Vec<LeftToPerson>,
}

/// What the failing findings ask for. `site_of` gives what is known of the agent that a finding is about.
pub fn wanted<'a>(findings: &[Finding], site_of: &dyn Fn(&Finding) -> &'a Site) -> Wanted {
    let mut out = Wanted::default();
    for finding in findings.iter().filter(|finding| finding.status == Status::Fail) {
        let (actions, refusals) = proposed(finding, site_of(finding));
        if actions.is_empty() && refusals.is_empty() {
            out.person.push(left(finding, "no step is known for this", ""));
        }
        actions.into_iter().for_each(|action| add(&mut out.wants, action, reason(finding)));
        out.person.extend(refusals.iter().map(|refusal| left(finding, &refusal.why, &refusal.next)));
    }
    out.wants.sort_by_key(|want| (want.action.rank(), depth(&want.action)));
    out
}

/// Folders before what lies in them.
fn depth(action: &Action) -> usize {
    match action {
        Action::EnsureDir { path, .. } => path.ancestors().count(),
        _ => 0,
    }
}

/// What can be done for a finding, and why the rest of what it asks for cannot, each reason once.
fn proposed(finding: &Finding, site: &Site) -> (Vec<Action>, Vec<Refusal>) {
    let (mut actions, mut refusals) = (Vec::new(), Vec::new());
    for wish in &finding.fix {
        match actions_for(wish, site) {
            Ok(more) => actions.extend(more),
            Err(refusal) if refusals.contains(&refusal) => {}
            Err(refusal) => refusals.push(refusal),
        }
    }
    (actions, refusals)
}

fn actions_for(wish: &Wish, site: &Site) -> Result<Vec<Action>, Refusal> {
    match wish.form {
        "ensure_user" => user(site),
        "write" => artifact::build(wish.text("what"), site),
        "ensure_dir" => {
            let access = Access { mode: mode(wish, "mode")?, ..Access::of_root(0) };
            Ok(vec![Action::EnsureDir { path: place(wish, site)?, access }])
        }
        "set_access" => {
            let owner = (wish.text("owner") == "root").then_some((Uid(0), Gid(0)));
            let path = place(wish, site)?;
            if OF_EVERYBODY.contains(&path.text().as_str()) {
                let why = format!("`{path}` serves everything on this machine: its rights are not changed by a plan");
                return Err(Refusal::new(why, ""));
            }
            Ok(vec![Action::SetAccess { path, take: mode(wish, "take")?, owner }])
        }
        "edit_block" => {
            let (uid, gid) = site.project_owner;
            Ok(vec![Action::EditBlock {
                path: place(wish, site)?,
                label: wish.text("label").to_owned(),
                lines: lines(wish)?,
                access: Access { uid, gid, ..Access::of_root(0o644) },
            }])
        }
        "pin_server" => pin(wish, site),
        "look_up" => Err(Refusal::new(
            "no version of its package is installed here to pin it to",
            format!("look at what `{}` names, and write that version into its command", wish.text("command")),
        )),
        "switch_off_server" => artifact::switch_off(site, wish.text("name")),
        "leave_groups" => {
            let user = wish.text("user");
            // A person's own account is nobody's to take rights from.
            let account = site.account.as_ref().map_err(Clone::clone)?;
            if account.name != user {
                return Err(Refusal::new(format!("`{user}` is not the agent's own account"), ""));
            }
            let leave = |group: String| Action::LeaveGroup { user: user.to_owned(), group };
            Ok(wish.list("groups").into_iter().map(leave).collect())
        }
        other => Err(Refusal::new(format!("nothing does `{other}`"), "")),
    }
}

fn user(site: &Site) -> Result<Vec<Action>, Refusal> {
    let account = site.account.as_ref().map_err(Clone::clone)?;
    let access = Access { uid: account.uid, gid: account.gid, ..Access::of_root(0o700) };
    Ok(vec![
        Action::EnsureUser {
            name: account.name.clone(),
            uid: account.uid,
            gid: account.gid,
            home: account.home.text(),
            shell: "/usr/sbin/nologin".to_owned(),
        },
        Action::EnsureDir { path: account.home.clone(), access },
    ])
}

/// The command of a server with its version in it.
fn pin(wish: &Wish, site: &Site) -> Result<Vec<Action>, Refusal> {
    let (name, command) = (wish.text("name"), wish.list("command"));
    if site.dialect != Some(Dialect::Opencode)
        || name.chars().chain(command.iter().flat_map(|word| word.chars())).any(char::is_control)
    {
        return Err(Refusal::new("its command is not rewritten in a configuration of this form", ""));
    }
    let (uid, gid) = site.project_owner;
    let set =
        vec![Setting { at: vec!["mcp".to_owned(), name.to_owned(), "command".to_owned()], value: command.into() }];
    Ok(vec![Action::EditConfig {
        path: place(wish, site)?,
        set,
        access: Access { uid, gid, ..Access::of_root(0o644) },
    }])
}

/// The path of a wish. One that is no UTF-8 would not come back from a plan as it was.
fn place(wish: &Wish, site: &Site) -> Result<AbsPath, Refusal> {
    let text = wish.text("path");
    if text.is_empty() || text.contains('\u{fffd}') || text.chars().any(char::is_control) {
        return Err(Refusal::new(format!("the path `{text}` cannot be written down as it is"), ""));
    }
    Ok(site.project.join(text))
}

fn mode(wish: &Wish, field: &str) -> Result<Mode, Refusal> {
    Mode::parse(wish.text(field)).ok_or_else(|| Refusal::new(format!("`{}` is no file mode", wish.text(field)), ""))
}

/// Lines of a block: what holds the end of a line would be more than one.
fn lines(wish: &Wish) -> Result<Vec<String>, Refusal> {
    let lines = wish.list("lines");
    match lines.iter().find(|line| line.chars().any(char::is_control)) {
        Some(line) => Err(Refusal::new(format!("`{line}` holds a control character"), "")),
        None => Ok(lines),
    }
}

/// Adds an action, or its reason to the same one. Two that take rights off one path, or put lines into one block, are
/// one that does both.
fn add(wants: &mut Vec<Want>, action: Action, reason: Reason) {
    for want in wants.iter_mut() {
        let joined = match (&mut want.action, &action) {
            (Action::SetAccess { path, take, owner }, Action::SetAccess { path: same, take: more, owner: other })
                if path == same =>
            {
                *take = Mode::new(take.bits() | more.bits());
                *owner = owner.or(*other);
                true
            }
            (
                Action::EditBlock { path, label, lines, .. },
                Action::EditBlock { path: same, label: name, lines: more, .. },
            ) if path == same && label == name => {
                let new: Vec<String> = more.iter().filter(|line| !lines.contains(line)).cloned().collect();
                lines.extend(new);
                true
            }
            (known, action) => known == action,
        };
        if joined {
            if !want.wanted_by.contains(&reason) {
                want.wanted_by.push(reason);
            }
            return;
        }
    }
    wants.push(Want { action, wanted_by: vec![reason] });
}

fn reason(finding: &Finding) -> Reason {
    Reason {
        code: finding.code.clone(),
        check: finding.check.clone(),
        subject: finding.subject.clone(),
        fingerprint: finding.fingerprint.clone(),
        evidence: rests_on(finding),
    }
}

/// A digest of what a finding rests on: its verdict, and every fact that it names with its value.
fn rests_on(finding: &Finding) -> String {
    let facts = serde_json::to_string(&(finding.status, &finding.evidence, &finding.unseen)).expect("plain data");
    hex(&Sha256::digest(facts.as_bytes())[..16])
}

fn left(finding: &Finding, why: &str, next: &str) -> LeftToPerson {
    LeftToPerson {
        code: finding.code.clone(),
        check: finding.check.clone(),
        subject: finding.subject.clone(),
        why: why.to_owned(),
        next: if next.is_empty() { finding.remediation.clone() } else { next.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::Account;
    use crate::model::{Confidence, Os, Parameters, Scope, Severity, declared};

    fn finding(code: &str, fix: Vec<Wish>) -> Finding {
        Finding {
            check: code.to_lowercase(),
            code: code.to_owned(),
            title: String::new(),
            severity: Severity::High,
            confidence: Confidence::High,
            scope: Scope::Host,
            status: Status::Fail,
            agent: None,
            subject: None,
            message: String::new(),
            evidence: Vec::new(),
            unseen: Vec::new(),
            remediation: "do it by hand".to_owned(),
            fingerprint: code.to_owned(),
            waiver: None,
            controls: Default::default(),
            fix,
        }
    }

    fn wish(form: &'static str, fields: &[(&'static str, serde_json::Value)]) -> Wish {
        Wish { form, fields: fields.iter().cloned().collect() }
    }

    fn site(account: Result<Account, Refusal>) -> Site {
        let path = |text: &str| AbsPath::root().join(text);
        Site {
            os: Os::Linux,
            account,
            developer: None,
            agent: "OpenCode".into(),
            managed_config: None,
            command: "opencode".into(),
            off_switches: Vec::new(),
            ignored: Vec::new(),
            audit_log_mib: 0,
            workspace: path("srv/app"),
            project: path("srv/app"),
            project_owner: (Uid(7), Gid(7)),
            launcher: path("usr/local/bin/x"),
            runs_32_bit: false,
            has_systemd: false,
            there: Vec::new(),
            dialect: None,
            project_off: None,
            policy: declared("baseline", &Parameters::default(), &path("srv/app")),
            approvals: Vec::new(),
            accepted: Ok(String::new()),
        }
    }

    #[test]
    fn the_same_change_for_two_findings_is_one() {
        let take = |mode: &str| wish("set_access", &[("path", "/srv/app/x".into()), ("take", mode.into())]);
        let lines = |line: &str| {
            let fields =
                [("path", ".gitignore".into()), ("label", "state".into()), ("lines", serde_json::json!([line]))];
            wish("edit_block", &fields)
        };
        let findings = [
            finding("AAA-01", vec![take("0022"), lines("a")]),
            finding("AAA-02", vec![take("0007"), lines("b")]),
            finding("AAA-03", Vec::new()),
        ];
        let site = site(Err(Refusal::new("none", "")));
        let wanted = wanted(&findings, &|_| &site);
        let said: Vec<String> =
            wanted.wants.iter().map(|want| format!("{:?} {}", want.action, want.wanted_by.len())).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(said[0].contains("take: Mode(23)") && said[0].ends_with(" 2"), "{said:?}");
        assert!(said[1].contains(r#"lines: ["a", "b"]"#) && said[1].contains("/srv/app/.gitignore"), "{said:?}");
        assert_eq!((wanted.person.len(), wanted.person[0].next.as_str()), (1, "do it by hand"));
    }

    #[test]
    fn what_must_not_be_changed_is_left_to_a_person() {
        let set = |path: &str| wish("set_access", &[("path", path.into()), ("take", "0022".into())]);
        let leave = wish("leave_groups", &[("user", "dev".into()), ("groups", serde_json::json!(["sudo"]))]);
        let user = wish("ensure_user", &[("name", "dev".into())]);
        let site = site(Err(Refusal::new("`dev` is a person's account", "name another")));
        for fix in
            [set("/tmp"), set("/etc"), set(""), set("a\nb"), leave, user, wish("write", &[("what", "egress".into())])]
        {
            let findings = [finding("AAA-01", vec![fix.clone()])];
            let wanted = wanted(&findings, &|_| &site);
            assert!(wanted.wants.is_empty() && wanted.person.len() == 1, "{fix:?}: {wanted:?}");
        }
    }
}
