//! What the agent writes, existing or not: who can read it, and whether it lies in a git work tree.

use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::git::repository::{self, Place, Repository};
use super::git::{self, ignore};
use super::{ProbeError, glob, subject};
use crate::host::{self, Accounts, Host, Keep, Kind, Want, Who};
use crate::model::{AbsPath, AgentUser, Look, Mode, StateKind, StatePath, Subject, Uid, Unseen};

/// The most files below one path that are looked at for examples.
const FILES: usize = 2000;
/// How many examples a message gives.
const EXAMPLES: usize = 3;
/// The number of an account that nobody has: what it may do, every account may.
const STRANGER: Uid = Uid(u32::MAX - 1);

/// What the agent writes.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Every path that it uses or would use.
    paths: Vec<State>,
}

/// A path that the agent writes.
#[derive(Serialize, JsonSchema)]
struct State {
    /// Where.
    path: AbsPath,
    /// What it holds.
    kind: StateKind,
    /// Another of these paths that it lies in; null where it lies in none. What closes that one shields it.
    below: Option<AbsPath>,
    /// The account whose state it is.
    account: String,
    /// Whether anything is there.
    exists: Look<bool>,
    /// Whether it is a folder.
    is_folder: bool,
    /// Its owner; null where nothing is there.
    owner: Option<String>,
    /// Its mode; null where nothing is there.
    mode: Option<Mode>,
    /// Its size in bytes; null where nothing is there.
    size: Option<u64>,
    /// Whether no other account but root can read it, its side files, or into the folder; null where nothing is
    /// there. A closed folder above shields what is in it.
    private: Look<Option<bool>>,
    /// Who can, in a few words.
    readers: String,
    /// Some of what they can read.
    examples: Vec<String>,
    /// The top of the git work tree that it lies in; null where it lies in none.
    work_tree: Look<Option<AbsPath>>,
    /// Whether the agent puts it into the project whatever the configuration.
    in_project_by_design: bool,
    /// Whether that work tree tracks it, or something in it.
    tracked: Look<bool>,
    /// Whether that work tree ignores it.
    ignored: Look<bool>,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let accounts =
        host.accounts().map_err(|error| ProbeError::unreadable(&AbsPath::root().join("etc/passwd"), error))?;
    let looker = Looker { host, subject, accounts: &accounts };
    let mut paths = looker.all(subject, subject.account()?);
    if let Some((person, invoker)) = before(subject) {
        paths.extend(looker.all(&person, &invoker).into_iter().filter(|state| state.exists != Look::Known(false)));
    }
    let mut seen = std::collections::BTreeSet::new();
    paths.retain(|state| seen.insert(state.path.clone()));
    let folders: Vec<AbsPath> =
        paths.iter().filter(|state| state.kind == StateKind::Directory).map(|s| s.path.clone()).collect();
    for state in &mut paths {
        state.below = folders.iter().find(|folder| **folder != state.path && state.path.is_within(folder)).cloned();
    }
    Ok(Fact { paths })
}

/// A place where an agent keeps state, whether or not anything is there.
pub struct StatePlace {
    /// Where, links not followed; from `~` where the home is not known.
    pub path: String,
    /// What it holds.
    pub kind: StateKind,
    /// Where that leads and what is there; none where nothing is.
    pub there: io::Result<Option<(AbsPath, Kind)>>,
}

/// Where the agent keeps state under the account that runs it.
pub fn state_places(host: &dyn Host, subject: &Subject) -> Vec<StatePlace> {
    let mut places = Vec::new();
    for state in &subject.agent.state {
        let mut add = |path: String, there| places.push(StatePlace { path, kind: state.kind, there });
        let Some(pattern) = pattern(subject, state) else {
            if subject::place(subject, &state.path).is_none() {
                let why = "the home of the account that runs the agent is not known";
                add(subject::in_any_home(&state.path), Err(io::Error::other(why)));
            }
            continue;
        };
        match meant(host, &pattern) {
            Ok(paths) if paths.is_empty() => add(pattern.text(), Ok(None)),
            Ok(paths) => paths.iter().for_each(|path| add(path.text(), there(host, subject, path))),
            Err((folder, error)) => add(folder.text(), Err(error)),
        }
    }
    places
}

/// What of an agent's state there is to scan.
pub struct Tops {
    /// Folders and files of which none lies in another.
    pub scanned: Vec<(AbsPath, Kind)>,
    /// Folders and files to leave out, in them or elsewhere.
    pub left_out: Vec<AbsPath>,
}

/// What is there, without the kinds that are to be left out.
pub fn tops(places: &[StatePlace], leaves_out: fn(StateKind) -> bool) -> Tops {
    let found = |out: bool| {
        let places = places.iter().filter(move |place| leaves_out(place.kind) == out);
        places.filter_map(|place| place.there.as_ref().ok()?.clone())
    };
    let mut all: Vec<_> = found(false).filter(|(_, kind)| matches!(kind, Kind::File | Kind::Dir)).collect();
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    // Where somebody keeps both in one place, it is to be scanned.
    let holds = |folder: &AbsPath| all.iter().any(|(path, _)| path.is_within(folder));
    let left_out = found(true).map(|(path, _)| path).filter(|path| !holds(path)).collect();
    let mut scanned: Vec<(AbsPath, Kind)> = Vec::new();
    for (path, kind) in all {
        if !scanned.iter().any(|(top, _)| path.is_within(top)) {
            scanned.push((path, kind));
        }
    }
    Tops { scanned, left_out }
}

/// What is at a path. A link that comes with a project is not followed out of it: what it leads to is not state.
fn there(host: &dyn Host, subject: &Subject, path: &AbsPath) -> io::Result<Option<(AbsPath, Kind)>> {
    let found = host::resolve(host, path, subject::jail(subject, path));
    match found.and_then(|real| Ok((host.stat(&real)?.kind, real))) {
        Ok((kind, real)) => Ok(Some((real, kind))),
        Err(error) if host::is_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The subject as it was before the agent got an account of its own: sessions that the person had stay where they
/// were. None where the person runs it.
pub fn before(subject: &Subject) -> Option<(Subject, AgentUser)> {
    let invoker = subject.invoker.as_ref().filter(|_| !subject.is_invokers())?;
    Some((run_by(subject, invoker), invoker.clone()))
}

/// The subject as it would be if the person ran the agent.
fn run_by(subject: &Subject, invoker: &AgentUser) -> Subject {
    let mut person = subject.clone();
    person.user = Look::Known(invoker.clone());
    person.env = invoker.home.iter().map(|home| ("HOME".to_owned(), home.text())).collect();
    person
}

/// Where a state path is for this subject, perhaps with `*` in its name. None where its place is not known, or it is
/// kept in memory.
pub(super) fn pattern(subject: &Subject, state: &StatePath) -> Option<AbsPath> {
    let usual = subject::place(subject, &state.path);
    let moved = state.env.as_ref().and_then(|name| subject.env.get(name)).filter(|value| !value.is_empty());
    let Some(moved) = moved else { return usual };
    if moved == ":memory:" {
        return None;
    }
    // What lies beside it moves with it.
    let moved = if state.path.ends_with('*') { format!("{moved}*") } else { moved.clone() };
    match usual.and_then(|usual| usual.parent()) {
        Some(folder) => Some(folder.join(moved)),
        None => AbsPath::new(moved),
    }
}

/// The paths that a pattern means: what is there where its name holds `*`, else the path itself.
pub(super) fn meant(host: &dyn Host, pattern: &AbsPath) -> Result<Vec<AbsPath>, (AbsPath, io::Error)> {
    let name = pattern.name_text().into_owned();
    let Some(folder) = pattern.parent().filter(|_| name.contains('*')) else { return Ok(vec![pattern.clone()]) };
    match host::resolve(host, &folder, None).and_then(|real| host.list(&real)) {
        Ok(entries) => {
            let names = entries.into_iter().map(|entry| entry.name);
            Ok(names
                .filter(|entry| glob::fits(&name, &entry.to_string_lossy()))
                .map(|name| folder.join(name))
                .collect())
        }
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(Vec::new()),
        Err(error) => Err((folder, error)),
    }
}

/// As [`meant`], but that a database stands for what is beside it, which is looked at with it.
fn places(host: &dyn Host, kind: StateKind, pattern: &AbsPath) -> Result<Vec<AbsPath>, ProbeError> {
    match (kind, pattern.parent()) {
        (StateKind::Database, Some(folder)) => Ok(vec![folder.join(pattern.name_text().trim_end_matches('*'))]),
        _ => meant(host, pattern).map_err(|(folder, error)| ProbeError::unreadable(&folder, error)),
    }
}

/// A path that cannot be looked at: nothing is told of it.
fn unseen(path: AbsPath, kind: StateKind, user: &AgentUser, by_design: bool, error: ProbeError) -> State {
    let unseen: Unseen = error.into();
    State {
        path,
        kind,
        below: None,
        account: user.name.clone(),
        exists: Look::Unknown(unseen.clone()),
        is_folder: false,
        owner: None,
        mode: None,
        size: None,
        private: Look::Unknown(unseen.clone()),
        readers: String::new(),
        examples: Vec::new(),
        work_tree: Look::Unknown(unseen.clone()),
        in_project_by_design: by_design,
        tracked: Look::Unknown(unseen.clone()),
        ignored: Look::Unknown(unseen),
    }
}

/// The top of the work tree, and whether that tracks and ignores the path.
type InGit = (Option<AbsPath>, Look<bool>, Look<bool>);

struct Looker<'a> {
    host: &'a dyn Host,
    subject: &'a Subject,
    accounts: &'a Accounts,
}

impl Looker<'_> {
    fn all(&self, subject: &Subject, user: &AgentUser) -> Vec<State> {
        let mut states = Vec::new();
        for state in &subject.agent.state {
            let Some(pattern) = pattern(subject, state) else { continue };
            let by_design = state.path.starts_with("{project}") || state.path.starts_with("{workspace}");
            let paths = match places(self.host, state.kind, &pattern) {
                Ok(paths) => paths,
                Err(error) => {
                    states.push(unseen(pattern, state.kind, user, by_design, error));
                    continue;
                }
            };
            for path in paths {
                states.push(match self.state(path.clone(), state.kind, user, by_design) {
                    Ok(state) => state,
                    Err(error) => unseen(path, state.kind, user, by_design, error),
                });
            }
        }
        states
    }

    fn state(&self, path: AbsPath, kind: StateKind, user: &AgentUser, by_design: bool) -> Result<State, ProbeError> {
        let unreadable = |error| ProbeError::unreadable(&path, error);
        let target = match host::resolve(self.host, &path, subject::jail(self.subject, &path)) {
            Ok(target) => Some(target),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => None,
            Err(error) => return Err(unreadable(error)),
        };
        let stat = target.as_ref().map(|target| self.host.stat(target)).transpose().map_err(unreadable)?;
        let is_folder = stat.is_some_and(|stat| stat.kind == Kind::Dir);
        let (readers, examples) = match &target {
            Some(target) => self.open(target, is_folder, user).map_err(unreadable)?,
            None => (Vec::new(), Vec::new()),
        };
        let (work_tree, tracked, ignored) =
            self.in_git(target.as_ref().unwrap_or(&path), is_folder || stat.is_none())?;
        Ok(State {
            kind,
            below: None,
            account: user.name.clone(),
            exists: Look::Known(stat.is_some()),
            is_folder,
            owner: stat.map(|stat| {
                self.accounts.user_of(stat.uid).map_or_else(|| stat.uid.0.to_string(), |user| user.name.clone())
            }),
            mode: stat.map(|stat| stat.mode),
            size: stat.map(|stat| stat.size),
            private: Look::Known(stat.map(|_| readers.is_empty())),
            readers: readers.join(", "),
            examples,
            work_tree: Look::Known(work_tree),
            in_project_by_design: by_design,
            tracked,
            ignored,
            path,
        })
    }

    /// Who else can read the path or its side files, and what of it.
    fn open(&self, path: &AbsPath, is_folder: bool, user: &AgentUser) -> io::Result<(Vec<String>, Vec<String>)> {
        let (mut readers, mut examples) = (Vec::new(), Vec::new());
        let (parts, unlisted) = if is_folder { (vec![path.clone()], None) } else { self.side_files(path)? };
        for part in &parts {
            let found = self.readers(part, is_folder, user)?;
            if !found.is_empty() {
                examples.push(self.example(part)?);
                readers.extend(found.into_iter().filter(|name| !readers.contains(name)).collect::<Vec<_>>());
            }
        }
        // What lies beside it may be open where it is not itself.
        if let Some(error) = unlisted.filter(|_| readers.is_empty()) {
            return Err(error);
        }
        if is_folder && !readers.is_empty() {
            // It is open whether or not it can be told what is in it.
            examples.extend(self.inside(path).unwrap_or_default());
        }
        examples.truncate(EXAMPLES);
        Ok((readers, examples))
    }

    /// The file itself, and what databases and editors leave beside it; the error where the folder cannot be listed.
    fn side_files(&self, path: &AbsPath) -> io::Result<(Vec<AbsPath>, Option<io::Error>)> {
        let mut files = vec![path.clone()];
        let Some(folder) = path.parent() else { return Ok((files, None)) };
        let name = path.name_text().into_owned();
        let beside = match self.host.list(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let why = format!("what lies beside it cannot be listed: {error}");
                return Ok((files, Some(io::Error::new(error.kind(), why))));
            }
            Err(error) => return Err(error),
        };
        let beside = beside.iter().filter(|entry| entry.kind == Kind::File);
        let beside = beside
            .map(|entry| entry.name.to_string_lossy())
            .filter(|other| other.strip_prefix(&name).is_some_and(|rest| rest.starts_with(['-', '.', '~'])));
        files.extend(beside.take(20).map(|name| folder.join(name.as_ref())));
        Ok((files, None))
    }

    /// Accounts other than root and the owner's that can read `path`, or look or pass into it.
    fn readers(&self, path: &AbsPath, is_folder: bool, user: &AgentUser) -> io::Result<Vec<String>> {
        let reads = |who: &Who| {
            Ok::<_, io::Error>(
                host::can(self.host, who, path, Want::Read)?
                    || is_folder && host::can(self.host, who, path, Want::Execute)?,
            )
        };
        if reads(&Who { uid: STRANGER, gids: Vec::new() })? {
            return Ok(vec!["every account".into()]);
        }
        let mut readers = Vec::new();
        for account in &self.accounts.users {
            // The developer who set up an agent's account may look into its state.
            let trusted = [Some(Uid(0)), user.uid, self.subject.invoker.as_ref().and_then(|invoker| invoker.uid)];
            if !trusted.contains(&Some(account.uid))
                && reads(&Who { uid: account.uid, gids: self.accounts.groups_of(account) })?
            {
                readers.push(account.name.clone());
            }
        }
        Ok(readers)
    }

    fn example(&self, path: &AbsPath) -> io::Result<String> {
        Ok(format!("{} ({})", path, self.host.stat(path)?.mode))
    }

    /// Some files in an open folder that every account can read.
    fn inside(&self, folder: &AbsPath) -> io::Result<Vec<String>> {
        let mut left = FILES;
        let (mut files, _) = self.host.walk(folder, &mut |_, kind| {
            left = left.saturating_sub(1);
            match kind {
                _ if left == 0 => Keep::Prune,
                Kind::File => Keep::Yes,
                _ => Keep::Pass,
            }
        })?;
        // Databases first: they hold the most.
        files.sort_by_key(|(file, _)| (!file.to_string_lossy().contains(".db"), file.clone()));
        let mut examples = Vec::new();
        for (file, _) in files.iter().take(FILES) {
            let path = folder.join(file);
            if host::can(self.host, &Who { uid: STRANGER, gids: Vec::new() }, &path, Want::Read)? {
                examples.push(self.example(&path)?);
            }
            if examples.len() == EXAMPLES {
                break;
            }
        }
        Ok(examples)
    }

    /// The work tree around a path, and whether it tracks and ignores it.
    fn in_git(&self, path: &AbsPath, folder: bool) -> Result<InGit, ProbeError> {
        let unreadable = |error| ProbeError::unreadable(path, error);
        let start = path.parent().unwrap_or_else(AbsPath::root);
        match repository::around(self.host, &start).map_err(unreadable)? {
            Place::None => Ok((None, Look::Known(false), Look::Known(false))),
            Place::Elsewhere { pointer, .. } => {
                let unknown = || Look::unknown(format!("`{pointer}` was not followed"), "look at where it leads");
                Ok((pointer.parent(), unknown(), unknown()))
            }
            Place::Repository(repository) => {
                let ignored = ignore::rule(self.host, self.subject, &repository, path, folder);
                let ignored = ignored.map(|rule| rule.is_some());
                Ok((Some(repository.top.clone()), self.tracked(&repository, path), ignored.into()))
            }
        }
    }

    fn tracked(&self, repository: &Repository, path: &AbsPath) -> Look<bool> {
        use std::os::unix::ffi::OsStrExt;
        let Some(relative) = path.below(&repository.top) else { return Look::Known(false) };
        git::tracked(self.host, repository).map(|tracked| tracked.holds(relative.as_os_str().as_bytes()))
    }
}

/// Whether state of this kind may hold what was said, read or typed.
pub(super) fn is_telling(kind: StateKind) -> bool {
    kind != StateKind::Cache
}
