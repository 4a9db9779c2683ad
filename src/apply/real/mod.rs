//! This machine, or a folder that stands for one.

mod account;
mod files;
mod owned;
mod way;

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode as OpenMode, OFlags};

use self::way::Way;
use super::machine::{Machine, New};
use super::tool::Changer;
use crate::host::{Accounts, CONFIG_LIMIT, Host, Kind, Output, RealHost, ToolError, is_absent, run_program};
use crate::model::{AbsPath, Access, State, Uid, hex};

/// What a file holds that is too large to be read; such a one is never written.
const UNREAD: &str = "unread";

/// A machine that really is changed.
pub struct RealMachine {
    host: RealHost,
    top: OwnedFd,
    prefix: PathBuf,
    live: bool,
    /// Held until the machine is dropped.
    locks: Vec<File>,
}

impl RealMachine {
    /// The running machine.
    pub fn live() -> io::Result<Self> {
        Self::open(RealHost::live()?, Path::new("/"), true)
    }

    /// A folder that stands for a machine: files only, no tools.
    pub fn below(folder: &Path) -> io::Result<Self> {
        Self::open(RealHost::image(folder)?, &folder.canonicalize()?, false)
    }

    fn open(host: RealHost, prefix: &Path, live: bool) -> io::Result<Self> {
        let top = rustix::fs::open(prefix, OFlags::DIRECTORY | OFlags::CLOEXEC, OpenMode::empty())?;
        Ok(Self { host, top, prefix: prefix.to_owned(), live, locks: Vec::new() })
    }

    /// Does `work` in the folder of `path`, as root where nobody else can put something in the way, else as whose
    /// folder that is.
    fn at<T: Send>(
        &self,
        path: &AbsPath,
        work: impl FnOnce(&OwnedFd, &std::ffi::OsStr) -> io::Result<T> + Send,
    ) -> io::Result<T> {
        let Way { folder, name, writer } = way::to(&self.top, path)?;
        match writer {
            None => work(&folder, &name),
            Some(uid) => {
                let accounts = self.host.accounts()?;
                account::act_as(&accounts, uid, move || work(&folder, &name))
            }
        }
    }

    fn acl(&self, path: &AbsPath) -> io::Result<Option<String>> {
        if !cfg!(target_os = "linux") {
            return Ok(None);
        }
        let full = self.prefix.join(path.below(&AbsPath::root()).unwrap_or(Path::new("")));
        let mut value = vec![0; 4096];
        match rustix::fs::lgetxattr(full, files::ACL, &mut value[..]) {
            Ok(length) => Ok(Some(hex(&value[..length]))),
            Err(rustix::io::Errno::NODATA | rustix::io::Errno::NOTSUP) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

impl Machine for RealMachine {
    fn look(&self, path: &AbsPath) -> io::Result<(State, Option<Vec<u8>>)> {
        let stat = match self.host.stat(path) {
            Err(error) if is_absent(&error) => return Ok((State::Absent, None)),
            stat => stat?,
        };
        let access =
            || Ok::<_, io::Error>(Access { uid: stat.uid, gid: stat.gid, mode: stat.mode, acl: self.acl(path)? });
        Ok(match stat.kind {
            Kind::File if stat.size > CONFIG_LIMIT => {
                (State::File { digest: UNREAD.to_owned(), length: stat.size, access: access()? }, None)
            }
            Kind::File => {
                let bytes = self.host.read(path, CONFIG_LIMIT)?;
                (State::file(&bytes, access()?), Some(bytes))
            }
            Kind::Dir => (State::Dir { access: access()? }, None),
            Kind::Link => (State::Link { target: self.host.read_link(path)?.to_string_lossy().into_owned() }, None),
            Kind::Socket | Kind::Special => (State::Other, None),
        })
    }

    fn access(&self, path: &AbsPath) -> io::Result<Option<Access>> {
        let stat = match self.host.stat(path) {
            Err(error) if is_absent(&error) => return Ok(None),
            stat => stat?,
        };
        if !matches!(stat.kind, Kind::File | Kind::Dir) {
            return Ok(None);
        }
        Ok(Some(Access { uid: stat.uid, gid: stat.gid, mode: stat.mode, acl: self.acl(path)? }))
    }

    fn list(&self, path: &AbsPath) -> io::Result<Vec<String>> {
        Ok(self.host.list(path)?.into_iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect())
    }

    fn make(&mut self, path: &AbsPath, new: New<'_>) -> io::Result<()> {
        self.at(path, |folder, name| files::make(folder, name, new))
    }

    fn rename(&mut self, from: &AbsPath, to: &AbsPath) -> io::Result<()> {
        if from.parent() != to.parent() {
            return Err(io::Error::other("a rename stays in its folder"));
        }
        let new = to.name().unwrap_or_default().to_owned();
        self.at(from, move |folder, name| files::rename(folder, name, &new))
    }

    fn remove(&mut self, path: &AbsPath) -> io::Result<()> {
        match self.at(path, files::remove) {
            Err(error) if is_absent(&error) => Ok(()),
            other => other,
        }
    }

    fn set_access(&mut self, path: &AbsPath, access: &Access) -> io::Result<()> {
        self.at(path, |folder, name| files::set_access(folder, name, access))
    }

    fn append(&mut self, path: &AbsPath, bytes: &[u8]) -> io::Result<()> {
        self.at(path, |folder, name| files::append(folder, name, bytes))
    }

    fn lock(&mut self, path: &AbsPath) -> io::Result<bool> {
        let file = self.at(path, files::lock)?;
        let taken = file.is_some();
        self.locks.extend(file);
        Ok(taken)
    }

    fn run(&mut self, tool: Changer, args: &[&str]) -> Result<Output, ToolError> {
        self.ask(tool, args)
    }

    fn ask(&self, tool: Changer, args: &[&str]) -> Result<Output, ToolError> {
        if self.live { run_program(tool.name(), args) } else { Err(ToolError::NotLive(tool.name())) }
    }

    fn accounts(&self) -> io::Result<Accounts> {
        self.host.accounts()
    }

    fn processes_of(&self, uid: Uid) -> io::Result<Vec<u32>> {
        if !self.live {
            return Ok(Vec::new());
        }
        // Looked up anew each time: a host remembers them.
        let processes = RealHost::live()?.processes()?;
        Ok(processes.iter().filter(|process| process.uid == Some(uid)).map(|process| process.pid).collect())
    }

    fn files_of(&self, uid: Uid) -> io::Result<Vec<AbsPath>> {
        owned::files_of(&self.host, &self.prefix, self.live, uid)
    }
}
