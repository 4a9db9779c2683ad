//! What every command that looks at something starts with: the host, the policy, and whom to look at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use gitleaks_rs::Scanner;

use crate::catalog::{self, LocalProfile, Request, Types};
use crate::cli::Target;
use crate::commands::Failure;
use crate::commands::failure::cause;
use crate::facts::{self, Facts, Timing, subject};
use crate::host::{self, Host, RealHost};
use crate::model::{AbsPath, Agent, Check, Parameters, Policy, Scope, Subject};

/// The name of a profile that a repository brings along.
pub(super) const LOCAL_PROFILE: &str = ".harden.yaml";

/// The largest local profile that is read: 1 MiB.
const LOCAL_PROFILE_LIMIT: u64 = 1 << 20;

/// A host, what should be true of it, and of whom.
pub struct Session {
    /// The machine.
    pub host: Box<dyn Host>,
    /// What should be true.
    pub policy: Policy,
    /// One for each agent.
    pub subjects: Vec<Subject>,
    /// All known checks, for names.
    pub checks: BTreeMap<String, Arc<Check>>,
}

impl Session {
    /// Opens the host, merges the policy, finds the agents.
    pub fn open(target: &Target, folders: &[std::path::PathBuf], mut request: Request) -> Result<Self, Failure> {
        let (host, workspace) = open_host(target)?;
        let types = Types::default();
        let mut checks = catalog::checks(&types)?;
        for folder in folders {
            checks = catalog::add_dir(&types, checks, folder)?;
        }
        request.profile = target.aim.profile.clone();
        request.rules = rule_ids(Scanner::embedded());
        request.scope = target.aim.scope.map(Into::into);
        request.local = local_profile(host.as_ref(), &workspace).filter(|_| !given_as_profile(target));
        let policy = catalog::policy(&checks, &request, catalog::today())?;
        let subjects =
            subjects(host.as_ref(), target.aim.agent.as_deref(), &policy.parameters, policy.scope, &workspace)?;
        Ok(Self { host, policy, subjects, checks })
    }
}

/// The names of rules that waivers may use beside those of checks.
pub(super) fn rule_ids(scanner: &Scanner) -> BTreeSet<String> {
    scanner.rules().iter().map(|rule| rule.id.clone()).collect()
}

fn open_host(target: &Target) -> Result<(Box<dyn Host>, AbsPath), Failure> {
    let given = target.path.as_deref();
    match &target.aim.root {
        Some(root) => {
            let host = RealHost::image(root).map_err(|error| {
                Failure::usage(
                    format!("cannot open `{}`: {}", root.display(), cause(&error)),
                    "give --root the top folder of a mounted image",
                )
            })?;
            let path = AbsPath::root().join(given.unwrap_or(Path::new("/")));
            check_folder(&host, &path)?;
            Ok((Box::new(host), path))
        }
        None => open_live(given.unwrap_or(Path::new("."))),
    }
}

/// This machine, and a folder on it by its real path.
pub(super) fn open_live(path: &Path) -> Result<(Box<dyn Host>, AbsPath), Failure> {
    let full = path.canonicalize().map_err(|error| {
        Failure::usage(format!("cannot open `{}`: {}", path.display(), cause(&error)), "give the folder of a project")
    })?;
    let host = RealHost::live().map_err(|error| Failure::usage(format!("cannot open `/`: {error}"), ""))?;
    let path = AbsPath::new(full).unwrap_or_else(AbsPath::root);
    check_folder(&host, &path)?;
    Ok((Box::new(host), path))
}

/// This machine, and every known agent on it, in use or not; only the one that is named.
pub(super) fn known_agents(named: Option<&str>, policy: &Policy) -> Result<(Box<dyn Host>, Vec<Subject>), Failure> {
    let (host, workspace) = open_live(Path::new("."))?;
    // The account is settled by launchers and processes, which the repo scope leaves alone.
    let scope = policy.scope.max(Scope::User);
    let subjects = known(host.as_ref(), named, &policy.parameters, scope, &workspace)?;
    Ok((host, subjects))
}

fn check_folder(host: &dyn Host, path: &AbsPath) -> Result<(), Failure> {
    let next = if host.is_live() {
        "give the folder of a project"
    } else {
        "give the folder of a project as the image itself calls it, without what --root names"
    };
    let stat = host::resolve(host, path, None).and_then(|path| host.stat(&path));
    match stat {
        Ok(stat) if stat.kind == host::Kind::Dir => Ok(()),
        Ok(_) => Err(Failure::usage(format!("`{path}` is not a folder"), next)),
        Err(error) => Err(Failure::usage(format!("cannot open `{path}`: {}", cause(&error)), next)),
    }
}

/// The profile that the project brings along. One that cannot be read is reported, and stops nothing.
fn local_profile(host: &dyn Host, workspace: &AbsPath) -> Option<LocalProfile> {
    let text = subject::git_top(host, workspace).and_then(|top| {
        let top = top.unwrap_or_else(|| workspace.clone());
        host::read_text(host, &top.join(LOCAL_PROFILE), Some(&top), LOCAL_PROFILE_LIMIT)
    });
    let text = text.map_err(|error| format!("it cannot be read: {}", cause(&error))).transpose()?;
    Some(LocalProfile { file: LOCAL_PROFILE.to_owned(), text })
}

/// Whether the reviewer named the project's own profile with `--profile`: then it counts in full, and once.
fn given_as_profile(target: &Target) -> bool {
    let Some(given) = target.aim.profile.as_deref().and_then(|given| Path::new(given).canonicalize().ok()) else {
        return false;
    };
    let start = target.path.as_deref().unwrap_or(Path::new(".")).canonicalize();
    target.aim.root.is_none()
        && given.file_name().is_some_and(|name| name == LOCAL_PROFILE)
        && start.is_ok_and(|start| given.parent().is_some_and(|folder| start.starts_with(folder)))
}

/// The subjects of the named agent, or of all that are known.
fn known(
    host: &dyn Host,
    named: Option<&str>,
    parameters: &Parameters,
    scope: Scope,
    workspace: &AbsPath,
) -> Result<Vec<Subject>, Failure> {
    let settle = |agent: Arc<Agent>| {
        subject::settle(host, agent, parameters, scope, workspace).map_err(|error| {
            let help = match host.is_live() {
                true => "look at /etc/passwd and at the folders above the project; `--scope repo` needs no accounts",
                false => "give --root the top folder of a system; the files of a project alone need no --root",
            };
            Failure::usage(
                format!("cannot tell who runs the agent, by accounts and work tree: {}", cause(&error)),
                help,
            )
        })
    };
    if let Some(name) = named {
        return Ok(vec![settle(catalog::agent(name)?)?]);
    }
    catalog::agents()?.into_iter().map(settle).collect()
}

/// The subjects of the named agent, or of all that are in use here. Without any, the generic one stands in.
fn subjects(
    host: &dyn Host,
    named: Option<&str>,
    parameters: &Parameters,
    scope: Scope,
    workspace: &AbsPath,
) -> Result<Vec<Subject>, Failure> {
    let all = known(host, named, parameters, scope, workspace)?;
    if named.is_some() {
        return Ok(all);
    }
    let (used, mut unused): (Vec<_>, Vec<_>) = all.into_iter().partition(|subject| subject::is_in_use(host, subject));
    Ok(if used.is_empty() { unused.pop().into_iter().collect() } else { used })
}

/// The facts that the policy needs, for each subject.
pub fn gather(session: &Session) -> (Vec<Facts>, Vec<Timing>) {
    let needed: BTreeSet<&str> = crate::check::needed_probes(&session.policy);
    facts::gather(session.host.as_ref(), &session.subjects, &needed)
}
