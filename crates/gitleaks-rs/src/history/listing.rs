//! Whether a store of objects is what it was: the names, identities, sizes and times of all files in it, none of which is
//! opened. What refs say does not count, for every object is looked at, whether one leads to it or not.

use std::io;
use std::path::Path;

use rustix::fs::FileType;
use sha2::{Digest, Sha256};

use super::place;
use crate::tree::Stamp;

/// The most files that are listed; a larger store is read again each time.
const MOST: usize = 1_000_000;

/// What tells a store from its own earlier states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Listing {
    /// Of all names and stamps.
    pub(crate) hash: [u8; 32],
    /// The latest change of anything in it, in nanoseconds since 1970.
    pub(crate) latest: i128,
}

/// The listing of the repository whose work tree begins at a path, or of the bare one there.
pub(crate) fn listing(path: &Path) -> io::Result<Listing> {
    let place = place::open(path, false).map_err(io::Error::other)?;
    let objects = place.common.folder(b"objects")?;
    let mut hash = Sha256::new();
    let (mut latest, mut count) = (0, 0);
    let mut folders: Vec<_> = objects.list()?.into_iter().filter(|(_, kind)| *kind == FileType::Directory).collect();
    folders.sort_by(|one, other| one.0.cmp(&other.0));
    for (above, _) in folders {
        let folder = objects.folder(&above)?;
        let mut entries = folder.list()?;
        entries.sort_by(|one, other| one.0.cmp(&other.0));
        count += entries.len();
        if count > MOST {
            return Err(io::Error::other(format!("holds more than {MOST} files")));
        }
        for (name, _) in entries {
            let Stamp { device, inode, size, modified, changed } = folder.stamp(&name)?;
            latest = latest.max(modified).max(changed);
            for part in [&above, &name] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
            [device, inode, size].iter().for_each(|number| hash.update(number.to_le_bytes()));
            [modified, changed].iter().for_each(|time| hash.update(time.to_le_bytes()));
        }
    }
    Ok(Listing { hash: hash.finalize().into(), latest })
}
