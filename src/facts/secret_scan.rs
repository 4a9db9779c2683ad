//! Secrets in the files of the project, git-ignored ones included: `.env` is what an agent reads first. Not in
//! folders of dependencies, not in files that hold no text by their name.

use std::path::{Path, PathBuf};

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::secrets::{Budget, Place, Secret, count, few, is_media, place_of, size};
use super::{ProbeError, tree};
use crate::host::{Host, is_absent};
use crate::model::{Confidence, Location, Look, Subject};

/// All that is read together: 8 GiB.
const ALL_LIMIT: u64 = 8 << 30;
/// The most files with secrets that are told one by one, and secrets in each.
const LISTED: usize = 500;
const EACH: usize = 20;

/// Secrets in the files of the project.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// How many files were read.
    files: u64,
    /// How many hold no text by their name, and were not.
    binary: u64,
    /// Larger ones than `scan_max_bytes`, and those beyond 8 GiB together, which were not read.
    too_large: Vec<String>,
    /// Those that could not be read.
    unreadable: Vec<String>,
    /// Secrets that a `gitleaks:allow` on their line accepts.
    accepted: u64,
    /// Files with secrets, and those that could not be scanned.
    list: Vec<File>,
    /// Files whose only finding is a random value that is called a secret.
    suspects: Vec<String>,
    /// How many more there would be in the list.
    not_listed: u64,
}

/// A file with secrets in it.
#[derive(Serialize, JsonSchema)]
struct File {
    /// Where it is.
    path: String,
    /// What kind of file it is.
    place: Place,
    /// Its secrets in order, at most 20.
    secrets: Vec<Secret>,
    /// The rules that matched, and where: `github-pat in line 3`.
    found: Look<Vec<String>>,
    /// How sure the surest of them is.
    confidence: Confidence,
    /// The first of the surest.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Location>,
}

/// What became of one file.
enum Seen {
    Clean,
    Binary,
    TooLarge,
    Unreadable,
    /// Secrets, how many more are accepted, and whether the file grew beyond what is read.
    Secrets(Vec<Secret>, u64, bool),
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let tree = tree::tree(host, subject)?;
    let limit = subject.parameters.number("scan_max_bytes");
    let budget = Budget::new(ALL_LIMIT);
    let seen: Vec<(&PathBuf, Seen)> =
        tree.files.par_iter().map(|path| (path, look_into(host, subject, path, limit, &budget))).collect();
    let mut fact = Fact {
        files: 0,
        binary: 0,
        too_large: Vec::new(),
        unreadable: Vec::new(),
        accepted: 0,
        list: Vec::new(),
        suspects: Vec::new(),
        not_listed: 0,
    };
    for (path, seen) in seen {
        fact.add(path, seen);
    }
    if tree.closed > 0 {
        fact.unreadable.push(count(tree.closed, "folder"));
    }
    fact.conclude(limit);
    Ok(fact)
}

/// One file, unless what is left is too little for it.
fn look_into(host: &dyn Host, subject: &Subject, path: &Path, limit: u64, budget: &Budget) -> Seen {
    if is_media(path) || is_public(path) {
        return Seen::Binary;
    }
    match budget.scan(host, &subject.project.join(path), &path.to_string_lossy(), limit) {
        Ok(found) => match (found.secrets, found.accepted, !found.unread.is_empty()) {
            (secrets, 0, false) if secrets.is_empty() => Seen::Clean,
            (secrets, accepted, cut) => Seen::Secrets(secrets, accepted, cut),
        },
        Err(error) if error.kind() == std::io::ErrorKind::FileTooLarge => Seen::TooLarge,
        // Gone since the walk: nothing is there to leak.
        Err(error) if is_absent(&error) => Seen::Clean,
        Err(_) => Seen::Unreadable,
    }
}

impl Fact {
    fn add(&mut self, path: &Path, seen: Seen) {
        let shown = path.to_string_lossy().into_owned();
        match seen {
            Seen::Clean => self.files += 1,
            Seen::Binary => self.binary += 1,
            Seen::TooLarge => self.too_large.push(shown),
            Seen::Unreadable => self.unreadable.push(shown),
            Seen::Secrets(found, accepted, cut) => {
                self.files += 1;
                self.too_large.extend(cut.then(|| shown.clone()));
                self.accepted += accepted;
                let place = place_of(path);
                let told: Vec<Secret> = found.iter().filter(|secret| is_told(place, secret)).cloned().collect();
                if told.is_empty() {
                    if !found.is_empty() {
                        self.suspects.push(shown);
                    }
                } else if self.list.len() < LISTED {
                    self.list.push(file(shown, place, told));
                } else {
                    self.not_listed += 1;
                }
            }
        }
    }

    /// Adds what was not scanned.
    fn conclude(&mut self, limit: u64) {
        self.suspects.truncate(LISTED);
        let item = |path: String, found| File {
            path,
            place: Place::Source,
            secrets: Vec::new(),
            found,
            confidence: Confidence::Low,
            at: None,
        };
        if !self.too_large.is_empty() {
            let why = format!(
                "files larger than {}, or beyond {} together, were not scanned: {}",
                size(limit),
                size(ALL_LIMIT),
                few(&self.too_large)
            );
            let unknown = Look::unknown(why, "raise `scan_max_bytes`, or name their folders in `scan_skip`");
            self.list.push(item("large files".into(), unknown));
        }
        if !self.unreadable.is_empty() {
            let why = format!("files could not be read: {}", few(&self.unreadable));
            self.list.push(item(
                "unreadable files".into(),
                Look::unknown(why, "run as the owner of the project, or with sudo"),
            ));
        }
    }
}

/// In tests, examples and documentation only tokens that say themselves what they are count: a database of a test
/// has a password and its server a key, and everyone may know them.
fn is_told(place: Place, secret: &Secret) -> bool {
    match place {
        Place::LockFile => false,
        Place::Source => secret.confidence >= Confidence::Medium,
        _ => secret.confidence == Confidence::High && secret.name != "private-key",
    }
}

/// Files that ship an identifier of a mobile app in the form of a key: public by design.
fn is_public(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    matches!(name, "google-services.json" | "GoogleService-Info.plist")
}

/// Where in its file a secret is, in words.
fn spot(secret: &Secret) -> String {
    secret.place.clone().unwrap_or_else(|| format!("line {}", secret.line))
}

fn file(path: String, place: Place, mut secrets: Vec<Secret>) -> File {
    let confidence = secrets.iter().map(|secret| secret.confidence).max().unwrap_or(Confidence::Low);
    let surest = secrets.iter().find(|secret| secret.confidence == confidence);
    // Lines of a database are no lines to go to.
    let at = surest.filter(|secret| secret.place.is_none()).map(|secret| Location {
        line: secret.line,
        column: secret.column,
        end_line: secret.line,
        end_column: secret.column.saturating_add(1),
        ..Location::file(&path)
    });
    let mut found: Vec<String> =
        secrets.iter().take(EACH).map(|secret| format!("{} in {}", secret.name, spot(secret))).collect();
    if secrets.len() > EACH {
        found.push(format!("{} more", secrets.len() - EACH));
    }
    secrets.truncate(EACH);
    File { path, place, secrets, found: Look::Known(found), confidence, at }
}
