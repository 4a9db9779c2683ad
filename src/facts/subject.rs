//! Whom to look at: the account that runs the agent, its home, where it starts. Settled before any probe runs.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use crate::host::{Account, Accounts, Host, Kind, resolve};
use crate::model::{AbsPath, Agent, AgentUser, Parameters, Scope, SharedTree, Subject, Uid, UserSource};

/// Settles the subject for one agent. `workspace` is the audited path.
pub fn settle(
    host: &dyn Host,
    agent: Arc<Agent>,
    parameters: &Parameters,
    scope: Scope,
    workspace: &AbsPath,
) -> io::Result<Subject> {
    let accounts = host.accounts()?;
    let invoker = host.invoker()?;
    let invoker = of_uid(&accounts, invoker, UserSource::Invoker);
    let user = match parameters.text("agent_user") {
        Some(name) => of_name(&accounts, name, UserSource::Profile),
        None => running_user(host, &agent, &accounts, scope).unwrap_or_else(|| invoker.clone()),
    };
    let workspace = parameters.text("workspace").and_then(AbsPath::new).unwrap_or_else(|| workspace.clone());
    let project = git_top(host, &workspace)?.unwrap_or_else(|| workspace.clone());
    let env = environment(host, &user, &invoker);
    Ok(Subject {
        os: host.os(),
        scope,
        agent,
        user,
        invoker,
        workspace,
        project,
        env,
        parameters: parameters.clone(),
        tree: SharedTree::default(),
    })
}

/// The owner of a running agent, where that is not the invoker.
fn running_user(host: &dyn Host, agent: &Agent, accounts: &Accounts, scope: Scope) -> Option<AgentUser> {
    if scope == Scope::Repo {
        return None;
    }
    // What cannot be listed here is reported by the process fact.
    let processes = host.processes().ok()?;
    let process = processes.iter().find(|process| agent.processes.contains(&process.name))?;
    Some(of_uid(accounts, process.uid?, UserSource::Process))
}

/// The nearest folder at or above `path` that holds a `.git`, folder or file.
pub fn git_top(host: &dyn Host, path: &AbsPath) -> io::Result<Option<AbsPath>> {
    for folder in path.ancestors() {
        match host.stat(&folder.join(".git")) {
            Ok(stat) if matches!(stat.kind, Kind::Dir | Kind::File) => return Ok(Some(folder)),
            Ok(_) => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

fn of_uid(accounts: &Accounts, uid: Uid, source: UserSource) -> AgentUser {
    match accounts.user_of(uid) {
        Some(account) => known(accounts, account, source),
        None => {
            AgentUser { name: uid.0.to_string(), uid: Some(uid), gid: None, groups: Vec::new(), home: None, source }
        }
    }
}

fn of_name(accounts: &Accounts, name: &str, source: UserSource) -> AgentUser {
    match accounts.user(name) {
        Some(account) => known(accounts, account, source),
        None => AgentUser { name: name.to_owned(), uid: None, gid: None, groups: Vec::new(), home: None, source },
    }
}

fn known(accounts: &Accounts, account: &Account, source: UserSource) -> AgentUser {
    AgentUser {
        name: account.name.clone(),
        uid: Some(account.uid),
        gid: Some(account.gid),
        groups: accounts.groups_of(account),
        home: account.home.clone(),
        source,
    }
}

/// The variables that say where the agent keeps things. The audit's own environment speaks only for the account
/// that started it.
fn environment(host: &dyn Host, user: &AgentUser, invoker: &AgentUser) -> BTreeMap<String, String> {
    let mut env = BTreeMap::new();
    if user.uid == invoker.uid {
        env.extend(host.env_names().into_iter().filter_map(|name| Some((name.clone(), host.env(&name)?))));
    }
    if let Some(home) = &user.home {
        env.insert("HOME".into(), home.text());
    }
    env
}

/// The folders that an agent's paths are written with.
pub fn places(subject: &Subject) -> BTreeMap<&'static str, AbsPath> {
    let mut places = BTreeMap::from([("workspace", subject.workspace.clone()), ("project", subject.project.clone())]);
    let home = subject.env.get("HOME").and_then(AbsPath::new);
    let set = |name: &str| subject.env.get(name).filter(|value| !value.is_empty()).and_then(AbsPath::new);
    places.insert("tmp", set("TMPDIR").unwrap_or_else(|| AbsPath::root().join("tmp")));
    for (place, variable, usual) in [
        ("config", "XDG_CONFIG_HOME", ".config"),
        ("data", "XDG_DATA_HOME", ".local/share"),
        ("state", "XDG_STATE_HOME", ".local/state"),
        ("cache", "XDG_CACHE_HOME", ".cache"),
    ] {
        places.extend(set(variable).or_else(|| Some(home.as_ref()?.join(usual))).map(|path| (place, path)));
    }
    places.extend(home.map(|home| ("home", home)));
    places
}

/// A path written with places, as an absolute one. None where its place is not known.
pub fn place(subject: &Subject, path: &str) -> Option<AbsPath> {
    let Some(rest) = path.strip_prefix('{') else { return AbsPath::new(path) };
    let (name, rest) = rest.split_once('}')?;
    Some(places(subject).get(name)?.join(rest.trim_start_matches('/')))
}

/// How a path is shown: relative to the project where it lies in it.
pub fn shown(subject: &Subject, path: &AbsPath) -> String {
    match path.below(&subject.project) {
        Some(rest) if !rest.as_os_str().is_empty() => rest.to_string_lossy().into_owned(),
        _ => path.text(),
    }
}

/// The folder that reads of `path` are held to: the project for files in it, which may be hostile.
pub fn jail<'a>(subject: &'a Subject, path: &AbsPath) -> Option<&'a AbsPath> {
    path.is_within(&subject.project).then_some(&subject.project)
}

/// Whether anything is at `path`, links followed; a failure to look counts as there.
pub fn seems_to_exist(host: &dyn Host, path: &AbsPath) -> bool {
    !matches!(resolve(host, path, None), Err(error) if error.kind() == io::ErrorKind::NotFound)
}
