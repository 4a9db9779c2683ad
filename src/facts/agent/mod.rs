//! What an agent's configuration amounts to for its safety: every setting with the place that decided it.
//!
//! Made from `config::effective` alone; nothing is run, and no value is kept that a file
//! may hold as a secret.

mod code;
mod outranked;
mod permissions;
mod surfaces;
mod switches;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use permissions::Permissions;

use super::config::{self, Effective, LayerState, Part, RemarkKind, Span};
use super::policy;
use super::subject::{place, seems_to_exist, shown};
use super::{ProbeError, variable};
use crate::host::{self, Host, Process};
use crate::model::{AbsPath, AgentVersion, Location, Look, Merging, Scope, Subject, Unseen, plain};

/// What an agent's configuration amounts to.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// The agent's id.
    name: String,
    /// The version that its configuration is read as.
    version: AgentVersion,
    /// Versions whose behaviour this was compared with.
    verified: Vec<String>,
    /// Every file and variable that configuration comes from, in order of precedence.
    layers: Vec<LayerFact>,
    /// Every file that was read, and everything in them that has no effect or keeps the agent from starting.
    written: Vec<Written>,
    /// Settings that are asked for by name.
    switches: Vec<switches::SwitchFact>,
    /// Variables that are set and change what the agent loads or approves, by name.
    variables: Vec<String>,
    /// What each kind of tool may do, in the loosest of the agents that a person chooses or that work for them.
    tools: Look<Vec<permissions::ToolFact>>,
    /// Every agent with what its tools may do.
    agents: Look<Vec<permissions::AgentFact>>,
    /// Every written permission rule, with the one that undoes it.
    rules: Look<Vec<permissions::RuleFact>>,
    /// What the machine's owner set, with what the project sets against it.
    managed_settings: Look<Vec<outranked::ManagedFact>>,
    /// Code and text that the agent loads from elsewhere or runs by itself.
    code: Look<Vec<code::CodeFact>>,
    /// Where it sends prompts to.
    endpoints: Look<Vec<code::EndpointFact>>,
    /// Ways in which others can steer it or read along.
    surfaces: Vec<surfaces::SurfaceFact>,
    /// What shuts its commands in.
    sandbox: SandboxFact,
    /// Whether there is a configuration of the machine's owner.
    managed: Look<bool>,
    /// Whether the project's own configuration is switched off.
    project_config_off: bool,
}

/// A file or variable that configuration comes from.
#[derive(Serialize, JsonSchema)]
struct LayerFact {
    /// The layer it belongs to.
    layer: String,
    /// The file, or `$NAME`.
    path: String,
    /// Who controls it.
    scope: Scope,
    /// Whether the machine's owner enforces it.
    managed: bool,
    /// What became of reading it.
    state: State,
    /// Why it was not read.
    why: Option<String>,
}

/// What became of reading a layer.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum State {
    Absent,
    Read,
    Broken,
    Unreadable,
    NotLooked,
    SwitchedOff,
    Remote,
}

/// Something written: a file, or a part of one that has no effect.
#[derive(Serialize, JsonSchema)]
struct Written {
    /// The key, dotted; the file where all of it is concerned.
    name: String,
    /// What it brings about.
    effect: Look<Effect>,
    /// What is the matter, and what to write instead.
    why: String,
    /// Where another version of the agent would take it otherwise and the version is only assumed: which, and why.
    assumed: Option<String>,
    /// Where.
    at: Option<Location>,
}

/// What something written brings about.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Effect {
    /// A file that was read.
    Read,
    /// The agent does not start with it.
    Refused,
    /// It is dropped.
    Dropped,
    /// It stands twice.
    Repeated,
    /// It nearly names a tool of the agent, and is a rule for another that nobody may have.
    Misspelt,
    /// The file cannot be parsed.
    Malformed,
    /// The file is read by nothing.
    Unread,
    /// The variable is read by nothing.
    Variable,
}

/// What shuts an agent's commands in.
#[derive(Serialize, JsonSchema)]
struct SandboxFact {
    /// Whether the agent brings one; null where that is not one answer.
    own: Option<bool>,
    /// Whether the profile demands one, whatever the agent is: `require_sandbox`.
    demanded: bool,
    /// One around the agent, as far as it can be seen from here: a container, a wrapper it runs under.
    outer: Look<Option<String>>,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let config = config::effective(host, subject)?;
    let settings = |blind: Option<&Unseen>| blind.map_or(Ok(()), |unseen| Err(unseen.clone()));
    let known = || settings(config.blind());
    let many = config::rules::too_many(&config)
        .then(|| Unseen::new("more agents and rules than are compared", "make the configuration smaller"));
    let rules = || settings(config.blind_rules().or(many.as_ref()));
    let switches = switches::look(subject, &config);
    let permissions =
        if many.is_some() { Permissions::default() } else { permissions::look(host, subject, &config, &switches) };
    let endpoints = code::endpoints(&config);
    Ok(Fact {
        name: subject.agent.agent.clone(),
        version: subject.version.clone(),
        verified: subject.agent.verified.clone(),
        layers: config.layers.iter().map(layer).collect(),
        written: written(host, subject, &config),
        surfaces: surfaces::look(host, subject, &config, &switches, &endpoints),
        switches,
        variables: variables(subject),
        tools: rules().map(|()| permissions.tools).into(),
        agents: rules().map(|()| permissions.agents).into(),
        rules: rules().map(|()| permissions.rules).into(),
        managed_settings: beyond_repo(subject, rules(), || outranked::look(host, subject, &config)),
        code: known().map(|()| code::look(host, subject, &config)).into(),
        endpoints: known().map(|()| endpoints).into(),
        sandbox: SandboxFact {
            own: subject.agent.sandbox,
            demanded: subject.parameters.flag("require_sandbox"),
            outer: outer_sandbox(host, subject),
        },
        managed: managed(subject, &config),
        project_config_off: config.layers.iter().any(|layer| layer.state == LayerState::Off),
    })
}

fn beyond_repo<T>(subject: &Subject, known: Result<(), Unseen>, look: impl FnOnce() -> Vec<T>) -> Look<Vec<T>> {
    if subject.scope == Scope::Repo {
        return Look::unknown("the machine's configuration lies outside the repo scope", "audit with --scope host");
    }
    known.map(|()| look()).into()
}

fn managed(subject: &Subject, config: &Effective) -> Look<bool> {
    if subject.scope == Scope::Repo {
        return Look::unknown("the machine's configuration lies outside the repo scope", "audit with --scope host");
    }
    let managed = || config.layers.iter().filter(|layer| layer.managed);
    match managed().find_map(|layer| if let LayerState::Unseen(unseen) = &layer.state { Some(unseen) } else { None }) {
        Some(unseen) => Look::Unknown(unseen.clone()),
        None => Look::Known(managed().any(|layer| layer.state == LayerState::Read)),
    }
}

fn layer(layer: &config::Layer) -> LayerFact {
    let (state, why) = match &layer.state {
        LayerState::Absent => (State::Absent, None),
        LayerState::Read => (State::Read, None),
        LayerState::Broken { why, .. } => (State::Broken, Some(why.clone())),
        LayerState::Unseen(unseen) => (State::Unreadable, Some(unseen.why.clone())),
        LayerState::NotLooked => (State::NotLooked, None),
        LayerState::Off => (State::SwitchedOff, None),
        LayerState::Remote(address) => (State::Remote, Some(format!("fetched from {address} at every start"))),
    };
    LayerFact {
        layer: layer.name.clone(),
        path: plain(&layer.shown).into_owned(),
        scope: layer.scope,
        managed: layer.managed,
        state,
        why,
    }
}

/// What is written, and what of it in vain, in the order of the layers.
fn written(host: &dyn Host, subject: &Subject, config: &Effective) -> Vec<Written> {
    let broken = config.layers.iter().filter_map(|layer| match &layer.state {
        LayerState::Broken { at, why } => {
            let then = match layer.part {
                Part::Config if layer.path.is_some() && subject.agent.merging == Merging::Opencode => {
                    ": OpenCode does not start"
                }
                Part::Config if subject.agent.merging == Merging::Opencode2 => {
                    ": OpenCode 2 passes over the whole file, its restrictions included"
                }
                Part::Agent | Part::Mode if subject.agent.merging == Merging::Opencode2 => {
                    ": OpenCode 2 passes over the file, and there is no such agent"
                }
                Part::Agent | Part::Mode => ": none of its settings hold, its restrictions included",
                _ => "",
            };
            let file = || layer.path.as_ref().map(|_| Location::file(layer.shown.clone()));
            let not_understood = if layer.part == Part::Config { "it is not understood: " } else { "" };
            Some(Written {
                name: plain(&layer.shown).into_owned(),
                effect: Look::Known(Effect::Malformed),
                why: format!("{not_understood}{why}{then}"),
                assumed: assumed(subject).filter(|_| layer.part == Part::Config && !then.is_empty()),
                at: at.clone().or_else(file),
            })
        }
        LayerState::Read => Some(Written {
            name: plain(&layer.shown).into_owned(),
            effect: Look::Known(Effect::Read),
            why: "it was read".to_owned(),
            assumed: None,
            at: None,
        }),
        _ => None,
    });
    let broken = broken.chain(unseen(config));
    let remarks = config.remarks.iter().map(|remark| Written {
        name: plain(&remark.key).into_owned(),
        effect: Look::Known(match remark.kind {
            RemarkKind::Refused => Effect::Refused,
            RemarkKind::Dropped => Effect::Dropped,
            RemarkKind::Repeated => Effect::Repeated,
            RemarkKind::Misspelt => Effect::Misspelt,
        }),
        why: remark.why.clone(),
        assumed: assumed(subject).filter(|_| remark.of_version),
        at: config.location(remark.at),
    });
    let looked = |path: &AbsPath| subject.scope > Scope::Repo || path.is_within(&subject.project);
    let places = subject.agent.policy_files.iter().filter_map(|path| place(subject, path));
    let permission = if subject.agent.merging == Merging::Opencode2 { "permissions" } else { "permission" };
    let unread = places.filter(|path| looked(path) && seems_to_exist(host, path)).map(|path| Written {
        name: shown(subject, &path),
        effect: match (host::exists(host, &path), policy::is_declaration(host, subject, &path)) {
            (Err(error), _) => {
                Look::unknown(format!("cannot look for `{}`: {error}", shown(subject, &path)), "run with sudo")
            }
            (Ok(_), Look::Known(true)) => Look::Known(Effect::Read),
            (Ok(_), Look::Known(false)) => Look::Known(Effect::Unread),
            (Ok(_), Look::Unknown(unseen)) => Look::Unknown(unseen),
        },
        why: format!("{} does not read this file: write its rules below `{permission}`", subject.agent.name),
        assumed: None,
        at: Some(Location::file(shown(subject, &path))),
    });
    let dead = subject.agent.env.dead.iter().filter(|dead| config::variable(subject, &dead.key).is_some());
    let others = &subject.agent.others;
    let everywhere = |name: &str| others.iter().all(|other| other.env.dead.iter().any(|dead| dead.key == name));
    let variables = dead.map(|dead| Written {
        name: dead.key.clone(),
        effect: Look::Known(Effect::Variable),
        why: dead.instead.clone(),
        assumed: assumed(subject).filter(|_| !everywhere(&dead.key)),
        at: None,
    });
    let files = subject.agent.unread_files.iter().filter_map(|file| Some((file, place(subject, &file.key)?)));
    let files = files.filter(|(_, path)| looked(path) && seems_to_exist(host, path)).map(|(file, path)| Written {
        name: shown(subject, &path),
        effect: match host::exists(host, &path) {
            Err(error) => {
                Look::unknown(format!("cannot look for `{}`: {error}", shown(subject, &path)), "run with sudo")
            }
            Ok(_) => Look::Known(Effect::Unread),
        },
        why: file.instead.clone(),
        assumed: assumed(subject),
        at: Some(Location::file(shown(subject, &path))),
    });
    broken.chain(remarks).chain(unread).chain(files).chain(variables).collect()
}

/// What the agent is taken to be, and why; none where it is known.
fn assumed(subject: &Subject) -> Option<String> {
    subject.version.assumed.then(|| format!("taken to be {}: {}", subject.version.name, subject.version.told_by))
}

/// Files that could not be read, those of one folder that want the same next move as one.
fn unseen(config: &Effective) -> Vec<Written> {
    let mut groups: BTreeMap<(&str, &str), Vec<(&str, &Unseen)>> = BTreeMap::new();
    for layer in &config.layers {
        if let LayerState::Unseen(unseen) = &layer.state {
            let folder = layer.shown.rsplit_once('/').map_or(layer.shown.as_str(), |(folder, _)| folder);
            groups.entry((folder, &unseen.how)).or_default().push((&layer.shown, unseen));
        }
    }
    let written = groups.into_iter().filter_map(|((folder, how), files)| {
        let (shown, first) = files.first()?;
        let (name, why) = match files.len() - 1 {
            0 => (*shown, first.why.clone()),
            more => (folder, format!("{} (and {more} more in `{folder}`)", first.why)),
        };
        let effect = Look::unknown(why.clone(), how);
        Some(Written { name: plain(name).into_owned(), effect, why, assumed: None, at: None })
    });
    written.collect()
}

/// Names of set variables that the agent's profile lists.
fn variables(subject: &Subject) -> Vec<String> {
    if subject.scope == Scope::Repo {
        return Vec::new();
    }
    let env = &subject.agent.env;
    let listed = |name: &str| variable::listed(&env.redirect, name) || variable::listed(&env.approve, name);
    subject.env.keys().filter(|name| listed(name)).cloned().collect()
}

/// Programs that shut in what they start.
const WRAPPERS: &[&str] =
    &["bwrap", "firejail", "nsjail", "systemd-nspawn", "docker-init", "conmon", "sandbox-exec", "srt"];

/// A container around this machine, or a wrapper above the running agent.
fn outer_sandbox(host: &dyn Host, subject: &Subject) -> Look<Option<String>> {
    if subject.scope == Scope::Repo {
        return Look::unknown("what surrounds the agent lies outside the repo scope", "audit with --scope user");
    }
    if !host.is_live() {
        return Look::unknown("an image runs nothing", "audit the machine while it runs");
    }
    for (file, name) in [("/.dockerenv", "a Docker container"), ("/run/.containerenv", "a Podman container")] {
        let Some(path) = AbsPath::new(file) else { continue };
        match host::exists(host, &path) {
            Ok(true) => return Look::Known(Some(name.to_owned())),
            Ok(false) => {}
            Err(error) => return Look::unknown(format!("cannot look for `{path}`: {error}"), "run with sudo"),
        }
    }
    let processes = match host.processes() {
        Ok(processes) => processes,
        Err(error) => return Look::unknown(format!("processes cannot be listed: {error}"), "run with sudo"),
    };
    let wrapped = processes
        .iter()
        .filter(|process| subject.agent.processes.contains(&process.name))
        .find_map(|process| wrapper(process, &processes));
    Look::Known(wrapped)
}

fn wrapper(process: &Process, all: &[Process]) -> Option<String> {
    let mut parent = process.parent;
    for _ in 0..64 {
        let above = all.iter().find(|process| Some(process.pid) == parent)?;
        if WRAPPERS.contains(&above.name.as_str()) {
            return Some(format!("`{}`", above.name));
        }
        parent = above.parent;
    }
    None
}

/// Where a value comes from, in words: file and line, a variable, or the program itself.
fn origin(config: &Effective, at: Span) -> String {
    config.sources.origin(at).unwrap_or_else(|| "built in".to_owned())
}
