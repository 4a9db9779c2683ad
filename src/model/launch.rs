//! How an agent is started, as its launcher says: found once for each agent and handed to every probe that asks.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::{AbsPath, Mode, Unseen};

/// What the agent's environment starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Nothing.
    Empty,
    /// What sudo or doas lets through.
    Reset,
    /// The environment of whoever starts it.
    Inherited,
}

/// Where the value of a variable comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// It stands in the launcher.
    Literal,
    /// The environment of whoever starts it.
    Inherited,
    /// A file that is read at start.
    File,
    /// A secret broker, keychain or systemd credential.
    Broker,
    /// Another command's output.
    Command,
}

/// A boundary around the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sandbox {
    /// `harden run`.
    Harden,
    /// bubblewrap.
    Bwrap,
    /// firejail.
    Firejail,
    /// nsjail.
    Nsjail,
    /// landrun.
    Landrun,
    /// Seatbelt's `sandbox-exec`.
    SandboxExec,
    /// A container.
    Container,
    /// systemd's sandboxing options.
    Systemd,
}

/// A variable that the launcher passes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    /// Where its value comes from.
    pub origin: Origin,
    /// Whether it stands in the arguments of a command, which every account can list.
    pub in_arguments: bool,
    /// Its value where that stands in the launcher and the name does not say that it is secret.
    pub text: Option<String>,
    /// The line it stands on.
    pub line: u32,
}

/// One way in which a launcher starts the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// What its environment starts from.
    pub start: Start,
    /// What is added.
    pub passed: BTreeMap<String, Passed>,
    /// Names taken from what it starts from; `*` at the end matches any rest.
    pub unset: Vec<String>,
    /// Names that a sudo or unit lets through beside its defaults.
    pub kept: Vec<String>,
    /// Secrets and others that stood in arguments, also of commands whose environment was dropped later.
    pub arguments: Vec<(String, u32)>,
    /// The account that it switches to.
    pub user: Option<String>,
    /// Where it starts.
    pub cwd: Option<String>,
    /// The mask of modes that it sets.
    pub umask: Option<Mode>,
    /// The boundary around it.
    pub sandbox: Option<(Sandbox, u32)>,
    /// The broker that gives it secrets.
    pub broker: Option<String>,
    /// Whether HOME is given by the way of switching accounts.
    pub home_of_user: bool,
    /// Whether a login shell of the account is on the way, whose start-up files add to the environment.
    pub login: bool,
    /// Whether it gets a temporary folder of its own.
    pub private_tmp: bool,
    /// Whether the way of starting gives a fixed PATH.
    pub own_path: bool,
    /// The program, as written.
    pub program: Option<String>,
    /// The line of the command that starts it.
    pub line: u32,
    /// Files with variables that could not be read.
    pub unread: Vec<String>,
}

/// A launcher.
#[derive(Clone, Debug)]
pub struct Launcher {
    /// Where it is.
    pub path: AbsPath,
    /// What kind of file it is.
    pub form: Form,
    /// The ways in which it starts the agent; empty where it could not be understood.
    pub launches: Vec<Launch>,
    /// Its lines, to show one.
    pub text: String,
}

/// What kind of file a launcher is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A shell script.
    Script,
    /// A systemd unit.
    Unit,
    /// A desktop file.
    Desktop,
    /// A program that cannot be read as text.
    Program,
}

/// What came of the search.
#[derive(Clone, Debug)]
pub enum Found {
    /// A launcher.
    Launcher(Box<Launcher>),
    /// None on the usual paths, or none where the profile says.
    None {
        /// Where the profile says.
        named: Option<AbsPath>,
    },
    /// A file that may be one could not be read.
    Unknown(Unseen),
}
