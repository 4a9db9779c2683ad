//! The system's words for what a path is, in ours.

use rustix::fs::FileType;

use crate::host::{Kind, Stat};
use crate::model::{Gid, Mode, Uid};

#[allow(clippy::useless_conversion, reason = "the width of `st_mode` differs between systems")]
pub(super) fn stat_of(stat: &rustix::fs::Stat) -> Stat {
    Stat {
        kind: kind_of(FileType::from_raw_mode(stat.st_mode)),
        uid: Uid(stat.st_uid),
        gid: Gid(stat.st_gid),
        mode: Mode::new(u32::from(stat.st_mode)),
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: stat.st_mtime,
    }
}

pub(super) fn kind_of(kind: FileType) -> Kind {
    match kind {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Dir,
        FileType::Symlink => Kind::Link,
        FileType::Socket => Kind::Socket,
        _ => Kind::Special,
    }
}

pub(super) fn kind_of_std(kind: std::fs::FileType) -> Kind {
    use std::os::unix::fs::FileTypeExt;
    if kind.is_file() {
        Kind::File
    } else if kind.is_dir() {
        Kind::Dir
    } else if kind.is_symlink() {
        Kind::Link
    } else if kind.is_socket() {
        Kind::Socket
    } else {
        Kind::Special
    }
}
