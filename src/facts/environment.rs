//! What the agent inherits: the names of the variables that its processes have, else those that its launcher lets
//! through, else those of whoever starts it. Names only; values are never read.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::launcher;
use super::variable::{self, Meaning};
use super::{ProbeError, secret_names, subject};
use crate::host::{self, Host, Process};
use crate::model::launch::{Found, Launch, Launcher, Start};
use crate::model::{AbsPath, Location, Look, Subject, Uid, Unseen};

/// How many names a message spells out.
const SHOWN: usize = 12;
/// What sudo keeps without being told, from its built-in list.
const SUDO_KEEPS: &[&str] = &[
    "COLORS",
    "DISPLAY",
    "HOSTNAME",
    "KRB5CCNAME",
    "LS_COLORS",
    "PATH",
    "PS1",
    "PS2",
    "XAUTHORITY",
    "XAUTHORIZATION",
    "XDG_CURRENT_DESKTOP",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TERM",
    "TZ",
];

/// What the agent inherits.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Where the names were taken from.
    source: Source,
    /// That source in a few words, for messages.
    says: String,
    /// The running agents.
    processes: Vec<AgentProcess>,
    /// Every variable.
    variables: Look<Vec<Variable>>,
    /// Those that no list of the profile names, nor the agent's own switches.
    unexpected: Look<Vec<String>>,
    /// The first of those in a sentence, for messages.
    unexpected_says: String,
    /// Lines of the sudo rules that keep variables; unknown where the rules cannot be read.
    sudo_keeps: Look<Vec<Kept>>,
}

/// Where the names were taken from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Source {
    /// Running agents.
    Process,
    /// The launcher.
    Launcher,
    /// The environment the audit was started in, which an agent started there would inherit.
    Invoker,
}

/// A running agent.
#[derive(Serialize, JsonSchema)]
struct AgentProcess {
    /// Its short name.
    name: String,
    /// Its number.
    pid: u32,
    /// The account it runs as.
    uid: Option<Uid>,
    /// The name of that account.
    user: Option<String>,
    /// Its program, where it could be read.
    exe: Option<AbsPath>,
    /// Whether the names of its environment could be read.
    readable: bool,
}

/// A variable that the agent has or would have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Variable {
    /// Its name.
    name: String,
    /// What a variable of this name does.
    meaning: Meaning,
    /// Whether the name says that it holds a secret.
    secret: bool,
    /// Whether the profile's `env_allow` names it.
    allowed: bool,
    /// Whether the profile's `env_inject` names it.
    declared: bool,
    /// Where it comes from, in a few words.
    from: String,
    /// Where it stands, if in a file.
    at: Option<Location>,
}

/// A variable that sudo keeps or deletes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
struct Kept {
    /// Its name; `*` matches any rest.
    name: String,
    /// Whether it is kept; else it is deleted.
    keep: bool,
    /// Where it stands.
    at: Location,
}

/// Names with where each comes from.
type Names = BTreeMap<String, (String, Option<Location>)>;

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let running = running(host, subject)?;
    let keeps = sudo_keeps(host, subject);
    let (source, says, names) = names(host, subject, &running, &keeps);
    let known = Known::of(subject);
    let variables = names.map(|names| {
        names.into_iter().map(|(name, (from, at))| known.variable(subject, name, from, at)).collect::<Vec<_>>()
    });
    let unexpected = variables.clone().map(|list| {
        let odd = list.iter().filter(|v| !v.allowed && !v.declared && !known.restricts(&v.name));
        odd.map(|v| v.name.clone()).collect::<Vec<_>>()
    });
    let accounts = host.accounts().ok();
    let account = |uid: Uid| Some(accounts.as_ref()?.user_of(uid)?.name.clone());
    Ok(Fact {
        unexpected_says: unexpected_says(source, &says, &unexpected),
        source,
        says,
        unexpected,
        variables,
        sudo_keeps: keeps,
        processes: running
            .into_iter()
            .map(|process| AgentProcess {
                name: process.name,
                pid: process.pid,
                uid: process.uid,
                user: process.uid.and_then(account),
                exe: process.exe,
                readable: process.env.is_some(),
            })
            .collect(),
    })
}

fn unexpected_says(source: Source, says: &str, unexpected: &Look<Vec<String>>) -> String {
    match unexpected {
        Look::Known(names) if !names.is_empty() && source == Source::Process => {
            format!("yet {says} has what is not on the allow-list: {}", shown(names))
        }
        Look::Known(names) if names.is_empty() => "its variables are all on the allow-list".into(),
        Look::Known(names) => format!("not on the allow-list: {}", shown(names)),
        Look::Unknown(unseen) => unseen.why.clone(),
    }
}

fn shown(names: &[String]) -> String {
    let first = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The agent's processes. An image has none.
fn running(host: &dyn Host, subject: &Subject) -> Result<Vec<Process>, ProbeError> {
    if !host.is_live() {
        return Ok(Vec::new());
    }
    let all = host.processes().map_err(|error| ProbeError::unreadable(&AbsPath::root().join("proc"), error))?;
    Ok(all.into_iter().filter(|process| subject.agent.processes.contains(&process.name)).collect())
}

fn names(
    host: &dyn Host,
    subject: &Subject,
    running: &[Process],
    keeps: &Look<Vec<Kept>>,
) -> (Source, String, Look<Names>) {
    let readable: Vec<&Process> = running.iter().filter(|process| process.env.is_some()).collect();
    if !readable.is_empty() {
        let says = match readable.as_slice() {
            [one] => format!("the running agent (process {})", one.pid),
            many => format!("the {} running agents", many.len()),
        };
        return (Source::Process, says, Look::Known(of_processes(&readable)));
    }
    match &*subject.launcher {
        Found::Unknown(unseen) => (Source::Launcher, "the launcher".into(), Look::Unknown(unseen.clone())),
        Found::Launcher(found) => {
            let says = format!("the launcher `{}`", found.path);
            (Source::Launcher, says, of_launcher(host, subject, found, keeps))
        }
        Found::None { .. } if !running.is_empty() => {
            let why = "the environment of the running agent cannot be read";
            (Source::Process, "the running agent".into(), Look::unknown(why, "run with sudo"))
        }
        Found::None { .. } => {
            let says = match &subject.invoker {
                Some(invoker) => format!("the environment of `{}`", invoker.name),
                None => "whoever starts it".to_owned(),
            };
            (Source::Invoker, says, of_invoker(host, subject))
        }
    }
}

fn of_processes(processes: &[&Process]) -> Names {
    let mut names = Names::new();
    for process in processes {
        for name in process.env.iter().flatten() {
            names.entry(name.clone()).or_insert_with(|| (format!("process {}", process.pid), None));
        }
    }
    names
}

fn of_launcher(host: &dyn Host, subject: &Subject, launcher: &Launcher, keeps: &Look<Vec<Kept>>) -> Look<Names> {
    if launcher.launches.is_empty() {
        return Look::unknown(
            format!("the launcher `{}` could not be followed to the agent", launcher.path),
            "start the agent, so that the environment of its process can be looked at",
        );
    }
    let mut names = Names::new();
    for launch in &launcher.launches {
        if let Some(file) = launch.unread.first() {
            return Look::unknown(
                format!(
                    "`{}` takes variables from `{}`, which cannot be read",
                    launcher.path,
                    crate::model::plain(file)
                ),
                "run with sudo, or start the agent",
            );
        }
        match inherited(host, subject, launch, keeps) {
            Look::Unknown(unseen) => return Look::Unknown(unseen),
            Look::Known(inherited) => names.extend(inherited),
        }
        for (name, passed) in &launch.passed {
            let at = launcher::place(subject, launcher, passed.line);
            names.insert(name.clone(), (format!("`{}`", launcher.path), Some(at)));
        }
    }
    Look::Known(names)
}

/// What a launch lets through of the environment of whoever starts it.
fn inherited(host: &dyn Host, subject: &Subject, launch: &Launch, keeps: &Look<Vec<Kept>>) -> Look<Names> {
    if launch.start == Start::Empty {
        return Look::Known(Names::new());
    }
    let all = match of_invoker(host, subject) {
        Look::Known(all) => all,
        unknown => return unknown,
    };
    let mut list: Vec<(String, bool)> = SUDO_KEEPS.iter().map(|name| ((*name).to_owned(), true)).collect();
    if launch.start == Start::Reset {
        match keeps {
            Look::Known(kept) => list.extend(kept.iter().map(|kept| (kept.name.clone(), kept.keep))),
            Look::Unknown(unseen) => return Look::Unknown(unseen.clone()),
        }
        list.extend(launch.kept.iter().map(|name| (name.clone(), true)));
    }
    let passes = |name: &str| {
        let last = list.iter().rfind(|(entry, _)| variable::listed(&[entry], name));
        launch.start == Start::Inherited || last.is_some_and(|(_, keep)| *keep)
    };
    Look::Known(all.into_iter().filter(|(name, _)| passes(name) && !variable::listed(&launch.unset, name)).collect())
}

/// What an agent started here and now would inherit. It can be told only of the account that audits.
fn of_invoker(host: &dyn Host, subject: &Subject) -> Look<Names> {
    let how = "start the agent and audit with sudo, or name its launcher in the profile";
    let Some(invoker) = &subject.invoker else {
        let why = match &*subject.launcher {
            Found::Launcher(found) => {
                format!("`{}` passes on what it is started with, and an image has no environment", found.path)
            }
            _ => "an image has no environment, and no launcher was found in it".to_owned(),
        };
        return Look::unknown(why, "audit the running machine, or name the launcher in the profile");
    };
    if host.env("SUDO_UID").is_some() {
        return Look::unknown(format!("behind sudo the environment of `{}` cannot be seen", invoker.name), how);
    }
    let from = format!("the environment of `{}`", invoker.name);
    Look::Known(host.env_names().into_iter().map(|name| (name, (from.clone(), None))).collect())
}

/// The lists that names are held against.
struct Known<'a> {
    allow: Vec<&'a str>,
    inject: Vec<&'a str>,
    switches: BTreeSet<&'a str>,
    restrict: &'a [String],
}

impl<'a> Known<'a> {
    fn of(subject: &'a Subject) -> Self {
        let switches = subject.agent.switches.iter().flat_map(|switch| &switch.env);
        Self {
            allow: subject.parameters.list("env_allow"),
            inject: subject.parameters.list("env_inject"),
            // A switch that turns a feature off is there to harden.
            switches: switches.filter(|env| !env.on).map(|env| env.name.as_str()).collect(),
            restrict: &subject.agent.env.restrict,
        }
    }

    fn restricts(&self, name: &str) -> bool {
        self.switches.contains(name) || variable::listed(self.restrict, name)
    }

    fn variable(&self, subject: &Subject, name: String, from: String, at: Option<Location>) -> Variable {
        Variable {
            meaning: variable::meaning(&name, &subject.agent),
            secret: secret_names::is_secret(&name),
            allowed: variable::listed(&self.allow, &name),
            declared: variable::listed(&self.inject, &name),
            name,
            from,
            at,
        }
    }
}

/// `env_keep` and `env_delete` lines of `/etc/sudoers` and the files in its folder.
fn sudo_keeps(host: &dyn Host, subject: &Subject) -> Look<Vec<Kept>> {
    let etc = AbsPath::root().join("etc");
    let mut files = vec![etc.join("sudoers")];
    match host.list(&etc.join("sudoers.d")) {
        // Names with a dot or a tilde are skipped by sudo too.
        Ok(entries) => files.extend(
            entries
                .iter()
                .filter(|entry| !entry.name.to_string_lossy().contains(['.', '~']))
                .map(|entry| etc.join("sudoers.d").join(&entry.name)),
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Look::Unknown(ProbeError::unreadable(&etc.join("sudoers.d"), error).into()),
    }
    let mut kept = Vec::new();
    for file in files {
        match host::read_text(host, &file, None, host::CONFIG_LIMIT) {
            Ok(text) => kept.extend(kept_in(&subject::shown(subject, &file), &text.unwrap_or_default())),
            Err(error) => return Look::Unknown(Unseen::from(ProbeError::unreadable(&file, error))),
        }
    }
    Look::Known(kept)
}

fn kept_in(shown: &str, text: &str) -> Vec<Kept> {
    let mut kept = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.trim();
        if !line.starts_with("Defaults") {
            continue;
        }
        for (word, keeps) in [("env_keep", true), ("env_delete", false)] {
            let Some((_, rest)) = line.split_once(word) else { continue };
            let Some((sign, names)) = rest.split_once('=') else { continue };
            // `-=` takes names off the list again.
            let keep = keeps != (sign.trim() == "-");
            let number = u32::try_from(at + 1).unwrap_or(u32::MAX);
            let names = names.trim().trim_matches('"').split_whitespace();
            kept.extend(names.map(|name| Kept {
                name: name.to_owned(),
                keep,
                at: Location::line(shown, number, line),
            }));
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sudo_lines_that_keep_variables_are_read() {
        let text = "Defaults env_reset\nDefaults env_keep += \"SSH_AUTH_SOCK LC_*\"\n# Defaults env_keep += \"X\"\n\
                    Defaults:agent env_delete += \"DISPLAY\"\nDefaults env_keep -= HOME\n";
        let kept: Vec<String> = kept_in("/etc/sudoers", text)
            .iter()
            .map(|k| format!("{}{}:{}", if k.keep { "+" } else { "-" }, k.name, k.at.line))
            .collect();
        assert_eq!(kept, ["+SSH_AUTH_SOCK:2", "+LC_*:2", "-DISPLAY:4", "-HOME:5"]);
    }

    #[test]
    fn long_lists_are_cut_with_a_count() {
        let names: Vec<String> = (0..14).map(|n| format!("V{n}")).collect();
        assert!(shown(&names).ends_with("V11 and 2 more"));
        assert_eq!(shown(&names[..1]), "V0");
    }
}
