//! What is true of a host, a project and its agents: one probe per file, each run once, none seeing another.
//!
//! A probe is a function from a [`Host`] and a [`Subject`] to a typed fact. What it could not read it says, with the
//! next move: as an error for the whole fact, as [`Look`] for a part. It never holds a secret: values are redacted where
//! they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::time::{Duration, Instant};

use rayon::prelude::*;
use schemars::{Schema, SchemaGenerator};
use serde::Serialize;
use serde_json::Value;

use crate::host::{Closed, Host, ToolError};
use crate::model::{AbsPath, Look, Scope, Subject, Unseen};

pub mod approvals;
mod audit_rules;
mod chain;
pub mod config;
mod edition;
mod endpoints;
mod glob;
mod hidden;
mod lines;
mod mounts;
mod nft;
pub mod opinions;
mod people;
mod pf_rules;
mod program;
pub mod reach;
mod scanners;
mod search_path;
mod secret_names;
mod secrets;
pub mod subject;
mod three;
pub mod tree;
mod units;
pub mod variable;

/// What a fact is about: it is looked up once for each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// The machine and the account that runs the agent.
    Host,
    /// Each agent.
    Agent,
}

/// How one fact is looked up.
pub struct Probe {
    /// The first word of its paths.
    pub name: &'static str,
    /// What it tells.
    pub about: &'static str,
    /// How often it runs.
    pub per: Per,
    /// The narrowest scope in which it may look.
    pub scope: Scope,
    /// Its shape.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// The look itself.
    pub look: fn(&dyn Host, &Subject) -> Result<Value, ProbeError>,
}

macro_rules! probes {
    ($($name:ident: $per:ident, $scope:ident, $about:literal;)*) => {
        $(pub mod $name;)*

        /// Every probe. A new one is a file and a row here.
        pub const PROBES: &[Probe] = &[$(Probe {
            name: stringify!($name),
            about: $about,
            per: Per::$per,
            scope: Scope::$scope,
            schema: |generator| generator.subschema_for::<$name::Fact>(),
            look: |host, subject| $name::look(host, subject).and_then(to_value),
        },)*];
    };
}

probes! {
    agent: Agent, Repo, "the agent's configuration: layers, switches, permission rules, code it loads, what has no effect";
    audit: Host, Host, "the kernel's audit: whether it is on and read, and which commands of the account it records";
    ci: Host, Repo, "secret scans in workflows, hooks and release recipes";
    config_rights: Agent, User, "what the agent's account can change of that which binds it";
    credentials: Host, User, "credentials that tools keep in homes, and whether the agent's account can read them";
    egress: Host, Host, "where the account can open connections to, by the loaded packet rules; whether they survive a boot";
    elevation: Host, Host, "rules of sudo, doas and polkit, and whether each reaches the agent's account";
    environment: Agent, User, "the variables the agent inherits, by name, and what each name means";
    git: Host, Repo, "what git runs in the project's repository, and whether the agent can change it";
    homes: Host, Host, "homes of people and of root, and what the agent's account can do in them";
    instructions: Agent, Repo, "instruction files of the project: hidden characters, who can change them";
    key_files: Host, Repo, "files in the project that exist to hold a key: dotenv, private keys, credentials";
    launcher: Agent, User, "the program that starts the agent: what it passes, whom it switches to, what it shuts it into";
    links: Host, Repo, "links in the project, and where they end";
    listeners: Host, Host, "programs that wait for connections on loopback, and whose they are";
    logs: Agent, Host, "where it is recorded what the agent does, and whether it can change that";
    machine_policy: Agent, Host, "the machine's policy held against the profile, approved commands against the agent's rules";
    mcp: Agent, Repo, "MCP servers: launcher, package and pin, transport, headers, secrets, what was reviewed of them";
    outside_scans: Host, Repo, "reports of other secret scanners that the profile names: how old they are, what they found";
    overrides: Agent, Repo, "what voids the permissions of the agent: flags in scripts, variables, units";
    path_dirs: Host, User, "folders on search paths, and whether the agent could put programs there that others start";
    pf: Host, Host, "on macOS: where the account can open connections to, by the rules of pf; whether they survive a restart";
    policy: Agent, Repo, "what policy files and the profile declare: approved commands, hosts allowed and denied";
    schedulers: Host, Host, "what runs by itself, and where the agent could add to it";
    secret_scan: Host, Repo, "secrets in the files of the project: rule and place, never the value";
    services: Host, Host, "ways in which the agent could start, stop or define services";
    setuid: Host, Host, "programs with raised rights, whether they are expected, whether the agent can start them";
    sockets: Host, Host, "control sockets of container engines and virtual machines, and whether the agent may use them";
    source_tree: Host, User, "what the agent may write in the project";
    start_files: Host, User, "files that shells and editors run at start, and whether the agent can change them";
    state: Agent, User, "what the agent writes: where, who can read it, whether it lies in a git work tree";
    state_in_git: Agent, Repo, "whether the project's repository tracks, held or ignores what the agent writes";
    state_secrets: Agent, User, "secrets in what the agent has written: rule and place, never the value";
    supply: Agent, User, "the agent's program, and the signatures, provenance and bills of materials beside it";
    sysctl: Host, Host, "kernel settings that matter to what an account can do to others";
    user: Host, User, "the account that runs the agent: its number, groups, home, whether a person uses it";
    workspace: Agent, Repo, "where the agent starts, held against homes and the shape of the repository";
}

fn to_value(fact: impl Serialize) -> Result<Value, ProbeError> {
    serde_json::to_value(fact).map_err(ProbeError::Unwritable)
}

/// Why a look failed as a whole.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// A file or folder could not be read.
    #[error("cannot read `{path}`: {cause}")]
    Unreadable {
        /// The path.
        path: AbsPath,
        /// What the system said.
        cause: io::Error,
    },
    /// A tool gave no answer.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A tool or file answered something that cannot be understood.
    #[error("{what} is not understood: {why}")]
    Garbled {
        /// What was read.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Known to be out of reach.
    #[error("{}", .0.why)]
    Unseen(Unseen),
    /// The fact does not serialize; a bug.
    #[error("fact cannot be written down: {0}")]
    Unwritable(serde_json::Error),
}

impl ProbeError {
    /// A path that exists and could not be read.
    pub fn unreadable(path: &AbsPath, cause: io::Error) -> Self {
        Self::Unreadable { path: path.clone(), cause }
    }

    /// An answer that is not of the expected form.
    pub fn garbled(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::Garbled { what: what.into(), why: why.into() }
    }
}

impl From<Unseen> for ProbeError {
    fn from(unseen: Unseen) -> Self {
        Self::Unseen(unseen)
    }
}

/// An error on an image, for what only a running machine can tell.
fn needs_running(host: &dyn Host, what: &str) -> Result<(), Unseen> {
    match host.is_live() {
        true => Ok(()),
        false => Err(Unseen::new(format!("an image has no {what}"), "audit the running machine")),
    }
}

impl From<ProbeError> for Unseen {
    fn from(error: ProbeError) -> Self {
        if let ProbeError::Unreadable { cause, .. } = &error
            && let Some(unseen) = closed(cause)
        {
            return unseen;
        }
        let how = match &error {
            ProbeError::Unreadable { cause, .. } if cause.kind() == io::ErrorKind::PermissionDenied => "run with sudo",
            ProbeError::Unreadable { cause, .. } if cause.kind() == io::ErrorKind::FileTooLarge => {
                "make the file smaller"
            }
            ProbeError::Unreadable { .. } => "look at the path by hand",
            ProbeError::Garbled { .. } => "report this with the harden version",
            ProbeError::Unwritable(_) => "report this as a bug",
            ProbeError::Tool(_) | ProbeError::Unseen(_) => "",
        };
        match error {
            ProbeError::Tool(error) => error.into(),
            ProbeError::Unseen(unseen) => unseen,
            error => Self::new(error.to_string(), how),
        }
    }
}

/// The reason of a folder that keeps the audit out: one for all that lies below it.
fn closed(error: &io::Error) -> Option<Unseen> {
    let folder = Closed::of(error)?;
    Some(Unseen::new(format!("cannot look into `{folder}`: permission denied"), "run with sudo"))
}

/// The facts of one agent on one host: probe name to fact. A failed look is remembered as such.
#[derive(Clone, Debug, Default)]
pub struct Facts(pub BTreeMap<&'static str, Value>);

/// How long a probe took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The probe.
    pub probe: &'static str,
    /// The agent, for probes that run per agent.
    pub agent: Option<String>,
    /// Its own time.
    pub took: Duration,
}

/// Runs the `needed` probes for all `subjects` in parallel, those of the host once. Returns the facts of each
/// subject, in order, and how long each probe took.
pub fn gather(host: &dyn Host, subjects: &[Subject], needed: &BTreeSet<&str>) -> (Vec<Facts>, Vec<Timing>) {
    let subjects = &tree::shared(subjects);
    let jobs: Vec<(&Probe, usize)> = PROBES
        .iter()
        .filter(|probe| needed.contains(probe.name))
        .flat_map(|probe| {
            let times = if probe.per == Per::Agent { subjects.len() } else { 1.min(subjects.len()) };
            (0..times).map(move |subject| (probe, subject))
        })
        .collect();
    let looks: Vec<(Value, Timing)> = jobs.par_iter().map(|(probe, at)| timed(probe, host, &subjects[*at])).collect();
    let mut facts = vec![Facts::default(); subjects.len()];
    let mut timings = Vec::with_capacity(looks.len());
    for ((probe, at), (value, timing)) in jobs.into_iter().zip(looks) {
        timings.push(timing);
        match probe.per {
            Per::Agent => {
                facts[at].0.insert(probe.name, value);
            }
            Per::Host => facts.iter_mut().for_each(|facts| {
                facts.0.insert(probe.name, value.clone());
            }),
        }
    }
    (facts, timings)
}

/// Probes about the files of the project alone.
const OF_PROJECT: &[&str] =
    &["ci", "git", "instructions", "key_files", "links", "secret_scan", "source_tree", "state_in_git", "workspace"];

/// Whether a whole image is looked at and nobody has said where in it the agent works.
fn has_no_project(host: &dyn Host, subject: &Subject) -> bool {
    let said = subject.parameters.text("workspace").is_some();
    !host.is_live() && !said && subject.workspace == AbsPath::root()
}

fn timed(probe: &Probe, host: &dyn Host, subject: &Subject) -> (Value, Timing) {
    let start = Instant::now();
    let homeless = OF_PROJECT.contains(&probe.name) && has_no_project(host, subject);
    let value = if homeless {
        unseen_value(Unseen::new(
            "the image does not say where the agent works",
            "give the project's folder in the image as PATH, or as `workspace` in the profile",
        ))
    } else if subject.scope < probe.scope {
        unseen_value(Unseen::new(
            format!("`{}` lies outside the {} scope", probe.name, subject.scope.name()),
            format!("audit with --scope {}", probe.scope.name()),
        ))
    } else {
        (probe.look)(host, subject).unwrap_or_else(|error| unseen_value(error.into()))
    };
    let agent = (probe.per == Per::Agent).then(|| subject.agent.agent.clone());
    (value, Timing { probe: probe.name, agent, took: start.elapsed() })
}

fn unseen_value(unseen: Unseen) -> Value {
    serde_json::to_value(Look::<()>::Unknown(unseen)).unwrap_or(Value::Null)
}

/// The JSON Schema of all facts together: what a check may speak of.
pub fn schema() -> Schema {
    let mut generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let properties: serde_json::Map<String, Value> = PROBES
        .iter()
        .map(|probe| {
            let mut schema = Value::from((probe.schema)(&mut generator));
            if let Some(object) = schema.as_object_mut() {
                object.insert("description".into(), probe.about.into());
            }
            (probe.name.to_owned(), schema)
        })
        .collect();
    let definitions = generator.take_definitions(true);
    schemars::json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "harden facts",
        "type": "object",
        "properties": properties,
        "$defs": definitions,
    })
}
