//! Whom to look at: the account that runs the agent, its home, where it starts. Settled before any probe runs.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::launcher::launcher;
use super::{edition, variable};
use crate::host::{Account, Accounts, Host, Kind, exists, resolve};
use crate::model::launch::{Found, Launch, Origin, Start};
use crate::model::{
    AbsPath, Agent, AgentUser, AgentVersion, LayerSource, Look, Parameters, Scope, SharedTree, Subject, Uid, Unseen,
    UserSource,
};

/// Settles the subject for one agent. `given` is the audited path.
pub fn settle(
    host: &dyn Host,
    agent: Arc<Agent>,
    parameters: &Parameters,
    scope: Scope,
    given: &AbsPath,
) -> io::Result<Subject> {
    // The files of a project can be judged without accounts, as in a container that has none.
    let accounts = match (host.accounts(), scope) {
        (Err(_), Scope::Repo) => Accounts::default(),
        (accounts, _) => accounts.map_err(|error| {
            io::Error::new(error.kind(), format!("`/etc/passwd` and `/etc/group`: {}", error.kind()))
        })?,
    };
    let invoker = host.invoker()?.map(|uid| of_uid(&accounts, uid, UserSource::Invoker));
    // The repo scope looks at no launcher; what of one cannot be read is reported by the launcher's own fact.
    let launcher = match scope {
        Scope::Repo => Found::None { named: None },
        Scope::User | Scope::Host => launcher(host, &agent, invoker.as_ref(), parameters),
    };
    let launch = match &launcher {
        Found::Launcher(launcher) => launcher.launches.first(),
        Found::None { .. } | Found::Unknown(_) => None,
    };
    let user = match parameters.text("agent_user") {
        Some(name) => Some(of_name(&accounts, name, UserSource::Profile)),
        None => launched_user(launch, &accounts)
            .or_else(|| running_user(host, &agent, &accounts, invoker.as_ref(), scope))
            .or_else(|| invoker.clone()),
    };
    let user = user.map_or_else(|| Look::Unknown(not_told(host, &agent, &accounts)), Look::Known);
    // The top of an image is where nobody pointed at a folder of it.
    let elsewhere = launch.filter(|_| !host.is_live() && *given == AbsPath::root());
    let elsewhere = elsewhere.and_then(|launch| AbsPath::new(launch.cwd.as_ref()?));
    let workspace = parameters.text("workspace").and_then(AbsPath::new).or(elsewhere);
    let workspace = workspace.unwrap_or_else(|| given.clone());
    // What cannot be followed is reported by the probes that look there.
    let workspace = resolve(host, &workspace, None).unwrap_or(workspace);
    let project = git_top(host, &workspace)?.unwrap_or_else(|| workspace.clone());
    let mut subject = Subject {
        os: host.os(),
        scope,
        env: environment(host, &agent, launch, user.known(), invoker.as_ref()),
        agent,
        version: AgentVersion::default(),
        user,
        invoker,
        workspace,
        project,
        launcher: Arc::new(Found::None { named: None }),
        parameters: parameters.clone(),
        tree: SharedTree::default(),
    };
    let (agent, version) = edition::of(host, &subject);
    if !Arc::ptr_eq(&agent, &subject.agent) {
        subject.env = environment(host, &agent, launch, subject.user.known(), subject.invoker.as_ref());
    }
    Ok(Subject { agent, version, launcher: Arc::new(launcher), ..subject })
}

/// Why the account is not known: nobody starts an agent on an image, and nothing in it says who will.
fn not_told(host: &dyn Host, agent: &Agent, accounts: &Accounts) -> Unseen {
    let traces = homes_with(host, agent, accounts);
    let how = match traces.as_slice() {
        [] => "name it as `agent_user` in the profile".to_owned(),
        names => format!(
            "name it as `agent_user` in the profile; traces of the agent are in the home of {}",
            names.join(", ")
        ),
    };
    Unseen::new("the image does not say which of its accounts runs the agent", how)
}

/// Accounts in whose homes something of the agent's lies.
fn homes_with(host: &dyn Host, agent: &Agent, accounts: &Accounts) -> Vec<String> {
    let trace = |account: &&Account| {
        let Some(home) = account.home.as_ref().filter(|home| **home != AbsPath::root()) else { return false };
        let below = agent.detect.iter().map(String::as_str).chain(agent.state.iter().map(|state| state.path.as_str()));
        let mut paths = below.filter_map(|path| usual_place(home, path.trim_end_matches('*')));
        paths.any(|path| matches!(exists(host, &path), Ok(true)))
    };
    let mut names: Vec<String> =
        accounts.users.iter().filter(trace).map(|account| format!("`{}`", account.name)).collect();
    names.truncate(5);
    names
}

/// Where a path written with places lies in a home that keeps to the usual folders.
fn usual_place(home: &AbsPath, path: &str) -> Option<AbsPath> {
    let (name, rest) = path.strip_prefix('{')?.split_once('}')?;
    let folder = USUAL.iter().find(|(place, ..)| *place == name).map(|(.., folder)| home.join(folder));
    let folder = folder.or_else(|| (name == "home").then(|| home.clone()))?;
    Some(folder.join(rest.trim_start_matches('/')))
}

/// Whether the agent is in use here: something that shows it is there. Of an image whose account is not known, a
/// trace in any home will do.
pub fn is_in_use(host: &dyn Host, subject: &Subject) -> bool {
    let places = subject.agent.detect.iter().filter_map(|path| place(subject, path));
    let mut places = places.filter(|path| subject.scope != Scope::Repo || path.is_within(&subject.project));
    let in_a_home = || {
        let accounts = host.accounts().unwrap_or_default();
        subject.scope != Scope::Repo && !homes_with(host, &subject.agent, &accounts).is_empty()
    };
    places.any(|path| seems_to_exist(host, &path)) || subject.user.known().is_none() && in_a_home()
}

/// The account that the launcher switches to, by name or number.
fn launched_user(launch: Option<&Launch>, accounts: &Accounts) -> Option<AgentUser> {
    let name = launch?.user.as_deref()?;
    let number = name.strip_prefix('#').unwrap_or(name).parse().ok().map(Uid);
    match number {
        Some(uid) => Some(of_uid(accounts, uid, UserSource::Launcher)),
        // A name that is computed, or made up at start by systemd, names no account here.
        None if name.starts_with(['$', '(']) => None,
        None => Some(of_name(accounts, name, UserSource::Launcher)),
    }
}

/// The owner of a running agent, where the invoker runs none.
fn running_user(
    host: &dyn Host,
    agent: &Agent,
    accounts: &Accounts,
    invoker: Option<&AgentUser>,
    scope: Scope,
) -> Option<AgentUser> {
    if scope == Scope::Repo {
        return None;
    }
    // What cannot be listed here is reported by the process fact.
    let processes = host.processes().ok()?;
    let running = processes.iter().filter(|process| agent.processes.contains(&process.name));
    let owners: Vec<Uid> = running.filter_map(|process| process.uid).collect();
    let is_own = invoker.and_then(|invoker| invoker.uid).is_some_and(|uid| owners.contains(&uid));
    owners.first().filter(|_| !is_own).map(|uid| of_uid(accounts, *uid, UserSource::Process))
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

/// The variables that say where the agent keeps things and what it is switched to: those of its account's own
/// environment as far as the launcher lets them through, then what the launcher itself says. The audit's environment
/// speaks only for the account that started it, and no value is taken that nobody asks for.
fn environment(
    host: &dyn Host,
    agent: &Agent,
    launch: Option<&Launch>,
    user: Option<&AgentUser>,
    invoker: Option<&AgentUser>,
) -> BTreeMap<String, String> {
    let wanted = |name: &str| PLACES.contains(&name) || mentioned(agent).any(|known| known == name);
    let passes = |name: &str| match launch {
        None => true,
        Some(launch) => {
            let given = launch.passed.get(name).is_some_and(|passed| passed.origin == Origin::Inherited);
            given || launch.start == Start::Inherited && !variable::listed(&launch.unset, name)
        }
    };
    let mut env = BTreeMap::new();
    let uid = |of: Option<&AgentUser>| of.and_then(|of| of.uid);
    if uid(user).is_some() && uid(user) == uid(invoker) {
        let names = host.env_names().into_iter().filter(|name| wanted(name) && passes(name));
        env.extend(names.filter_map(|name| Some((name.clone(), host.env(&name)?))));
    }
    if let Some(home) = user.and_then(|user| user.home.as_ref()) {
        env.insert("HOME".into(), home.text());
    }
    for (name, passed) in launch.iter().flat_map(|launch| &launch.passed).filter(|(name, _)| wanted(name)) {
        env.extend(passed.text.clone().map(|text| (name.clone(), text)));
    }
    env
}

/// Variables that say where things are, control sockets included.
const PLACES: &[&str] = &[
    "DOCKER_HOST",
    "CONTAINER_HOST",
    "CONTAINERD_ADDRESS",
    "LIBVIRT_DEFAULT_URI",
    "LXD_SOCKET",
    "HOME",
    "PATH",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_DIRS",
    "XDG_DATA_DIRS",
    "XDG_RUNTIME_DIR",
];

/// Variables whose value decides where an agent reads and writes, or what is switched on.
fn mentioned(agent: &Agent) -> impl Iterator<Item = &str> {
    let layers = agent.config.iter().flat_map(|layer| {
        let own = match &layer.source {
            LayerSource::EnvFile(name) | LayerSource::EnvText { name, .. } => Some(name),
            LayerSource::Directories { env, .. } | LayerSource::Folder { env, .. } => env.as_ref(),
            _ => None,
        };
        own.into_iter().chain(&layer.off_env).chain(layer.dir_env.as_ref())
    });
    let state = agent.state.iter().filter_map(|state| state.env.as_ref());
    let switches = agent.switches.iter().flat_map(|switch| switch.env.iter().map(|env| &env.name));
    let dead = agent.env.dead.iter().map(|dead| &dead.key);
    let env = &agent.env;
    let others = env.approve.iter().chain(&env.redirect).chain(&env.settings).chain(dead);
    layers.chain(state).chain(switches).chain(others).map(String::as_str)
}

/// Folders of a home: the place, the variable that moves it, where it usually is.
const USUAL: &[(&str, &str, &str)] = &[
    ("config", "XDG_CONFIG_HOME", ".config"),
    ("data", "XDG_DATA_HOME", ".local/share"),
    ("state", "XDG_STATE_HOME", ".local/state"),
    ("cache", "XDG_CACHE_HOME", ".cache"),
];

/// The folders that an agent's paths are written with.
pub fn places(subject: &Subject) -> BTreeMap<&'static str, AbsPath> {
    let mut places = BTreeMap::from([("workspace", subject.workspace.clone()), ("project", subject.project.clone())]);
    let home = subject.env.get("HOME").and_then(AbsPath::new);
    let set = |name: &str| subject.env.get(name).filter(|value| !value.is_empty()).and_then(AbsPath::new);
    places.insert("tmp", set("TMPDIR").unwrap_or_else(|| AbsPath::root().join("tmp")));
    for (place, variable, usual) in USUAL {
        places.extend(set(variable).or_else(|| Some(home.as_ref()?.join(usual))).map(|path| (*place, path)));
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

/// Why the place of a path is not known: it lies in the home of an account that is not known. None where it is
/// known, or known not to be.
pub fn unplaced(subject: &Subject, path: &str) -> Option<Unseen> {
    let in_home =
        ["home", "config", "data", "state", "cache"].iter().any(|name| path.starts_with(&format!("{{{name}}}")));
    subject.account().err().filter(|_| in_home && place(subject, path).is_none())
}

/// A path written with places as it is in homes that keep to the usual folders: `~/.config/…`.
pub fn in_any_home(path: &str) -> String {
    USUAL.iter().fold(path.replace("{home}", "~"), |path, (place, _, usual)| {
        path.replace(&format!("{{{place}}}"), &format!("~/{usual}"))
    })
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
