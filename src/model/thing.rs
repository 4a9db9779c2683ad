//! What a step changes, and what is there: before, now, after.
//!
//! A machine is seen as a map from things to states. A step is a thing with the state before and the state after;
//! applying puts the second there, undoing the first. So each kind of thing knows how to be looked at and how to be
//! put, and nothing else has to know what is done or undone.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{AbsPath, Gid, Mode, Uid};

/// What a step changes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Thing {
    /// What stands under a path.
    Path(AbsPath),
    /// Who owns what stands under a path and what others may do with it, whatever it holds.
    Rights(AbsPath),
    /// An account with its group of the same name.
    Account(String),
    /// The accounts listed in a group, in their order.
    Members(String),
    /// The loaded table of packet rules of this name, in the inet family.
    Table(String),
    /// The loaded audit rules under this key.
    AuditKey(String),
    /// Whether the kernel's audit is on.
    Auditing,
    /// A setting of the running kernel.
    Kernel(String),
    /// Whether a service runs.
    Service(String),
}

/// Who owns a path, and what others may do with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Access {
    /// Its owner.
    pub uid: Uid,
    /// Its group.
    pub gid: Gid,
    /// Its permission bits.
    pub mode: Mode,
    /// The named lines of its access list, in the kernel's form as hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acl: Option<String>,
}

/// What a thing is. Content is held by its digest; what it says is in the run's own store.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "kebab-case")]
pub enum State {
    /// It is not there.
    Absent,
    /// A regular file.
    File {
        /// Of its content.
        digest: String,
        /// In bytes.
        length: u64,
        /// Its owner and rights.
        access: Access,
    },
    /// A folder; what lies in it are things of their own.
    Dir {
        /// Its owner and rights.
        access: Access,
    },
    /// Owner and rights of a file or folder.
    Rights {
        /// These.
        access: Access,
    },
    /// A link.
    Link {
        /// Where it points, as written.
        target: String,
    },
    /// A socket, FIFO or device: never touched.
    Other,
    /// An account.
    Account {
        /// Its number.
        uid: Uid,
        /// Its main group.
        gid: Gid,
        /// Its home.
        home: String,
        /// Its login shell.
        shell: String,
    },
    /// Loaded rules.
    Rules {
        /// Of their text.
        digest: String,
        /// How many lines that has.
        lines: u64,
    },
    /// A setting.
    Value {
        /// As the system writes it.
        value: String,
    },
}

/// The digest that states hold of a content.
pub fn digest(bytes: &[u8]) -> String {
    super::hex(Sha256::digest(bytes))
}

impl Access {
    /// Of root, without an access list.
    pub fn of_root(mode: u32) -> Self {
        Self { uid: Uid(0), gid: Gid(0), mode: Mode::new(mode), acl: None }
    }

    /// Whether each part is as in one of the two: what a change that was cut off leaves.
    fn is_between(&self, one: &Self, other: &Self) -> bool {
        let uid = self.uid == one.uid || self.uid == other.uid;
        let gid = self.gid == one.gid || self.gid == other.gid;
        // A change of the owner takes the bits that raise rights away.
        let plain = |mode: Mode| mode.bits() & 0o1777;
        let mode = [one, other].iter().any(|a| a.mode == self.mode || plain(a.mode) == plain(self.mode));
        uid && gid && mode && (self.acl == one.acl || self.acl == other.acl)
    }
}

impl Thing {
    /// The path that it is about.
    pub fn path(&self) -> Option<&AbsPath> {
        match self {
            Self::Path(path) | Self::Rights(path) => Some(path),
            _ => None,
        }
    }
}

impl State {
    /// The state of a file with this content.
    pub fn file(bytes: &[u8], access: Access) -> Self {
        Self::File { digest: digest(bytes), length: bytes.len() as u64, access }
    }

    /// The state of loaded rules with this text.
    pub fn rules(text: &str) -> Self {
        if text.is_empty() {
            return Self::Absent;
        }
        Self::Rules { digest: digest(text.as_bytes()), lines: text.lines().count() as u64 }
    }

    /// The digest of its content, where it has one.
    pub fn digest(&self) -> Option<&str> {
        match self {
            Self::File { digest, .. } | Self::Rules { digest, .. } => Some(digest),
            _ => None,
        }
    }

    /// Its owner and rights, where it has such.
    pub fn access(&self) -> Option<&Access> {
        match self {
            Self::File { access, .. } | Self::Dir { access } | Self::Rights { access } => Some(access),
            _ => None,
        }
    }

    /// Whether a change between the two that was cut off could have left this.
    pub fn is_between(&self, one: &Self, other: &Self) -> bool {
        if self == one || self == other {
            return true;
        }
        match (self, one, other) {
            // Rules are taken out and put in one by one, and an account is more than one file.
            (
                Self::Rules { .. } | Self::Absent,
                Self::Rules { .. } | Self::Absent,
                Self::Rules { .. } | Self::Absent,
            ) => true,
            (
                Self::File { digest: now, access, .. },
                Self::File { digest: a, access: one, .. },
                Self::File { digest: b, access: other, .. },
            ) => (now == a || now == b) && access.is_between(one, other),
            (Self::Dir { access }, Self::Dir { access: one }, Self::Dir { access: other })
            | (Self::Rights { access }, Self::Rights { access: one }, Self::Rights { access: other }) => {
                access.is_between(one, other)
            }
            _ => false,
        }
    }

    /// In a few words.
    pub fn says(&self) -> String {
        let rights = |access: &Access| format!("owner {}:{}, mode {}", access.uid.0, access.gid.0, access.mode);
        match self {
            Self::Absent => "not there".to_owned(),
            Self::File { digest, length, access } => {
                format!(
                    "a file of {length} bytes (sha256 {}…), {}",
                    digest.get(..12).unwrap_or_default(),
                    rights(access)
                )
            }
            Self::Dir { access } => format!("a folder, {}", rights(access)),
            Self::Rights { access } => rights(access),
            Self::Link { target } => format!("a link to {target}"),
            Self::Other => "no file, folder or link".to_owned(),
            Self::Account { uid, gid, home, shell } => {
                format!("an account: number {}, group {}, home {home}, shell {shell}", uid.0, gid.0)
            }
            Self::Rules { lines, digest } => {
                format!("{lines} lines of rules (sha256 {}…)", digest.get(..12).unwrap_or_default())
            }
            Self::Value { value } => value.clone(),
        }
    }
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) | Self::Rights(path) => write!(f, "{path}"),
            Self::Account(name) => write!(f, "account {name}"),
            Self::Members(group) => write!(f, "members of the group {group}"),
            Self::Table(name) => write!(f, "packet rules inet {name}"),
            Self::AuditKey(key) => write!(f, "audit rules under key {key}"),
            Self::Auditing => f.write_str("the kernel's audit"),
            Self::Kernel(name) => write!(f, "the kernel's {name}"),
            Self::Service(unit) => write!(f, "service {unit}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir(uid: u32, mode: u32) -> State {
        State::Dir { access: Access { uid: Uid(uid), ..Access::of_root(mode) } }
    }

    #[test]
    fn a_change_that_was_cut_off_is_told_from_one_by_somebody_else() {
        let (before, after) = (dir(1000, 0o755), dir(0, 0o700));
        for (now, between) in
            [(dir(0, 0o755), true), (dir(1000, 0o700), true), (dir(7, 0o755), false), (State::Absent, false)]
        {
            assert_eq!(now.is_between(&before, &after), between, "{now:?}");
        }
        let (old, new) = (State::file(b"a", Access::of_root(0o644)), State::file(b"b", Access::of_root(0o644)));
        assert!(!State::file(b"c", Access::of_root(0o644)).is_between(&old, &new));
    }
}
