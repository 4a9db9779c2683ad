//! Scans files and folders: reads each once, remembers it, and says what it could not read.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::archive::{self, HEAD as HEAD_OF_KINDS, Kind, Limits};
use crate::cache::Cache;
use crate::context::Context;
use crate::finding::{Finding, Key, findings, of_name};
use crate::rows;
use crate::rule::Confidence;
use crate::scanner::{Match, Scanner, Start};
use crate::stream::Buffer;
use crate::tree::{self, Entry, Stamp, Visitor};

/// Files of these kinds hold pictures, sounds and letters.
const MEDIA: &[&str] = &[
    "png", "jpg", "jpeg", "gif", "webp", "ico", "bmp", "tiff", "avif", "icns", "psd", "mp3", "mp4", "mov", "webm",
    "wav", "ogg", "flac", "avi", "woff", "woff2", "ttf", "otf", "eot",
];
/// So much of a file is looked at to learn whether it is text.
const HEAD: usize = 8 << 10;

/// How files are scanned.
#[derive(Clone, Copy)]
pub struct Job<'j> {
    /// By which rules.
    pub scanner: &'j Scanner,
    /// What repeats are told by.
    pub key: &'j Key,
    /// What earlier scans have seen.
    pub cache: Option<&'j Cache>,
    /// Counts while the job runs.
    pub progress: &'j Progress,
    /// How far archives are read.
    pub archives: Limits,
    /// How many bytes of a file are read. What is beyond them, then or by the time it is read, is told.
    pub most: u64,
}

/// How far a job is.
#[derive(Debug, Default)]
pub struct Progress {
    /// Files that were looked at.
    pub files: AtomicU64,
    /// Their bytes.
    pub bytes: AtomicU64,
    /// Files that were known already.
    pub known: AtomicU64,
    /// Files that hold no text by their name.
    pub media: AtomicU64,
    /// Files in archives that were read; their bytes are counted with the others.
    pub members: AtomicU64,
    /// Versions of files that were looked at in histories and in stores of objects.
    pub versions: AtomicU64,
    /// Findings so far.
    pub findings: AtomicU64,
}

/// What a job found.
#[derive(Debug, Default)]
pub struct Outcome {
    /// By path and place.
    pub findings: Vec<Finding>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its path.
    pub path: PathBuf,
    /// Why.
    pub why: String,
    /// What kind of reason that is.
    pub kind: io::ErrorKind,
}

impl Problem {
    /// What an error is of a path.
    pub fn new(path: PathBuf, error: &io::Error) -> Self {
        Self { path, why: error.to_string(), kind: error.kind() }
    }
}

impl Outcome {
    /// Puts all in order.
    pub(crate) fn sorted(mut self) -> Self {
        self.findings.sort_by(|a, b| {
            (&a.path, a.offset, &a.rule, &a.fingerprint).cmp(&(&b.path, b.offset, &b.rule, &b.fingerprint))
        });
        self.problems.sort_by(|a, b| a.path.cmp(&b.path));
        self
    }
}

thread_local! {
    static BUFFER: RefCell<Buffer> = RefCell::default();
}

impl Job<'_> {
    /// Scans all below a folder. Errors only if the folder itself cannot be opened.
    pub fn folder(&self, root: &Path, skips: &(dyn Fn(&Path, bool) -> bool + Sync)) -> io::Result<Outcome> {
        let found = Collect { job: *self, skips, outcome: Mutex::default() };
        tree::walk(root, &found)?;
        Ok(found.outcome.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).sorted())
    }

    /// Scans an open file that goes by a name. `main` opens the database that a write-ahead log belongs to.
    pub fn file(
        &self,
        file: &File,
        name: &str,
        stamp: &Stamp,
        main: impl FnOnce() -> io::Result<File>,
    ) -> io::Result<Outcome> {
        if let Some(known) = self.known(name, stamp) {
            return Ok(known);
        }
        self.progress.files.fetch_add(1, Ordering::Relaxed);
        self.progress.bytes.fetch_add(stamp.size, Ordering::Relaxed);
        let mut all: Vec<Finding> = self.scanner.named(name).map(|rule| of_name(rule, name)).collect();
        let (mut from, mut known_to, mut begin) = (Start::default(), 0, None);
        if let Some(grown) = self.cache.and_then(|cache| cache.grown(name, stamp, file)) {
            let head = head_of(file)?;
            // An archive is read again as a whole.
            if Kind::of(&head, name).is_none() {
                all = grown.findings;
                (from, known_to, begin) = (grown.from, grown.known_to, Some(head));
            }
        }
        let (matches, end, head) = BUFFER.with_borrow_mut(|buffer| {
            let (matches, end) = self.scanner.scan_open(file, name, buffer, &from, self.most)?;
            Ok::<_, io::Error>((matches, end, begin.unwrap_or_else(|| buffer.head().to_vec())))
        })?;
        let fresh = findings(&matches, name, self.key);
        all.extend(fresh.into_iter().filter(|finding| finding.offset >= known_to));
        if let Some(kind) = rows::kind(&head) {
            // A log whose database is gone is still read.
            let main = if kind == rows::Kind::Log { main().ok() } else { None };
            rows::scan(self.scanner, self.key, (file, kind), main.as_ref(), (name, &mut all))?;
        }
        let archive = if self.archives.depth > 0 { Kind::of(&head, name) } else { None };
        let mut problems = archive.map_or_else(Vec::new, |kind| self.archive(file, kind, (name, stamp.size), &mut all));
        if end.offset as u64 >= self.most && Stamp::of(file)?.size > self.most {
            let why = format!("it has more than {} bytes: not read beyond those", self.most);
            problems.push(Problem { path: name.into(), why, kind: io::ErrorKind::FileTooLarge });
        }
        // What is remembered of an archive is that all of it was read.
        let whole = problems.is_empty() && (self.archives.depth > 0 || Kind::of(&head, name).is_none());
        if let Some(cache) = self.cache.filter(|_| whole) {
            cache.store(name, stamp, file, &end, &all);
        }
        self.progress.findings.fetch_add(all.len() as u64, Ordering::Relaxed);
        Ok(Outcome { findings: all, problems })
    }

    /// Adds what is in an archive to what its bytes say, and tells what was not read.
    fn archive(&self, file: &File, kind: Kind, (name, size): (&str, u64), all: &mut Vec<Finding>) -> Vec<Problem> {
        let mut inside = Vec::new();
        let (mut more, most) = (false, self.archives.findings);
        let mut take = |path: &str, bytes: &mut dyn Read| {
            let inner = path.get(name.len() + 1..).unwrap_or_default();
            if is_media(Path::new(inner)) || self.scanner.skips(inner) {
                return Ok(());
            }
            self.progress.members.fetch_add(1, Ordering::Relaxed);
            if path != name {
                inside.extend(self.scanner.named(path).map(|rule| of_name(rule, path)));
            }
            let (found, cut) = self.stream(bytes, path, most.saturating_sub(inside.len()))?;
            inside.extend(found);
            more |= cut;
            Ok(())
        };
        let troubles = archive::read(&mut FromStart(file, 0), kind, (name, size), self.archives, &mut take);
        for finding in &mut inside {
            finding.context = Context::of(Path::new(&finding.path.replace('!', "/")));
        }
        // The bytes of an archive may say the same where it is not compressed.
        let hashes: HashSet<&str> = inside.iter().map(|inner| inner.hash.as_str()).collect();
        all.retain(|outer| outer.hash.is_empty() || !hashes.contains(outer.hash.as_str()));
        all.append(&mut inside);
        let problem = |(path, count, trouble): (String, u64, archive::Trouble)| {
            let more = if count > 1 { format!(" (and {} more like it there)", count - 1) } else { String::new() };
            Problem { path: path.into(), why: format!("{trouble}{more}"), kind: trouble.kind() }
        };
        let mut problems: Vec<Problem> = troubles.into_iter().map(problem).collect();
        if more {
            let why = format!("there are more than {most} secrets in it: not read beyond those");
            problems.push(Problem { path: name.into(), why, kind: io::ErrorKind::FileTooLarge });
        }
        problems
    }

    /// What is remembered of a file that has not changed.
    fn known(&self, name: &str, stamp: &Stamp) -> Option<Outcome> {
        let findings = self.cache?.known(name, stamp)?;
        self.progress.known.fetch_add(1, Ordering::Relaxed);
        self.progress.findings.fetch_add(findings.len() as u64, Ordering::Relaxed);
        Some(Outcome { findings, ..Outcome::default() })
    }

    /// Scans what a reader gives under a name.
    pub fn reader(&self, mut reader: impl Read, name: &str) -> io::Result<Vec<Finding>> {
        let (found, _) = self.stream(&mut reader, name, usize::MAX)?;
        self.progress.findings.fetch_add(found.len() as u64, Ordering::Relaxed);
        Ok(found)
    }

    /// About `enough` findings at most, and whether there may be more.
    fn stream(&self, bytes: &mut dyn Read, name: &str, enough: usize) -> io::Result<(Vec<Finding>, bool)> {
        let counted = Counted(bytes, self.progress);
        let (mut matches, cut) =
            BUFFER.with_borrow_mut(|buffer| self.scanner.scan_until(counted, name, buffer, enough))?;
        let cut = cut || matches.len() > enough;
        matches.truncate(enough);
        Ok((findings(&matches, name, self.key), cut))
    }

    /// Scans bytes that are at hand.
    pub fn bytes(&self, bytes: &[u8], name: &str) -> Vec<Finding> {
        findings(&self.scanner.scan_named(bytes, name), name, self.key)
    }
}

/// How a file begins.
fn head_of(file: &File) -> io::Result<Vec<u8>> {
    let mut head = vec![0; HEAD_OF_KINDS];
    let read = file.read_at(&mut head, 0)?;
    head.truncate(read);
    Ok(head)
}

/// A file from its beginning, wherever its own cursor is.
struct FromStart<'f>(&'f File, u64);

impl Read for FromStart<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read_at(into, self.1)?;
        self.1 += count as u64;
        Ok(count)
    }
}

/// Counts bytes as they are read.
struct Counted<'r>(&'r mut dyn Read, &'r Progress);

impl Read for Counted<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.0.read(into)?;
        self.1.bytes.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

/// Takes the files of a walk.
struct Collect<'j> {
    job: Job<'j>,
    skips: &'j (dyn Fn(&Path, bool) -> bool + Sync),
    outcome: Mutex<Outcome>,
}

impl Collect<'_> {
    fn entry(&self, entry: &Entry<'_>) -> io::Result<Outcome> {
        let name = entry.path.to_string_lossy();
        if let Some(known) = self.job.known(&name, &entry.stamp) {
            return Ok(known);
        }
        let file = entry.open()?;
        let stamp = Stamp::of(&file)?;
        self.job.file(&file, &name, &stamp, || entry.open_without("-wal"))
    }

    fn outcome(&self) -> std::sync::MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Visitor for Collect<'_> {
    fn skips(&self, path: &Path, is_folder: bool) -> bool {
        if !is_folder && is_media(path) {
            self.job.progress.media.fetch_add(1, Ordering::Relaxed);
            return true;
        }
        (self.skips)(path, is_folder) || self.job.scanner.skips(&path.to_string_lossy())
    }

    fn file(&self, entry: &Entry<'_>) {
        match self.entry(entry) {
            Ok(found) if found.findings.is_empty() && found.problems.is_empty() => {}
            Ok(mut found) => {
                let mut outcome = self.outcome();
                outcome.findings.append(&mut found.findings);
                outcome.problems.append(&mut found.problems);
            }
            Err(problem) => self.problem(entry.path, &problem),
        }
    }

    fn problem(&self, path: &Path, problem: &io::Error) {
        self.outcome().problems.push(Problem::new(path.to_owned(), problem));
    }
}

/// Whether a file's name says that it holds no text.
pub fn is_media(path: &Path) -> bool {
    let end = path.extension().and_then(|end| end.to_str());
    end.is_some_and(|end| MEDIA.iter().any(|known| end.eq_ignore_ascii_case(known)))
}

/// In a file that is no text, a word that is called a secret is an accident.
pub(crate) fn keep_plausible(matches: &mut Vec<Match<'_>>, head: &[u8]) {
    if !matches.is_empty() && memchr::memchr(0, &head[..head.len().min(HEAD)]).is_some() {
        matches.retain(|one| one.confidence == Confidence::High);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_that_grows_is_read_up_to_the_bound_and_the_rest_is_told() {
        let token = |end: &str| format!("ghp_{}{end}", "k3Jd8sQwZ1xV7bN4mLpR6tYhG2fCa9eU");
        let mut file = tempfile::tempfile().expect("a file");
        writeln!(file, "A={}", token("oi5T")).expect("writable");
        let stamp = Stamp::of(&file).expect("open");
        writeln!(file, "B={}", token("oi5U")).expect("writable");
        let (key, progress) = (Key::new([0; 32]), Progress::default());
        let read = |most| {
            let scanner = Scanner::embedded();
            let job = Job { scanner, key: &key, cache: None, progress: &progress, archives: Limits::OFF, most };
            job.file(&file, "a.log", &stamp, || Err(io::ErrorKind::NotFound.into())).expect("readable")
        };
        let whole = read(u64::MAX);
        assert_eq!((whole.findings.len(), whole.problems.len()), (2, 0));
        let cut = read(stamp.size);
        assert_eq!((cut.findings.len(), cut.findings[0].line), (1, 1));
        let kinds: Vec<_> = cut.problems.iter().map(|problem| problem.kind).collect();
        assert_eq!(kinds, [io::ErrorKind::FileTooLarge]);
    }

    #[test]
    fn an_archive_of_many_secrets_takes_little_and_says_so() {
        let token = format!("ghp_{}\n", "k3Jd8sQwZ1xV7bN4mLpR6tYhG2fCa9eUoi5T");
        let text = token.repeat(300);
        let mut packed =
            bzip2::write::BzEncoder::new(tempfile::tempfile().expect("a file"), bzip2::Compression::best());
        packed.write_all(text.as_bytes()).expect("writable");
        let file = packed.finish().expect("writable");
        let stamp = Stamp::of(&file).expect("open");
        let (key, progress) = (Key::new([0; 32]), Progress::default());
        let (scanner, archives) = (Scanner::embedded(), Limits { findings: 100, ..Limits::default() });
        let job = Job { scanner, key: &key, cache: None, progress: &progress, archives, most: u64::MAX };
        let found = job.file(&file, "a.bz2", &stamp, || Err(io::ErrorKind::NotFound.into())).expect("readable");
        assert_eq!(found.findings.len(), 100);
        assert_eq!(found.problems.len(), 1);
        assert!(found.problems[0].why.contains("more than 100 secrets"), "{:?}", found.problems);
    }
}
