//! Secrets in what the agent has written: session databases with their write-ahead logs, transcripts, logs, outputs
//! of tools. Databases are scanned by their rows and as raw bytes, so that deleted rows count. Its credential files are
//! left out: they hold keys by their nature. So are downloads. Snapshots lie in stores of git's, which are read object by
//! object, whether anything leads to them or not.

use std::io::ErrorKind;
use std::path::PathBuf;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::secrets::{Budget, Scanned, Secret, count, few, is_media, size};
use super::{ProbeError, state};
use crate::host::{Host, Keep, Kind};
use crate::model::{AbsPath, Confidence, Look, StateKind, Subject};

/// The largest file that is read: 2 GiB. It is read in blocks, so this bounds the time and not the memory.
const FILE_LIMIT: u64 = 2 << 30;
/// All that is read together: 8 GiB.
const ALL_LIMIT: u64 = 8 << 30;
/// The most files of one folder.
const COUNT_LIMIT: usize = 500_000;
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
    /// Its secrets in order, at most 20.
    secrets: Vec<Secret>,
    /// The rules that matched, each once.
    found: Look<Vec<String>>,
    /// How many secrets there are.
    count: u64,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    subject.account()?;
    let places = state::state_places(host, subject);
    let tops = state::tops(&places, is_left_out);
    let mut scan = Scan {
        host,
        left_out: &tops.left_out,
        files: 0,
        bytes: 0,
        list: Vec::new(),
        stores: Vec::new(),
        large: Vec::new(),
        closed: Vec::new(),
        damaged: Vec::new(),
    };
    for place in places.iter().filter(|place| !is_left_out(place.kind)) {
        if let Err(error) = &place.there {
            scan.failed(&place.path, error);
        }
    }
    for (top, kind) in &tops.scanned {
        match kind {
            Kind::Dir => scan.folder(top),
            _ => scan.files(vec![(top.clone(), top.name_text().into_owned())]),
        }
    }
    scan.stores();
    Ok(scan.fact())
}

fn is_left_out(kind: StateKind) -> bool {
    matches!(kind, StateKind::Credential | StateKind::Cache)
}

struct Scan<'a> {
    host: &'a dyn Host,
    left_out: &'a [AbsPath],
    files: u64,
    bytes: u64,
    list: Vec<File>,
    /// Git directories that were come by.
    stores: Vec<AbsPath>,
    large: Vec<String>,
    closed: Vec<String>,
    damaged: Vec<String>,
}

impl Scan<'_> {
    fn failed(&mut self, path: &str, error: &std::io::Error) {
        let is_below = |closed: &String| std::path::Path::new(path).starts_with(closed);
        match error.kind() {
            // Gone since it was listed.
            ErrorKind::NotFound | ErrorKind::NotADirectory => {}
            ErrorKind::FileTooLarge => self.large.push(path.to_owned()),
            // What lies below a closed folder is closed with it.
            _ if self.closed.iter().any(is_below) => {}
            _ => self.closed.push(path.to_owned()),
        }
    }

    /// Links in the state are not followed: what they lead to is not state.
    fn folder(&mut self, top: &AbsPath) {
        let mut files = 0_usize;
        let mut stores = Vec::new();
        let walked = self.host.walk(top, &mut |path, kind| {
            let full = top.join(path);
            let left_out = self.left_out.contains(&full) || path.file_name().is_some_and(|name| name == "node_modules");
            match kind {
                _ if left_out => Keep::Prune,
                Kind::Dir if path.file_name().is_some_and(|name| name == "objects") => match self.store_of(&full) {
                    Some(store) => {
                        stores.push(store);
                        Keep::Prune
                    }
                    None => Keep::Pass,
                },
                Kind::File => {
                    files += 1;
                    if files > COUNT_LIMIT { Keep::Prune } else { Keep::Yes }
                }
                _ => Keep::Pass,
            }
        });
        self.stores.append(&mut stores);
        match walked {
            Ok((entries, closed)) => {
                let named = |path: PathBuf| (top.join(&path), path.to_string_lossy().into_owned());
                self.files(entries.into_iter().map(|(path, _)| named(path)).collect());
                if closed > 0 {
                    self.closed.push(format!("{} below {top}", count(closed, "folder")));
                }
                if files > COUNT_LIMIT {
                    self.large.push(format!("{} more files below {top}", files - COUNT_LIMIT));
                }
            }
            Err(error) => self.failed(&top.text(), &error),
        }
    }

    /// The git directory whose objects a folder holds.
    fn store_of(&self, objects: &AbsPath) -> Option<AbsPath> {
        let store = objects.parent()?;
        self.host.stat(&store.join("HEAD")).is_ok_and(|head| head.kind == Kind::File).then_some(store)
    }

    /// What is in the stores of objects.
    fn stores(&mut self) {
        for store in std::mem::take(&mut self.stores) {
            let budget = Budget::new(ALL_LIMIT.saturating_sub(self.bytes));
            match budget.scan_store(self.host, &store) {
                Ok(found) => self.add(&store, found),
                Err(error) => self.failed(&store.text(), &error),
            }
        }
    }

    /// Files with the names that they go by in their folder.
    fn files(&mut self, mut files: Vec<(AbsPath, String)>) {
        files.retain(|(path, _)| !is_media(path.as_path()));
        files.sort();
        let host = self.host;
        let budget = Budget::new(ALL_LIMIT.saturating_sub(self.bytes));
        let look = |(path, name): &(AbsPath, String)| budget.scan(host, path, name, FILE_LIMIT);
        let found: Vec<std::io::Result<Scanned>> = files.par_iter().map(look).collect();
        for ((path, _), found) in files.iter().zip(found) {
            match found {
                Ok(found) => self.add(path, found),
                Err(error) => self.failed(&path.text(), &error),
            }
        }
    }

    fn add(&mut self, path: &AbsPath, found: Scanned) {
        self.files += 1;
        self.bytes += found.size;
        for problem in &found.unread {
            let told = path.text();
            match problem.kind {
                ErrorKind::FileTooLarge => self.large.push(told),
                ErrorKind::PermissionDenied => self.closed.push(told),
                _ => self.damaged.push(format!("{told}: {}", problem.why)),
            }
        }
        let sure: Vec<Secret> =
            found.secrets.into_iter().filter(|secret| secret.confidence >= Confidence::Medium).collect();
        if !sure.is_empty() {
            self.list.push(file(path, sure));
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
                "run `harden scan --state`, which has no such limit, or delete old sessions",
            ));
        }
        if !self.closed.is_empty() {
            let why = format!("the agent's state could not be read: {}", few(&self.closed));
            self.list.push(unread("unreadable files", why, "run as the agent's user, or with sudo"));
        }
        self.damaged.sort();
        self.damaged.dedup();
        if !self.damaged.is_empty() {
            let why = format!("snapshots could not be read whole: {}", few(&self.damaged));
            self.list.push(unread("snapshots", why, "delete snapshots that nobody needs, or the damaged ones"));
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
