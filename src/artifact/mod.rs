//! What a profile asks for, written out: launcher, packet rules, audit rules. Pure: from a [`Site`] to actions.
//!
//! A new artifact is a file with a function and a row in [`build`], under a name of
//! [`model::FORMS`](crate::model::FORMS).

mod audit_on;
mod audit_reader;
mod audit_retention;
mod audit_rules;
mod cron_deny;
mod denied;
mod drift_timer;
mod egress;
mod kernel;
mod launcher;
mod limits;
mod managed_config;
mod mcp_switch;
mod opencode;
mod policy;
mod policy_watch;
mod shell;
mod state_ignored;

pub use audit_rules::KEY as AUDIT_KEY;
pub use drift_timer::drift_timer;
pub use egress::TABLE as EGRESS_TABLE;
pub use mcp_switch::switch_off;
pub use policy::{Accepted, body as policy_body};

use crate::model::{AbsPath, Action, Approval, Declaration, Gid, Os, Uid};

/// The account that the agent has, or will have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// Its number.
    pub uid: Uid,
    /// Its group.
    pub gid: Gid,
    /// Its home.
    pub home: AbsPath,
    /// Whether it is there.
    pub exists: bool,
}

/// In which form an agent takes a policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// OpenCode 1: `permission`.
    Opencode,
    /// OpenCode 2: `permissions` and `experimental.policies`.
    Opencode2,
}

/// Everything that artifacts are made from: the profile and what is known of the machine.
#[derive(Clone, Debug)]
pub struct Site {
    /// The system.
    pub os: Os,
    /// The account; Err says why there can be none.
    pub account: Result<Account, Refusal>,
    /// The person who is to start the agent; None for root.
    pub developer: Option<String>,
    /// The agent's name in words.
    pub agent: String,
    /// Its managed configuration file.
    pub managed_config: Option<AbsPath>,
    /// The command that starts it.
    pub command: String,
    /// Variables that switch off what the agent would fetch or publish.
    pub off_switches: Vec<String>,
    /// What agents that are known write into a project, as ignore rules have it.
    pub ignored: Vec<String>,
    /// How much of the audit log is kept, in MiB.
    pub audit_log_mib: u64,
    /// Where it works.
    pub workspace: AbsPath,
    /// The top of the work tree.
    pub project: AbsPath,
    /// Whose that is.
    pub project_owner: (Uid, Gid),
    /// Where its launcher is, or is to be.
    pub launcher: AbsPath,
    /// Whether the kernel runs 32-bit programs, too.
    pub runs_32_bit: bool,
    /// Whether systemd starts this machine.
    pub has_systemd: bool,
    /// Files and folders that are there, of those that artifacts ask for.
    pub there: Vec<AbsPath>,
    /// The form in which the agent takes a policy; None where it takes none.
    pub dialect: Option<Dialect>,
    /// The variable that keeps a project's own configuration out.
    pub project_off: Option<String>,
    /// What the agent may do.
    pub policy: Declaration,
    /// Commands that people have approved, and that hold today.
    pub approvals: Vec<Approval>,
    /// The policies that were accepted so far, a line each; Err says why they cannot be read.
    pub accepted: Result<String, String>,
}

/// Why nothing can be written, and what a person can do instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Why.
    pub why: String,
    /// The next move; the check's own remediation where empty.
    pub next: String,
}

impl Refusal {
    /// A reason with the next move.
    pub fn new(why: impl Into<String>, next: impl Into<String>) -> Self {
        Self { why: why.into(), next: next.into() }
    }
}

impl Site {
    /// The account, for artifacts that need one.
    fn account(&self) -> Result<&Account, Refusal> {
        self.account.as_ref().map_err(Clone::clone)
    }

    /// The approvals that are written as rules of the agent.
    fn compiled(&self) -> Vec<&Approval> {
        opencode::writable(&self.approvals, &self.project.text())
    }

    fn linux_only(&self, what: &str) -> Result<(), Refusal> {
        match self.os {
            Os::Linux => Ok(()),
            Os::Macos => Err(Refusal::new(format!("{what} can be written for Linux only"), "")),
        }
    }
}

/// The actions that bring an artifact about.
pub fn build(what: &str, site: &Site) -> Result<Vec<Action>, Refusal> {
    match what {
        "launcher" => launcher::build(site),
        "egress" => egress::build(site),
        "audit-rules" => audit_rules::build(site),
        "audit-on" => audit_on::build(site),
        "audit-reader" => audit_reader::build(site),
        "audit-retention" => audit_retention::build(site),
        "sudo-denied" => denied::sudo(site),
        "polkit-denied" => denied::polkit(site),
        "state-ignored" => state_ignored::build(site),
        "ptrace" => kernel::build(site, &kernel::PTRACE),
        "raised-cores" => kernel::build(site, &kernel::RAISED_CORES),
        "kernel-log" => kernel::build(site, &kernel::KERNEL_LOG),
        "policy-watch" => policy_watch::build(site),
        "cron-deny" => cron_deny::build(site),
        "limits" => limits::build(site),
        "managed-config" => managed_config::build(site),
        "policy" => policy::build(site),
        other => Err(Refusal::new(format!("nothing writes `{other}`"), "")),
    }
}

/// A path of this text.
fn path(text: &str) -> AbsPath {
    AbsPath::root().join(text)
}

/// The first line of files that are written here.
fn mark(what: &str) -> String {
    format!("# {what} Written by `harden apply`: `harden drift` tells whether it was changed since.\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Parameters, declared};

    /// A machine on which every artifact can be written.
    pub(super) fn site() -> Site {
        let parameter = |name: &str, value: serde_json::Value| (name.to_owned(), value);
        let parameters = Parameters(
            [
                parameter("model_endpoint", "http://127.0.0.1:11434/v1".into()),
                parameter("allowed_hosts", serde_json::json!(["10.1.2.3", "2001:db8::7", "api.example.net"])),
                parameter("allowed_ports", serde_json::json!(["8080"])),
                parameter("denied_endpoints", serde_json::json!(["169.254.169.254", "pastebin.com"])),
            ]
            .into(),
        );
        Site {
            os: Os::Linux,
            account: Ok(Account {
                name: "agent".into(),
                uid: Uid(990),
                gid: Gid(990),
                home: path("/var/lib/agent"),
                exists: false,
            }),
            developer: Some("dev".into()),
            agent: "OpenCode".into(),
            managed_config: Some(path("/etc/opencode/opencode.json")),
            command: "opencode".into(),
            off_switches: vec!["OPENCODE_DISABLE_SHARE".into()],
            ignored: vec![".agent/".into()],
            audit_log_mib: 200,
            workspace: path("/srv/shop"),
            project: path("/srv/shop"),
            project_owner: (Uid(1000), Gid(1000)),
            launcher: path("/usr/local/bin/opencode-hardened"),
            runs_32_bit: true,
            has_systemd: true,
            there: vec![
                path("/etc/security/limits.d"),
                path("/etc/cron.deny"),
                path("/etc/sudoers.d"),
                path("/etc/audit/rules.d"),
                path("/etc/audit/auditd.conf"),
                path("/etc/sysctl.d"),
                path("/etc/polkit-1/rules.d"),
                path("/lib/systemd/system/auditd.service"),
                path("/etc/systemd/system"),
            ],
            dialect: Some(Dialect::Opencode),
            project_off: Some("OPENCODE_DISABLE_PROJECT_CONFIG".into()),
            policy: declared("production", &parameters, &path("/srv/shop")),
            approvals: Vec::new(),
            accepted: Ok(String::new()),
        }
    }

    #[test]
    fn every_name_of_the_form_is_built() {
        let form = crate::model::FORMS.iter().find(|form| form.name == "write").expect("there");
        let crate::model::FieldKind::Word(names) = form.fields[0].kind else { panic!("words") };
        for name in names {
            let actions = build(name, &site()).unwrap_or_else(|refusal| panic!("{name}: {}", refusal.why));
            assert!(!actions.is_empty(), "{name}");
        }
    }
}
