//! Remembers what files held, so that what has not changed is not read again, and of what has grown only the end.
//!
//! A cache is a convenience that must never hide a secret: it is only believed if it carries the mark of the key that
//! wrote it, under the same rules, and a file only if nothing of its stamp has changed. It holds findings, which hold
//! no secret.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Key};
use crate::scanner::{Scanner, Start};
use crate::tree::Stamp;

/// A change of what is written here raises it.
const FORM: u8 = 3;
/// A file changed so shortly before it was read may change again within the same tick of its clock.
const RACY: Duration = Duration::from_secs(2);
/// Smaller files are read again as a whole when they grow.
const SMALL: u64 = 512 << 10;
/// What a match may reach; see `stream`.
const REACH: u64 = 64 << 10;
/// What is compared to learn whether a file has only grown.
const TAIL: u64 = 64 << 10;
/// More than a cache of some ten million files.
const LARGEST: u64 = 1 << 30;

/// What earlier scans under the same rules and key have seen.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    key: Key,
    rules: [u8; 32],
    old: HashMap<String, Entry>,
    new: Mutex<HashMap<String, Entry>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    stamp: Stamp,
    findings: Vec<Finding>,
    end: Option<End>,
}

/// From where a file that has grown is read again.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct End {
    /// The start of a line, well before the end of the file.
    offset: u64,
    /// Its number.
    line: u32,
    /// A keyed hash of the last bytes.
    hash: [u8; 32],
}

#[derive(Serialize, Deserialize)]
struct Content {
    form: u8,
    rules: [u8; 32],
    entries: HashMap<String, Entry>,
}

/// What is known of a file that has only grown.
pub(crate) struct Grown {
    /// Where to read on.
    pub(crate) from: Start,
    /// Matches before this place are known.
    pub(crate) known_to: u64,
    /// What they are.
    pub(crate) findings: Vec<Finding>,
}

impl Cache {
    /// The cache in a file. What cannot be read or trusted is as good as none.
    pub fn open(path: &Path, key: &Key, scanner: &Scanner) -> Self {
        let rules = key.hash(&scanner.identity());
        let old = read(path, key).filter(|content| content.form == FORM && content.rules == rules);
        let old = old.map(|content| content.entries).unwrap_or_default();
        Self { path: path.to_owned(), key: key.clone(), rules, old, new: Mutex::default() }
    }

    /// What a file held, if it is still the same.
    pub(crate) fn known(&self, name: &str, stamp: &Stamp) -> Option<Vec<Finding>> {
        let entry = self.old.get(name).filter(|entry| entry.stamp == *stamp)?;
        self.keep(name, entry.clone());
        Some(entry.findings.clone())
    }

    /// What is known of a file that has the same beginning and more behind it.
    pub(crate) fn grown(&self, name: &str, stamp: &Stamp, file: &File) -> Option<Grown> {
        let Entry { stamp: old, findings, end } = self.old.get(name)?;
        let end = (*end)?;
        if (old.device, old.inode) != (stamp.device, stamp.inode) || stamp.size <= old.size {
            return None;
        }
        if self.tail(file, old.size).ok()? != end.hash {
            return None;
        }
        let known_to = end.offset + REACH;
        let findings = findings.iter().filter(|finding| finding.offset < known_to).cloned().collect();
        let offset = usize::try_from(end.offset).ok()?;
        Some(Grown { from: Start::of_line(offset, end.line), known_to, findings })
    }

    /// Remembers what a file holds. `end` is where it ended when it was read.
    pub(crate) fn store(&self, name: &str, stamp: &Stamp, file: &File, end: &Start, findings: &[Finding]) {
        let racy = i128::try_from(RACY.as_nanos()).unwrap_or(0);
        let Ok(now) = SystemTime::now().duration_since(UNIX_EPOCH) else { return };
        let now = i128::try_from(now.as_nanos()).unwrap_or(0);
        // What was read must be what the stamp speaks of, before and after.
        let same = Stamp::of(file).is_ok_and(|after| after == *stamp) && end.offset as u64 == stamp.size;
        if same && stamp.modified.max(stamp.changed) + racy < now {
            let end = if stamp.size >= SMALL { self.end(file, stamp.size, end).ok().flatten() } else { None };
            self.keep(name, Entry { stamp: *stamp, findings: findings.to_vec(), end });
        }
    }

    /// Writes what this scan has seen beside the old file and puts it in its place.
    pub fn save(&self) -> io::Result<()> {
        let entries = std::mem::take(&mut *self.new.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let content = Content { form: FORM, rules: self.rules, entries };
        let bytes = postcard::to_stdvec(&content).map_err(io::Error::other)?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&self.key.hash(&bytes))?;
        file.write_all(&bytes)?;
        file.persist(&self.path)?;
        Ok(())
    }

    fn keep(&self, name: &str, entry: Entry) {
        self.new.lock().unwrap_or_else(std::sync::PoisonError::into_inner).insert(name.to_owned(), entry);
    }

    fn end(&self, file: &File, size: u64, end: &Start) -> io::Result<Option<End>> {
        let mut bytes = vec![0; usize::try_from(4 * REACH).unwrap_or(0)];
        let from = size - 4 * REACH;
        file.read_exact_at(&mut bytes, from)?;
        let half = bytes.len() / 2;
        let Some(line_end) = memchr::memrchr(b'\n', &bytes[..half]) else { return Ok(None) };
        let behind = memchr::memchr_iter(b'\n', &bytes[line_end + 1..]).count();
        let line = end.line().saturating_sub(u32::try_from(behind).unwrap_or(u32::MAX));
        Ok(Some(End { offset: from + line_end as u64 + 1, line, hash: self.tail(file, size)? }))
    }

    fn tail(&self, file: &File, size: u64) -> io::Result<[u8; 32]> {
        let length = size.min(TAIL);
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(0)];
        file.read_exact_at(&mut bytes, size - length)?;
        Ok(self.key.hash(&bytes))
    }
}

fn read(path: &Path, key: &Key) -> Option<Content> {
    let file = File::open(path).ok()?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, LARGEST), &mut bytes).ok()?;
    let (mark, bytes) = bytes.split_first_chunk::<32>()?;
    if key.hash(bytes) != *mark {
        return None;
    }
    postcard::from_bytes(bytes).ok()
}
