//! The paths in a git index. Only they are wanted, and the index is as hostile as the rest of a project: it is read by
//! our own reader, which stops before the extensions, whose nested trees the usual decoder walks by recursion.

use std::collections::BTreeSet;
use std::io;

use gitleaks_rs::history::index;

use crate::host::Host;
use crate::model::{AbsPath, Look};

/// The largest index that is read: 256 MiB, a few million files.
const LIMIT: u64 = 256 << 20;

/// Tracked paths, relative to the top of the work tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracked {
    /// Whole paths; a folder of a sparse index ends with `/` and stands for all below it.
    pub paths: BTreeSet<Vec<u8>>,
}

impl Tracked {
    /// Whether `path`, or something below it, is tracked; the empty path is the whole work tree.
    pub fn holds(&self, path: &[u8]) -> bool {
        if path.is_empty() {
            return !self.paths.is_empty();
        }
        let mut below = path.to_vec();
        below.push(b'/');
        let first = self.paths.range(below.clone()..).next();
        self.paths.contains(path)
            || first.is_some_and(|next| next.starts_with(&below))
            || self.folders_of(path).any(|folder| self.paths.contains(folder))
    }

    fn folders_of<'a>(&self, path: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| &path[..=at])
    }
}

/// Reads the index of a git directory; nothing is tracked where there is none.
pub(super) fn read(host: &dyn Host, git_dir: &AbsPath, hash_bytes: usize) -> Look<Tracked> {
    let path = git_dir.join("index");
    match host.read(&path, LIMIT) {
        Ok(bytes) => match parse(&bytes, hash_bytes) {
            Ok(tracked) => Look::Known(tracked),
            Err(why) => {
                let how = if why == index::SPLIT {
                    "run `git update-index --no-split-index`"
                } else {
                    "see what `git status` says of it"
                };
                Look::unknown(format!("the index `{path}` {why}"), how)
            }
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Look::Known(Tracked::default()),
        Err(error) => Look::Unknown(crate::facts::ProbeError::unreadable(&path, error).into()),
    }
}

fn parse(bytes: &[u8], hash_bytes: usize) -> Result<Tracked, &'static str> {
    let entries = index::parse(bytes, hash_bytes)?;
    Ok(Tracked { paths: entries.into_iter().map(|entry| entry.path).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(version: u32, entries: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = b"DIRC".to_vec();
        bytes.extend(version.to_be_bytes());
        bytes.extend((entries.len() as u32).to_be_bytes());
        for (path, prefix) in entries {
            let start = bytes.len();
            bytes.extend([0; 60]);
            bytes.extend([0, path.len() as u8]);
            bytes.extend(*prefix);
            bytes.extend(path.as_bytes());
            bytes.push(0);
            while version != 4 && !(bytes.len() - start).is_multiple_of(8) {
                bytes.push(0);
            }
        }
        bytes.extend([0; 20]);
        bytes
    }

    #[test]
    fn paths_of_all_versions_are_read() {
        let flat = parse(&index(2, &[("a", b""), ("dir/file", b""), ("longer/name.txt", b"")]), 20).expect("parses");
        assert_eq!(flat.paths.len(), 3);
        assert!(flat.holds(b"dir") && flat.holds(b"dir/file") && !flat.holds(b"di") && !flat.holds(b"dir/f"));
        let packed = parse(&index(4, &[("dir/file", &[0]), ("ghost", &[4]), ("z", &[9])]), 20).expect("parses");
        let names: Vec<_> = packed.paths.iter().map(|path| String::from_utf8_lossy(path).into_owned()).collect();
        assert_eq!(names, ["dir/file", "dir/ghost", "z"]);
    }

    #[test]
    fn a_folder_of_a_sparse_index_stands_for_all_below() {
        let tracked = parse(&index(3, &[("a/", b"")]), 20).expect("parses");
        assert!(tracked.holds(b"a/b/c") && tracked.holds(b"a") && !tracked.holds(b"b"));
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let whole = index(4, &[("dir/file", &[0]), ("ghost", &[200])]);
        assert!(parse(&whole, 20).is_err());
        let whole = index(2, &[("dir/file", b""), ("x", b"")]);
        for cut in 0..whole.len() {
            let _ = parse(&whole[..cut], 20);
        }
        let mut split = index(2, &[]);
        split.truncate(12);
        split.extend(b"link\0\0\0\x04abcd");
        split.extend([0; 20]);
        assert!(parse(&split, 20).is_err());
    }
}
