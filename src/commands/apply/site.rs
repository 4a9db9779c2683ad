//! What artifacts are made from, gathered for one agent.

use crate::artifact::{Account, Dialect, Refusal, Site};
use crate::catalog;
use crate::host::{self, Accounts, CONFIG_LIMIT, Host, Kind};
use crate::model::{
    ACCEPTED, APPROVALS, AbsPath, Approval, Gid, LayerSource, Merging, Os, Parameters, PermissionShape, Policy,
    Subject, Uid, declared, standing,
};

/// The numbers of accounts that belong to nobody.
const SYSTEM_NUMBERS: std::ops::RangeInclusive<u32> = 100..=999;
/// What artifacts write into where it is there.
const ASKED_FOR: &[&str] = &[
    "/etc/sudoers.d",
    "/etc/security/limits.d",
    "/etc/audit/rules.d",
    "/etc/audit/auditd.conf",
    "/etc/sysctl.d",
    "/etc/polkit-1/rules.d",
    "/usr/lib/systemd/system/auditd.service",
    "/lib/systemd/system/auditd.service",
    "/etc/systemd/system",
    "/etc/cron.d",
    "/etc/cron.allow",
    "/etc/cron.deny",
    "/etc/at.allow",
    "/etc/at.deny",
    "/etc/debian_version",
];

/// What is known of this machine and agent.
pub(super) fn of(host: &dyn Host, subject: &Subject, policy: &Policy) -> Site {
    let parameters = &policy.parameters;
    let accounts = host.accounts().unwrap_or_default();
    let command = subject.agent.commands.first().cloned().unwrap_or_else(|| subject.agent.agent.clone());
    let launcher = parameters.text("launcher").and_then(AbsPath::new);
    let owner = host.stat(&subject.project).map_or((Uid(0), Gid(0)), |stat| owner(&accounts, stat.uid, stat.gid));
    let is_dir = |path: &AbsPath| host.stat(path).is_ok_and(|stat| stat.kind == Kind::Dir);
    let root = AbsPath::root();
    Site {
        os: subject.os,
        account: account(&accounts, subject, parameters),
        developer: developer(subject),
        agent: subject.agent.name.clone(),
        managed_config: managed_config(subject),
        launcher: launcher.unwrap_or_else(|| root.join(format!("usr/local/bin/{command}-hardened"))),
        command,
        off_switches: off_switches(subject),
        ignored: ignored(),
        audit_log_mib: parameters.number("audit_log_mib"),
        workspace: subject.workspace.clone(),
        project: subject.project.clone(),
        project_owner: owner,
        runs_32_bit: runs_32_bit(host),
        has_systemd: is_dir(&root.join("run/systemd/system")),
        there: ASKED_FOR.iter().map(|path| root.join(path)).filter(|path| host.stat(path).is_ok()).collect(),
        dialect: dialect(subject),
        project_off: subject.agent.config.iter().find_map(|layer| layer.off_env.first().cloned()),
        policy: declared(&policy.profile, parameters, &subject.workspace),
        approvals: approvals(host),
        accepted: text(host, ACCEPTED),
    }
}

/// Whose a new file in a folder is: the owner's, in the folder's group where the owner may give it that.
fn owner(accounts: &Accounts, uid: Uid, gid: Gid) -> (Uid, Gid) {
    let account = accounts.user_of(uid).filter(|account| uid != Uid(0) && !accounts.groups_of(account).contains(&gid));
    (uid, account.map_or(gid, |account| account.gid))
}

fn dialect(subject: &Subject) -> Option<Dialect> {
    let agent = &subject.agent;
    match agent.merging {
        _ if agent.permissions != Some(PermissionShape::Opencode) => None,
        Merging::Opencode => Some(Dialect::Opencode),
        Merging::Opencode2 => Some(Dialect::Opencode2),
        Merging::Separate | Merging::Deep => None,
    }
}

/// A file of the machine's owner; empty where it is not there.
fn text(host: &dyn Host, path: &str) -> Result<String, String> {
    let text = host::read_text(host, &AbsPath::root().join(path), None, CONFIG_LIMIT);
    text.map(Option::unwrap_or_default).map_err(|error| error.to_string())
}

/// The approvals that hold today. A file that cannot be read or understood approves nothing; the audit says so.
fn approvals(host: &dyn Host) -> Vec<Approval> {
    let today = catalog::today();
    let all = text(host, APPROVALS).ok().and_then(|text| standing(&text).ok()).unwrap_or_default();
    all.into_iter().map(|one| one.approval).filter(|approval| approval.holds_on(today)).collect()
}

/// The agent's account. A person's is never taken for it, nor root's, nor that of whoever runs this.
fn account(accounts: &Accounts, subject: &Subject, parameters: &Parameters) -> Result<Account, Refusal> {
    let next = "name an account for the agent alone as `agent_user` in the profile";
    let name = match (parameters.text("agent_user"), subject.user.known()) {
        (Some(name), _) => name,
        (None, Some(user)) if !subject.is_invokers() => &user.name,
        _ => return Err(Refusal::new("the profile names no account for the agent", next)),
    };
    let Some(known) = accounts.user(name) else { return new_account(accounts, name) };
    let whose = |what: &str| Err(Refusal::new(format!("`{name}` is {what}: it is not touched"), next));
    if known.uid == Uid(0) {
        return whose("root's account");
    }
    if subject.invoker.as_ref().and_then(|invoker| invoker.uid) == Some(known.uid) {
        return whose("the account that runs this");
    }
    if known.is_human(subject.os) {
        return whose("a person's account");
    }
    let home = known.home.clone().filter(|home| *home != AbsPath::root());
    let home = home.ok_or_else(|| Refusal::new(format!("the account `{name}` has no home of its own"), next))?;
    Ok(Account { name: name.to_owned(), uid: known.uid, gid: known.gid, home, exists: true })
}

fn new_account(accounts: &Accounts, name: &str) -> Result<Account, Refusal> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-';
    if name.len() > 31 || !name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') || !name.chars().all(is_plain)
    {
        return Err(Refusal::new(
            format!("`{name}` is no name for an account"),
            "use lower-case letters, digits, `-` and `_`, up to 31",
        ));
    }
    if accounts.groups.iter().any(|group| group.name == name) {
        return Err(Refusal::new(
            format!("there is a group `{name}`, and no account of that name"),
            "choose another name",
        ));
    }
    let is_free = |number: &u32| {
        accounts.user_of(Uid(*number)).is_none() && !accounts.groups.iter().any(|group| group.gid == Gid(*number))
    };
    let number = SYSTEM_NUMBERS.rev().find(is_free);
    let number = number
        .ok_or_else(|| Refusal::new("every number of the system's range is taken", "make the account by hand"))?;
    let home = AbsPath::root().join("var/lib").join(name);
    Ok(Account { name: name.to_owned(), uid: Uid(number), gid: Gid(number), home, exists: false })
}

/// The person behind sudo.
fn developer(subject: &Subject) -> Option<String> {
    let invoker = subject.invoker.as_ref().filter(|invoker| invoker.uid != Some(Uid(0)))?;
    Some(invoker.name.clone())
}

/// The first file of the layer that the machine's owner keeps. A layer that a variable moves is another's.
fn managed_config(subject: &Subject) -> Option<AbsPath> {
    let layers =
        subject.agent.config.iter().filter(|layer| layer.managed && layer.os.is_none_or(|os| os == subject.os));
    layers
        .filter_map(|layer| match &layer.source {
            LayerSource::Files(files) => files.first().and_then(AbsPath::new),
            _ => None,
        })
        .next()
}

/// Variables that switch something off by being set.
fn off_switches(subject: &Subject) -> Vec<String> {
    let switches = subject.agent.switches.iter().flat_map(|switch| &switch.env);
    let mut names: Vec<String> = switches.filter(|env| !env.on).map(|env| env.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// What every known agent writes into a project. Agents that cannot be read are an error long before this.
fn ignored() -> Vec<String> {
    let agents = crate::catalog::agents().unwrap_or_default();
    let mut patterns: Vec<String> =
        agents.iter().flat_map(|agent| &agent.ignore).map(|ignore| ignore.pattern.clone()).collect();
    patterns.sort();
    patterns.dedup();
    patterns
}

/// Whether the kernel runs 32-bit programs beside its own.
fn runs_32_bit(host: &dyn Host) -> bool {
    let line = host.read(&AbsPath::root().join("proc/cmdline"), 64 << 10).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).into_owned();
    let off = ["ia32_emulation=0", "ia32_emulation=off", "ia32_emulation=false"];
    host.os() == Os::Linux && cfg!(target_arch = "x86_64") && !line.split_whitespace().any(|word| off.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_free_number_of_the_system_is_taken() {
        let passwd = "root:x:0:0::/root:/bin/sh\na:x:999:999::/:/bin/false\nb:x:997:997::/:/bin/false\n";
        let accounts = Accounts::parse(passwd, "a:x:999:\nc:x:998:\n");
        let made = new_account(&accounts, "agent").expect("can be made");
        assert_eq!((made.uid, made.gid, made.home.text()), (Uid(996), Gid(996), "/var/lib/agent".to_owned()));
    }

    #[test]
    fn a_file_is_given_to_no_group_that_its_owner_is_not_in() {
        let accounts = Accounts::parse("dev:x:1000:1000::/home/dev:/bin/sh\n", "dev:x:1000:\nteam:x:2000:dev\n");
        for (given, expected) in
            [((1000, 0), (1000, 1000)), ((1000, 2000), (1000, 2000)), ((0, 7), (0, 7)), ((5, 5), (5, 5))]
        {
            let (uid, gid) = owner(&accounts, Uid(given.0), Gid(given.1));
            assert_eq!((uid.0, gid.0), expected, "{given:?}");
        }
    }

    #[test]
    fn what_every_known_agent_writes_is_ignored() {
        let patterns = ignored();
        for pattern in [".opencode/plans/", ".crush/", ".aider*"] {
            assert!(patterns.iter().any(|known| known == pattern), "{pattern}: {patterns:?}");
        }
    }

    #[test]
    fn names_that_tools_could_misread_are_refused() {
        for name in ["", "-x", "Agent", "a b", "a:b", "../x", "c", "1a"] {
            assert!(new_account(&Accounts::parse("", "c:x:998:\n"), name).is_err(), "{name}");
        }
    }
}
