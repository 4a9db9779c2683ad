//! What git would run in the project's repository, and whether the agent can change that. Read from files alone: git
//! itself would run what a hostile configuration names.

mod commands;
pub mod config;
mod hooks;
pub mod hooks_path;
pub mod ignore;
mod index;
pub mod own_hook;
pub mod repository;

use std::io;

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use self::config::Setting;
use self::hooks::Manager;
use self::hooks_path::{Named, Reach};
pub use self::index::Tracked;
use self::own_hook::{Hook, Origin};
use self::repository::{Form, Place, Repository};
use super::{ProbeError, subject};
use crate::host::{self, Host, Kind, Want, Who};
use crate::model::{AbsPath, Location, Look, Scope, Subject, Uid, plain, redact_line};

/// The largest hook that is read: 256 KiB.
const HOOK_LIMIT: u64 = 256 << 10;

/// The project's git repository.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// The top of its work tree; null where the project is in no repository.
    top: Option<AbsPath>,
    /// Its git directory; null likewise.
    git_dir: Option<AbsPath>,
    /// How the two are tied; null likewise.
    form: Option<Form>,
    /// What git runs here, and the places that decide it.
    runs: Vec<Run>,
    /// How many files are tracked.
    tracked_files: Look<u64>,
    /// Its submodules, from `.gitmodules`.
    submodules: Vec<Submodule>,
}

/// Something that git runs, or a place that decides what it runs.
#[derive(Serialize, JsonSchema)]
struct Run {
    /// `core.fsmonitor`, `pre-commit`, `.git/hooks`.
    name: String,
    /// What it is.
    kind: RunKind,
    /// What is the matter with it, in a few words, for messages.
    says: String,
    /// Whether it is expected: named in the profile, written by a well-known manager, or a place that always is.
    reviewed: bool,
    /// The manager that wrote it.
    manager: Option<Manager>,
    /// Whether the agent can change it and so run code as whoever uses git here next. False where the agent has that
    /// person's own account, and where the repository is the agent's own: git refuses those to others.
    agent_writable: Look<bool>,
    /// Where it stands.
    at: Option<Location>,
}

/// What a [`Run`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum RunKind {
    /// A setting that names a program.
    Setting,
    /// A hook.
    Hook,
    /// A file or folder that git believes.
    Place,
    /// A `.git` that leads elsewhere.
    Pointer,
}

/// A submodule.
#[derive(Serialize, JsonSchema)]
struct Submodule {
    /// Its name.
    name: String,
    /// Where it is checked out.
    path: Option<String>,
    /// Where it comes from, without what could be a secret.
    url: Option<String>,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let unreadable = |error| ProbeError::unreadable(&subject.project.join(".git"), error);
    let mut fact = Fact {
        top: None,
        git_dir: None,
        form: None,
        runs: Vec::new(),
        tracked_files: Look::Known(0),
        submodules: submodules(host, subject),
    };
    match repository::around(host, &subject.project).map_err(unreadable)? {
        Place::None => {}
        Place::Elsewhere { pointer, target } => fact.runs.push(elsewhere(subject, &pointer, &target)),
        Place::Repository(found) => {
            let reader = Reader { host, subject, repository: &found };
            fact.runs = reader.runs()?;
            fact.tracked_files = tracked(host, &found).map(|tracked| tracked.paths.len() as u64);
            (fact.top, fact.git_dir, fact.form) = (Some(found.top), Some(found.git_dir), Some(found.form));
        }
    }
    Ok(fact)
}

/// What the repository tracks.
pub fn tracked(host: &dyn Host, repository: &Repository) -> Look<Tracked> {
    match hash_bytes(host, repository) {
        Ok(bytes) => index::read(host, &repository.git_dir, bytes),
        Err(error) => Look::Unknown(error.into()),
    }
}

/// What the repository whose work tree starts at `top` tracks; None where there is none.
pub fn tracked_at(host: &dyn Host, top: &AbsPath) -> Look<Option<Tracked>> {
    match repository::at(host, top) {
        Ok(Place::None) => Look::Known(None),
        Ok(Place::Repository(repository)) => tracked(host, &repository).map(Some),
        Ok(Place::Elsewhere { pointer, .. }) => {
            Look::unknown(format!("`{pointer}` was not followed"), "look at where it leads")
        }
        Err(error) => Look::Unknown(ProbeError::unreadable(&top.join(".git"), error).into()),
    }
}

/// How long an object's name is in this repository.
fn hash_bytes(host: &dyn Host, repository: &Repository) -> Result<usize, ProbeError> {
    let settings = repository::settings(host, &repository.common_dir, "config")
        .map_err(|error| ProbeError::unreadable(&repository.common_dir.join("config"), error))?;
    let format = settings.iter().rfind(|setting| setting.name == "extensions.objectformat");
    Ok(if format.and_then(|s| s.value.as_deref()) == Some("sha256") { 32 } else { 20 })
}

fn elsewhere(subject: &Subject, pointer: &AbsPath, target: &str) -> Run {
    let shown = subject::shown(subject, pointer);
    Run {
        says: format!("leads git to `{}`, which does not point back; it was not followed", plain(target)),
        at: Some(Location::file(&shown)),
        name: shown,
        kind: RunKind::Pointer,
        reviewed: false,
        manager: None,
        agent_writable: Look::Known(false),
    }
}

fn submodules(host: &dyn Host, subject: &Subject) -> Vec<Submodule> {
    let file = subject.project.join(".gitmodules");
    let text = host::read_text(host, &file, Some(&subject.project), host::CONFIG_LIMIT);
    let settings = config::parse(&text.ok().flatten().unwrap_or_default());
    let mut found: Vec<Submodule> = Vec::new();
    for setting in settings.iter().filter(|setting| setting.section == "submodule") {
        let name =
            setting.name.trim_start_matches("submodule.").trim_end_matches(&format!(".{}", setting.key)).to_owned();
        let at = found.iter().position(|known| known.name == name).unwrap_or_else(|| {
            found.push(Submodule { name, path: None, url: None });
            found.len() - 1
        });
        match setting.key.as_str() {
            "path" => found[at].path = setting.value.clone(),
            "url" => found[at].url = setting.value.as_deref().map(redact_line),
            _ => {}
        }
    }
    found
}

struct Reader<'a> {
    host: &'a dyn Host,
    subject: &'a Subject,
    repository: &'a Repository,
}

impl Reader<'_> {
    fn runs(&self) -> Result<Vec<Run>, ProbeError> {
        let mut runs = Vec::new();
        let folders = [(&self.repository.common_dir, "config"), (&self.repository.git_dir, "config.worktree")];
        for (folder, name) in folders {
            let file = folder.join(name);
            let settings =
                repository::settings(self.host, folder, name).map_err(|error| ProbeError::unreadable(&file, error))?;
            runs.extend(settings.iter().filter_map(|setting| self.setting(&file, setting)));
        }
        let hooks = self.hooks_folder()?;
        runs.extend(self.places(hooks.as_ref()));
        if let Some(folder) = hooks {
            runs.extend(self.hooks(&folder)?);
        }
        Ok(runs)
    }

    fn setting(&self, file: &AbsPath, setting: &Setting) -> Option<Run> {
        let does = commands::runs(setting)?;
        let husky = setting.name == "core.hookspath"
            && matches!(setting.value.as_deref(), Some(".husky" | ".husky/_" | ".husky/" | ".husky/_/"));
        let allowed =
            self.subject.parameters.list("hook_allow").iter().any(|name| name.eq_ignore_ascii_case(&setting.name));
        Some(Run {
            name: setting.name.clone(),
            kind: RunKind::Setting,
            says: does.to_owned(),
            reviewed: husky || allowed,
            manager: husky.then_some(Manager::Husky),
            agent_writable: Look::Known(false),
            at: Some(Location::line(subject::shown(self.subject, file), setting.line, &setting.text)),
        })
    }

    /// The folder that git takes hooks from when a person works here, by the settings of the repository, the account and
    /// the system; None where that is none that may be looked into.
    fn hooks_folder(&self) -> Result<Option<AbsPath>, ProbeError> {
        let account = self.subject.scope > Scope::Repo;
        let home = self.subject.invoker.as_ref().and_then(|person| person.home.clone()).filter(|_| account);
        let reach = Reach { account, home, outward: false };
        let said = hooks_path::read(self.host, self.repository, &reach)
            .map_err(|(file, error)| ProbeError::unreadable(&file, error))?;
        if let Some(file) = said.maybe.first() {
            let why = "it sets `core.hooksPath` under a condition, which only git can judge";
            return Err(ProbeError::unreadable(file, io::Error::other(why)));
        }
        let folder = match said.named(self.repository, &reach) {
            Named::Folder(folder) => folder,
            // The project's own setting is a finding by itself.
            Named::Nothing | Named::Unknown(_) => return Ok(None),
        };
        let inside = folder.is_within(&self.repository.top) || folder.is_within(&self.repository.common_dir);
        Ok((inside || account).then_some(folder))
    }

    /// The places that git believes, and whether the agent can change them.
    fn places(&self, hooks: Option<&AbsPath>) -> Vec<Run> {
        let Repository { git_dir, common_dir, .. } = self.repository;
        let mut paths =
            vec![common_dir.clone(), common_dir.join("config"), common_dir.join("info"), common_dir.join("modules")];
        if git_dir != common_dir {
            paths.extend([git_dir.clone(), git_dir.join("config.worktree")]);
        }
        paths.extend(hooks.cloned());
        paths.dedup();
        let exists = |path: &AbsPath| self.host.stat(path).is_ok();
        paths.iter().filter(|path| exists(path)).map(|path| self.place(path)).collect()
    }

    fn place(&self, path: &AbsPath) -> Run {
        let name = subject::shown(self.subject, path);
        Run {
            says: format!(
                "can be changed by `{}`: what the agent puts there runs as whoever uses git here next",
                self.subject.user.known().map_or("the agent", |user| user.name.as_str())
            ),
            at: Some(Location::file(&name)),
            name,
            kind: RunKind::Place,
            reviewed: true,
            manager: None,
            agent_writable: self.writable(path),
        }
    }

    /// Whether the agent's account can write `path` in a repository that git trusts.
    fn writable(&self, path: &AbsPath) -> Look<bool> {
        if self.subject.scope == Scope::Repo || self.subject.is_invokers() {
            return Look::Known(false);
        }
        let who = match self.subject.account().map(Who::of) {
            Ok(Some(who)) => who,
            Ok(None) => return Look::Known(false),
            Err(unseen) => return Look::Unknown(unseen),
        };
        let look = || {
            let owner = |path: &AbsPath| Ok::<Uid, io::Error>(self.host.stat(path)?.uid);
            let own = owner(&self.repository.common_dir)? == who.uid || owner(&self.repository.top)? == who.uid;
            Ok(!own && host::can(self.host, &who, path, Want::Write)?)
        };
        look().map_err(|error| ProbeError::unreadable(path, error)).into()
    }

    fn hooks(&self, folder: &AbsPath) -> Result<Vec<Run>, ProbeError> {
        let unreadable = |error| ProbeError::unreadable(folder, error);
        let target = match host::resolve(self.host, folder, self.jail(folder)) {
            Ok(target) => target,
            Err(error) if host::is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let entries = match self.host.list(&target) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(Vec::new()),
            Err(error) => return Err(unreadable(error)),
        };
        let named = entries.iter().filter_map(|entry| Some((entry.name.to_str()?, entry.kind)));
        named
            .filter(|(name, kind)| {
                (hooks::NAMES.contains(name) || hooks::FORMER.contains(name)) && matches!(kind, Kind::File | Kind::Link)
            })
            .filter_map(|(name, _)| self.hook(name, &target.join(name)).transpose())
            .collect()
    }

    fn jail(&self, path: &AbsPath) -> Option<&AbsPath> {
        let repository = self.repository;
        [&repository.common_dir, &repository.top].into_iter().find(|folder| path.is_within(folder))
    }

    /// Our own hook, if the program that it runs is ours by its name, and nothing that came with the project or that the
    /// agent could exchange.
    fn own(&self, name: &str, bytes: &[u8]) -> Option<Manager> {
        let hook = Hook::ALL.into_iter().find(|hook| hook.name() == name)?;
        let Origin::Ours(program) = own_hook::origin(hook, bytes) else { return None };
        let program = AbsPath::new(std::str::from_utf8(&program).ok()?)?;
        let inside = program.is_within(&self.repository.top) || program.is_within(&self.repository.common_dir);
        let ours = program.name_text() == "harden" && !inside;
        (ours && matches!(self.writable(&program), Look::Known(false))).then_some(Manager::Harden)
    }

    /// None for a file that git would not run.
    fn hook(&self, name: &str, path: &AbsPath) -> Result<Option<Run>, ProbeError> {
        let shown = subject::shown(self.subject, path);
        let target = host::resolve(self.host, path, self.jail(path));
        let read = target.and_then(|target| {
            let stat = self.host.stat(&target)?;
            let runs = stat.kind == Kind::File && stat.mode.bits() & 0o111 != 0;
            Ok(if runs { Some(self.host.read(&target, HOOK_LIMIT)?) } else { None })
        });
        let bytes = match read {
            Ok(None) => return Ok(None),
            Ok(Some(bytes)) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(ProbeError::unreadable(path, error));
            }
            // A link out of the repository, or something too large: a hook all the same, by nobody we know.
            Err(_) => Vec::new(),
        };
        let manager = hooks::manager(&String::from_utf8_lossy(&bytes))
            .or_else(|| husky_file(path, &bytes))
            .or_else(|| self.own(name, &bytes));
        let digest = crate::model::hex(Sha256::digest(&bytes));
        let allowed = self.subject.parameters.list("hook_allow");
        let allowed = allowed.iter().any(|entry| *entry == name || *entry == format!("{name}@{digest}"));
        Ok(Some(Run {
            name: name.to_owned(),
            kind: RunKind::Hook,
            says: format!("is a hook that nobody has reviewed (sha256 {digest})"),
            reviewed: allowed || manager.is_some(),
            manager,
            agent_writable: self.writable(path),
            at: Some(Location::file(shown)),
        }))
    }
}

/// A tracked script of husky 8, which calls husky first: as reviewed as the rest of the project.
fn husky_file(path: &AbsPath, bytes: &[u8]) -> Option<Manager> {
    let text = String::from_utf8_lossy(bytes);
    let of_husky = path.parent()?.name_text() == ".husky"
        && text.lines().any(|line| line.starts_with(". \"") && line.ends_with("/_/husky.sh\""));
    of_husky.then_some(Manager::Husky)
}
