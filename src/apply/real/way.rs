//! The way to a path, folder by folder, each opened by its descriptor and never through a link; and who may write there.
//!
//! What root writes into a folder that somebody else can write could be led astray: a name is swapped for a link, a file
//! for a hard link. So root writes only where every folder on the way is root's and nobody else's to change. Elsewhere
//! the work is done as the account whose folder it is, which can do no more than that account could by itself.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, Stat, fstat, openat, statat};

use crate::model::{AbsPath, Uid};

const STICKY: u32 = 0o1000;

/// A folder that is open, the name in it, and who has to do the work: None for whoever runs this.
pub(super) struct Way {
    pub(super) folder: OwnedFd,
    pub(super) name: OsString,
    pub(super) writer: Option<Uid>,
}

/// Opens the folder of `path` below `top`.
pub(super) fn to(top: &OwnedFd, path: &AbsPath) -> io::Result<Way> {
    let relative = path.below(&AbsPath::root()).unwrap_or(Path::new(""));
    let name = relative.file_name().ok_or_else(|| io::Error::other("the top of the file system is not changed"))?;
    let names: Vec<&OsStr> =
        relative.parent().into_iter().flat_map(Path::components).map(|part| part.as_os_str()).collect();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut folder = openat(top, ".", flags, Mode::empty())?;
    let mut trusted = true;
    let mut owner = fstat(&folder)?;
    for next in names {
        let inner = openat(&folder, next, flags, Mode::empty())?;
        let stat = fstat(&inner)?;
        trusted &= is_safe(&owner, Some(&stat));
        (folder, owner) = (inner, stat);
    }
    let child = statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW).ok();
    trusted &= is_safe(&owner, child.as_ref());
    Ok(Way { writer: writer(trusted, &owner, path)?, folder, name: name.to_owned() })
}

/// Whether nobody but root can put something else under a name of this folder.
fn is_safe(folder: &Stat, inner: Option<&Stat>) -> bool {
    let mode = bits(folder);
    let open = mode & 0o002 != 0 || mode & 0o020 != 0 && folder.st_gid != 0;
    // In a sticky folder what is root's stays where it is; a file of several names could be another's.
    let held =
        mode & STICKY != 0 && inner.is_some_and(|inner| inner.st_uid == 0 && (is_dir(inner) || inner.st_nlink == 1));
    folder.st_uid == 0 && (!open || held)
}

#[allow(clippy::useless_conversion, reason = "the width of `st_mode` differs between systems")]
fn bits(stat: &Stat) -> u32 {
    u32::from(stat.st_mode)
}

fn is_dir(stat: &Stat) -> bool {
    rustix::fs::FileType::from_raw_mode(stat.st_mode) == rustix::fs::FileType::Directory
}

fn writer(trusted: bool, folder: &Stat, path: &AbsPath) -> io::Result<Option<Uid>> {
    if trusted || !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    if folder.st_uid == 0 {
        let why = format!("others than root can write on the way to `{path}`: root writes nothing there");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    Ok(Some(Uid(folder.st_uid)))
}
