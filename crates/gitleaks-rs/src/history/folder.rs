//! Files of a hostile folder. Every step below it is opened from the folder above and never through a link; what is
//! no plain file is not opened for reading; what is too large is not read.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, openat, statat};

use crate::tree::{self, Stamp};

/// An open folder.
pub(super) struct Folder(OwnedFd);

/// An entry of a folder: its name and what it is, links not followed.
pub(super) type Entry = (Vec<u8>, FileType);

impl Folder {
    /// Opens a folder that the caller names; links that lead to it are the caller's own.
    pub(super) fn open(path: &Path) -> io::Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Folder(openat(CWD, path, flags, Mode::empty())?))
    }

    /// Opens a folder below this one.
    pub(super) fn folder(&self, path: &[u8]) -> io::Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut found: Option<OwnedFd> = None;
        for step in path.split(|byte| *byte == b'/').filter(|step| !step.is_empty()) {
            let from = found.as_ref().unwrap_or(&self.0);
            found = Some(openat(from, OsStr::from_bytes(step), flags, Mode::empty())?);
        }
        found.map_or_else(|| Ok(Folder(self.0.try_clone()?)), |found| Ok(Folder(found)))
    }

    /// Opens a plain file below this folder.
    pub(super) fn file(&self, path: &[u8]) -> io::Result<File> {
        let cut = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let (folder, name) = path.split_at(cut);
        let holder = if folder.is_empty() { None } else { Some(self.folder(folder)?) };
        let from = holder.as_ref().map_or(&self.0, |holder| &holder.0);
        // Opening a FIFO would wait for a writer without NONBLOCK.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(from, OsStr::from_bytes(name), flags, Mode::empty())?;
        if FileType::from_raw_mode(fstat(&file)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is no plain file"));
        }
        Ok(File::from(file))
    }

    /// The bytes of a file below this folder; nothing where there is no such file.
    pub(super) fn read(&self, path: &[u8], limit: u64) -> io::Result<Option<Vec<u8>>> {
        let file = match self.file(path) {
            Ok(file) => file,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut bytes = Vec::new();
        file.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("is larger than {limit} bytes")));
        }
        Ok(Some(bytes))
    }

    /// What the folder holds.
    pub(super) fn list(&self) -> io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            let mut kind = entry.file_type();
            if kind == FileType::Unknown {
                kind = FileType::from_raw_mode(statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode);
            }
            entries.push((name.to_bytes().to_vec(), kind));
        }
        Ok(entries)
    }

    /// What tells an entry of this folder from its own earlier states.
    pub(super) fn stamp(&self, name: &[u8]) -> io::Result<Stamp> {
        Ok(tree::stamp(&statat(&self.0, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// What a path below this folder is; nothing where there is no such thing.
    pub(super) fn kind(&self, name: &str) -> io::Result<Option<FileType>> {
        match statat(&self.0, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
            Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether an error says that there is no such file.
pub(super) fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}
