//! What a way of starting the agent does to its environment: the result of reading a script, a unit or a desktop
//! file. Values are never kept, except paths that say where the agent keeps things.

use std::collections::BTreeMap;

use super::words::{Piece, Word};
use crate::facts::secret_names;
use crate::model::launch::{Launch, Origin, Passed, Sandbox, Start};

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
            login: false,
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
        self.login = false;
    }

    pub(super) fn pass(&mut self, name: String, value: &Word, in_arguments: bool, line: u32) {
        if in_arguments {
            self.arguments.push((name.clone(), line));
        }
        self.unset.retain(|unset| *unset != name);
        let text = value.plain().filter(|_| !secret_names::is_secret(&name));
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
    "op",
    "pass",
    "gopass",
    "vault",
    "bao",
    "hasp",
    "bw",
    "rbw",
    "secret-tool",
    "security",
    "keyctl",
    "aws",
    "gcloud",
    "az",
    "doppler",
    "infisical",
    "chamber",
    "sops",
    "age",
    "systemd-creds",
    "kwallet-query",
    "keepassxc-cli",
    "harden",
];

/// Programs that run another one with secrets in its environment.
pub(super) const RUNNERS: &[&str] =
    &["op", "hasp", "aws-vault", "doppler", "infisical", "chamber", "teller", "envconsul", "sops", "berglas", "summon"];

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
