//! The index of a work tree: which content is staged at which path. Reading ends before the extensions, for nothing
//! in them is wanted but the word that the index is in two files.

use super::super::Id;

/// What is said of an index in two files.
pub const SPLIT: &str = "is split, and its other part is not read";

/// A staged file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its path from the top of the work tree; a folder of a sparse index ends with `/` and stands for all below it.
    pub path: Vec<u8>,
    /// Its kind and rights, as git has them.
    pub mode: u32,
    /// The object that holds it.
    pub id: Id,
    /// Whether it is only announced (`git add --intent-to-add`): nothing is staged yet.
    pub announced: bool,
}

/// Reads an index of version 2 to 4 whose objects' names are `width` bytes long.
///
/// # Errors
/// Why it cannot be read, as the end of a sentence that begins with the index; [`SPLIT`] for one in two files.
pub fn parse(bytes: &[u8], width: usize) -> Result<Vec<Entry>, &'static str> {
    const CUT: &str = "ends in the middle of an entry";
    let word = |at: usize| bytes.get(at..at + 4)?.try_into().ok().map(u32::from_be_bytes);
    if bytes.get(..4) != Some(b"DIRC") {
        return Err("is not one of git's");
    }
    let version = word(4).filter(|version| (2..=4).contains(version)).ok_or("has a version that is not known")?;
    let count = word(8).ok_or(CUT)?;
    let (mut at, mut path, mut entries) = (12, Vec::new(), Vec::new());
    for _ in 0..count {
        let start = at;
        let mode = word(at + 24).ok_or(CUT)?;
        let id = bytes.get(at + 40..at + 40 + width).and_then(Id::from_bytes).ok_or(CUT)?;
        at += 40 + width;
        let flags = bytes.get(at..at + 2).ok_or(CUT)?;
        at += 2;
        let mut announced = false;
        if version >= 3 && flags[0] & 0x40 != 0 {
            announced = bytes.get(at).ok_or(CUT)? & 0x20 != 0;
            at += 2;
        }
        if version == 4 {
            let (strip, length) = varint(bytes.get(at..).ok_or(CUT)?).ok_or(CUT)?;
            at += length;
            path.truncate(path.len().checked_sub(strip).ok_or("has a path that cannot be")?);
        } else {
            path.clear();
        }
        let rest = bytes.get(at..).ok_or(CUT)?;
        let length = rest.iter().position(|byte| *byte == 0).ok_or(CUT)?;
        path.extend_from_slice(&rest[..length]);
        if path.len() > PATH {
            return Err("has a path that is too long");
        }
        at += length + 1;
        if version != 4 {
            // Padded with zeros to a multiple of eight, one at least.
            at = start + (at - start).next_multiple_of(8);
        }
        entries.push(Entry { path: path.clone(), mode, id, announced });
    }
    if is_split(bytes, at, width) {
        return Err(SPLIT);
    }
    Ok(entries)
}

/// The longest path: those of version 4 could else grow beyond all bounds.
const PATH: usize = 1 << 16;

/// The offset encoding of pack files: seven bits a byte, high ones first, one added at each step.
fn varint(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut value = 0_usize;
    for (at, byte) in bytes.iter().take(8).enumerate() {
        value = value.checked_mul(128)?.checked_add(usize::from(byte & 0x7f))?;
        if byte & 0x80 == 0 {
            return Some((value, at + 1));
        }
        value = value.checked_add(1)?;
    }
    None
}

/// Whether a `link` extension says that most entries stand in another file.
fn is_split(bytes: &[u8], mut at: usize, width: usize) -> bool {
    while let Some(header) = bytes.get(at..at + 8).filter(|_| at + width < bytes.len()) {
        if header.starts_with(b"link") {
            return true;
        }
        let size = header[4..].iter().fold(0_usize, |size, byte| size << 8 | usize::from(*byte));
        at = at.saturating_add(8).saturating_add(size);
    }
    false
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

    fn paths(bytes: &[u8]) -> Vec<String> {
        let entries = parse(bytes, 20).expect("parses");
        entries.into_iter().map(|entry| String::from_utf8_lossy(&entry.path).into_owned()).collect()
    }

    #[test]
    fn paths_of_all_versions_are_read() {
        assert_eq!(paths(&index(2, &[("a", b""), ("d/file", b""), ("long/name", b"")])), ["a", "d/file", "long/name"]);
        assert_eq!(
            paths(&index(4, &[("dir/file", &[0]), ("ghost", &[4]), ("z", &[9])])),
            ["dir/file", "dir/ghost", "z"]
        );
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        assert!(parse(&index(4, &[("dir/file", &[0]), ("ghost", &[200])]), 20).is_err());
        for version in [2, 3, 4] {
            let whole = index(version, &[("dir/file", &[0]), ("x", &[1])]);
            for cut in 0..whole.len() {
                let _ = parse(&whole[..cut], 20);
            }
        }
        let mut split = index(2, &[]);
        split.truncate(12);
        split.extend(b"link\0\0\0\x04abcd");
        split.extend([0; 20]);
        assert!(parse(&split, 20).is_err());
    }
}
