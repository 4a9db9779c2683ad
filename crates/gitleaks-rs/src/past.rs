//! Scans what a repository's commits have added, what is staged, and every object of a store.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use crate::files::{Job, Outcome, Problem};
use crate::finding::{Commit, Finding, findings, of_name};
use crate::history::{Blob, Change, Id, Listing, OpenError, Options, Range, Repository, Summary, listing};

/// What git tells the hooks that it runs by variables: where the repository is, and which index will be committed.
#[derive(Clone, Debug, Default)]
pub struct Called {
    /// `GIT_DIR`.
    pub git_dir: Option<PathBuf>,
    /// `GIT_INDEX_FILE`.
    pub index: Option<PathBuf>,
}

impl Called {
    /// The repository. Who commits to it or pushes from it has git read what it borrows anyway.
    fn open(&self, path: &Path) -> Result<Repository, OpenError> {
        let options = Options { borrow: true, ..Options::default() };
        match &self.git_dir {
            Some(git_dir) => Repository::of_git_dir(git_dir, options),
            None => Repository::open(path, options),
        }
    }
}

impl Job<'_> {
    /// Scans every line that the commits of a range add.
    pub fn history(&self, repository: &Path, range: &Range) -> Result<Outcome, OpenError> {
        self.added(repository, &Repository::open(repository, Options::default())?, range)
    }

    /// Scans every line that a push brings.
    pub fn pushed(&self, repository: &Path, called: &Called, range: &Range) -> Result<Outcome, OpenError> {
        self.added(repository, &called.open(repository)?, range)
    }

    fn added(&self, repository: &Path, store: &Repository, range: &Range) -> Result<Outcome, OpenError> {
        let found: Mutex<Vec<(Id, Finding)>> = Mutex::default();
        let summary = store.added(range, || {
            |change: &Change<'_>| {
                let all = self.change(change);
                // What was picked or rebased is told once, of the commit that came first.
                let Some(first) = (!all.is_empty()).then(|| change.commits().last()).flatten() else { return };
                let all = all.into_iter().map(|finding| (first, finding));
                found.lock().unwrap_or_else(PoisonError::into_inner).extend(all);
            }
        })?;
        let found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        let findings = found.into_iter().map(|(id, finding)| of_commit(store, &id, finding)).collect();
        Ok(outcome(repository, findings, &summary))
    }

    /// Scans the lines that are staged.
    pub fn staged(&self, repository: &Path, called: &Called) -> Result<Outcome, OpenError> {
        let store = called.open(repository)?;
        let mut found = Vec::new();
        let summary = store.staged(called.index.as_deref(), |change| found.extend(self.change(change)))?;
        Ok(outcome(repository, found, &summary))
    }

    /// Scans every file that a store of objects holds, whether anything leads to it or not.
    pub fn objects(&self, repository: &Path) -> Result<Outcome, OpenError> {
        let name = repository.to_string_lossy();
        let listed = self.cache.and_then(|cache| Some((cache, listing(repository).ok()?)));
        if let Some(findings) = listed.and_then(|(cache, listing)| cache.known_store(&name, &listing)) {
            return Ok(Outcome { findings, ..Outcome::default() });
        }
        let found = self.objects_within(repository, u64::MAX)?;
        let same = |listed: &Listing| listing(repository).is_ok_and(|after| after == *listed);
        if let Some((cache, listing)) = listed.filter(|(_, listing)| found.problems.is_empty() && same(listing)) {
            cache.keep_store(&name, &listing, &found.findings);
        }
        Ok(found)
    }

    /// The same without a cache, to about so many bytes; what is left then is told.
    pub fn objects_within(&self, repository: &Path, total: u64) -> Result<Outcome, OpenError> {
        let store = Repository::open(repository, Options { total, ..Options::default() })?;
        let found: Mutex<Vec<Finding>> = Mutex::default();
        let summary = store.every_blob(|| {
            |blob: &Blob<'_>| {
                let name = blob.id.to_string();
                let matches = self.scanner.scan_named(blob.bytes, &name);
                let mut all = findings(&matches, &name, self.key);
                for finding in &mut all {
                    finding.line += u32::try_from(blob.first_line).unwrap_or(1) - 1;
                    finding.place = Some("a stored object".to_owned());
                }
                self.count(blob.bytes.len() as u64, all.len());
                found.lock().unwrap_or_else(PoisonError::into_inner).append(&mut all);
            }
        });
        Ok(outcome(repository, found.into_inner().unwrap_or_else(PoisonError::into_inner), &summary))
    }

    /// The secrets in the new lines of a file.
    fn change(&self, change: &Change<'_>) -> Vec<Finding> {
        let path = String::from_utf8_lossy(change.path());
        if crate::is_media(Path::new(path.as_ref())) || self.scanner.skips(&path) {
            return Vec::new();
        }
        let mut all: Vec<Finding> = self.scanner.named(&path).map(|rule| of_name(rule, &path)).collect();
        let mut bytes = 0;
        for piece in change.pieces() {
            bytes += piece.bytes.len() as u64;
            let matches = self.scanner.scan_named(piece.bytes, &path);
            if matches.is_empty() {
                continue;
            }
            let above = u32::try_from(change.line(piece.start)).unwrap_or(u32::MAX).saturating_sub(1);
            all.extend(findings(&matches, &path, self.key).into_iter().map(|mut finding| {
                finding.line = finding.line.saturating_add(above);
                finding.end_line = finding.end_line.saturating_add(above);
                finding.offset += piece.start as u64;
                finding.fingerprint = format!("{path}:{}:{}", finding.rule, finding.line);
                finding
            }));
        }
        self.count(bytes, all.len());
        all
    }

    fn count(&self, bytes: u64, findings: usize) {
        self.progress.versions.fetch_add(1, Ordering::Relaxed);
        self.progress.bytes.fetch_add(bytes, Ordering::Relaxed);
        self.progress.findings.fetch_add(findings as u64, Ordering::Relaxed);
    }
}

fn of_commit(store: &Repository, id: &Id, finding: Finding) -> Finding {
    let name = id.to_string();
    let fingerprint = format!("{name}:{}", finding.fingerprint);
    let commit = match store.commit(id) {
        Some(said) => Commit {
            id: name,
            author: said.author,
            email: said.email,
            date: said.date,
            subject: said.message.lines().next().unwrap_or_default().to_owned(),
        },
        None => Commit { id: name, ..Commit::default() },
    };
    Finding { commit: Some(commit), fingerprint, ..finding }
}

fn outcome(repository: &Path, findings: Vec<Finding>, summary: &Summary) -> Outcome {
    let problem = |problem: &crate::history::Problem| Problem {
        path: repository.to_owned(),
        why: problem.text.clone(),
        kind: problem.kind.error(),
    };
    Outcome { findings, problems: summary.problems.iter().map(problem).collect() }.sorted()
}
