//! Whether the project's repository holds what the agent writes: tracked, in its history, or free to be added.

use std::io;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use schemars::JsonSchema;
use serde::Serialize;

use super::git::repository::{self, Place, Repository};
use super::git::{self, ignore as rules};
use super::{ProbeError, state, subject};
use crate::host::{History, Host};
use crate::model::{AbsPath, IgnorePattern, Location, Look, Scope, StateKind, Subject};

/// What the project's repository holds of the agent's state.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// The top of the repository; null where the project is in none.
    repository: Option<AbsPath>,
    /// State files that are tracked.
    tracked: Look<Vec<String>>,
    /// State files in older commits that are not tracked now.
    in_history: Look<Vec<String>>,
    /// Whether older commits are unknown for no other reason than that the clone is shallow, and the policy takes that.
    past_excused: bool,
    /// How much of the history was looked through.
    searched: String,
    /// What was found, in words.
    says: String,
    /// What the ignore rules have to cover, and do.
    ignore: Look<Ignore>,
}

/// What the ignore rules have to cover, and do.
#[derive(Serialize, JsonSchema)]
struct Ignore {
    /// Every pattern that they have to cover.
    patterns: Vec<Pattern>,
    /// Those that no rule covers.
    missing: Vec<String>,
    /// The file that rules would be written into.
    at: Location,
}

/// A pattern that the ignore rules have to cover.
#[derive(Serialize, JsonSchema)]
struct Pattern {
    /// As it would stand in `.gitignore`.
    path: String,
    /// Whether a rule covers it.
    ignored: bool,
    /// The rule that does, with its file.
    rule: Option<String>,
    /// Whether that rule is the person's own and so holds on this machine only.
    global: bool,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let unreadable = |error| ProbeError::unreadable(&subject.project.join(".git"), error);
    let nothing = Fact {
        repository: None,
        tracked: Look::Known(Vec::new()),
        in_history: Look::Known(Vec::new()),
        past_excused: false,
        searched: String::new(),
        says: String::new(),
        ignore: Look::Known(Ignore {
            patterns: Vec::new(),
            missing: Vec::new(),
            at: Location::file(subject::shown(subject, &subject.project.join(".gitignore"))),
        }),
    };
    let repository = match repository::around(host, &subject.project).map_err(unreadable)? {
        Place::None => return Ok(nothing),
        Place::Elsewhere { pointer, .. } => {
            let unknown =
                Look::unknown(format!("`{pointer}` leads elsewhere and was not followed"), "look at where it leads");
            return Ok(Fact {
                repository: pointer.parent(),
                tracked: unknown.clone(),
                in_history: unknown,
                ignore: Look::unknown("the repository was not followed", "look at where `.git` leads"),
                ..nothing
            });
        }
        Place::Repository(repository) => repository,
    };
    let names = names(subject)?;
    let is_state = |path: &[u8]| {
        let path = String::from_utf8_lossy(path);
        names.matched_path_or_any_parents(path.as_ref(), false).is_ignore()
    };
    let tracked = git::tracked(host, &repository).map(|tracked| {
        let found = tracked.paths.iter().filter(|path| is_state(path));
        found.map(|path| String::from_utf8_lossy(path).into_owned()).collect::<Vec<_>>()
    });
    let limit = subject.parameters.number("history_commits");
    let history = host.history(&repository.common_dir, limit, &is_state);
    let shallow = history.as_ref().is_ok_and(History::is_shallow);
    let searched = history.as_ref().map(searched).unwrap_or_default();
    let in_history = match history {
        Ok(history) => older(history, limit, tracked.known()),
        Err(error) => Look::Unknown(ProbeError::unreadable(&repository.common_dir.join("objects"), error).into()),
    };
    let past_excused = shallow && in_history.known().is_none() && !subject.parameters.flag("require_history");
    let ignore = ignore(host, subject, &repository);
    let says = says(tracked.known(), in_history.known());
    Ok(Fact {
        repository: Some(repository.top),
        tracked,
        in_history,
        past_excused,
        searched,
        says,
        ignore: ignore.into(),
    })
}

fn searched(history: &History) -> String {
    match &history.incomplete {
        Some(why) => format!("the newest {} commits; {why}", history.commits),
        None => format!("all {} commits", history.commits),
    }
}

/// Most names in a sentence.
const NAMED: usize = 5;

fn says(tracked: Option<&Vec<String>>, older: Option<&Vec<String>>) -> String {
    let named = |paths: &Vec<String>| {
        let names: Vec<String> = paths.iter().take(NAMED).map(|path| format!("`{path}`")).collect();
        let more = paths.len().saturating_sub(NAMED);
        if more == 0 { names.join(", ") } else { format!("{} and {more} more", names.join(", ")) }
    };
    let say = |paths: Option<&Vec<String>>, end: &str| {
        paths.filter(|paths| !paths.is_empty()).map(|paths| format!("{}: {end}", named(paths)))
    };
    let parts = [say(tracked, "tracked"), say(older, "not tracked now, but in older commits")];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// What was found counts however little was looked through; finding nothing counts only if the policy's number of
/// commits, or all there are, was looked through.
fn older(history: History, limit: u64, tracked: Option<&Vec<String>>) -> Look<Vec<String>> {
    let old: Vec<String> =
        history.paths.into_iter().filter(|path| tracked.is_none_or(|tracked| !tracked.contains(path))).collect();
    match history.incomplete {
        Some(why) if old.is_empty() && history.commits < limit => Look::unknown(
            format!("the history could not be looked through: {why}"),
            "audit a full clone (`fetch-depth: 0` in CI, `git fetch --unshallow`)",
        ),
        _ => Look::Known(old),
    }
}

/// Names of state files in a repository: those of the project at their place, those of a home wherever a dotfiles
/// repository may keep them. An agent's whole folder of a home is not among them: a project has one of the same name
/// (`.claude`, `.codex`) for settings that are meant to be shared.
fn names(subject: &Subject) -> Result<Gitignore, ProbeError> {
    let mut builder = GitignoreBuilder::new("");
    for state in subject.agent.state.iter().filter(|state| state::is_telling(state.kind)) {
        let Some((place, rest)) = state.path.strip_prefix('{').and_then(|path| path.split_once('}')) else { continue };
        let usual = match place {
            "project" | "workspace" => format!("/{}", rest.trim_start_matches('/')),
            "data" => format!("**/.local/share{rest}"),
            "state" => format!("**/.local/state{rest}"),
            "home" => format!("**{rest}"),
            _ => continue,
        };
        if place == "home" && state.kind == StateKind::Directory {
            continue;
        }
        // Beside a database lie its journals and copies.
        let beside = if state.kind == StateKind::Database { "*" } else { "" };
        // A line that is no pattern names no file.
        let _ = builder.add_line(None, &format!("{}{beside}", usual.trim_end_matches('*')));
    }
    builder.build().map_err(|error| ProbeError::garbled("the agent's state paths", error.to_string()))
}

fn ignore(host: &dyn Host, subject: &Subject, repository: &Repository) -> Result<Ignore, ProbeError> {
    let mut patterns = Vec::new();
    for IgnorePattern { pattern, .. } in subject.agent.ignore.iter().filter(|ignore| concerns(host, subject, ignore)) {
        // A file that the pattern stands for: rules may name the folder or what is in it.
        let name = pattern.trim_matches('/').replace("**", "x").replace('*', "x");
        let sample = if pattern.ends_with('/') { format!("{name}/x") } else { name };
        let rule = rules::rule(host, subject, repository, &repository.top.join(sample), false)?;
        patterns.push(Pattern {
            path: pattern.clone(),
            ignored: rule.is_some(),
            rule: rule.as_ref().map(|rule| format!("{} in {}", rule.text, subject::shown(subject, &rule.file))),
            global: rule.is_some_and(|rule| rule.global),
        });
    }
    let missing = patterns.iter().filter(|pattern| !pattern.ignored).map(|pattern| pattern.path.clone()).collect();
    let at = Location::file(subject::shown(subject, &repository.top.join(".gitignore")));
    Ok(Ignore { patterns, missing, at })
}

/// Whether what the pattern stands for may come to be written here. What cannot be looked at counts as there.
fn concerns(host: &dyn Host, subject: &Subject, ignore: &IgnorePattern) -> bool {
    let in_view = |path: &&String| subject.scope > Scope::Repo || path.starts_with("{project}");
    let places = ignore.shown_by.iter().filter(in_view).filter_map(|path| subject::place(subject, path));
    let is_there = |path: AbsPath| !matches!(host.stat(&path), Err(error) if error.kind() == io::ErrorKind::NotFound);
    ignore.shown_by.is_empty() || places.into_iter().any(is_there)
}
