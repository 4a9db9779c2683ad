//! The machine under audit, read-only. Only this module touches it.
//!
//! Every primitive refuses to follow a link; [`resolve`] follows them, by hand, within bounds. [`RealHost`] is this
//! machine or a mounted image, [`FixtureHost`] is a YAML file.

mod access;
mod accounts;
mod closed;
mod fixture;
mod git_history;
mod real;
mod resolve;
mod tool;

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::PathBuf;

pub use access::{Acl, AclEntry, AclTag, Want, Who, allowed, can, can_replace};
pub use accounts::{Account, Accounts, Group};
pub use closed::Closed;
pub use fixture::{FixtureError, FixtureHost};
pub use real::{RealHost, run_program};
pub use resolve::{LINK_LIMIT, Outside, components, exists, is_absent, read_text, resolve};
pub use tool::{Output, Tool, ToolError};

use crate::model::{AbsPath, Gid, Mode, Os, Uid};

/// The largest configuration file that is read: 4 MiB.
pub const CONFIG_LIMIT: u64 = 4 << 20;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Link,
    /// A socket.
    Socket,
    /// A FIFO or device: never opened.
    Special,
}

/// What the file system says of a path, links not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// What it is.
    pub kind: Kind,
    /// Its owner.
    pub uid: Uid,
    /// Its group.
    pub gid: Gid,
    /// Its permission bits.
    pub mode: Mode,
    /// Its size in bytes.
    pub size: u64,
    /// When its content last changed, in seconds since 1970.
    pub modified: i64,
}

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, any bytes.
    pub name: OsString,
    /// What it is.
    pub kind: Kind,
}

/// What a walk does with an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// Return it, and go into it.
    Yes,
    /// Go into it only.
    Pass,
    /// Neither.
    Prune,
}

/// A running process. Values of its environment are never read into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its parent's number.
    pub parent: Option<u32>,
    /// Its effective user.
    pub uid: Option<Uid>,
    /// Its short name.
    pub name: String,
    /// Its program, where it could be read.
    pub exe: Option<AbsPath>,
    /// Its arguments. They may hold secrets: facts never carry them on.
    pub args: Vec<String>,
    /// The names of its environment variables; None where they could not be read.
    pub env: Option<Vec<String>>,
    /// Its working directory, where it could be read.
    pub cwd: Option<AbsPath>,
}

/// Paths that a git repository's history has held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Those that were asked for, sorted.
    pub paths: Vec<String>,
    /// How many commits were looked through.
    pub commits: u64,
    /// Why older ones were not; None where all were.
    pub incomplete: Option<String>,
}

/// Why the history of a clone is incomplete that was made without its past.
pub const SHALLOW: &str = "the clone is shallow";

impl History {
    /// Whether nothing but the past of a shallow clone is missing.
    pub fn is_shallow(&self) -> bool {
        self.incomplete.as_deref() == Some(SHALLOW)
    }
}

/// A machine, read-only. Absence is `ErrorKind::NotFound`; anything else is a failure to look. A refusal by a folder
/// holds [`Closed`].
pub trait Host: Send + Sync {
    /// Its system.
    fn os(&self) -> Os;

    /// Whether it runs: an image has files but no processes, rules or environment.
    fn is_live(&self) -> bool;

    /// What `path` is, links not followed, not even on the way.
    fn stat(&self, path: &AbsPath) -> io::Result<Stat>;

    /// Where a link points, as written.
    fn read_link(&self, path: &AbsPath) -> io::Result<PathBuf>;

    /// The names in a directory, sorted.
    fn list(&self, path: &AbsPath) -> io::Result<Vec<Entry>>;

    /// The names in a directory with what the file system says of each, sorted. Names that went away in between are
    /// left out.
    fn list_stats(&self, path: &AbsPath) -> io::Result<Vec<(Entry, Stat)>> {
        let mut found = Vec::new();
        for entry in self.list(path)? {
            match self.stat(&path.join(&entry.name)) {
                Ok(stat) => found.push((entry, stat)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    /// The content of a regular file. `FileTooLarge` beyond `limit` bytes; `InvalidInput` for other kinds.
    fn read(&self, path: &AbsPath, limit: u64) -> io::Result<Vec<u8>>;

    /// The same, open for reading: for what is too large for memory. The caller sets the bounds.
    fn open(&self, path: &AbsPath) -> io::Result<File>;

    /// Where a folder lies on this machine, for what reads many files there by itself. It is no link, and lies below
    /// none; `Unsupported` where there is no such machine.
    fn folder(&self, path: &AbsPath) -> io::Result<PathBuf> {
        let _ = path;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The access list of a file where it has one beyond its mode.
    fn acl(&self, path: &AbsPath) -> io::Result<Option<Acl>>;

    /// Whether a file carries capabilities.
    fn has_capabilities(&self, path: &AbsPath) -> io::Result<bool>;

    /// Everything below `top`, depth first, links not followed: relative path and kind. The second value counts
    /// folders that could not be listed.
    fn walk(
        &self,
        top: &AbsPath,
        keep: &mut dyn FnMut(&std::path::Path, Kind) -> Keep,
    ) -> io::Result<(Vec<(PathBuf, Kind)>, u64)>;

    /// All accounts and groups.
    fn accounts(&self) -> io::Result<Accounts>;

    /// The user who started the audit; None for an image, whose accounts are not those of this machine.
    fn invoker(&self) -> io::Result<Option<Uid>>;

    /// All processes.
    fn processes(&self) -> io::Result<Vec<Process>>;

    /// A variable of the environment the audit was started in.
    fn env(&self, name: &str) -> Option<String>;

    /// The names in that environment, sorted.
    fn env_names(&self) -> Vec<String>;

    /// Runs a tool of the closed list, with an emptied environment, no shell and a time limit.
    fn run(&self, tool: Tool, args: &[&str]) -> Result<Output, ToolError>;

    /// The paths for which `keep` holds in the newest `limit` commits reachable from any ref of the repository
    /// whose common git directory this is.
    fn history(&self, git_dir: &AbsPath, limit: u64, keep: &(dyn Fn(&[u8]) -> bool + Sync)) -> io::Result<History>;
}
