//! What the agent's account can change of that which is meant to bind it: configuration, policy, launcher, and the
//! program itself.

use std::collections::BTreeSet;
use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::config::{self, Layer, LayerState, Part};
use super::{ProbeError, search_path, subject};
use crate::host::{self, Host, Want, Who};
use crate::model::launch::Found;
use crate::model::{ACCEPTED, APPROVALS, AbsPath, Location, Look, MACHINE_POLICY, Scope, Subject, Unseen};

/// What the agent's account can change.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Files that bind the agent.
    files: Vec<Bound>,
    /// The agent's program files.
    programs: Look<Vec<Bound>>,
}

/// A file that binds the agent.
#[derive(Serialize, JsonSchema)]
struct Bound {
    /// Where it is.
    path: AbsPath,
    /// What it is.
    kind: BoundKind,
    /// What it is, in words.
    what: String,
    /// Who controls it: the repository, the account or the machine.
    scope: Scope,
    /// Whether it is there; else it is a place where the agent would read it from.
    exists: bool,
    /// The file or folder by which the agent's account can change, replace or create it; null where it cannot.
    by: Look<Option<AbsPath>>,
    /// Where it stands.
    at: Location,
}

/// What a [`Bound`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum BoundKind {
    /// Configuration of the agent.
    Config,
    /// Configuration enforced by the machine's owner.
    Managed,
    /// A policy file.
    Policy,
    /// The program that starts the agent.
    Launcher,
    /// The agent's program.
    Program,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let looker = Looker { host, subject, who: subject.account().map(Who::of) };
    let mut files = looker.config()?;
    files.extend(looker.policies());
    files.extend(looker.launcher());
    let mut seen = BTreeSet::new();
    files.retain(|file| seen.insert(file.path.clone()));
    let programs = looker.programs();
    let programs = match subject.account() {
        // They may lie in a home, and nobody knows in whose.
        Err(unseen) if programs.is_empty() => Look::Unknown(unseen),
        _ => Look::Known(programs),
    };
    Ok(Fact { files, programs })
}

struct Looker<'a> {
    host: &'a dyn Host,
    subject: &'a Subject,
    /// None inside: there is no such account.
    who: Result<Option<Who>, Unseen>,
}

impl Looker<'_> {
    /// Every layer's files that are there; of a layer without any, the first place where one could be made.
    fn config(&self) -> Result<Vec<Bound>, ProbeError> {
        let layers = config::effective(self.host, self.subject)?.layers;
        let is_there =
            |layer: &Layer| matches!(layer.state, LayerState::Read | LayerState::Broken { .. } | LayerState::Unseen(_));
        let filled: BTreeSet<&str> =
            layers.iter().filter(|layer| is_there(layer)).map(|layer| layer.name.as_str()).collect();
        let mut opened = BTreeSet::new();
        let mut found = Vec::new();
        for layer in layers.iter().filter(|layer| layer.part == Part::Config) {
            let Some(path) = &layer.path else { continue };
            let could_be_made = layer.state == LayerState::Absent && layer.scope > Scope::Repo;
            let mut is_first = || !filled.contains(layer.name.as_str()) && opened.insert(layer.name.as_str());
            if is_there(layer) || could_be_made && is_first() {
                let (kind, what) = match layer.managed {
                    true => (BoundKind::Managed, "the managed configuration"),
                    false => (BoundKind::Config, "the agent's configuration"),
                };
                let bound = self.bound(path, kind, what, layer.scope);
                found.push(match &*self.subject.launcher {
                    // It decides where the account's configuration lies.
                    Found::Unknown(unseen) if layer.scope == Scope::User => {
                        Bound { by: Look::Unknown(unseen.clone()), ..bound }
                    }
                    _ => bound,
                });
            }
        }
        Ok(found)
    }

    fn is_there(&self, path: &AbsPath) -> bool {
        subject::seems_to_exist(self.host, path)
    }

    fn policies(&self) -> Vec<Bound> {
        let paths = self.subject.agent.policy_files.iter().filter_map(|path| subject::place(self.subject, path));
        let machine = [MACHINE_POLICY, APPROVALS, ACCEPTED].map(|path| AbsPath::root().join(path));
        let there = paths.chain(machine).filter(|path| self.is_there(path));
        there.map(|path| self.bound(&path, BoundKind::Policy, "the policy", self.scope(&path))).collect()
    }

    fn launcher(&self) -> Option<Bound> {
        match &*self.subject.launcher {
            Found::Launcher(found) => {
                Some(self.bound(&found.path, BoundKind::Launcher, "the launcher", self.scope(&found.path)))
            }
            Found::None { .. } | Found::Unknown(_) => None,
        }
    }

    /// What lies in the project is the repository's, what lies in a home its account's, the rest the machine's.
    fn scope(&self, path: &AbsPath) -> Scope {
        let Subject { project, user, invoker, .. } = self.subject;
        let homes = user.known().into_iter().chain(invoker).filter_map(|account| account.home.as_ref());
        let in_home = homes.into_iter().any(|home| *home != AbsPath::root() && path.is_within(home));
        if path.is_within(project) {
            Scope::Repo
        } else if in_home {
            Scope::User
        } else {
            Scope::Host
        }
    }

    /// The agent's programs on the agent's PATH and the usual folders, and those that run.
    fn programs(&self) -> Vec<Bound> {
        let agent = &self.subject.agent;
        let running = self.host.processes().unwrap_or_default().into_iter();
        let running =
            running.filter(|process| agent.processes.contains(&process.name)).filter_map(|process| process.exe);
        let (mut found, mut unseen) = (Vec::new(), Vec::new());
        for path in running.chain(search_path::of_agent(self.subject)) {
            match host::resolve(self.host, &path, None) {
                Ok(target) => found.push(target),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => unseen.push(path),
                Err(_) => {}
            }
        }
        // One closed place says as much as all of them.
        if found.is_empty() {
            found.extend(unseen.into_iter().next());
        }
        let mut seen = BTreeSet::new();
        found
            .into_iter()
            .filter(|path| seen.insert(path.clone()))
            .map(|path| self.bound(&path, BoundKind::Program, "the agent's program", self.scope(&path)))
            .collect()
    }

    fn bound(&self, path: &AbsPath, kind: BoundKind, what: &str, scope: Scope) -> Bound {
        Bound {
            path: path.clone(),
            kind,
            what: what.to_owned(),
            scope,
            exists: self.is_there(path),
            by: match &self.who {
                Err(unseen) => Look::Unknown(unseen.clone()),
                Ok(None) => Look::Known(None),
                Ok(Some(who)) => self.by(who, path).map_err(|error| ProbeError::unreadable(path, error)).into(),
            },
            at: Location::file(subject::shown(self.subject, path)),
        }
    }

    /// By which file or folder the agent's account can change, replace or create `path`.
    fn by(&self, who: &Who, path: &AbsPath) -> io::Result<Option<AbsPath>> {
        match host::can_replace(self.host, who, path) {
            Err(error) if host::is_absent(&error) => {}
            other => return other,
        }
        // Nothing is there: the nearest folder that is decides who may create it.
        for folder in path.ancestors().skip(1) {
            match host::can(self.host, who, &folder, Want::Write) {
                Ok(true) => return Ok(Some(folder)),
                Ok(false) => return Ok(None),
                Err(error) if host::is_absent(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }
}
