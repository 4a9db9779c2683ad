//! Walks a folder on all cores and never follows a link: each folder is opened from the one above it.

use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rayon::Scope;
use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, fstat, open, openat, statat};
use serde::{Deserialize, Serialize};

/// Files of one folder that one thread takes at a time.
const SHARE: usize = 64;
/// A larger file is work for a thread of its own: a folder of a few transcripts would else keep one of them busy.
const LARGE: u64 = 256 << 10;

/// A file that the walk came to.
#[derive(Debug)]
pub struct Entry<'w> {
    /// Its path from the folder where the walk began.
    pub path: &'w Path,
    /// What tells it from other files and from its own earlier states.
    pub stamp: Stamp,
    folder: &'w OwnedFd,
    name: &'w CString,
}

/// What tells a file from others and from its own earlier states.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// The device it is on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Its size in bytes.
    pub size: u64,
    /// When its bytes were last changed, in nanoseconds since 1970.
    pub modified: i128,
    /// When anything of it was last changed, in nanoseconds since 1970.
    pub changed: i128,
}

/// What the walk does where it comes to something.
pub trait Visitor: Sync {
    /// Whether to leave out a folder or file of this path.
    fn skips(&self, path: &Path, is_folder: bool) -> bool;
    /// Takes a regular file.
    fn file(&self, entry: &Entry<'_>);
    /// Hears of what could not be opened or listed.
    fn problem(&self, path: &Path, problem: &io::Error);
}

impl Entry<'_> {
    /// Opens it, if it is still a regular file.
    pub fn open(&self) -> io::Result<File> {
        open_file(self.folder, self.name)
    }

    /// Opens the file beside it whose name lacks an end that its own has.
    pub(crate) fn open_without(&self, end: &str) -> io::Result<File> {
        let name = self.name.to_bytes().strip_suffix(end.as_bytes()).ok_or(io::ErrorKind::NotFound)?;
        open_file(self.folder, &CString::new(name)?)
    }
}

impl Stamp {
    /// That of an open file.
    pub fn of(file: &File) -> io::Result<Self> {
        Ok(stamp(&fstat(file)?))
    }
}

/// Visits every regular file below a folder, in no order. Errors only if the folder itself cannot be opened.
pub fn walk(root: &Path, visitor: &dyn Visitor) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = Arc::new(open(root, flags, Mode::empty())?);
    rayon::scope(|scope| enter(scope, folder, PathBuf::new(), visitor));
    Ok(())
}

fn enter<'s>(scope: &Scope<'s>, folder: Arc<OwnedFd>, path: PathBuf, visitor: &'s dyn Visitor) {
    let (files, folders) = match list(&folder, &path, visitor) {
        Ok(listed) => listed,
        Err(problem) => return visitor.problem(&path, &problem),
    };
    for name in folders {
        let (folder, path) = (Arc::clone(&folder), path.join(as_os(&name)));
        scope.spawn(move |scope| {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match openat(&*folder, &name, flags, Mode::empty()) {
                Ok(inner) => enter(scope, Arc::new(inner), path, visitor),
                Err(problem) => visitor.problem(&path, &problem.into()),
            }
        });
    }
    if files.len() <= SHARE {
        return visit(scope, &folder, &path, &files, visitor);
    }
    for share in files.chunks(SHARE) {
        let (folder, path, share) = (Arc::clone(&folder), path.clone(), share.to_vec());
        scope.spawn(move |scope| visit(scope, &folder, &path, &share, visitor));
    }
}

type Names = Vec<CString>;

/// The names of a folder's files and of its folders; links, sockets and the like are left out.
fn list(folder: &OwnedFd, path: &Path, visitor: &dyn Visitor) -> io::Result<(Names, Names)> {
    let (mut files, mut folders) = (Names::new(), Names::new());
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let kind = match entry.file_type() {
            FileType::Unknown => match statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                Err(problem) => {
                    visitor.problem(&path.join(OsStr::from_bytes(name.to_bytes())), &problem.into());
                    continue;
                }
            },
            known => known,
        };
        let names = match kind {
            FileType::RegularFile => &mut files,
            FileType::Directory => &mut folders,
            _ => continue,
        };
        if !visitor.skips(&path.join(OsStr::from_bytes(name.to_bytes())), kind == FileType::Directory) {
            names.push(name.to_owned());
        }
    }
    Ok((files, folders))
}

fn visit<'s>(scope: &Scope<'s>, folder: &Arc<OwnedFd>, path: &Path, names: &[CString], visitor: &'s dyn Visitor) {
    for name in names {
        let path = path.join(as_os(name));
        match statat(&**folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if FileType::from_raw_mode(stat.st_mode).is_file() => {
                let stamp = stamp(&stat);
                if stamp.size <= LARGE {
                    visitor.file(&Entry { path: &path, stamp, folder, name });
                    continue;
                }
                let (folder, name) = (Arc::clone(folder), name.clone());
                scope.spawn(move |_| visitor.file(&Entry { path: &path, stamp, folder: &folder, name: &name }));
            }
            Ok(_) => {}
            Err(problem) => visitor.problem(&path, &problem.into()),
        }
    }
}

/// A name may have become a link, a pipe or a device since it was listed: none of them is opened, none is waited for.
fn open_file(folder: &OwnedFd, name: &CString) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::empty())?);
    if !FileType::from_raw_mode(fstat(&file)?.st_mode).is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no longer a regular file"));
    }
    Ok(file)
}

fn as_os(name: &CString) -> OsString {
    OsString::from_vec(name.as_bytes().to_vec())
}

pub(crate) fn stamp(stat: &rustix::fs::Stat) -> Stamp {
    let time = |seconds: i128, nanos: i128| seconds * 1_000_000_000 + nanos;
    Stamp {
        device: stat.st_dev,
        inode: stat.st_ino,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: time(i128::from(stat.st_mtime), i128::from(stat.st_mtime_nsec)),
        changed: time(i128::from(stat.st_ctime), i128::from(stat.st_ctime_nsec)),
    }
}
