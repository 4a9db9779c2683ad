//! Where the agent starts, held against homes, the top of the file system and the shape of the repository.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use schemars::JsonSchema;
use serde::Serialize;

use super::git::repository::{self, Place};
use super::{ProbeError, git, people};
use crate::host::{self, Host, Keep, Kind};
use crate::model::launch::Found;
use crate::model::{AbsPath, Look, Scope, Subject};

/// Files that make a folder a package of its own.
const MANIFESTS: &[&str] = &[
    "package.json",
    "Cargo.toml",
    "go.mod",
    "pyproject.toml",
    "setup.py",
    "pom.xml",
    "build.gradle",
    "build.gradle.kts",
    "composer.json",
    "Gemfile",
    "mix.exs",
    "pubspec.yaml",
    "Package.swift",
    "deno.json",
];
/// Folders whose manifests belong to others, or to tests.
const NOT_PACKAGES: &[&str] = &[
    "node_modules",
    "vendor",
    "third_party",
    "target",
    "dist",
    "build",
    ".git",
    ".venv",
    "venv",
    "fixtures",
    "__fixtures__",
    "testdata",
    "tests",
    "test",
    "examples",
    "example",
    "templates",
    "template",
    "benchmarks",
];
/// The most files and folders that are counted through where no index tells.
const ENTRIES: usize = 200_000;
/// The deepest folder that is looked into then.
const DEPTH: usize = 8;

/// Where the agent starts.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// The folder, links followed.
    path: AbsPath,
    /// Whether the launcher names it; else it is the audited one, or the profile's.
    from_launcher: bool,
    /// Whether it is the top of the file system.
    is_root: bool,
    /// The account whose home it is; null where it is none's.
    home_of: Option<String>,
    /// Accounts whose homes lie in it.
    holds_homes: Vec<String>,
    /// Whether it is so wide that it holds what no task needs: the top, a home, or a folder of homes.
    too_wide: bool,
    /// Why, in a few words.
    says: String,
    /// The top of the git work tree around it; null where there is none.
    git_top: Option<AbsPath>,
    /// Whether it is that top itself.
    is_git_top: bool,
    /// Files that list the members of a workspace.
    workspace_files: Vec<String>,
    /// How many packages lie in it.
    packages: Look<u64>,
    /// Whether it is the top of a repository with at least as many packages as the profile calls a monorepo; half as
    /// many where a workspace file says that they belong together.
    is_monorepo: Look<bool>,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let launched = launched(subject);
    let given = launched.clone().unwrap_or_else(|| subject.workspace.clone());
    let unreadable = |error| ProbeError::unreadable(&given, error);
    let path = match host::resolve(host, &given, None) {
        Ok(path) => path,
        // A folder that is only made at start has no shape yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => given.clone(),
        Err(error) => return Err(unreadable(error)),
    };
    let homes = homes(host, subject)?;
    let home_of = homes.iter().find(|(_, home)| *home == path).map(|(name, _)| name.clone());
    let inside = homes.iter().filter(|(_, home)| *home != path && home.is_within(&path));
    let holds_homes: Vec<String> = inside.map(|(name, _)| name.clone()).collect();
    let is_root = path == AbsPath::root();
    let git_top = match repository::around(host, &path).map_err(unreadable)? {
        Place::Repository(repository) => Some(repository.top),
        Place::Elsewhere { pointer, .. } => pointer.parent(),
        Place::None => None,
    };
    let is_git_top = git_top.as_ref() == Some(&path);
    let workspace_files = workspace_files(host, &path);
    let packages = packages(host, &path, is_git_top);
    let least = subject.parameters.number("monorepo_manifests");
    let least = if workspace_files.is_empty() { least } else { least.div_ceil(2) };
    Ok(Fact {
        says: says(is_root, home_of.as_deref(), &holds_homes),
        too_wide: is_root || home_of.is_some() || !holds_homes.is_empty(),
        from_launcher: launched.is_some(),
        is_monorepo: packages.clone().map(|count| is_git_top && count >= least.max(2)),
        path,
        is_root,
        home_of,
        holds_homes,
        git_top,
        is_git_top,
        workspace_files,
        packages,
    })
}

/// Where the launcher starts the agent, if it says.
fn launched(subject: &Subject) -> Option<AbsPath> {
    if subject.parameters.text("workspace").is_some() {
        return None;
    }
    match &*subject.launcher {
        Found::Launcher(launcher) => AbsPath::new(launcher.launches.iter().find_map(|launch| launch.cwd.as_ref())?),
        _ => None,
    }
}

/// Homes of people, of root, and of the agent where a person has its account. An account that is the agent's alone
/// may well work in its home: a container does.
fn homes(host: &dyn Host, subject: &Subject) -> Result<Vec<(String, AbsPath)>, ProbeError> {
    if subject.scope == Scope::Repo {
        return Ok(Vec::new());
    }
    let homes = people::homes(host, subject)?.into_iter().filter(|home| home.is_human || home.uid.0 == 0);
    Ok(homes.map(|home| (home.owner, home.path)).collect())
}

fn says(is_root: bool, home_of: Option<&str>, holds: &[String]) -> String {
    match (is_root, home_of, holds) {
        (true, ..) => "the top of the file system".into(),
        (_, Some(name), _) => format!("the home of `{name}`"),
        (_, _, []) => "a folder of its own".into(),
        (_, _, names) => format!("a folder that holds the home of `{}`", names.join("`, `")),
    }
}

/// Files that list members of a workspace.
fn workspace_files(host: &dyn Host, top: &AbsPath) -> Vec<String> {
    let read = |name: &str| host::read_text(host, &top.join(name), Some(top), host::CONFIG_LIMIT).ok().flatten();
    let is_there = |name: &&&str| host.stat(&top.join(name)).is_ok();
    let named = ["pnpm-workspace.yaml", "go.work", "lerna.json", "nx.json", "rush.json", "turbo.json"];
    let mut found: Vec<String> = named.iter().filter(is_there).map(|name| (*name).to_owned()).collect();
    for (name, mark) in
        [("package.json", "\"workspaces\""), ("Cargo.toml", "members"), ("pyproject.toml", "[tool.uv.workspace]")]
    {
        if read(name).is_some_and(|text| text.contains(mark)) {
            found.push(name.to_owned());
        }
    }
    found
}

/// How many folders hold a manifest: by the index where there is one, else by a walk.
fn packages(host: &dyn Host, top: &AbsPath, is_git_top: bool) -> Look<u64> {
    if let Some(tracked) = indexed(host, top).filter(|_| is_git_top) {
        return Look::Known(count(tracked.paths.iter().map(|path| String::from_utf8_lossy(path).into_owned())));
    }
    let mut left = ENTRIES;
    let walked = host.walk(top, &mut |path, kind| {
        left = left.saturating_sub(1);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match kind {
            _ if left == 0 => Keep::Prune,
            Kind::Dir if NOT_PACKAGES.contains(&name.as_ref()) || path.components().count() > DEPTH => Keep::Prune,
            Kind::File if MANIFESTS.contains(&name.as_ref()) => Keep::Yes,
            _ => Keep::Pass,
        }
    });
    match walked {
        Ok((files, _)) if left > 0 => {
            Look::Known(count(files.into_iter().map(|(path, _)| path.to_string_lossy().into_owned())))
        }
        Ok(_) => Look::unknown(format!("`{top}` holds more than {ENTRIES} files"), "name a narrower workspace"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Look::Known(0),
        Err(error) => Look::Unknown(ProbeError::unreadable(top, error).into()),
    }
}

/// What the index lists; None where it lists nothing or cannot be read.
fn indexed(host: &dyn Host, top: &AbsPath) -> Option<git::Tracked> {
    let tracked = git::tracked_at(host, top).known().cloned().flatten();
    tracked.filter(|tracked| !tracked.paths.is_empty())
}

fn count(paths: impl Iterator<Item = String>) -> u64 {
    let folders: BTreeSet<String> = paths
        .filter(|path| {
            let path = Path::new(path);
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let parts = path.parent().into_iter().flat_map(Path::components);
            MANIFESTS.contains(&name.as_ref())
                && !parts.into_iter().any(|part| NOT_PACKAGES.contains(&part.as_os_str().to_string_lossy().as_ref()))
        })
        .map(|path| Path::new(&path).parent().unwrap_or(Path::new("")).to_string_lossy().into_owned())
        .collect();
    folders.len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_folders_with_a_manifest_that_is_the_projects_own() {
        let paths = [
            "package.json",
            "Cargo.toml",
            "a/package.json",
            "b/c/go.mod",
            "node_modules/x/package.json",
            "tests/fixtures/y/Cargo.toml",
            "examples/z/package.json",
            "a/src/lib.rs",
        ];
        assert_eq!(count(paths.iter().map(|path| (*path).to_owned())), 3);
    }
}
