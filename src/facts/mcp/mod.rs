//! MCP servers: what an agent's configuration makes it start or connect to, how firmly that is held, what it is given,
//! and what reviewers have seen of it. Servers are never started, packages never fetched.

mod address;
mod approval;
mod argument;
mod command;
mod container;
mod definition;
mod installed;
mod listening;
mod lock;
mod package;
mod parts;
mod record;
mod reference;
mod repair;
mod runner;
mod secret;
mod server;
mod shared;
mod shell;
mod source;
mod wording;
mod wrapper;

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

pub use self::server::Server;

use self::command::Launch;
use self::definition::Definition;
use self::server::View;
use self::shared::Shared;
use self::wording::Reading;
use super::ProbeError;
use super::config::{self, Effective, LayerState, Node, Part};
use crate::host::Host;
use crate::model::{AbsPath, Agent, Location, Look, McpLocation, McpShape, Merging, Scope, Subject, Unseen};

/// The arguments of a command as they may be shown: no control characters, no values that could be secrets.
pub fn shown_arguments(argv: &[String]) -> Vec<String> {
    argument::shown(argv, &[])
}

/// MCP servers of an agent.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Every server that is defined. A file that could not be read stands for itself as an unknown one.
    servers: Vec<Look<Server>>,
    /// Those of the account's own configuration, which start in every project.
    everywhere: Everywhere,
}

/// Servers that start in every project.
#[derive(Serialize, JsonSchema)]
struct Everywhere {
    /// Their names.
    servers: Look<Vec<String>>,
    /// Where the first is defined.
    at: Option<Location>,
}

/// A server with what its record was made from.
struct Seen {
    server: Server,
    definition: Definition,
    launch: Launch,
}

/// Most servers whose code is read.
const MOST_READ: usize = 50;

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let (mut seen, unseen) = servers(host, subject)?;
    let lock = lock::read(host, subject);
    let demanded = subject.parameters.flag("require_mcp_lock");
    let others = others(host, subject);
    let tracked = source::Tracked::default();
    let mut read_code = MOST_READ + 1;
    for Seen { server, definition, launch } in &mut seen {
        server.pinning = installed::pinning(host, subject, definition, launch, server.at.as_ref());
        server.review = lock::review(server, &lock, demanded);
        if let Ok(Some(lock)) = &lock {
            server.review.lines = record::lines(host, subject, server, lock);
        }
        let manifest = lock::manifest(host, subject, &server.name);
        server.tools = lock::compare_tools(&server.name, &lock, &manifest, demanded);
        server.source = source::origin(host, subject, &tracked, launch, definition.cwd.as_deref());
        read_code = read_code.saturating_sub(1);
        server.texts = if read_code == 0 {
            Look::unknown(format!("the code of only {MOST_READ} servers is read"), "look at the others by hand")
        } else {
            texts(&source::code(host, subject, launch, definition.cwd.as_deref()), &manifest)
        };
        server.shared = shared_with(definition, launch, &others);
    }
    let everywhere = everywhere(subject, &seen, &unseen);
    let servers = seen.into_iter().map(|seen| Look::Known(seen.server)).chain(unseen.into_iter().map(Look::Unknown));
    Ok(Fact { servers: servers.collect(), everywhere })
}

/// The servers of a subject, and why some may be missing.
fn servers(host: &dyn Host, subject: &Subject) -> Result<(Vec<Seen>, Vec<Unseen>), ProbeError> {
    let config = config::effective(host, subject)?;
    let mut seen = collect(subject, &config, true, &[]);
    // What the agent drops is not in its merged configuration: look at each file for itself.
    if subject.agent.merging != Merging::Separate {
        let agent = Arc::new(Agent { merging: Merging::Separate, ..(*subject.agent).clone() });
        let raw = config::effective(host, &Subject { agent, ..subject.clone() })?;
        let taken: Vec<String> = seen.iter().map(|seen| seen.server.name.clone()).collect();
        seen.extend(collect(subject, &raw, false, &taken));
    }
    Ok((seen, config.layers.iter().filter_map(missing).collect()))
}

/// Why the servers of a layer are not known.
fn missing(layer: &config::Layer) -> Option<Unseen> {
    if layer.part != Part::Config {
        return None;
    }
    match &layer.state {
        LayerState::Unseen(unseen) => Some(unseen.clone()),
        LayerState::Broken { why, .. } => {
            Some(Unseen::new(format!("`{}` is not understood: {why}", layer.shown), "correct the file"))
        }
        LayerState::Remote(address) => Some(Unseen::new(
            format!("the agent fetches more configuration from {address} when it starts"),
            "look at what that address serves, or remove its entry from the agent's credentials",
        )),
        _ => None,
    }
}

/// The servers in the trees of a configuration. Of those that are not `live` only what no live one is named like.
fn collect(subject: &Subject, config: &Effective, live: bool, taken: &[String]) -> Vec<Seen> {
    let parameters = &subject.parameters;
    let (approved, allowed_hosts) = (parameters.list("mcp_allow"), parameters.list("allowed_hosts"));
    let mut seen: Vec<Seen> = Vec::new();
    let mut known: BTreeSet<String> = taken.iter().cloned().collect();
    for tree in &config.trees {
        for location in locations(&subject.agent, live) {
            let Some(map) = at(&tree.root, &location, tree.file.as_deref()).and_then(Node::map) else { continue };
            for definition in definition::servers(map, location.shape) {
                if !live && !known.insert(definition.name.clone()) {
                    continue;
                }
                let view = View {
                    config,
                    shape: subject.agent.mcp.first().map_or(location.shape, |first| first.shape),
                    read_at: subject.agent.mcp.first().map_or("", |first| &first.at),
                    live: live || !is_dead(&subject.agent, &location),
                    file: tree.file.as_deref().filter(|_| live),
                    approved: &approved,
                    allowed_hosts: &allowed_hosts,
                };
                let (server, launch) = server::record(&definition, &view);
                if !seen.iter_mut().any(|seen| seen.server.takes_in(&server, view.file)) {
                    seen.push(Seen { server, definition, launch });
                }
            }
        }
    }
    seen
}

/// Where an agent keeps servers; with those that it drops where it is looked at file by file.
fn locations(agent: &Agent, live: bool) -> Vec<McpLocation> {
    let mut all: Vec<McpLocation> = agent.mcp.iter().filter(|at| !live || !is_dead(agent, at)).cloned().collect();
    let dead = |at: &str| McpLocation { at: at.to_owned(), shape: McpShape::CommandArgs, files: Vec::new() };
    let guessed = ["servers", "mcpServers"].into_iter().filter(|_| !live);
    all.extend(guessed.filter(|at| agent.mcp.iter().all(|known| known.at != *at)).map(dead).collect::<Vec<_>>());
    all
}

/// Whether the agent drops what stands at a location.
fn is_dead(agent: &Agent, location: &McpLocation) -> bool {
    let first = location.at.split('.').next().unwrap_or_default();
    agent.dead_keys.iter().any(|dead| dead.key == first) || agent.mcp.iter().all(|known| known.at != location.at)
}

/// The node at a location, in the files that it is for; an empty key is the whole file.
fn at<'a>(root: &'a Node, location: &McpLocation, file: Option<&str>) -> Option<&'a Node> {
    let is_for = |name: &String| file.is_some_and(|file| file == name || file.ends_with(&format!("/{name}")));
    if !location.files.is_empty() && !location.files.iter().any(is_for) {
        return None;
    }
    if location.at.is_empty() { Some(root) } else { root.get(&location.at) }
}

/// What the model reads of a server, where that lies in the project or was stored.
fn texts(code: &[(String, String)], manifest: &Result<Option<lock::Manifest>, Unseen>) -> Look<Reading> {
    let mut reading = Reading::default();
    let mut found = Vec::new();
    match manifest {
        Ok(Some(manifest)) => {
            found.extend(wording::look(&manifest.file, &manifest.text, true));
            reading.files.push(manifest.file.clone());
        }
        Ok(None) => {}
        Err(unseen) => return Look::Unknown(unseen.clone()),
    }
    for (file, text) in code {
        found.extend(wording::look(file, text, false));
        reading.files.push(file.clone());
    }
    found.dedup_by(|a, b| a.what == b.what && a.at.file == b.at.file);
    reading.at = found.first().map(|suspicion| suspicion.at.clone());
    let said = |suspicion: &wording::Suspicion| {
        format!("{} (`{}`, line {})", suspicion.what, suspicion.at.file, suspicion.at.line)
    };
    reading.found = found.iter().map(said).collect();
    Look::Known(reading)
}

fn everywhere(subject: &Subject, seen: &[Seen], unseen: &[Unseen]) -> Everywhere {
    let own = |seen: &&Seen| seen.server.scope == Scope::User && seen.server.enabled && seen.server.effective;
    let own: Vec<&Server> = seen.iter().filter(own).map(|seen| &seen.server).collect();
    let names: Vec<String> = own.iter().map(|server| server.label.clone()).collect();
    let servers = match unseen.first() {
        _ if subject.scope == Scope::Repo => {
            Look::unknown("the account's own configuration lies outside the repo scope", "audit with --scope user")
        }
        Some(unseen) if names.is_empty() => Look::Unknown(unseen.clone()),
        _ => Look::Known(names),
    };
    Everywhere { servers, at: own.first().and_then(|server| server.at.clone()) }
}

/// The servers of a project that this one must share nothing with.
struct Other {
    project: String,
    holds: BTreeSet<String>,
}

/// None where no such projects are named.
type Others = Option<Look<Vec<Other>>>;

fn others(host: &dyn Host, subject: &Subject) -> Others {
    let folders: Vec<AbsPath> = subject.parameters.list("sensitive_projects").iter().filter_map(AbsPath::new).collect();
    let folders: Vec<AbsPath> = folders.into_iter().filter(|folder| *folder != subject.project).collect();
    if folders.is_empty() {
        return None;
    }
    if subject.scope == Scope::Repo {
        return Some(Look::unknown("other projects lie outside the repo scope", "audit with --scope user"));
    }
    let other = |folder: AbsPath| {
        let there = Subject { workspace: folder.clone(), project: folder.clone(), ..subject.clone() };
        let (seen, unseen) = servers(host, &there).map_err(Unseen::from)?;
        if let Some(unseen) = unseen.into_iter().next() {
            return Err(unseen);
        }
        let holds = seen.iter().flat_map(|seen| shared::holds(&seen.definition, &seen.launch)).collect();
        Ok(Other { project: folder.text(), holds })
    };
    Some(folders.into_iter().map(other).collect::<Result<Vec<_>, Unseen>>().into())
}

fn shared_with(definition: &Definition, launch: &Launch, others: &Others) -> Look<Option<Vec<Shared>>> {
    let others = match others {
        None => return Look::Known(None),
        Some(Look::Unknown(unseen)) => return Look::Unknown(unseen.clone()),
        Some(Look::Known(others)) => others,
    };
    let own = shared::holds(definition, launch);
    let common = others.iter().flat_map(|other| {
        let common = own.intersection(&other.holds);
        common.map(|what| Shared { name: format!("`{what}` with `{}`", other.project), project: other.project.clone() })
    });
    Look::Known(Some(common.collect()))
}
