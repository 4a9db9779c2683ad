//! The account that runs the agent.

use schemars::JsonSchema;
use serde::Serialize;

use super::ProbeError;
use super::people::is_person;
use crate::host::{Account, Accounts, Host};
use crate::model::{AbsPath, AgentUser, Gid, Look, Mode, Os, Subject, Uid, UserSource};

/// The account that runs the agent.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Its name.
    name: String,
    /// Its number; null where there is no such account.
    uid: Option<Uid>,
    /// How it was found.
    source: UserSource,
    /// Whether there is such an account.
    exists: bool,
    /// Whether it is root by its number: to whom everything is open that an account can be kept from.
    is_root: bool,
    /// What that opens, in a few words; null for other accounts.
    open_to_root: Option<&'static str>,
    /// Whether it is the account of the person who audits.
    is_invoker: bool,
    /// Whose account it is, in a few words.
    whose: &'static str,
    /// Whether a person logs in with it, or could.
    is_human: Look<bool>,
    /// Other names of the same number.
    same_number: Vec<String>,
    /// Its groups.
    groups: Vec<UserGroup>,
    /// Those of its groups that come close to root.
    root_equivalent_groups: Vec<UserGroup>,
    /// Those of its groups that only read the system's logs.
    log_groups: Vec<UserGroup>,
    /// Its home.
    home: Option<AbsPath>,
    /// The mode of its home; null where there is none.
    home_mode: Look<Option<Mode>>,
    /// Its login shell.
    shell: Option<String>,
}

/// A group of the account.
#[derive(Clone, Serialize, JsonSchema)]
struct UserGroup {
    /// Its name.
    name: String,
    /// Its number.
    gid: Gid,
    /// What membership gives, where that is close to root.
    gives: Option<&'static str>,
}

impl UserGroup {
    /// Whether it gives the system's logs and nothing else.
    fn reads_logs(&self) -> bool {
        matches!(self.name.as_str(), "adm" | "systemd-journal")
    }
}

/// What checks say of other accounts one by one, and of root only once.
const OPEN_TO_ROOT: &str =
    "schedulers, services, start files, every log about it, the managed configuration and its own program";

fn close_to_root(groups: &[UserGroup]) -> Vec<UserGroup> {
    groups.iter().filter(|group| group.gives.is_some() && !group.reads_logs()).cloned().collect()
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let accounts =
        host.accounts().map_err(|error| ProbeError::unreadable(&AbsPath::root().join("etc/passwd"), error))?;
    let user = subject.account()?;
    let account = accounts.user(&user.name);
    let is_human = account.map_or(Look::Known(false), |account| is_person(host, account, subject.os));
    let groups: Vec<UserGroup> = user.groups.iter().map(|gid| group(subject.os, &accounts, *gid)).collect();
    Ok(Fact {
        name: user.name.clone(),
        uid: user.uid,
        source: user.source,
        exists: user.uid.is_some(),
        is_root: user.uid == Some(Uid(0)),
        open_to_root: (user.uid == Some(Uid(0))).then_some(OPEN_TO_ROOT),
        is_invoker: subject.is_invokers(),
        whose: whose(user, subject.is_invokers(), &is_human),
        is_human,
        same_number: same_number(&accounts, user),
        root_equivalent_groups: close_to_root(&groups),
        log_groups: groups.iter().filter(|group| group.reads_logs()).cloned().collect(),
        groups,
        home: user.home.clone(),
        home_mode: home_mode(host, user).into(),
        shell: account.map(|account: &Account| account.shell.clone()),
    })
}

fn whose(user: &AgentUser, is_invokers: bool, is_human: &Look<bool>) -> &'static str {
    match (user.uid, is_human) {
        (None, _) => "there is no such account",
        (_, Look::Known(true)) if is_invokers => "a person's account, who ran this audit",
        (_, _) if is_invokers => "the account that ran this audit",
        (_, Look::Known(true)) => "a person's account",
        (_, Look::Known(false)) => "an account of its own",
        (_, Look::Unknown(_)) => "perhaps a person's account",
    }
}

fn same_number(accounts: &Accounts, user: &AgentUser) -> Vec<String> {
    let twins = accounts.users.iter().filter(|other| Some(other.uid) == user.uid && other.name != user.name);
    twins.map(|other| other.name.clone()).collect()
}

fn home_mode(host: &dyn Host, user: &AgentUser) -> Result<Option<Mode>, ProbeError> {
    let Some(home) = &user.home else { return Ok(None) };
    match crate::host::resolve(host, home, None).and_then(|home| host.stat(&home)) {
        Ok(stat) => Ok(Some(stat.mode)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ProbeError::unreadable(home, error)),
    }
}

fn group(os: Os, accounts: &Accounts, gid: Gid) -> UserGroup {
    let name = accounts.group_name(gid);
    UserGroup { gives: gives(os, &name, gid), name, gid }
}

/// What membership in a group gives, where that is root or close to it.
fn gives(os: Os, name: &str, gid: Gid) -> Option<&'static str> {
    if gid == Gid(0) {
        return Some("root's own group");
    }
    match name {
        "sudo" | "wheel" | "admin" => Some("root through sudo"),
        "docker" => Some("root through the container engine"),
        "podman" => Some("root through the container engine's socket"),
        "lxd" | "incus" | "incus-admin" => Some("root through system containers"),
        "libvirt" | "kvm" => Some("the host's disks through virtual machines"),
        "disk" => Some("every file through the raw disk"),
        "shadow" => Some("the password hashes"),
        "adm" | "systemd-journal" => Some("the system's logs"),
        "staff" if os == Os::Linux => Some("programs in /usr/local that root runs"),
        _ => None,
    }
}
