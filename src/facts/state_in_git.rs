//! Whether the project's repository holds what the agent writes: tracked, in its history, or free to be added.

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use schemars::JsonSchema;
use serde::Serialize;

use super::git::repository::{self, Place, Repository};
use super::git::{self, ignore as rules};
use super::{ProbeError, state, subject};
use crate::host::{History, Host};
use crate::model::{AbsPath, Location, Look, StateKind, Subject};

/// What the project's repository holds of the agent's state.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// The top of the repository; null where the project is in none.
    repository: Option<AbsPath>,
    /// State files that are tracked.
    tracked: Look<Vec<String>>,
    /// State files in older commits that are not tracked now.
    in_history: Look<Vec<String>>,
    /// How much of the history was looked through.
    searched: String,
    /// Every pattern that the ignore rules have to cover.
    patterns: Look<Vec<Pattern>>,
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
    /// The file that a rule would be written into.
    at: Location,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let unreadable = |error| ProbeError::unreadable(&subject.project.join(".git"), error);
    let nothing = Fact {
        repository: None,
        tracked: Look::Known(Vec::new()),
        in_history: Look::Known(Vec::new()),
        searched: String::new(),
        patterns: Look::Known(Vec::new()),
    };
    let repository = match repository::around(host, &subject.project).map_err(unreadable)? {
        Place::None => return Ok(nothing),
        Place::Elsewhere { pointer, .. } => {
            let unknown = Look::unknown(format!("`{pointer}` leads elsewhere and was not followed"), "look at where it leads");
            return Ok(Fact {
                repository: pointer.parent(),
                tracked: unknown.clone(),
                in_history: unknown,
                patterns: Look::unknown("the repository was not followed", "look at where `.git` leads"),
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
    let searched = history.as_ref().map(searched).unwrap_or_default();
    let in_history = match history {
        Ok(history) => older(history, limit, tracked.known()),
        Err(error) => Look::Unknown(ProbeError::unreadable(&repository.common_dir.join("objects"), error).into()),
    };
    let patterns = patterns(host, subject, &repository);
    Ok(Fact { repository: Some(repository.top), tracked, in_history, searched, patterns: patterns.into() })
}

fn searched(history: &History) -> String {
    match &history.incomplete {
        Some(why) => format!("the newest {} commits; {why}", history.commits),
        None => format!("all {} commits", history.commits),
    }
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
/// repository may keep them.
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
        // Beside a database lie its journals and copies.
        let beside = if state.kind == StateKind::Database { "*" } else { "" };
        // A line that is no pattern names no file.
        let _ = builder.add_line(None, &format!("{}{beside}", usual.trim_end_matches('*')));
    }
    builder.build().map_err(|error| ProbeError::garbled("the agent's state paths", error.to_string()))
}

fn patterns(host: &dyn Host, subject: &Subject, repository: &Repository) -> Result<Vec<Pattern>, ProbeError> {
    let shown = subject::shown(subject, &repository.top.join(".gitignore"));
    let mut patterns = Vec::new();
    for pattern in &subject.agent.ignore {
        // A file that the pattern stands for: rules may name the folder or what is in it.
        let name = pattern.trim_matches('/').replace("**", "x").replace('*', "x");
        let sample = if pattern.ends_with('/') { format!("{name}/x") } else { name };
        let rule = rules::rule(host, subject, repository, &repository.top.join(sample), false)?;
        patterns.push(Pattern {
            path: pattern.clone(),
            ignored: rule.is_some(),
            rule: rule.as_ref().map(|rule| format!("{} in {}", rule.text, subject::shown(subject, &rule.file))),
            global: rule.is_some_and(|rule| rule.global),
            at: Location::file(&shown),
        });
    }
    Ok(patterns)
}
