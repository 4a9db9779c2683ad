//! Names in an open folder: made, renamed, removed, given away. Each is on the disk when its function returns.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;

use rustix::fs::{
    AtFlags, FileType, FlockOperation, Gid, Mode, OFlags, RawMode, Uid, XattrFlags, fchmod, fchown, fgetxattr,
    flistxattr, flock, fremovexattr, fsetxattr, fstat, fsync, mkdirat, openat, renameat, statat, symlinkat, unlinkat,
};
use rustix::io::Errno;

use crate::apply::machine::New;
use crate::model::Access;

/// Where Linux keeps access lists.
pub(super) const ACL: &str = "system.posix_acl_access";
/// The most bytes of further attributes that are copied from one file.
const ATTRIBUTES: usize = 64 << 10;

/// Of files until they are given their own rights.
const PRIVATE: RawMode = 0o600;

/// Makes what is new; what goes wrong half-way leaves nothing.
pub(super) fn make(folder: &OwnedFd, name: &OsStr, new: New<'_>) -> io::Result<()> {
    let made = match new {
        New::File { bytes, access, like } => {
            let like = like.and_then(|path| path.name().map(OsStr::to_owned));
            make_file(folder, name, bytes, access, like.as_deref())
        }
        New::Dir { access } => make_dir(folder, name, access),
        New::Link { target } => symlinkat(target, folder, name).map_err(io::Error::from),
    };
    if let Err(error) = made {
        let flags = if matches!(new, New::Dir { .. }) { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        // What was there before is not ours to take away.
        if error.kind() != io::ErrorKind::AlreadyExists {
            let _ = unlinkat(folder, name, flags);
        }
        return Err(error);
    }
    Ok(fsync(folder)?)
}

fn make_file(folder: &OwnedFd, name: &OsStr, bytes: &[u8], access: &Access, like: Option<&OsStr>) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(folder, name, flags, Mode::from_raw_mode(PRIVATE))?);
    file.write_all(bytes)?;
    if let Some(like) = like {
        copy_attributes(folder, like, &file)?;
    }
    give(&file, access)?;
    file.sync_all()
}

fn make_dir(folder: &OwnedFd, name: &OsStr, access: &Access) -> io::Result<()> {
    mkdirat(folder, name, Mode::from_raw_mode(0o700))?;
    let made = open(folder, name)?;
    give(&made, access)?;
    Ok(fsync(&made)?)
}

/// Opens a file or folder to change its rights.
fn open(folder: &OwnedFd, name: &OsStr) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = openat(folder, name, flags, Mode::empty())?;
    match FileType::from_raw_mode(fstat(&file)?.st_mode) {
        FileType::RegularFile | FileType::Directory => Ok(File::from(file)),
        _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a file nor a folder")),
    }
}

/// Owner first: a change of it takes bits away. Then the list, then the bits, which its mask follows.
fn give(file: &File, access: &Access) -> io::Result<()> {
    let stat = fstat(file)?;
    if (stat.st_uid, stat.st_gid) != (access.uid.0, access.gid.0) {
        fchown(file, Some(Uid::from_raw(access.uid.0)), Some(Gid::from_raw(access.gid.0)))?;
    }
    if cfg!(target_os = "linux") {
        match &access.acl {
            Some(list) => fsetxattr(file, ACL, &bytes_of(list)?, XattrFlags::empty())?,
            None => match fremovexattr(file, ACL) {
                Ok(()) | Err(Errno::NODATA | Errno::NOTSUP) => {}
                Err(error) => return Err(error.into()),
            },
        }
    }
    fchmod(file, Mode::from_raw_mode(access.mode.bits() as RawMode))?;
    Ok(())
}

fn bytes_of(digits: &str) -> io::Result<Vec<u8>> {
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "an access list that is not of the form");
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return Err(wrong());
    }
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[at * 2..at * 2 + 2], 16).map_err(|_| wrong())).collect()
}

/// What else is kept beside a file: labels, capabilities, a user's own attributes. The access list is set by itself.
fn copy_attributes(folder: &OwnedFd, from: &OsStr, to: &File) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let from = openat(folder, from, flags, Mode::empty())?;
    let mut names = vec![0_u8; ATTRIBUTES];
    let length = match flistxattr(&from, &mut names[..]) {
        Ok(length) => length,
        Err(Errno::NOTSUP) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for name in names[..length].split(|byte| *byte == 0).filter(|name| !name.is_empty() && *name != ACL.as_bytes()) {
        let mut value = vec![0_u8; ATTRIBUTES];
        let length = fgetxattr(&from, name, &mut value[..])?;
        fsetxattr(to, name, &value[..length], XattrFlags::empty())?;
    }
    Ok(())
}

/// Gives a file another name in the folder.
pub(super) fn rename(folder: &OwnedFd, from: &OsStr, to: &OsStr) -> io::Result<()> {
    renameat(folder, from, folder, to)?;
    Ok(fsync(folder)?)
}

/// Takes a file, a link or an empty folder away.
pub(super) fn remove(folder: &OwnedFd, name: &OsStr) -> io::Result<()> {
    let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    unlinkat(folder, name, if is_dir { AtFlags::REMOVEDIR } else { AtFlags::empty() })?;
    Ok(fsync(folder)?)
}

/// Sets owner and rights of a file or folder.
pub(super) fn set_access(folder: &OwnedFd, name: &OsStr, access: &Access) -> io::Result<()> {
    let file = open(folder, name)?;
    give(&file, access)?;
    Ok(fsync(&file)?)
}

/// Adds to the end of a file.
pub(super) fn append(folder: &OwnedFd, name: &OsStr, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(openat(folder, name, flags, Mode::empty())?);
    file.write_all(bytes)?;
    file.sync_data()
}

/// Takes a lock that ends with the process; None where another has it.
pub(super) fn lock(folder: &OwnedFd, name: &OsStr) -> io::Result<Option<File>> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = File::from(openat(folder, name, flags, Mode::from_raw_mode(PRIVATE))?);
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
