//! What a way of starting the agent does to its environment: the result of reading a script, a unit or a desktop
//! file. Values are never kept, except paths that say where the agent keeps things.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

use super::words::{Piece, Word};
use crate::model::Mode;

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

impl Launch {
    pub(super) fn new(start: Start) -> Self {
        Self {
            start,
            passed: BTreeMap::new(),
            unset: Vec::new(),
            kept: Vec::new(),
            arguments: Vec::new(),
            user: None,
            cwd: None,
            umask: None,
            sandbox: None,
            broker: None,
            home_of_user: false,
            private_tmp: false,
            own_path: false,
            program: None,
            line: 1,
            unread: Vec::new(),
        }
    }

    /// Forgets everything passed so far: what `env -i` and account switches do.
    pub(super) fn clear(&mut self, start: Start) {
        // Emptied once, it stays empty whatever comes between.
        self.start = if self.start == Start::Empty { Start::Empty } else { start };
        self.passed.clear();
        self.unset.clear();
        self.kept.clear();
        self.unread.clear();
        self.home_of_user = false;
        self.own_path = false;
    }

    pub(super) fn pass(&mut self, name: String, value: &Word, in_arguments: bool, line: u32) {
        if in_arguments {
            self.arguments.push((name.clone(), line));
        }
        self.unset.retain(|unset| *unset != name);
        let text = value.plain().filter(|_| !crate::facts::variable::looks_secret(&name));
        self.passed.insert(name, Passed { origin: origin(value), in_arguments, text, line });
    }

    pub(super) fn pass_from(&mut self, name: String, origin: Origin, line: u32) {
        self.passed.insert(name, Passed { origin, in_arguments: false, text: None, line });
    }

    pub(super) fn unset(&mut self, name: &str) {
        self.passed.remove(name);
        self.unset.push(name.to_owned());
    }

    pub(super) fn enter(&mut self, sandbox: Sandbox, line: u32) {
        self.sandbox.get_or_insert((sandbox, line));
    }
}

/// Where the value of a word comes from: its most telling piece decides.
pub(super) fn origin(word: &Word) -> Origin {
    let mut origin = Origin::Literal;
    for piece in &word.pieces {
        match piece {
            Piece::Text(_) => {}
            Piece::Variable(_) => origin = Origin::Inherited,
            Piece::Command(text) => return of_command(text),
        }
    }
    origin
}

/// Commands that fetch a secret from where it is kept.
const BROKERS: &[&str] = &[
    "op", "pass", "gopass", "vault", "bao", "hasp", "bw", "rbw", "secret-tool", "security", "keyctl", "aws", "gcloud",
    "az", "doppler", "infisical", "chamber", "sops", "age", "systemd-creds", "kwallet-query", "keepassxc-cli", "harden",
];

/// Programs that run another one with secrets in its environment.
pub(super) const RUNNERS: &[&str] = &[
    "op", "hasp", "aws-vault", "doppler", "infisical", "chamber", "teller", "envconsul", "sops", "berglas", "summon",
];

fn of_command(text: &str) -> Origin {
    let commands = super::words::commands(text);
    let programs = commands.iter().filter_map(|command| command.words.first()?.plain());
    let mut origin = Origin::Command;
    for program in programs {
        let name = base(&program);
        if BROKERS.contains(&name) {
            return Origin::Broker;
        }
        if matches!(name, "cat" | "head" | "tail" | "grep" | "sed" | "awk" | "cut" | "jq") {
            origin = Origin::File;
        }
    }
    // `$(< file)` is a redirection without a command.
    if commands.is_empty() && text.trim_start().starts_with('<') { Origin::File } else { origin }
}

/// The last component of a program's path.
pub(super) fn base(program: &str) -> &str {
    program.rsplit('/').next().unwrap_or(program)
}
