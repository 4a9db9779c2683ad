//! Reads systemd units and desktop files for how they start the agent.

use std::collections::BTreeMap;

use super::chain::{Goal, follow};
use super::words::{Word, commands};
use crate::facts::lines::joined;
use crate::model::Mode;
use crate::model::launch::{Launch, Origin, Sandbox, Start};

/// Keys of a section, with line and value, in order; a later file's lines come later.
type Keys = BTreeMap<String, Vec<(u32, String)>>;

/// The keys of one section. Lines may go on behind a backslash.
fn section(text: &str, wanted: &str) -> Keys {
    let mut keys = Keys::new();
    let mut inside = false;
    for (start, line) in joined(text) {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name == wanted;
        } else if inside
            && !line.starts_with(['#', ';'])
            && let Some((key, value)) = line.split_once('=')
        {
            keys.entry(key.trim().to_owned()).or_default().push((start, value.trim().to_owned()));
        }
    }
    keys
}

/// How a unit, with its drop-ins behind it, starts one of `agents`. `of_user` is for units of a user's own manager,
/// whose environment holds what the session imported.
pub(super) fn launches(texts: &[String], agents: &[String], of_user: bool) -> Vec<Launch> {
    let mut keys = Keys::new();
    for text in texts {
        for (key, values) in section(text, "Service") {
            keys.entry(key).or_default().extend(values);
        }
    }
    let base = setup(&keys, of_user);
    let lookup = |_: &str| None;
    let goal = Goal { commands: agents, own: "", lookup: &lookup };
    let starts = keys.get("ExecStart").map(Vec::as_slice).unwrap_or_default();
    // An empty assignment takes back the ones before.
    let from = starts.iter().rposition(|(_, value)| value.is_empty()).map_or(0, |at| at + 1);
    let lead = |value: &str| value.trim_start_matches(['-', '+', '@', '!', ':']).to_owned();
    let command = |(line, value): &(u32, String)| {
        let words: Vec<Word> = commands(&lead(value)).into_iter().next()?.words;
        follow(&goal, &words, base.clone(), *line)
    };
    starts[from..].iter().filter_map(command).collect()
}

fn setup(keys: &Keys, of_user: bool) -> Launch {
    let all = |key: &str| keys.get(key).map(Vec::as_slice).unwrap_or_default();
    let last = |key: &str| all(key).last().map(|(_, value)| value.clone()).filter(|value| !value.is_empty());
    let mut launch = Launch::new(if of_user { Start::Inherited } else { Start::Empty });
    launch.own_path = !of_user;
    launch.user = last("User").or_else(|| last("DynamicUser").filter(|v| is_yes(v)).map(|_| "(dynamic)".into()));
    launch.home_of_user = of_user || launch.user.is_some();
    launch.cwd = last("WorkingDirectory").map(|folder| folder.trim_start_matches('-').to_owned());
    launch.umask = last("UMask").and_then(|mode| Mode::parse(&mode));
    launch.private_tmp = last("PrivateTmp").is_some_and(|value| is_yes(&value) || value == "disconnected")
        || last("DynamicUser").is_some_and(|value| is_yes(&value));
    for (line, value) in all("Environment") {
        for word in commands(value).into_iter().flat_map(|command| command.words) {
            if let Some((name, value)) = word.assignment() {
                launch.pass(name, &value, false, *line);
            }
        }
    }
    launch.unread.extend(all("EnvironmentFile").iter().map(|(_, value)| value.trim_start_matches('-').to_owned()));
    for (line, value) in all("PassEnvironment") {
        for name in value.split_whitespace() {
            launch.pass_from(name.to_owned(), Origin::Inherited, *line);
        }
    }
    for (_, value) in all("UnsetEnvironment") {
        value.split_whitespace().for_each(|name| launch.unset(name));
    }
    if ["LoadCredential", "LoadCredentialEncrypted", "SetCredentialEncrypted", "ImportCredential"]
        .iter()
        .any(|key| !all(key).is_empty())
    {
        launch.broker = Some("systemd credentials".into());
    }
    let options = keys.iter().filter_map(|(key, values)| Some((key.as_str(), values.last()?.1.as_str())));
    if is_sandboxed(options) {
        launch.sandbox = Some((Sandbox::Systemd, all("ProtectSystem").last().map_or(1, |(line, _)| *line)));
    }
    launch
}

/// Whether options of a unit shut the agent in: the system read-only, homes away, and no new privileges.
pub(super) fn is_sandboxed<'a>(options: impl Iterator<Item = (&'a str, &'a str)>) -> bool {
    let (mut system, mut homes, mut privileges) = (false, false, false);
    for (key, value) in options {
        match key {
            "ProtectSystem" => system |= value == "strict",
            "ProtectHome" => homes |= is_yes(value) || value == "tmpfs" || value == "read-only",
            "NoNewPrivileges" => privileges |= is_yes(value),
            "RootDirectory" | "RootImage" => (system, homes) = (true, true),
            "DynamicUser" if is_yes(value) => (system, privileges) = (true, true),
            _ => {}
        }
    }
    system && homes && privileges
}

fn is_yes(value: &str) -> bool {
    matches!(value, "yes" | "true" | "on" | "1")
}

/// How a desktop file starts one of `agents`: with the environment of the session.
pub(super) fn desktop(text: &str, agents: &[String]) -> Vec<Launch> {
    let keys = section(text, "Desktop Entry");
    let lookup = |_: &str| None;
    let goal = Goal { commands: agents, own: "", lookup: &lookup };
    let mut base = Launch::new(Start::Inherited);
    base.cwd = keys.get("Path").and_then(|values| values.last()).map(|(_, value)| value.clone());
    let starts = keys.get("Exec").map(Vec::as_slice).unwrap_or_default();
    starts
        .iter()
        .filter_map(|(line, value)| follow(&goal, &commands(value).into_iter().next()?.words, base.clone(), *line))
        .collect()
}
