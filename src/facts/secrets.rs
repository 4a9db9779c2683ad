//! Secrets in files, as facts may tell of them: what they look like and where they stand, never the value.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use gitleaks_rs::archive::Limits;
use gitleaks_rs::tree::Stamp;
use gitleaks_rs::{Confidence as Sure, Context, Finding, Job, Key, Problem, Progress, Scanner};
use schemars::JsonSchema;
use serde::Serialize;

use crate::host::Host;
use crate::model::{AbsPath, Confidence};

/// A secret in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Secret {
    /// The rule that matched.
    pub(super) name: String,
    /// What such a token opens.
    pub(super) opens: String,
    /// Its line, from 1; 0 in the row of a database.
    pub(super) line: u32,
    /// Its column in characters, from 1.
    pub(super) column: u32,
    /// Where in a database it is: the table and the row. None in other files.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<String>,
    /// How sure it is a secret.
    pub(super) confidence: Confidence,
}

/// The kind of file that a secret stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Place {
    /// Code, configuration, anything else.
    Source,
    /// A test or its data.
    Test,
    /// An example or template.
    Example,
    /// Documentation.
    Docs,
    /// A list of resolved dependencies.
    LockFile,
}

/// What one file holds.
pub(super) struct Scanned {
    /// Its secrets in order.
    pub(super) secrets: Vec<Secret>,
    /// How many more its comments accept.
    pub(super) accepted: u64,
    /// Its bytes.
    pub(super) size: u64,
    /// What of it was not read.
    pub(super) unread: Vec<Problem>,
}

/// What may still be read of many files together, by all threads.
pub(super) struct Budget(AtomicU64);

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        Self(AtomicU64::new(bytes))
    }

    /// One file of at most `limit` bytes, and of no more than are left.
    pub(super) fn scan(&self, host: &dyn Host, path: &AbsPath, name: &str, limit: u64) -> io::Result<Scanned> {
        let found = scan(host, path, name, limit.min(self.left()))?;
        self.take(found.size);
        Ok(found)
    }

    /// Every file that a store of git's objects holds, as far as what is left goes. Each is named by its object.
    pub(super) fn scan_store(&self, host: &dyn Host, store: &AbsPath) -> io::Result<Scanned> {
        let place = host.folder(store)?;
        let (key, progress) = (Key::new([0; 32]), Progress::default());
        let found = job(&key, &progress, u64::MAX).objects_within(&place, self.left())?;
        let size = progress.bytes.into_inner();
        self.take(size);
        let named = found.findings.into_iter().map(|finding| {
            let id: String = finding.path.chars().take(12).collect();
            Finding { place: Some(format!("object {id}")), ..finding }
        });
        Ok(Scanned { unread: found.problems, ..scanned(named, size) })
    }

    fn left(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: u64) {
        let less = |left: u64| Some(left.saturating_sub(bytes));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

/// The secrets in a file, and where it is a database in its rows. It is read in blocks: `limit` bounds the time that it
/// takes, `FileTooLarge` beyond it, and what it grows meanwhile is left unread. `name` is what rules and allowlists that
/// ask for a path are shown.
fn scan(host: &dyn Host, path: &AbsPath, name: &str, limit: u64) -> io::Result<Scanned> {
    let too_large = |size: u64| io::Error::new(io::ErrorKind::FileTooLarge, format!("{size} bytes, more than {limit}"));
    let size = host.stat(path)?.size;
    if size > limit {
        return Err(too_large(size));
    }
    let file = host.open(path)?;
    let stamp = Stamp::of(&file)?;
    // It may be another file by now, or have grown.
    if stamp.size > limit {
        return Err(too_large(stamp.size));
    }
    let main = || {
        let name = path.text();
        let main = name.strip_suffix("-wal").and_then(AbsPath::new).ok_or(io::ErrorKind::NotFound)?;
        host.open(&main)
    };
    let (key, progress) = (Key::new([0; 32]), Progress::default());
    let found = job(&key, &progress, limit).file(&file, name, &stamp, main)?;
    Ok(Scanned { unread: found.problems, ..scanned(found.findings, stamp.size) })
}

/// Facts tell no hashes of secrets: any key will do. What is in archives is left to `harden scan`.
fn job<'j>(key: &'j Key, progress: &'j Progress, most: u64) -> Job<'j> {
    Job { scanner: Scanner::embedded(), key, cache: None, progress, archives: Limits::OFF, most }
}

fn scanned(found: impl IntoIterator<Item = Finding>, size: u64) -> Scanned {
    // That a name is one of a key file is told by the fact on those.
    let found = found.into_iter().filter(|finding| finding.length > 0);
    let (allowed, found): (Vec<_>, Vec<_>) = found.partition(|finding| finding.allowed);
    let secrets = found.into_iter().map(secret).collect();
    Scanned { secrets, accepted: allowed.len() as u64, size, unread: Vec::new() }
}

fn secret(found: Finding) -> Secret {
    Secret {
        name: found.rule,
        opens: found.description,
        line: found.line,
        column: found.column,
        place: found.place,
        confidence: match found.confidence {
            Sure::Low => Confidence::Low,
            Sure::Medium => Confidence::Medium,
            Sure::High => Confidence::High,
        },
    }
}

/// Whether a value holds a token whose form is enough to know it. No comment in it accepts anything.
pub(super) fn holds_token(value: &str) -> bool {
    Scanner::embedded().scan(value.as_bytes()).iter().any(|found| found.confidence == Sure::High)
}

/// Whether content is text: a NUL near its start says that it is not.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().take(8192).any(|byte| *byte == 0)
}

/// Whether a file's name says that nothing in it can be read as it stands: beside media, which no scan reads, what is
/// compressed and what models have learnt.
pub(super) fn is_media(path: &Path) -> bool {
    const ENDS: &[&str] = &[
        "pdf",
        "zip",
        "gz",
        "tgz",
        "bz2",
        "xz",
        "zst",
        "7z",
        "rar",
        "jar",
        "war",
        "br",
        "lz4",
        "safetensors",
        "gguf",
        "onnx",
        "parquet",
    ];
    let end = path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    gitleaks_rs::is_media(path) || end.is_some_and(|end| ENDS.contains(&end.as_str()))
}

/// What kind of file a path in a project names.
pub(super) fn place_of(path: &Path) -> Place {
    match Context::of(path) {
        Context::Source => Place::Source,
        Context::Test => Place::Test,
        Context::Example => Place::Example,
        Context::Docs => Place::Docs,
        Context::LockFile => Place::LockFile,
    }
}

/// Names that are too many to list: the first ones and how many more.
pub(super) fn few(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let listed = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{listed} and {} more", names.len() - SHOWN) } else { listed }
}

/// `1 file`, `2 files`.
pub(super) fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// A size as people say it.
pub(super) fn size(bytes: u64) -> String {
    if bytes >= 1 << 30 {
        return format!("{} GiB", bytes >> 30);
    }
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_means_no_text() {
        assert!(is_text("ä\n".as_bytes()) && is_text(b"") && !is_text(b"SQLite format 3\0"));
    }
}
