//! Files of an account, wherever they lie: who gets its number next would get them, too.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::host::{RealHost, read_text};
use crate::model::{AbsPath, Uid};

/// So many are named.
const NAMED: usize = 50;
/// The most files that are looked at.
const LOOKED_AT: usize = 20_000_000;
/// File systems that hold files of accounts on this machine's own disks, or in its memory.
const KINDS: &[&str] =
    &["ext2", "ext3", "ext4", "xfs", "btrfs", "f2fs", "zfs", "bcachefs", "overlay", "tmpfs", "ramfs", "apfs"];

/// Some files of `uid`; Err where there are too many to look at.
pub(super) fn files_of(host: &RealHost, prefix: &Path, live: bool, uid: Uid) -> io::Result<Vec<AbsPath>> {
    let mut found = Vec::new();
    let mut looked_at = 0;
    for top in tops(host, prefix, live)? {
        for entry in walkdir::WalkDir::new(&top).same_file_system(true).follow_links(false) {
            looked_at += 1;
            if looked_at > LOOKED_AT {
                return Err(io::Error::other(format!("more than {LOOKED_AT} files")));
            }
            // What went away in between is nobody's.
            let Ok(entry) = entry else { continue };
            if entry.metadata().is_ok_and(|stat| stat.uid() == uid.0) {
                let shown = entry.path().strip_prefix(prefix).unwrap_or(entry.path());
                found.push(AbsPath::root().join(shown));
                if found.len() == NAMED {
                    return Ok(found);
                }
            }
        }
    }
    Ok(found)
}

/// Where file systems of these kinds are mounted.
fn tops(host: &RealHost, prefix: &Path, live: bool) -> io::Result<Vec<PathBuf>> {
    if !live {
        return Ok(vec![prefix.to_owned()]);
    }
    let mounts = AbsPath::root().join("proc/self/mounts");
    let Some(text) = read_text(host, &mounts, None, 4 << 20)? else { return Ok(vec![PathBuf::from("/")]) };
    let mut tops = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ').skip(1);
        let (Some(top), Some(kind)) = (words.next(), words.next()) else { continue };
        let top = PathBuf::from(top.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\"));
        if KINDS.contains(&kind) && !tops.contains(&top) && !top.starts_with("/dev") {
            tops.push(top);
        }
    }
    Ok(tops)
}
