//! What a plan can do: a closed list, each with what it changes, how far it reaches, and how it is undone.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{AbsPath, Access, Gid, Mode, Thing, Uid};

/// The format of actions in plans and journals.
pub const ACTION_VERSION: u32 = 1;

/// How much consent a step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Class {
    /// Rights, ignore rules, files of our own.
    Safe,
    /// Accounts, packet rules, audit, sudo.
    Guarded,
    /// What people wrote for the agent is rewritten.
    Unsafe,
}

/// A program that is asked about a file before it is put in place, or told of it once it is there or gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checker {
    /// `visudo -cf`.
    Visudo,
    /// `nft -c -f`.
    Nft,
    /// `augenrules --check`, once it is in place.
    Augenrules,
    /// The daemon of the audit reads its settings anew, where it runs.
    Auditd,
    /// `systemctl daemon-reload`: units are read anew.
    Systemd,
}

/// A value at a place in a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Setting {
    /// Keys from the top.
    pub at: Vec<String>,
    /// What has to stand there.
    pub value: Value,
}

/// One change to one thing. What is already so is no step of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
pub enum Action {
    /// A locked account of the system's range, with a group of its name.
    EnsureUser {
        /// Its name.
        name: String,
        /// Its number.
        uid: Uid,
        /// The number of its group.
        gid: Gid,
        /// Its home; made by a step of its own.
        home: String,
        /// Its login shell.
        shell: String,
    },
    /// An account is taken out of a group.
    LeaveGroup {
        /// The account.
        user: String,
        /// The group.
        group: String,
    },
    /// A folder.
    EnsureDir {
        /// Where.
        path: AbsPath,
        /// Whose, and who may enter.
        access: Access,
    },
    /// Rights are taken away, and an owner is set where one is named.
    SetAccess {
        /// Of what.
        path: AbsPath,
        /// The permission bits that nobody keeps.
        take: Mode,
        /// The owner and group.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        owner: Option<(Uid, Gid)>,
    },
    /// A file of ours, in full.
    WriteFile {
        /// Where.
        path: AbsPath,
        /// What it says.
        content: String,
        /// Whose, and who may read it.
        access: Access,
        /// What has to accept it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        check: Option<Checker>,
    },
    /// Lines between marks in a text file of somebody else.
    EditBlock {
        /// The file.
        path: AbsPath,
        /// What the marks say the lines are.
        label: String,
        /// The lines.
        lines: Vec<String>,
        /// Of the file where it is not there yet.
        access: Access,
    },
    /// Settings in a JSON file with comments, which stay as they are.
    EditConfig {
        /// The file.
        path: AbsPath,
        /// The settings.
        set: Vec<Setting>,
        /// Of the file where it is not there yet.
        access: Access,
    },
    /// Settings in a text file of `key = value` lines; everything else of it stays as it is.
    EditKeys {
        /// The file, which has to be there.
        path: AbsPath,
        /// Keys and values.
        set: Vec<(String, String)>,
        /// Who is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        check: Option<Checker>,
    },
    /// A link.
    EnsureLink {
        /// Where it stands.
        path: AbsPath,
        /// Where it leads.
        target: String,
    },
    /// A table of packet rules of our own, loaded at once.
    LoadTable {
        /// Its name, in the inet family.
        table: String,
        /// The table as `nft` lists it.
        text: String,
    },
    /// Audit rules under a key of our own, loaded one by one.
    LoadAudit {
        /// The key.
        key: String,
        /// The rules as `auditctl` lists them.
        rules: Vec<String>,
    },
    /// The kernel's audit is switched on.
    EnableAudit,
    /// A setting of the running kernel; what holds from boot on is a file.
    SetKernel {
        /// Its name, as `sysctl` has it.
        name: String,
        /// Its value.
        value: String,
    },
    /// A service is started.
    StartService {
        /// Its unit.
        unit: String,
    },
}

impl Action {
    /// What it changes.
    pub fn thing(&self) -> Thing {
        match self {
            Self::EnsureUser { name, .. } => Thing::Account(name.clone()),
            Self::LeaveGroup { group, .. } => Thing::Members(group.clone()),
            Self::EnsureDir { path, .. }
            | Self::WriteFile { path, .. }
            | Self::EditBlock { path, .. }
            | Self::EditConfig { path, .. }
            | Self::EditKeys { path, .. }
            | Self::EnsureLink { path, .. } => Thing::Path(path.clone()),
            Self::SetAccess { path, .. } => Thing::Rights(path.clone()),
            Self::LoadTable { table, .. } => Thing::Table(table.clone()),
            Self::LoadAudit { key, .. } => Thing::AuditKey(key.clone()),
            Self::EnableAudit => Thing::Auditing,
            Self::SetKernel { name, .. } => Thing::Kernel(name.clone()),
            Self::StartService { unit } => Thing::Service(unit.clone()),
        }
    }

    /// How much consent it needs.
    pub fn class(&self) -> Class {
        match self {
            // It says that somebody looked: nobody but that person can agree to it.
            Self::EditBlock { path, .. } if path.name_text() == super::MCP_LOCK => Class::Unsafe,
            Self::EnsureDir { .. } | Self::SetAccess { .. } | Self::EditBlock { .. } => Class::Safe,
            // What the agent may do is for people to agree to.
            Self::WriteFile { path, .. } if path.text() == super::MACHINE_POLICY => Class::Guarded,
            Self::WriteFile { check: None, .. } => Class::Safe,
            // Somebody works with that server.
            Self::EditConfig { set, .. } if set.iter().any(|one| one.at.first().is_some_and(|key| key == "mcp")) => {
                Class::Unsafe
            }
            // What it holds already was written by a person; a managed file of the machine's owner is ours to extend.
            Self::EditConfig { path, .. } if !path.text().starts_with("/etc/") => Class::Unsafe,
            _ => Class::Guarded,
        }
    }

    /// Its place in a plan: accounts before what they own, files before what loads them.
    pub fn rank(&self) -> u8 {
        match self {
            Self::EnsureUser { .. } => 0,
            Self::LeaveGroup { .. } => 1,
            Self::EnsureDir { .. } => 2,
            Self::SetAccess { .. } => 3,
            Self::WriteFile { .. } => 4,
            Self::EditBlock { .. } => 5,
            Self::EditConfig { .. } => 6,
            Self::EditKeys { .. } => 6,
            Self::EnsureLink { .. } => 7,
            Self::EnableAudit | Self::SetKernel { .. } => 8,
            Self::LoadAudit { .. } => 9,
            // Once its rules stand: the daemon of the audit loads those on the disk when it starts.
            Self::StartService { .. } => 10,
            // Last: it is what could cut somebody off.
            Self::LoadTable { .. } => 11,
        }
    }

    /// What it does, in a line.
    pub fn says(&self) -> String {
        match self {
            Self::EnsureUser { name, uid, .. } => format!("create the locked account {name} (number {})", uid.0),
            Self::LeaveGroup { user, group } => format!("take {user} out of the group {group}"),
            Self::EnsureDir { path, access } => {
                format!("folder {path}, owner {}:{}, mode {}", access.uid.0, access.gid.0, access.mode)
            }
            Self::SetAccess { path, take, owner } => {
                let owner = owner.map(|(uid, gid)| format!(" and give it to {}:{}", uid.0, gid.0)).unwrap_or_default();
                format!("take the rights {take} off {path}{owner}")
            }
            Self::WriteFile { path, .. } => format!("write {path}"),
            Self::EditBlock { path, label, .. } => format!("put the lines of {label} into {path}"),
            Self::EditConfig { path, .. } => format!("set settings in {path}"),
            Self::EditKeys { path, set, .. } => {
                let keys: Vec<&str> = set.iter().map(|(key, _)| key.as_str()).collect();
                format!("set {} in {path}", keys.join(", "))
            }
            Self::EnsureLink { path, target } => format!("link {path} to {target}"),
            Self::LoadTable { table, .. } => format!("load the packet rules inet {table}"),
            Self::LoadAudit { key, .. } => format!("load the audit rules under the key {key}"),
            Self::EnableAudit => "switch the kernel's audit on".to_owned(),
            Self::SetKernel { name, value } => format!("set {name} to {value} in the running kernel"),
            Self::StartService { unit } => format!("start {unit}"),
        }
    }
}

impl Class {
    /// All of them, with their names.
    pub const ALL: [(&'static str, Self); 3] =
        [("safe", Self::Safe), ("guarded", Self::Guarded), ("unsafe", Self::Unsafe)];

    /// As written on the command line.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|(_, class)| *class == self).map_or("", |(name, _)| name)
    }
}
