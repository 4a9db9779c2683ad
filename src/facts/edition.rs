//! Which of several programs of one name an audit goes by. OpenCode 1 and 2 are both called `opencode`, read files of
//! the same names and make different things of them, so the version decides what a setting means.
//!
//! Asked in this order: the profile, the installed program's package or place, files that only one of them writes, keys
//! that only one of them reads. The latter two, and what stands in where nothing tells, are said to be assumed.

use std::sync::Arc;

use super::config::jsonc::jsonc;
use super::config::{Map, NodeValue};
use super::subject::{jail, place, shown};
use super::{program, variable};
use crate::host::{self, CONFIG_LIMIT, Host, read_text};
use crate::model::{AbsPath, Agent, AgentVersion, Scope, Subject};

/// The agent that the subject's version is described by, and the version.
pub(super) fn of(host: &dyn Host, subject: &Subject) -> (Arc<Agent>, AgentVersion) {
    let agent = &subject.agent;
    let Some(own) = agent.edition.as_ref().filter(|_| !agent.others.is_empty()) else {
        let version =
            AgentVersion { name: agent.name.clone(), told_by: "it has one kind".into(), ..AgentVersion::default() };
        return (agent.clone(), version);
    };
    let all: Vec<&Arc<Agent>> = std::iter::once(agent).chain(&agent.others).collect();
    let told = told(host, subject, &all);
    let (chosen, number, told_by, assumed) = match told {
        Some(Told { agent, number, by, assumed }) => (agent, number, by, assumed),
        None => {
            let by = format!("nothing here tells its version; a profile can, with `agent_version: \"{}\"`", own.major);
            (agent.clone(), None, by, true)
        }
    };
    let name = chosen.edition.as_ref().map_or(&chosen.name, |edition| &edition.name).clone();
    (chosen, AgentVersion { name, number, told_by, assumed })
}

struct Told {
    agent: Arc<Agent>,
    number: Option<String>,
    by: String,
    assumed: bool,
}

fn told(host: &dyn Host, subject: &Subject, all: &[&Arc<Agent>]) -> Option<Told> {
    let found = |agent: &Arc<Agent>, number: Option<&str>, by: String, assumed| {
        Some(Told { agent: agent.clone(), number: number.map(str::to_owned), by, assumed })
    };
    if let Some(number) = subject.parameters.text("agent_version")
        && let Some(agent) = of_number(all, number)
    {
        return found(agent, Some(number), "the profile says so".into(), false);
    }
    if subject.scope > Scope::Repo {
        if let Some(told) = installed(host, subject, all) {
            return Some(told);
        }
        for agent in all {
            let signs = agent.edition.iter().flat_map(|edition| &edition.signs);
            let mut signs = signs.filter_map(|sign| place(subject, sign));
            if let Some(path) = signs.find(|path| matches!(host::exists(host, path), Ok(true))) {
                return found(agent, None, format!("only it writes `{}`", shown(subject, &path)), true);
            }
        }
    }
    let (agent, key, file) = by_keys(host, subject, all)?;
    found(agent, None, format!("only it reads `{key}`, which `{file}` sets"), true)
}

fn of_number<'a>(all: &[&'a Arc<Agent>], number: &str) -> Option<&'a Arc<Agent>> {
    let major = number.trim_start_matches('v').split('.').next()?.parse::<u64>().ok()?;
    all.iter().find(|agent| agent.edition.as_ref().is_some_and(|edition| edition.major == major)).copied()
}

/// What the installed program says of itself: its package, its name, the folder it lies in.
fn installed(host: &dyn Host, subject: &Subject, all: &[&Arc<Agent>]) -> Option<Told> {
    // What may not be looked at tells nothing; the fact about the program reports it.
    let (binary, resolved) = program::find(host, subject).ok().flatten()?;
    let told = |agent: &Arc<Agent>, number: Option<String>, what: String| {
        Some(Told { agent: agent.clone(), number, by: format!("`{binary}` {what}"), assumed: false })
    };
    if let Some(package) = program::package(host, &resolved).ok().flatten() {
        let of_package = all.iter().find(|agent| {
            agent.edition.as_ref().is_some_and(|edition| variable::listed(&edition.packages, &package.name))
        });
        if let Some(agent) = of_package {
            let version = package.version.as_deref().unwrap_or("without a version");
            let what = format!("comes from the package {} {version}", package.name);
            return told(agent, package.version, what);
        }
    }
    let name = binary.name_text();
    let mut named = all.iter().filter(|agent| agent.commands.iter().any(|command| *command == name));
    if let (Some(agent), None) = (named.next(), named.next()) {
        let number = number_in(&resolved);
        return told(agent, number, "is a name that only it has".into());
    }
    let number = number_in(&resolved)?;
    told(of_number(all, &number)?, Some(number.clone()), format!("lies in a folder of version {number}"))
}

/// A version among the folders of a path, as Homebrew and Nix write it: `…/Cellar/opencode/1.18.33/bin/opencode`.
fn number_in(path: &AbsPath) -> Option<String> {
    let text = path.text();
    let mut numbers = text.split('/').filter_map(|part| {
        let last = part.rsplit_once('-').map_or(part, |(_, last)| last);
        let numbers: Vec<&str> = last.split('.').collect();
        let whole =
            numbers.len() == 3 && numbers.iter().all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        whole.then(|| last.to_owned())
    });
    numbers.next()
}

/// The first file with a key that only one of the programs reads.
fn by_keys<'a>(host: &dyn Host, subject: &Subject, all: &[&'a Arc<Agent>]) -> Option<(&'a Arc<Agent>, String, String)> {
    let files = all.iter().filter_map(|agent| agent.edition.as_ref()).flat_map(|edition| &edition.files);
    for path in files.filter_map(|file| place(subject, file)) {
        if subject.scope == Scope::Repo && !path.is_within(&subject.project) {
            continue;
        }
        let Ok(Some(text)) = read_text(host, &path, jail(subject, &path), CONFIG_LIMIT) else { continue };
        let Ok(parsed) = jsonc(&text, u32::MAX) else { continue };
        for (key, value) in parsed.root.map().into_iter().flat_map(Map::iter) {
            let is_list = matches!(value.value, NodeValue::List(_));
            let has = |agent: &&&Arc<Agent>| {
                let keys = agent.edition.iter().flat_map(|edition| &edition.keys);
                keys.into_iter().any(|known| known.key == key.name && known.list == is_list)
            };
            if let Some(agent) = all.iter().find(has) {
                return Some((agent, key.name.clone(), shown(subject, &path)));
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_may_carry_the_version() {
        for (path, number) in [
            ("/opt/homebrew/Cellar/opencode/1.18.33/bin/opencode", Some("1.18.33")),
            ("/nix/store/abc-opencode-2.0.6/bin/opencode", Some("2.0.6")),
            ("/usr/lib/node-v22.1.0/bin/opencode", None),
            ("/home/dev/.opencode/bin/opencode", None),
        ] {
            assert_eq!(number_in(&AbsPath::new(path).expect("absolute")).as_deref(), number, "{path}");
        }
    }
}
