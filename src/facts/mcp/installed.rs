//! How a server can be pinned without asking anybody: to the version of its package that lies installed here. Where none
//! does, the command that tells the newest one is said, and not run.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::command::{Launch, Launcher};
use super::definition::Definition;
use super::{argument, repair};
use crate::facts::config::Node;
use crate::facts::config::jsonc::jsonc;
use crate::facts::subject::jail;
use crate::host::{CONFIG_LIMIT, Host, read_text};
use crate::model::{AbsPath, Location, McpShape, Scope, Subject};

/// Most folders of npm's cache that are looked into.
const CACHED: usize = 200;

/// How a server is pinned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Pinning {
    /// The file that its command stands in; null where nothing is known that could be written there.
    pub file: Option<String>,
    /// Its command with the installed version; empty where there is none, or where it holds what could be a secret.
    pub command: Vec<String>,
    /// The command that tells the versions there are; null where none is known.
    pub lookup: Option<String>,
}

/// See [`Pinning`].
pub(super) fn pinning(
    host: &dyn Host,
    subject: &Subject,
    definition: &Definition,
    launch: &Launch,
    at: Option<&Location>,
) -> Pinning {
    let Some(package) = launch.loosest().filter(|package| !repair::is_held(package.pin)) else {
        return Pinning::default();
    };
    let lookup = lookup(launch.launcher, &package.name);
    let argv: Vec<String> = definition.argv.iter().map(|placed| placed.text.clone()).collect();
    let written = at.and_then(|at| file_of(host, subject, &definition.name, &argv, &at.file));
    let command = written.as_ref().and_then(|_| {
        let version = installed(host, subject, launch.launcher, &package.name)?;
        let command = repair::rewritten(&argv, package, &format!("{}@{version}", package.name))?;
        let spec = format!("{}@{version}", package.name);
        (argument::shown(&command, &[&spec]) == command).then_some(command)
    });
    match command {
        Some(command) => Pinning { file: written.map(|path| path.text()), command, lookup },
        None => Pinning { lookup, ..Pinning::default() },
    }
}

/// The file, where it says this command in the form that is edited: `mcp`, the name, `command`.
fn file_of(host: &dyn Host, subject: &Subject, name: &str, argv: &[String], file: &str) -> Option<AbsPath> {
    if subject.agent.mcp.first().is_none_or(|first| first.shape != McpShape::Argv) {
        return None;
    }
    let path = subject.project.join(file);
    // What cannot be read is not edited; that it could not be read says the server's own record.
    let text = read_text(host, &path, jail(subject, &path), CONFIG_LIMIT).ok()??;
    let parsed = jsonc(&text, 0).ok()?;
    let entry = parsed.root.get("mcp")?.map()?.get(name)?;
    let words = entry.get("command")?.list()?.iter().map(Node::text).collect::<Option<Vec<_>>>()?;
    (words == argv).then_some(path)
}

/// The one version that lies in the project, else in the cache of the account.
fn installed(host: &dyn Host, subject: &Subject, launcher: Launcher, name: &str) -> Option<String> {
    if !is_fetched_by_npm(launcher) || !is_name(name) {
        return None;
    }
    if let Some(version) = version_in(host, subject, &subject.project.join("node_modules").join(name)) {
        return Some(version);
    }
    let folders = cached(host, subject);
    let mut versions: Vec<String> = folders
        .iter()
        .filter_map(|folder| version_in(host, subject, &folder.join("node_modules").join(name)))
        .collect();
    versions.sort();
    versions.dedup();
    // Of several nobody knows which one was meant.
    if versions.len() == 1 { versions.pop() } else { None }
}

fn version_in(host: &dyn Host, subject: &Subject, folder: &AbsPath) -> Option<String> {
    let path = folder.join("package.json");
    let text = read_text(host, &path, jail(subject, &path), CONFIG_LIMIT).ok()??;
    let value: Value = serde_json::from_str(&text).ok()?;
    let version = value.get("version")?.as_str()?;
    super::package::is_semver(version).then(|| version.to_owned())
}

/// The integrity of a version of npm's, as a lock file of npm that lies here gives it.
pub(super) fn integrity(
    host: &dyn Host,
    subject: &Subject,
    launcher: Launcher,
    name: &str,
    version: &str,
) -> Option<String> {
    if !is_fetched_by_npm(launcher) {
        return None;
    }
    let key = format!("node_modules/{name}");
    let in_file = |path: AbsPath| {
        let text = read_text(host, &path, jail(subject, &path), CONFIG_LIMIT).ok()??;
        let value: Value = serde_json::from_str(&text).ok()?;
        let entry = value.get("packages")?.get(&key)?;
        let integrity = entry.get("integrity")?.as_str().filter(|_| entry["version"] == version)?;
        let (kind, digest) = integrity.split_once('-')?;
        let plain = digest.chars().all(|c| c.is_ascii_alphanumeric() || "+/=".contains(c));
        (matches!(kind, "sha512" | "sha384" | "sha256") && plain).then(|| integrity.to_owned())
    };
    let own = ["package-lock.json", "node_modules/.package-lock.json"].map(|file| subject.project.join(file));
    let cached = cached(host, subject).into_iter().map(|folder| folder.join("package-lock.json"));
    own.into_iter().chain(cached).find_map(in_file)
}

fn is_fetched_by_npm(launcher: Launcher) -> bool {
    matches!(launcher, Launcher::Npx | Launcher::Bunx | Launcher::PnpmDlx | Launcher::YarnDlx)
}

/// The folders of what `npx` has fetched for the account before.
fn cached(host: &dyn Host, subject: &Subject) -> Vec<AbsPath> {
    let Some(home) = subject.home().filter(|_| subject.scope > Scope::Repo) else { return Vec::new() };
    let cache = home.join(".npm/_npx");
    // Where it cannot be listed nothing is known to be installed, which is said.
    let folders = host.list(&cache).unwrap_or_default();
    folders.iter().take(CACHED).map(|folder| cache.join(&folder.name)).collect()
}

/// A name as npm takes it, which is no path to somewhere else.
fn is_name(name: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && !part.starts_with('.')
            && part.chars().all(|c| c.is_ascii_alphanumeric() || "-._~".contains(c))
    };
    match name.strip_prefix('@').map(|scoped| scoped.split_once('/')) {
        Some(Some((scope, rest))) => part(scope) && part(rest),
        Some(None) => false,
        None => part(name),
    }
}

/// The command that tells which versions there are. A name that is not plain is not put into one.
fn lookup(launcher: Launcher, name: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "@/._-:".contains(c);
    if name.starts_with('-') || !name.chars().all(plain) {
        return None;
    }
    Some(match launcher {
        Launcher::Npx | Launcher::Bunx | Launcher::PnpmDlx | Launcher::YarnDlx => format!("npm view {name} version"),
        Launcher::Uvx | Launcher::UvRun | Launcher::Pipx => format!("pip index versions {name}"),
        Launcher::GoRun => format!("go list -m {name}@latest"),
        Launcher::Docker => format!("docker buildx imagetools inspect {name}"),
        Launcher::Podman | Launcher::Nerdctl => format!("skopeo inspect docker://{name}"),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_lead_elsewhere_are_none() {
        for (name, is) in [
            ("a", true),
            ("@a/b-c.d", true),
            ("..", false),
            ("../x", false),
            ("@a/../x", false),
            ("@a", false),
            ("a/b", false),
            ("", false),
        ] {
            assert_eq!(is_name(name), is, "{name}");
        }
    }

    #[test]
    fn the_command_to_run_is_said_for_what_has_one() {
        for (launcher, name, said) in [
            (Launcher::Npx, "@a/b", "npm view @a/b version"),
            (Launcher::Uvx, "mcp-x", "pip index versions mcp-x"),
            (Launcher::Npx, "a;b", ""),
            (Launcher::Npx, "--x", ""),
            (Launcher::Download, "x", ""),
        ] {
            assert_eq!(lookup(launcher, name).unwrap_or_default(), said);
        }
    }
}
