//! The program that starts the agent: what environment it gives, whom it switches to, what it shuts the agent into.
//! It is read as text, never run; what cannot be followed is said to be unknown.

mod chain;
mod find;
mod launch;
mod script;
mod unit;
mod words;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;

pub(super) use find::launcher;

use super::{ProbeError, secret_names, subject};
use crate::host::Host;
use crate::model::launch::{Form, Found, Launch, Launcher, Origin, Passed, Sandbox, Start};
use crate::model::{AbsPath, Location, Look, Mode, Subject};

/// The program that starts the agent.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Where it is; null where there is none.
    path: Option<AbsPath>,
    /// What kind of file it is; null where there is none.
    form: Option<Form>,
    /// What its start does to the environment, in a few words, for messages.
    says: String,
    /// Whether the agent starts from an empty environment; false where there is no launcher.
    starts_empty: Look<bool>,
    /// What the environment starts from; null where there is no launcher.
    start: Option<Start>,
    /// The account it switches to; null where it switches to none.
    user: Option<String>,
    /// Where it starts the agent; null where it does not say.
    cwd: Option<String>,
    /// What it adds to the environment.
    variables: Look<Vec<Variable>>,
    /// Secret-looking variables that it puts into the arguments of a command, where every account can list them.
    secrets_in_arguments: Vec<Argument>,
    /// Whether it gives the agent a home of its own account or an absolute one.
    home_fixed: bool,
    /// Whether it sets PATH to absolute folders only.
    path_fixed: bool,
    /// Whether it gives the agent a temporary folder that is not the shared one.
    tmp_private: bool,
    /// What of these four it leaves open.
    left_open: Vec<String>,
    /// The mask it sets; null where it sets none.
    umask: Option<Mode>,
    /// Whether the mask keeps group and others out of new files.
    umask_private: bool,
    /// The boundary around the agent; null where none is recognised.
    sandbox: Option<Sandbox>,
    /// Where the boundary is set up.
    sandbox_at: Option<Location>,
    /// The broker that gives it secrets; null where none is recognised.
    broker: Option<String>,
    /// Where it starts the agent.
    at: Option<Location>,
}

/// A variable that the launcher passes.
#[derive(Serialize, JsonSchema)]
struct Variable {
    /// Its name.
    name: String,
    /// Where its value comes from.
    origin: Origin,
    /// Whether the name says that it holds a secret.
    secret: bool,
    /// Where it stands.
    at: Location,
}

/// A secret in arguments.
#[derive(Serialize, JsonSchema)]
struct Argument {
    /// The variable.
    name: String,
    /// Where it stands.
    at: Location,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    match &*subject.launcher {
        Found::Unknown(unseen) => Err(ProbeError::Unseen(unseen.clone())),
        Found::None { named } => Ok(none(host, named.as_ref())),
        Found::Launcher(launcher) => Ok(fact(subject, launcher)),
    }
}

fn none(host: &dyn Host, named: Option<&AbsPath>) -> Fact {
    // What starts the agent of an image may lie outside of it.
    let starts_empty = match named {
        None if !host.is_live() => Look::unknown(
            "an image has no environment, and no launcher was found in it",
            "audit the running machine, or name the launcher in the profile",
        ),
        _ => Look::Known(false),
    };
    let says = match named {
        Some(path) => format!("the launcher `{path}` that the profile names is not there"),
        None => "no launcher was found, so the agent inherits the environment of whoever starts it".into(),
    };
    Fact {
        path: None,
        form: None,
        says,
        starts_empty,
        start: None,
        user: None,
        cwd: None,
        variables: Look::Known(Vec::new()),
        secrets_in_arguments: Vec::new(),
        home_fixed: false,
        path_fixed: false,
        tmp_private: false,
        left_open: Vec::new(),
        umask: None,
        umask_private: false,
        sandbox: None,
        sandbox_at: None,
        broker: None,
        at: None,
    }
}

fn fact(subject: &Subject, launcher: &Launcher) -> Fact {
    let launches = &launcher.launches;
    let at = |line: u32| place(subject, launcher, line);
    let all = |holds: &dyn Fn(&Launch) -> bool| !launches.is_empty() && launches.iter().all(holds);
    let start = launches.iter().map(|launch| launch.start).max();
    let umask = launches.iter().filter_map(|launch| launch.umask).min_by_key(|mask| mask.bits() & 0o077);
    let home_fixed = all(&|launch| launch.home_of_user || has_path(launch, "HOME"));
    let path_fixed = all(&|launch| launch.passed.get("PATH").map_or(launch.own_path, is_fixed_path));
    let tmp_private = all(&|launch| launch.private_tmp || own_tmp(launch));
    let umask_private = all(&|launch| launch.umask.is_some_and(|mask| mask.bits() & 0o077 == 0o077));
    let parts = [("HOME", home_fixed), ("PATH", path_fixed), ("TMPDIR", tmp_private), ("umask", umask_private)];
    // A boundary counts where no way round it starts the agent.
    let sandbox = all(&|launch| launch.sandbox.is_some()).then(|| launches[0].sandbox).flatten();
    Fact {
        path: Some(launcher.path.clone()),
        form: Some(launcher.form),
        says: says(launcher, start),
        starts_empty: match start {
            Some(start) => Look::Known(start == Start::Empty),
            None => not_understood(launcher),
        },
        start,
        user: launches.iter().find_map(|launch| launch.user.clone()),
        cwd: launches.iter().find_map(|launch| launch.cwd.clone()),
        variables: variables(subject, launcher),
        secrets_in_arguments: arguments(launcher, &at),
        home_fixed,
        path_fixed,
        tmp_private,
        left_open: parts.iter().filter(|(_, fixed)| !fixed).map(|(name, _)| (*name).to_owned()).collect(),
        umask,
        umask_private,
        sandbox: sandbox.map(|(sandbox, _)| sandbox),
        sandbox_at: sandbox.map(|(_, line)| at(line)),
        broker: launches.iter().find_map(|launch| launch.broker.clone()),
        at: launches.first().map(|launch| at(launch.line)),
    }
}

/// A line of the launcher, with the values of assignments masked.
pub(super) fn place(subject: &Subject, launcher: &Launcher, line: u32) -> Location {
    let text = launcher.text.lines().nth(line.saturating_sub(1) as usize).unwrap_or_default();
    Location::line(subject::shown(subject, &launcher.path), line, &without_secrets(text))
}

/// Masks what follows the `=` of names that say they hold a secret, however harmless it looks.
fn without_secrets(text: &str) -> String {
    text.split_inclusive(char::is_whitespace).map(without_secret).collect()
}

fn without_secret(word: &str) -> String {
    for (at, _) in word.match_indices('=') {
        let (before, value) = (&word[..at], &word[at + 1..]);
        let name = before.rsplit(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
        if secret_names::is_secret(name) && !value.trim_start_matches('"').starts_with('$') {
            let space = &value[value.trim_end().len()..];
            return format!("{before}=***{space}");
        }
    }
    word.to_owned()
}

fn says(launcher: &Launcher, start: Option<Start>) -> String {
    let path = &launcher.path;
    match start {
        Some(Start::Empty) => format!("`{path}` starts the agent from an empty environment"),
        Some(Start::Reset) => format!("`{path}` starts the agent with what sudo lets through"),
        Some(Start::Inherited) => format!("`{path}` passes its whole environment on to the agent"),
        None => format!("`{path}` could not be followed to the agent"),
    }
}

fn not_understood<T>(launcher: &Launcher) -> Look<T> {
    let why = match launcher.form {
        Form::Program => format!("the launcher `{}` is not a script that can be read", launcher.path),
        _ => format!("the launcher `{}` starts the agent in a way that could not be followed", launcher.path),
    };
    Look::unknown(why, "start the agent, so that the environment of its process can be looked at")
}

fn variables(subject: &Subject, launcher: &Launcher) -> Look<Vec<Variable>> {
    if launcher.launches.is_empty() {
        return not_understood(launcher);
    }
    if let Some(file) = launcher.launches.iter().find_map(|launch| launch.unread.first()) {
        let why =
            format!("`{}` takes variables from `{}`, which cannot be read", launcher.path, crate::model::plain(file));
        return Look::unknown(why, "run with sudo, or start the agent");
    }
    let mut named: BTreeMap<&str, &Passed> = BTreeMap::new();
    for (name, passed) in launcher.launches.iter().flat_map(|launch| &launch.passed) {
        named.entry(name).or_insert(passed);
    }
    let variable = |(name, passed): (&str, &Passed)| Variable {
        name: name.to_owned(),
        origin: passed.origin,
        secret: secret_names::is_secret(name),
        at: place(subject, launcher, passed.line),
    };
    Look::Known(named.into_iter().map(variable).collect())
}

fn arguments(launcher: &Launcher, at: &dyn Fn(u32) -> Location) -> Vec<Argument> {
    let mut all: Vec<(String, u32)> = launcher.launches.iter().flat_map(|launch| launch.arguments.clone()).collect();
    all.sort();
    all.dedup_by(|a, b| a.0 == b.0);
    all.retain(|(name, _)| secret_names::is_secret(name));
    all.into_iter().map(|(name, line)| Argument { name, at: at(line) }).collect()
}

fn has_path(launch: &Launch, name: &str) -> bool {
    launch.passed.get(name).is_some_and(|passed| passed.text.as_ref().is_some_and(|text| text.starts_with('/')))
}

/// Absolute folders only: an empty or relative part is the current directory, which is the project.
fn is_fixed_path(passed: &Passed) -> bool {
    passed.text.as_ref().is_some_and(|path| path.split(':').all(|folder| folder.starts_with('/')))
}

fn own_tmp(launch: &Launch) -> bool {
    let shared = ["/tmp", "/tmp/", "/var/tmp", "/var/tmp/"];
    launch
        .passed
        .get("TMPDIR")
        .and_then(|passed| passed.text.as_deref())
        .is_some_and(|path| path.starts_with('/') && !shared.contains(&path))
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn a_shown_line_keeps_references_and_drops_values() {
        for (line, shown) in [
            ("env -i OPENAI_API_KEY=abc HOME=/h x", "env -i OPENAI_API_KEY=*** HOME=/h x"),
            ("env KEY=\"$KEY\" x", "env KEY=\"$KEY\" x"),
            ("--env=DB_PASS=hunter x", "--env=DB_PASS=*** x"),
            ("Environment=\"DB_PASS=hunter\"", "Environment=\"DB_PASS=***"),
            ("export TOKEN='a'", "export TOKEN=***"),
        ] {
            assert_eq!(without_secrets(line), shown);
        }
    }
}
