//! The machine as a writer needs it: a few primitives, each of which happens in full or not at all as far as a file
//! system can promise that. Everything that is journaled, resumed and undone is built on these, so that a double that
//! fails, hangs or loses power at any of them puts all of it to the test.

use std::io;

use super::tool::Changer;
use crate::host::{Accounts, Output, ToolError};
use crate::model::{AbsPath, Access, State, Uid};

/// What is made under a path that is free.
#[derive(Clone, Copy, Debug)]
pub enum New<'a> {
    /// A regular file.
    File {
        /// Its content.
        bytes: &'a [u8],
        /// Its owner and rights.
        access: &'a Access,
        /// The file whose further attributes it takes over.
        like: Option<&'a AbsPath>,
    },
    /// A folder.
    Dir {
        /// Its owner and rights.
        access: &'a Access,
    },
    /// A link.
    Link {
        /// Where it points.
        target: &'a str,
    },
}

/// A machine that can be changed. No primitive follows a link, not even on the way, and none writes as root where
/// another account could put something else in the way.
pub trait Machine {
    /// What stands under a path, with the content of a file. Nothing is [`State::Absent`].
    fn look(&self, path: &AbsPath) -> io::Result<(State, Option<Vec<u8>>)>;

    /// Owner and rights of a file or folder; None of anything else.
    fn access(&self, path: &AbsPath) -> io::Result<Option<Access>>;

    /// The names in a folder.
    fn list(&self, path: &AbsPath) -> io::Result<Vec<String>>;

    /// Makes what is new under a free path, and returns when it is on the disk. What is cut off leaves nothing that
    /// anybody reads.
    fn make(&mut self, path: &AbsPath, new: New<'_>) -> io::Result<()>;

    /// Gives it another name in the same folder, instead of what stands there, and returns when that is on the disk.
    fn rename(&mut self, from: &AbsPath, to: &AbsPath) -> io::Result<()>;

    /// Takes a file, a link or an empty folder away. What is not there is no error.
    fn remove(&mut self, path: &AbsPath) -> io::Result<()>;

    /// Sets owner, rights and access list.
    fn set_access(&mut self, path: &AbsPath, access: &Access) -> io::Result<()>;

    /// Adds to the end of a file of our own, and returns when it is on the disk.
    fn append(&mut self, path: &AbsPath, bytes: &[u8]) -> io::Result<()>;

    /// Takes the lock of the store for as long as this machine lives; false where another has it.
    fn lock(&mut self, path: &AbsPath) -> io::Result<bool>;

    /// Runs a tool of the closed list.
    fn run(&mut self, tool: Changer, args: &[&str]) -> Result<Output, ToolError>;

    /// What a tool lists that changes nothing.
    fn ask(&self, tool: Changer, args: &[&str]) -> Result<Output, ToolError>;

    /// All accounts and groups.
    fn accounts(&self) -> io::Result<Accounts>;

    /// Running processes of an account.
    fn processes_of(&self, uid: Uid) -> io::Result<Vec<u32>>;

    /// Some files of an account, wherever they lie on the disks of this machine.
    fn files_of(&self, uid: Uid) -> io::Result<Vec<AbsPath>>;
}
