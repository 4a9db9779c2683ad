//! Reads a shell script for how it starts the agent. Every command that may run counts as run; nothing is executed.

use std::collections::BTreeMap;

use super::chain::{Goal, follow};
use super::launch::base;
use super::words::{Command, Word, commands};
use crate::model::Mode;
use crate::model::launch::{Launch, Origin, Start};

/// Reads variables' names from a file that a script sources, and whether it exports them; None where it cannot be
/// read.
pub(super) type Source<'a> = dyn Fn(&str) -> Option<Vec<(String, bool)>> + 'a;

/// Whether the text is a script of a shell of the Bourne family.
pub(super) fn is_shell(text: &str) -> bool {
    let Some(line) = text.lines().next().and_then(|line| line.strip_prefix("#!")) else { return false };
    line.split_whitespace().map(base).any(|word| matches!(word, "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash"))
}

/// Every way in which the script starts one of `agents`.
pub(super) fn launches(text: &str, agents: &[String], own: &str, source: &Source<'_>) -> Vec<Launch> {
    let mut shell = Shell::new(text);
    let mut found = Vec::new();
    for command in commands(text) {
        if shell.built_in(&command, source) {
            continue;
        }
        let lookup = |name: &str| shell.variables.get(name).cloned();
        let goal = Goal { commands: agents, own, lookup: &lookup };
        found.extend(follow(&goal, &command.words, shell.launch.clone(), command.line));
    }
    found
}

/// What the script has set up so far.
struct Shell {
    launch: Launch,
    /// Its own variables, as written.
    variables: BTreeMap<String, Word>,
    /// `set -a`: every assignment is exported.
    exports_all: bool,
}

impl Shell {
    fn new(text: &str) -> Self {
        let shebang = text.lines().next().unwrap_or_default();
        let mut words = shebang.trim_start_matches("#!").split_whitespace();
        let empties = words.next().is_some_and(|program| base(program) == "env")
            && words.any(|word| matches!(word, "-i" | "-" | "--ignore-environment" | "-iS" | "-Si"));
        let start = if empties { Start::Empty } else { Start::Inherited };
        Self { launch: Launch::new(start), variables: BTreeMap::new(), exports_all: false }
    }

    /// Whether the command changes the shell itself; then it is done here.
    fn built_in(&mut self, command: &Command, source: &Source<'_>) -> bool {
        let assignments: Vec<(String, Word)> = command.words.iter().map_while(Word::assignment).collect();
        if assignments.len() == command.words.len() {
            for (name, value) in assignments {
                self.assign(name, value, false, command.line);
            }
            return true;
        }
        let words: Vec<String> = command.words.iter().map(|word| word.plain().unwrap_or_default()).collect();
        let operands = || command.words[1..].iter().filter(|word| !word.start().starts_with('-'));
        match words[0].as_str() {
            "export" | "declare" | "typeset" | "readonly" | "local" => {
                let exports =
                    words[0] == "export" || words[1..].iter().any(|word| word.starts_with("-") && word.contains('x'));
                for word in operands() {
                    match word.assignment() {
                        Some((name, value)) => self.assign(name, value, exports, command.line),
                        None if exports => self.export(&word.plain().unwrap_or_default(), command.line),
                        None => {}
                    }
                }
            }
            "unset" => operands().filter_map(Word::plain).for_each(|name| {
                self.variables.remove(&name);
                self.launch.unset(&name);
            }),
            "umask" => self.launch.umask = words.get(1).and_then(|mode| Mode::parse(mode)).or(self.launch.umask),
            "cd" => self.launch.cwd = operands().next().and_then(|word| self.value(word)).or(self.launch.cwd.take()),
            "set" if words.iter().any(|word| word == "-a" || word == "allexport") => self.exports_all = true,
            "." | "source" => self.source(command, source),
            _ => return false,
        }
        true
    }

    fn value(&self, word: &Word) -> Option<String> {
        match word.pieces.as_slice() {
            [super::words::Piece::Variable(name)] => self.variables.get(name)?.plain(),
            _ => word.plain(),
        }
    }

    fn assign(&mut self, name: String, value: Word, exports: bool, line: u32) {
        // A variable that takes over another one of the script has that one's origin.
        let value = match value.pieces.as_slice() {
            [super::words::Piece::Variable(other)] => self.variables.get(other).cloned().unwrap_or(value),
            _ => value,
        };
        if exports || self.exports_all || self.launch.passed.contains_key(&name) || is_environment(&name) {
            self.launch.pass(name.clone(), &value, false, line);
        }
        self.variables.insert(name, value);
    }

    fn export(&mut self, name: &str, line: u32) {
        match self.variables.get(name).cloned() {
            Some(value) => self.launch.pass(name.to_owned(), &value, false, line),
            None => self.launch.pass_from(name.to_owned(), Origin::Inherited, line),
        }
    }

    fn source(&mut self, command: &Command, source: &Source<'_>) {
        let Some(path) = command.words.get(1).and_then(|word| self.value(word)) else {
            self.launch.unread.push("a file whose name is computed".into());
            return;
        };
        match source(&path) {
            Some(names) => {
                for (name, exported) in names {
                    if exported || self.exports_all || is_environment(&name) {
                        self.launch.pass_from(name.clone(), Origin::File, command.line);
                    }
                    // Its value stays in that file.
                    let value = Word { pieces: vec![super::words::Piece::Command(format!("cat {path}"))] };
                    self.variables.insert(name, value);
                }
            }
            None => self.launch.unread.push(path),
        }
    }
}

/// Variables that every environment has: an assignment changes what the agent gets without `export`.
fn is_environment(name: &str) -> bool {
    matches!(name, "PATH" | "HOME" | "TMPDIR" | "USER" | "LOGNAME" | "SHELL" | "LANG" | "TERM")
}

/// The names that a file of assignments sets, and whether it exports them.
pub(super) fn names(text: &str) -> Vec<(String, bool)> {
    let mut names = Vec::new();
    for command in commands(text) {
        let exported = command.words.first().and_then(Word::plain).as_deref() == Some("export");
        let words = command.words.iter().skip(usize::from(exported));
        names.extend(words.filter_map(Word::assignment).map(|(name, _)| (name, exported)));
    }
    names
}

/// The names that a file of shell commands exports.
pub(super) fn exports(text: &str) -> Vec<String> {
    let mut exported = Vec::new();
    for command in commands(text) {
        let first = command.words.first().and_then(Word::plain);
        if !matches!(first.as_deref(), Some("export" | "declare" | "typeset")) {
            continue;
        }
        let name = |word: &Word| word.assignment().map(|(name, _)| name).or_else(|| word.plain());
        exported.extend(command.words.iter().skip(1).filter_map(name).filter(|name| super::words::is_name(name)));
    }
    exported
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::launch::Sandbox;

    fn read(text: &str) -> Vec<Launch> {
        launches(text, &["opencode".into()], "/usr/local/bin/opencode", &|path| {
            (path == "/etc/agent.env").then(|| vec![("OPENAI_API_KEY".into(), false)])
        })
    }

    /// Start, user, names with origins (`!` where they stand in arguments), sandbox.
    fn told(text: &str) -> String {
        let launch = |launch: &Launch| {
            let names = launch.passed.iter().map(|(name, passed)| {
                let visible = if passed.in_arguments { "!" } else { "" };
                format!("{name}={:?}{visible}", passed.origin)
            });
            let sandbox = launch.sandbox.map(|(sandbox, _)| format!(" in {sandbox:?}")).unwrap_or_default();
            let user = launch.user.as_deref().unwrap_or("-");
            format!("{:?} {user} [{}]{sandbox}", launch.start, names.collect::<Vec<_>>().join(" "))
        };
        read(text).iter().map(launch).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn scripts_are_read_through_every_wrapper() {
        for (text, expected) in [
            ("exec env -i HOME=/h PATH=/usr/bin opencode \"$@\"", "Empty - [HOME=Literal! PATH=Literal!]"),
            ("exec /usr/bin/env - KEY=\"$KEY\" /opt/opencode", "Empty - [KEY=Inherited!]"),
            ("exec opencode", "Inherited - []"),
            ("FOO=1 opencode", "Inherited - [FOO=Literal]"),
            ("export FOO=1\nBAR=2\nexec opencode", "Inherited - [FOO=Literal]"),
            ("sudo -u agent env -i KEY=value opencode", "Empty agent [KEY=Literal!]"),
            ("sudo -u agent -H -- opencode", "Reset agent []"),
            ("sudo -uagent KEY=v opencode", "Reset agent [KEY=Literal!]"),
            ("sudo --user=agent --preserve-env=A,B opencode", "Reset agent []"),
            ("sudo -E -u agent opencode", "Inherited agent []"),
            ("sudo -nu agent opencode", "Reset agent []"),
            ("export A=1; sudo -u agent opencode", "Reset agent []"),
            ("runuser -u agent -- env -i A=1 opencode", "Empty agent [A=Literal!]"),
            ("su - agent -c 'opencode run'", "Empty agent []"),
            ("su agent -c 'K=v exec opencode'", "Inherited agent [K=Literal]"),
            ("setpriv --reuid=agent --regid agent --clear-groups --reset-env opencode", "Empty agent []"),
            (
                "bwrap --ro-bind / / --clearenv --setenv HOME /h --unshare-all -- opencode",
                "Empty - [HOME=Literal!] in Bwrap",
            ),
            ("firejail --quiet --rmenv=X --env=A=b opencode", "Inherited - [A=Literal!] in Firejail"),
            ("docker run --rm -it -e KEY=$KEY ghcr.io/x/opencode:1", "Empty - [KEY=Inherited!] in Container"),
            ("harden run -- opencode", "Empty - [] in Harden"),
            ("op run --env-file=x -- opencode", "Inherited - []"),
            ("KEY=$(op read op://v/k) exec env -i KEY=\"$KEY\" opencode", "Empty - [KEY=Inherited!]"),
            ("KEY=$(op read op://v/k)\nexport KEY\nexec opencode", "Inherited - [KEY=Broker]"),
            ("KEY=$(cat /etc/key) opencode", "Inherited - [KEY=File]"),
            ("set -a; . /etc/agent.env; exec opencode", "Inherited - [OPENAI_API_KEY=File]"),
            (". /etc/agent.env; exec env -i K=\"$OPENAI_API_KEY\" opencode", "Empty - [K=File!]"),
            ("AGENT=/opt/opencode/bin/opencode\nexec \"$AGENT\" \"$@\"", "Inherited - []"),
            ("exec -c opencode", "Empty - []"),
            ("bash -c 'exec env -i opencode'", "Empty - []"),
            ("script -q -a /var/log/x sudo -u agent env -i A=1 opencode", "Empty agent [A=Literal!]"),
            ("script -qec 'env -i A=1 opencode' /var/log/x", "Empty - [A=Literal!]"),
            ("script -a x.log --flush", ""),
            ("env -S '-i A=1' opencode", "Empty - [A=Literal!]"),
            ("npx opencode-ai@1.2.3", "Inherited - []"),
            ("nice -n 5 timeout 10 opencode", "Inherited - []"),
            ("if x; then exec env -i opencode; else exec opencode; fi", "Empty - []; Inherited - []"),
            ("export A=1\nunset A\nopencode", "Inherited - []"),
            // Not the agent: a word in an argument, a comment, a here-document, the script itself.
            ("echo opencode", ""),
            ("# exec opencode", ""),
            ("cat <<X\nopencode\nX", ""),
            ("exec /usr/local/bin/opencode", ""),
            ("grep -r opencode /etc", ""),
        ] {
            assert_eq!(told(text), expected, "{text}");
        }
    }

    #[test]
    fn a_shebang_can_empty_the_environment() {
        assert_eq!(read("#!/usr/bin/env -S -i bash\nopencode")[0].start, Start::Empty);
        assert_eq!(read("#!/usr/bin/env bash\nopencode")[0].start, Start::Inherited);
    }

    #[test]
    fn what_a_script_fixes_is_kept() {
        let launch = &read("umask 077\ncd /srv/app\nexec env -i TMPDIR=/run/agent opencode")[0];
        assert_eq!((launch.umask, launch.cwd.as_deref()), (Mode::parse("077"), Some("/srv/app")));
        assert_eq!(launch.passed["TMPDIR"].text.as_deref(), Some("/run/agent"));
        assert!(launch.sandbox.is_none_or(|(sandbox, _)| sandbox != Sandbox::Bwrap));
    }

    #[test]
    fn an_argument_is_remembered_though_its_environment_is_dropped() {
        let launch = &read("env SECRET=x sudo -u agent env -i opencode")[0];
        assert_eq!(launch.arguments, [("SECRET".to_owned(), 1)]);
        assert!(launch.passed.is_empty());
    }

    #[test]
    fn only_shells_are_scripts() {
        for (text, expected) in [
            ("#!/bin/sh\n", true),
            ("#!/usr/bin/env -S -i bash\n", true),
            ("#!/usr/bin/env node\n", false),
            ("echo", false),
            ("#!/usr/bin/python3 bash.py\n", false),
        ] {
            assert_eq!(is_shell(text), expected, "{text}");
        }
    }
}
