//! A folder of hooks on disk. It is opened once and never through a link, names in it are used as they are, and what is
//! written is there in full or not at all.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fchmod, fstat, linkat, openat, renameat, statat, unlinkat};

use crate::model::AbsPath;

/// As much of a hook as is read. Ours are smaller.
const LIMIT: u64 = 256 << 10;

/// An open folder.
pub(super) struct Folder(OwnedFd);

/// What stands under a name.
pub(super) enum Found {
    /// Nothing.
    Nothing,
    /// A file: its beginning, and whether its owner may run it.
    File { bytes: Vec<u8>, runs: bool },
    /// Something that is left alone: a link, a folder.
    Other(&'static str),
}

impl Folder {
    /// Opens a folder.
    pub(super) fn open(path: &AbsPath) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self(openat(CWD, path.as_path(), flags, Mode::empty())?))
    }

    /// Opens a folder that is made if it is not there.
    pub(super) fn make(path: &AbsPath) -> io::Result<Self> {
        match rustix::fs::mkdir(path.as_path(), Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => Self::open(path),
            Err(error) => Err(error.into()),
        }
    }

    /// What stands under a name.
    pub(super) fn look(&self, name: &str) -> io::Result<Found> {
        let stat = match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(rustix::io::Errno::NOENT) => return Ok(Found::Nothing),
            Err(error) => return Err(error.into()),
        };
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Symlink => return Ok(Found::Other("a link")),
            FileType::Directory => return Ok(Found::Other("a folder")),
            _ => return Ok(Found::Other("no plain file")),
        }
        // Between the two calls it may have become a FIFO, which is not waited for.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(&self.0, name, flags, Mode::empty())?;
        let mode = fstat(&file)?.st_mode;
        if FileType::from_raw_mode(mode) != FileType::RegularFile {
            return Ok(Found::Other("no plain file"));
        }
        let mut bytes = Vec::new();
        File::from(file).take(LIMIT).read_to_end(&mut bytes)?;
        Ok(Found::File { bytes, runs: mode & 0o100 != 0 })
    }

    /// Puts a program under a name, instead of what stands there.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let beside = format!(".{name}.harden-{}", std::process::id());
        // What a run that was killed left behind; nobody else uses such names.
        let _ = unlinkat(&self.0, &beside, AtFlags::empty());
        let done = self.write(&beside, bytes).and_then(|()| Ok(renameat(&self.0, &beside, &self.0, name)?));
        if done.is_err() {
            let _ = unlinkat(&self.0, &beside, AtFlags::empty());
        }
        done
    }

    fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = openat(&self.0, name, flags, Mode::from_raw_mode(0o700))?;
        let mut file = File::from(file);
        file.write_all(bytes)?;
        // Whatever the umask: git runs no hook that is not executable.
        fchmod(&file, Mode::from_raw_mode(0o755))?;
        file.sync_all()
    }

    /// Gives a file a second name, never one that is taken. So there is a hook at every moment, and its bytes and
    /// rights are not touched.
    pub(super) fn link(&self, name: &str, second: &str) -> io::Result<()> {
        Ok(linkat(&self.0, name, &self.0, second, AtFlags::empty())?)
    }

    /// Gives a file another name, instead of what stands there.
    pub(super) fn rename(&self, name: &str, to: &str) -> io::Result<()> {
        Ok(renameat(&self.0, name, &self.0, to)?)
    }

    /// Takes a file away.
    pub(super) fn remove(&self, name: &str) -> io::Result<()> {
        Ok(unlinkat(&self.0, name, AtFlags::empty())?)
    }
}
