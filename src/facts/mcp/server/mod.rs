//! The record of one server: what a check may speak of. Made from a [`Definition`]; no value that could be a secret
//! gets past this file.

mod remote;

use schemars::JsonSchema;
use serde::Serialize;

pub(super) use self::remote::Remote;
use self::remote::{Transport, remote, target, transport};
use super::address;
use super::approval::{approval, digest};
use super::command::{self, Launch, Launcher};
use super::container::Container;
use super::definition::Definition;
use super::installed::Pinning;
use super::lock::{Review, Tools};
use super::package::{Package, Pin};
use super::parts::{parts, secrets, sends};
use super::reference::Reference;
use super::secret::{self, Class, Classified};
use super::shared::Shared;
use super::source::Origin;
use super::wording::Reading;
use super::{argument, listening, repair};
use crate::facts::config::Effective;
use crate::model::{Location, Look, McpShape, Scope};

/// An MCP server that a configuration defines.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Server {
    /// Its name.
    pub name: String,
    /// Its name with what tells it from others of the same name: `github (.cursor/mcp.json)`.
    pub label: String,
    /// Other files that define the same under the same name, for other programs.
    pub copies: Vec<String>,
    /// Where its command or address stands.
    pub at: Option<Location>,
    /// The layer of the configuration.
    pub layer: String,
    /// Who controls that layer: the repository, the account or the machine.
    pub scope: Scope,
    /// Whether it is switched on.
    pub enabled: bool,
    /// Whether the agent takes it from where it stands.
    pub effective: bool,
    /// Why not.
    pub problem: Option<String>,
    /// The same as the end of a sentence, with the copies; empty where it is taken and there are none.
    pub note: String,
    /// How it is reached.
    pub transport: Transport,
    /// Its command line, or its address; values that could be secrets are masked.
    pub runs: String,
    /// What starts it.
    pub launcher: Launcher,
    /// What stands around the launcher: `bash -c`, `env`.
    pub wrappers: Vec<String>,
    /// The package that is held least firmly; null where nothing is fetched.
    pub package: Option<String>,
    /// The version of that package as written.
    pub version: Option<String>,
    /// How firmly it is held.
    pub pin: Pin,
    /// The same in words: "at version `1.2.3`", "with no version".
    pub held: String,
    /// Everything that is fetched when it starts.
    pub packages: Vec<Package>,
    /// How to write it so that it is held, in words.
    pub pinned: String,
    /// How that is done for it.
    pub pinning: Pinning,
    /// The container it runs in.
    pub container: Option<Container>,
    /// The remote side; null for a server that runs here and speaks over its own input and output.
    pub remote: Option<Remote>,
    /// Names of its headers, with the kind of each value.
    pub headers: Vec<Value>,
    /// Names of its variables, with the kind of each value.
    pub env: Vec<Value>,
    /// Secrets that stand in its definition.
    pub secrets: Secrets,
    /// What is looked up on this machine and sent to a remote side that the project chose.
    pub sends: Sends,
    /// What makes it listen on a TCP port of this machine, as written.
    pub listens: Vec<String>,
    /// Folders that it is told to serve.
    pub roots: Vec<String>,
    /// SHA-256 over its definition, secrets left out.
    pub digest: String,
    /// What to add to the list of reviewed servers so that it holds this definition.
    pub entry: String,
    /// Whether the list of reviewed servers holds it.
    pub approval: Approval,
    /// Whether its version is the one that was reviewed.
    pub review: Review,
    /// Its tools, compared with those that were reviewed.
    pub tools: Tools,
    /// Its own code, where that is a file.
    pub source: Option<Origin>,
    /// What of it the model reads and `harden` could read too.
    pub texts: Look<Reading>,
    /// What it has in common with projects that it must not be shared with; null where none are named.
    pub shared: Look<Option<Vec<Shared>>>,
}

/// A named value, without the value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Value {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Class,
    /// What it refers to.
    pub references: Vec<Reference>,
}

/// Secrets in plain text.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Secrets {
    /// What they are called, never what they are.
    pub names: Vec<String>,
    /// Where the first stands.
    pub at: Option<Location>,
}

/// What the agent looks up on this machine and sends away when it starts.
#[derive(Clone, Debug, Default, Serialize, JsonSchema)]
pub struct Sends {
    /// The references, with where each stands: "`{env:KEY}` in header `Authorization`".
    pub names: Vec<String>,
    /// The host they go to, in words.
    pub to: String,
    /// Where the project says so.
    pub at: Option<Location>,
}

/// Whether a server is on the list of reviewed ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// With the digest of this definition.
    Exact,
    /// By its name alone: any definition will do.
    Named,
    /// With the digest of another definition.
    Changed,
    /// Not at all.
    None,
}

/// Digits of a digest in an entry for the list: 128 bits, as hard to hit as the whole.
const ENTRY_DIGITS: usize = 32;

/// What the record is made in view of.
pub(super) struct View<'a> {
    pub(super) config: &'a Effective,
    pub(super) shape: McpShape,
    /// Whether the agent reads the place where the definition stands.
    pub(super) live: bool,
    /// The key below which the agent reads servers.
    pub(super) read_at: &'a str,
    /// The file, where each stands for itself.
    pub(super) file: Option<&'a str>,
    pub(super) approved: &'a [&'a str],
    pub(super) allowed_hosts: &'a [&'a str],
}

/// What a definition comes to, with what it starts, for the facts that need more than the text.
pub(super) fn record(definition: &Definition, view: &View<'_>) -> (Server, Launch) {
    let argv: Vec<String> = definition.argv.iter().map(|placed| placed.text.clone()).collect();
    let launch = command::parse(&argv);
    let target = target(definition, &argv, &launch);
    let parts = parts(definition, &argv, target.is_some());
    let address = target.as_deref().and_then(address::parse);
    let loosest = launch.loosest();
    let layer = view.config.layer(definition.at);
    let digest = digest(definition, &argv);
    let effective = view.live && definition.problem.is_none();
    let remote = address.as_ref().map(|address| remote(definition, address, &launch, &argv));
    let known: Vec<&str> = launch.packages.iter().map(|package| package.name.as_str()).collect();
    let server = Server {
        name: definition.name.clone(),
        label: view.file.map_or_else(|| definition.name.clone(), |file| format!("{} ({file})", definition.name)),
        copies: Vec::new(),
        at: view.config.location(definition.at),
        layer: layer.map(|layer| layer.name.clone()).unwrap_or_default(),
        scope: layer.map_or(Scope::Repo, |layer| layer.scope),
        enabled: definition.enabled,
        effective,
        note: problem(definition, view)
            .map(|why| format!("; it does not start as it stands: {why}"))
            .unwrap_or_default(),
        problem: problem(definition, view),
        transport: transport(definition, address.as_ref(), &launch),
        runs: definition
            .url
            .as_ref()
            .map_or_else(|| argument::shown(&argv, &known).join(" "), |url| address::redacted(&url.text)),
        launcher: launch.launcher,
        wrappers: launch.wrappers.clone(),
        package: loosest.map(|package| package.name.clone()),
        version: loosest.and_then(|package| package.version.clone()),
        pin: loosest.map_or(Pin::NotApplicable, |package| package.pin),
        held: loosest.map_or_else(String::new, held),
        packages: launch.packages.clone(),
        pinned: repair::pinned(definition, &argv, &launch, view.shape),
        pinning: Pinning::default(),
        container: shown_container(&launch),
        headers: definition.headers.iter().map(|(name, placed)| value(name, &placed.text)).collect(),
        env: env(definition, &launch),
        secrets: secrets(&parts, view),
        sends: sends(definition, &parts, remote.as_ref(), view, effective),
        listens: listening::reasons(definition, remote.as_ref(), &launch),
        roots: listening::roots(&launch),
        approval: approval(&definition.name, &digest, view.approved),
        entry: format!("{}@sha256:{}", definition.name, digest.get(..ENTRY_DIGITS).unwrap_or_default()),
        digest,
        remote,
        review: Review::unknown(),
        tools: Tools::unknown(),
        source: None,
        texts: Look::Known(Reading::default()),
        shared: Look::Known(None),
    };
    (server, launch)
}

fn problem(definition: &Definition, view: &View<'_>) -> Option<String> {
    let dead = || format!("servers are read below `{}` only", view.read_at);
    if view.live { definition.problem.clone() } else { Some(dead()) }
}

impl Server {
    /// Takes in another file's definition that is this one in everything but its place; false where it is not.
    pub(super) fn takes_in(&mut self, other: &Self, file: Option<&str>) -> bool {
        let key = |server: &Self| {
            (server.name.clone(), server.digest.clone(), server.layer.clone(), server.enabled, server.problem.clone())
        };
        let Some(file) = file.filter(|_| key(self) == key(other)) else { return false };
        self.note.push_str(if self.copies.is_empty() { "; the same stands in " } else { ", " });
        self.note.push_str(&format!("`{file}`"));
        self.copies.push(file.to_owned());
        true
    }
}

fn shown_container(launch: &Launch) -> Option<Container> {
    let container = launch.container.clone()?;
    let tidy = |texts: Vec<String>| texts.iter().map(|text| crate::model::plain(text).into_owned()).collect();
    Some(Container {
        risks: tidy(container.risks),
        ports: tidy(container.ports),
        mounts: tidy(container.mounts),
        ..container
    })
}

fn value(name: &str, text: &str) -> Value {
    let Classified { class, references } = secret::classify(name, text);
    Value { name: crate::model::redact_line(name), kind: class, references }
}

fn env(definition: &Definition, launch: &Launch) -> Vec<Value> {
    let own = definition.env.iter().map(|(name, placed)| value(name, &placed.text));
    own.chain(launch.env.iter().map(|(name, text)| value(name, text))).collect()
}

/// How firmly a package is held, in words.
fn held(package: &Package) -> String {
    let version = package.version.as_deref().unwrap_or("(none)");
    match package.pin {
        Pin::NotApplicable => String::new(),
        Pin::Digest => format!("by its digest `{version}`"),
        Pin::GitCommit => format!("at the commit in `{version}`"),
        Pin::Exact => format!("at version `{version}`"),
        Pin::LocalPath => "from a file".into(),
        Pin::Project => "as the project's lock file says".into(),
        Pin::Range => format!("at any version in `{version}`"),
        Pin::Tag => format!("at the tag `{version}`, which moves"),
        Pin::GitBranch if package.version.is_none() => "from the head of a repository".into(),
        Pin::GitBranch => format!("from the branch, tag or short commit `{version}`, which moves"),
        Pin::Url => "from an address whose content may change".into(),
        Pin::Variable => "at a version that a variable decides when it starts".into(),
        Pin::None => "with no version named, so the newest".into(),
    }
}
