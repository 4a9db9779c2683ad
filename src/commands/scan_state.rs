//! `harden scan --state`: secrets in what agents have written, wherever each keeps it.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use gitleaks_rs::{Finding, Job, Outcome, Problem};

use super::{Failure, scan, session, terminal};
use crate::cli::Scan;
use crate::facts::state::{self, StatePlace, Tops};
use crate::host::{Closed, Host, Kind};
use crate::model::{AbsPath, Policy, StateKind, plain};

/// Downloads are nothing that was said, read or typed.
fn is_left_out(kind: StateKind) -> bool {
    kind == StateKind::Cache
}

/// What was scanned, for the summary.
#[derive(Default)]
pub(super) struct State {
    /// Files in which agents keep their keys.
    credentials: BTreeSet<String>,
    said: String,
}

impl State {
    /// Whether a finding stands where the agent keeps its keys.
    pub(super) fn keeps(&self, finding: &Finding) -> bool {
        self.credentials.contains(&finding.path)
    }

    /// What there is to say beside how many files were read.
    pub(super) fn said(&self) -> &str {
        &self.said
    }
}

/// Scans the state of the agents that the arguments name.
pub(super) fn scan(args: &Scan, policy: &Policy, job: Job<'_>) -> Result<(Outcome, State), Failure> {
    let (host, subjects) = session::known_agents(args.agent.as_deref(), policy)?;
    let mut places = Vec::new();
    let mut all = Outcome::default();
    for subject in &subjects {
        if let Err(unseen) = subject.account() {
            let path = PathBuf::from(format!("state of {}", subject.agent.agent));
            let why = format!("{}; {}", unseen.why, unseen.how);
            all.problems.push(Problem { path, why, kind: io::ErrorKind::Other });
        }
        places.extend(state::state_places(host.as_ref(), subject));
        let earlier = state::before(subject).map(|(person, _)| state::state_places(host.as_ref(), &person));
        places.extend(earlier.into_iter().flatten());
    }
    let plan = Plan::of(&places);
    all.problems.extend(closed(&places));
    for (top, kind) in &plan.scanned {
        let found = match kind {
            Kind::Dir => plan.folder(args, job, top),
            _ => file(args, host.as_ref(), job, top),
        };
        all.findings.extend(found.findings);
        all.problems.extend(found.problems);
    }
    if plan.scanned.is_empty() && all.problems.is_empty() {
        terminal::error(&format!("note: no state of an agent is in {}", looked_at(&places)));
    }
    all.problems.sort_by(|a, b| a.path.cmp(&b.path));
    all.problems.dedup();
    let said = plan.said(!all.problems.is_empty());
    Ok((all, State { credentials: plan.credentials, said }))
}

/// What to scan, and what to make of it.
struct Plan {
    /// Folders and files of which none lies in another.
    scanned: Vec<(AbsPath, Kind)>,
    /// Folders of downloads.
    downloads: Vec<AbsPath>,
    credentials: BTreeSet<String>,
    /// Stores of objects that were come by.
    stores: Mutex<usize>,
}

impl Plan {
    fn of(places: &[StatePlace]) -> Self {
        let Tops { scanned, left_out } = state::tops(places, is_left_out);
        let keys = places.iter().filter(|place| place.kind == StateKind::Credential);
        let keys = keys.filter_map(|place| Some(place.there.as_ref().ok()?.as_ref()?.0.text()));
        Self { scanned, downloads: left_out, credentials: keys.collect(), stores: Mutex::default() }
    }

    /// A folder, and the stores of objects in it: snapshots are kept as such.
    fn folder(&self, args: &Scan, job: Job<'_>, top: &AbsPath) -> Outcome {
        let stores: Mutex<Vec<PathBuf>> = Mutex::default();
        let skips = |path: &Path, is_folder: bool| {
            let full = top.as_path().join(path);
            if is_folder && let Some(store) = store_of(&full) {
                stores.lock().unwrap_or_else(PoisonError::into_inner).push(store.to_owned());
                return true;
            }
            is_folder && self.downloads.iter().any(|folder| folder.as_path() == full)
        };
        let mut all = match scan::folder(args, job, top.as_path(), &skips) {
            Ok(found) => found,
            Err(error) => return failed(top.as_path(), &error),
        };
        // Not joined: a member of an archive may be called `..`, and leads nowhere.
        renamed(&mut all, |path| format!("{}/{path}", top.text().trim_end_matches('/')));
        all.problems = all.problems.into_iter().map(|one| told(top.as_path().join(&one.path), one)).collect();
        let stores = stores.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self.stores.lock().unwrap_or_else(PoisonError::into_inner) += stores.len();
        for store in stores {
            let found = objects(args, job, &store);
            all.findings.extend(found.findings);
            all.problems.extend(found.problems);
        }
        all
    }

    fn said(&self, unread: bool) -> String {
        if self.scanned.is_empty() {
            return if unread { String::new() } else { "; no state of an agent was found".to_owned() };
        }
        let stores = match *self.stores.lock().unwrap_or_else(PoisonError::into_inner) {
            0 => String::new(),
            1 => ", 1 store of snapshots".to_owned(),
            more => format!(", {more} stores of snapshots"),
        };
        let downloads = if self.downloads.is_empty() { "" } else { "; downloads left out" };
        format!("{stores}{downloads}")
    }
}

/// The git directory whose objects a folder holds.
fn store_of(folder: &Path) -> Option<&Path> {
    let store = folder.parent().filter(|_| folder.ends_with("objects"))?;
    std::fs::symlink_metadata(store.join("HEAD")).is_ok_and(|head| head.is_file()).then_some(store)
}

/// Gives findings the paths that they go by from everywhere.
fn renamed(all: &mut Outcome, named: impl Fn(&str) -> String) {
    let findings = std::mem::take(&mut all.findings).into_iter();
    all.findings = findings.map(|one| (named(&one.path), one)).map(|(path, one)| one.renamed(path)).collect();
}

fn objects(args: &Scan, job: Job<'_>, store: &Path) -> Outcome {
    let mut all = match scan::cached(args, job, store, |job| job.objects(store)) {
        Ok(found) => found,
        Err(error) => return failed(store, &error.into()),
    };
    renamed(&mut all, |id| format!("{}!{id}", store.display()));
    all.problems = all.problems.into_iter().map(|one| told(one.path.clone(), one)).collect();
    all
}

/// A file by itself. It may have become a link or a pipe since it was looked at: the host opens neither.
fn file(args: &Scan, host: &dyn Host, job: Job<'_>, path: &AbsPath) -> Outcome {
    let open = |path: &Path| host.open(&AbsPath::new(path).ok_or(io::ErrorKind::NotFound)?);
    match scan::cached(args, job, path.as_path(), |job| scan::file(job, path.as_path(), open)) {
        Ok(mut found) => {
            found.problems = found.problems.into_iter().map(|one| told(one.path.clone(), one)).collect();
            found
        }
        Err(error) => failed(path.as_path(), &error),
    }
}

fn failed(path: &Path, error: &io::Error) -> Outcome {
    let problem = Problem::new(path.to_owned(), error);
    Outcome { problems: vec![told(path.to_owned(), problem)], ..Outcome::default() }
}

/// A problem of a path in the words of a sentence, with what helps.
fn told(path: PathBuf, problem: Problem) -> Problem {
    let closed = problem.kind == io::ErrorKind::PermissionDenied;
    let why = super::failure::cause(&io::Error::other(problem.why));
    let help = if closed { "; run it as the agent's user, or with sudo" } else { "" };
    Problem { path, why: format!("{why}{help}"), kind: problem.kind }
}

/// Places that could not be looked at.
fn closed(places: &[StatePlace]) -> impl Iterator<Item = Problem> {
    let scanned = places.iter().filter(|place| !is_left_out(place.kind));
    scanned.filter_map(|place| {
        let error = place.there.as_ref().err()?;
        let closed = error.kind() == io::ErrorKind::PermissionDenied;
        let why = if closed { "permission denied".to_owned() } else { error.to_string() };
        // One closed folder is one reason, however many places lie in it.
        let path = Closed::of(error).map_or_else(|| PathBuf::from(&place.path), |folder| folder.as_path().to_owned());
        Some(told(path.clone(), Problem { path, why, kind: error.kind() }))
    })
}

/// The places in words, those in others left out.
fn looked_at(places: &[StatePlace]) -> String {
    let paths: BTreeSet<&Path> = places.iter().map(|place| Path::new(&place.path)).collect();
    let outer = paths.iter().filter(|path| !path.ancestors().skip(1).any(|above| paths.contains(above)));
    outer.map(|path| format!("`{}`", plain(&path.display().to_string()))).collect::<Vec<_>>().join(", ")
}
