//! Secrets in what the agent has written: session databases with their write-ahead logs, transcripts, logs, outputs
//! of tools. Databases are scanned as raw bytes, so that deleted rows count. Its credential files are left out: they
//! hold keys by their nature. So are downloads and snapshots, which are compressed.

use schemars::JsonSchema;
use serde::Serialize;

use super::secrets::{Secret, count, few, is_media, secrets, size};
use super::{ProbeError, state};
use crate::host::{Host, Keep, Kind, resolve};
use crate::model::{AbsPath, Confidence, Look, StateKind, Subject};

/// The largest file that is read: 64 MiB.
const FILE_LIMIT: u64 = 64 << 20;
/// All that is read together: 512 MiB.
const ALL_LIMIT: u64 = 512 << 20;
/// The most files of one state path.
const COUNT_LIMIT: usize = 20_000;
/// The most secrets told of one file.
const EACH: usize = 20;

/// Secrets in the agent's state.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// How many files were read.
    files: u64,
    /// How many bytes they hold.
    bytes: u64,
    /// Files with secrets, and what could not be read; null without any state.
    list: Option<Vec<File>>,
}

/// A file of the agent's state.
#[derive(Serialize, JsonSchema)]
struct File {
    /// Where it is.
    path: String,
    /// Its secrets in order, at most 20. Lines of a database count the line breaks in its raw bytes.
    secrets: Vec<Secret>,
    /// The rules that matched, each once.
    found: Look<Vec<String>>,
    /// How many secrets there are.
    count: u64,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    subject.account()?;
    let mut scan =
        Scan { host, seen: Vec::new(), files: 0, bytes: 0, list: Vec::new(), large: Vec::new(), closed: Vec::new() };
    for state in &subject.agent.state {
        if matches!(state.kind, StateKind::Credential | StateKind::Cache | StateKind::Snapshot) {
            let place = state::pattern(subject, state);
            scan.seen.extend(place.and_then(|path| resolve(host, &path, None).ok()));
        }
    }
    for state in &subject.agent.state {
        if matches!(state.kind, StateKind::Credential | StateKind::Cache | StateKind::Snapshot) {
            continue;
        }
        match state::pattern(subject, state).map_or(Ok(Vec::new()), |pattern| state::meant(host, &pattern)) {
            Ok(paths) => paths.iter().for_each(|path| scan.tree(path)),
            Err((folder, error)) => scan.failed(&folder, &error),
        }
    }
    Ok(scan.fact())
}

struct Scan<'a> {
    host: &'a dyn Host,
    /// Paths that were handled, or are to be left out.
    seen: Vec<AbsPath>,
    files: u64,
    bytes: u64,
    list: Vec<File>,
    large: Vec<String>,
    closed: Vec<String>,
}

impl Scan<'_> {
    fn failed(&mut self, path: &AbsPath, error: &std::io::Error) {
        match error.kind() {
            std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory => {}
            std::io::ErrorKind::FileTooLarge => self.large.push(path.text()),
            // What lies below a closed folder is closed with it.
            _ if self
                .closed
                .iter()
                .any(|closed| AbsPath::new(closed).is_some_and(|closed| path.is_within(&closed))) => {}
            _ => self.closed.push(path.text()),
        }
    }

    /// Links in the state are not followed: what they lead to is not state.
    fn tree(&mut self, path: &AbsPath) {
        let found = resolve(self.host, path, None).and_then(|path| Ok((self.host.stat(&path)?.kind, path)));
        match found {
            Ok((Kind::File, path)) => self.file(&path),
            Ok((Kind::Dir, path)) => self.folder(&path),
            Ok(_) => {}
            Err(error) => self.failed(path, &error),
        }
    }

    fn folder(&mut self, top: &AbsPath) {
        if self.is_seen(top) {
            return;
        }
        let mut files = 0_usize;
        let walked = self.host.walk(top, &mut |path, kind| {
            let left_out = self.is_seen(&top.join(path)) || path.file_name().is_some_and(|name| name == "node_modules");
            match kind {
                _ if left_out => Keep::Prune,
                Kind::File => {
                    files += 1;
                    if files > COUNT_LIMIT { Keep::Prune } else { Keep::Yes }
                }
                _ => Keep::Pass,
            }
        });
        match walked {
            Ok((entries, closed)) => {
                for (path, _) in entries {
                    self.file(&top.join(path));
                }
                if closed > 0 {
                    self.closed.push(format!("{} below {top}", count(closed, "folder")));
                }
                if files > COUNT_LIMIT {
                    self.large.push(format!("{} more files below {top}", files - COUNT_LIMIT));
                }
            }
            Err(error) => self.failed(top, &error),
        }
        self.seen.push(top.clone());
    }

    fn is_seen(&self, path: &AbsPath) -> bool {
        self.seen.iter().any(|seen| path.is_within(seen))
    }

    fn file(&mut self, path: &AbsPath) {
        if self.is_seen(path) || is_media(path.as_path()) {
            return;
        }
        if self.bytes > ALL_LIMIT {
            self.large.push(path.text());
            return;
        }
        self.seen.push(path.clone());
        match self.host.read(path, FILE_LIMIT) {
            Ok(bytes) => {
                self.files += 1;
                self.bytes += bytes.len() as u64;
                let (found, _) = secrets(&bytes);
                let sure: Vec<Secret> =
                    found.into_iter().filter(|secret| secret.confidence >= Confidence::Medium).collect();
                if !sure.is_empty() {
                    self.list.push(file(path, sure));
                }
            }
            Err(error) => self.failed(path, &error),
        }
    }

    fn fact(mut self) -> Fact {
        self.closed.sort();
        self.closed.dedup();
        let unread = |path: &str, why: String, how: &str| File {
            path: path.into(),
            secrets: Vec::new(),
            found: Look::unknown(why, how),
            count: 0,
        };
        if !self.large.is_empty() {
            let limits = format!("{} each and {} together", size(FILE_LIMIT), size(ALL_LIMIT));
            let why = format!("state beyond {limits} was not scanned: {}", few(&self.large));
            self.list.push(unread(
                "large files",
                why,
                "delete old sessions, or scan the files with a scanner of its own",
            ));
        }
        if !self.closed.is_empty() {
            let why = format!("the agent's state could not be read: {}", few(&self.closed));
            self.list.push(unread("unreadable files", why, "run as the agent's user, or with sudo"));
        }
        let is_state = self.files > 0 || !self.list.is_empty();
        Fact { files: self.files, bytes: self.bytes, list: is_state.then_some(self.list) }
    }
}

fn file(path: &AbsPath, mut secrets: Vec<Secret>) -> File {
    let mut found: Vec<String> = secrets.iter().map(|secret| secret.name.clone()).collect();
    found.sort();
    found.dedup();
    let count = secrets.len() as u64;
    secrets.truncate(EACH);
    File { path: path.text(), secrets, found: Look::Known(found), count }
}
