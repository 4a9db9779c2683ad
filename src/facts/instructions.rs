//! The files that tell the agent what to do: characters in them that a reader does not see, and whether the agent's
//! own account can change them without anyone reviewing it.

use std::io;
use std::path::PathBuf;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::hidden::{Hiding, Run, hidden};
use super::secrets::{few, is_text};
use super::{ProbeError, git, tree};
use crate::host::{self, Host, Want, Who};
use crate::model::{Location, Look, Scope, Subject};

/// The largest instruction file that is read: 1 MiB.
const LIMIT: u64 = 1 << 20;
/// The most hidden runs told of one file, and files told one by one.
const RUNS: usize = 20;
const LISTED: usize = 500;
/// Where a code host looks for owners.
const OWNERS: &[&str] = &[".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS"];

/// Instruction files of the project.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// How many there are, without files that the agent only reads early, such as README.md.
    total: u64,
    /// Those with hidden characters, and unreadable ones, with what is read early; null where there are none.
    list: Option<Vec<File>>,
    /// How many more there would be in the list.
    not_listed: u64,
    /// The file of code owners.
    owners_file: Option<String>,
    /// Those that no code owner has to review: untracked, or not covered. The first few, in a sentence.
    unreviewed: Look<Option<String>>,
    /// Those that the agent's account can change. The first few, in a sentence.
    writable: Look<Option<String>>,
    /// Those that are neither out of its reach nor under review.
    unguarded: Look<Option<String>>,
}

/// An instruction file.
#[derive(Serialize, JsonSchema)]
struct File {
    /// Where it is.
    path: String,
    /// Its hidden characters, in order, at most 20 runs.
    hidden: Vec<Hidden>,
    /// The same in words, with lines.
    found: Look<Vec<String>>,
    /// The first of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Location>,
}

/// A run of hidden characters.
#[derive(Serialize, JsonSchema)]
struct Hidden {
    /// The first one, by number and name, with how many there are.
    name: String,
    /// What they do.
    kind: Hiding,
    /// How many there are.
    count: u32,
    /// Where.
    at: Location,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let tree = tree::tree(host, subject)?;
    let (loaded, early) = (globs(&subject.agent.instructions), globs(&subject.agent.read_early));
    let all = tree.files.iter().chain(&tree.links);
    let paths: Vec<&PathBuf> = all.filter(|path| loaded.is_match(path) || early.is_match(path)).collect();
    let seen: Vec<Option<File>> = paths.par_iter().map(|path| file(host, subject, path)).collect();
    let mut list: Vec<File> = seen.into_iter().flatten().collect();
    let not_listed = list.len().saturating_sub(LISTED) as u64;
    list.truncate(LISTED);
    // What it may hide is looked for in both; what it may change of a session that is yet to come is what gets loaded.
    let names = paths.iter().filter(|path| loaded.is_match(path)).map(|path| path.to_string_lossy().into_owned());
    let names: Vec<String> = names.collect();
    let owners = owners(host, subject)?;
    let unreviewed = unreviewed(host, subject, owners.as_ref().map(|(_, owners)| owners), &names);
    let writable = writable(host, subject, &names);
    let unguarded = unguarded(&writable, &unreviewed);
    let said = |look: Look<Vec<String>>| look.map(|names| (!names.is_empty()).then(|| few(&names)));
    Ok(Fact {
        total: names.len() as u64,
        list: (!paths.is_empty()).then_some(list),
        not_listed,
        owners_file: owners.map(|(name, _)| name),
        unreviewed: said(unreviewed),
        writable: said(writable),
        unguarded: said(unguarded),
    })
}

/// A pattern that is none, of an agent's file, matches nothing.
fn globs(patterns: &[String]) -> GlobSet {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        if let Ok(glob) = GlobBuilder::new(pattern).literal_separator(true).build() {
            set.add(glob);
        }
    }
    set.build().unwrap_or_else(|_| GlobSet::empty())
}

/// None for a clean one.
fn file(host: &dyn Host, subject: &Subject, path: &std::path::Path) -> Option<File> {
    let shown = path.to_string_lossy().into_owned();
    let full = subject.project.join(path);
    // A link that leads nowhere, or in a circle, instructs nobody; where it leads out, that is the link's own finding.
    if host::resolve(host, &full, None).and_then(|path| host.stat(&path)).is_err_and(|error| leads_nowhere(&error)) {
        return None;
    }
    let bytes = host::resolve(host, &full, Some(&subject.project)).and_then(|path| host.read(&path, LIMIT));
    let unknown = |why: String, how: &str| {
        Some(File { path: shown.clone(), hidden: Vec::new(), found: Look::unknown(why, how), at: None })
    };
    let bytes = match bytes {
        Ok(bytes) if !is_text(&bytes) => return unknown(format!("`{shown}` is no text in UTF-8"), "save it as UTF-8"),
        Ok(bytes) => bytes,
        // A folder of that name, behind a link.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => return None,
        Err(error) => return unknown(format!("`{shown}` could not be read: {error}"), "look at the file by hand"),
    };
    let text = String::from_utf8_lossy(&bytes);
    let runs = hidden(&text, RUNS);
    if runs.is_empty() {
        return None;
    }
    let place = |run: &Run| {
        let line = text.split('\n').nth(run.line.saturating_sub(1) as usize).unwrap_or_default();
        let end_column = run.column.saturating_add(run.count);
        Location { column: run.column, end_column, ..Location::line(&shown, run.line, line) }
    };
    let found = told(&runs);
    let all: Vec<Hidden> =
        runs.iter().map(|run| Hidden { name: run.name(), kind: run.kind, count: run.count, at: place(run) }).collect();
    let at = all.first().map(|hidden| hidden.at.clone());
    Some(File { path: shown, hidden: all, found: Look::Known(found), at })
}

/// Too many links come as an error of no kind of its own.
fn leads_nowhere(error: &io::Error) -> bool {
    host::is_absent(error) || error.kind() == io::ErrorKind::Other
}

/// Runs in words; those of one kind in one line together.
fn told(runs: &[Run]) -> Vec<String> {
    let mut merged: Vec<Run> = Vec::new();
    for run in runs {
        match merged.last_mut() {
            Some(last) if (last.kind, last.line, last.first) == (run.kind, run.line, run.first) => {
                last.count += run.count
            }
            _ => merged.push(run.clone()),
        }
    }
    merged.iter().map(|run| format!("{} in line {}", run.name(), run.line)).collect()
}

/// The lines of CODEOWNERS in order: what each covers, and whether it names an owner.
struct Owners(Vec<(Gitignore, bool)>);

impl Owners {
    /// The last line that matches decides; one without an owner takes ownership away.
    fn cover(&self, path: &str) -> bool {
        let deciding =
            self.0.iter().rev().find(|(pattern, _)| pattern.matched_path_or_any_parents(path, false).is_ignore());
        deciding.is_some_and(|(_, owned)| *owned)
    }
}

fn owners(host: &dyn Host, subject: &Subject) -> Result<Option<(String, Owners)>, ProbeError> {
    for name in OWNERS {
        let path = subject.project.join(name);
        let text = host::read_text(host, &path, Some(&subject.project), LIMIT);
        if let Some(text) = text.map_err(|error| ProbeError::unreadable(&path, error))? {
            return Ok(Some(((*name).to_owned(), parse_owners(&text))));
        }
    }
    Ok(None)
}

fn parse_owners(text: &str) -> Owners {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(['#', '[', '^']));
    let rule = |line: &str| {
        let mut words = line.split_whitespace();
        let mut builder = GitignoreBuilder::new("/");
        // A line that is no pattern covers nothing.
        builder.add_line(None, words.next()?).ok()?;
        let owned = words.next().is_some_and(|owner| !owner.starts_with('#'));
        Some((builder.build().ok()?, owned))
    };
    Owners(lines.filter_map(rule).collect())
}

/// Those that can change without a code owner being asked.
fn unreviewed(host: &dyn Host, subject: &Subject, owners: Option<&Owners>, names: &[String]) -> Look<Vec<String>> {
    let Some(owners) = owners else { return Look::Known(names.to_vec()) };
    match git::tracked_at(host, &subject.project) {
        Look::Unknown(unseen) => Look::Unknown(unseen),
        Look::Known(tracked) => {
            let tracked = tracked.unwrap_or_default();
            let guarded = |name: &&String| !(tracked.holds(name.as_bytes()) && owners.cover(name));
            Look::Known(names.iter().filter(guarded).cloned().collect())
        }
    }
}

fn writable(host: &dyn Host, subject: &Subject, names: &[String]) -> Look<Vec<String>> {
    if subject.scope == Scope::Repo {
        return Look::unknown("who may write lies outside the repo scope", "audit with --scope user");
    }
    let who = match subject.account().map(Who::of) {
        Ok(Some(who)) => who,
        Ok(None) => return Look::Known(Vec::new()),
        Err(unseen) => return Look::Unknown(unseen),
    };
    let mut writable = Vec::new();
    for name in names {
        let path = subject.project.join(name);
        match host::can(host, &who, &path, Want::Write)
            .and_then(|can| Ok(can || host::can_replace(host, &who, &path)?.is_some()))
        {
            Ok(true) => writable.push(name.clone()),
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Look::from(Err::<_, ProbeError>(ProbeError::unreadable(&path, error))),
        }
    }
    Look::Known(writable)
}

/// Either guard is enough, so one that could not be told matters only where the other fails.
fn unguarded(writable: &Look<Vec<String>>, unreviewed: &Look<Vec<String>>) -> Look<Vec<String>> {
    match (writable, unreviewed) {
        (Look::Known(none), _) | (_, Look::Known(none)) if none.is_empty() => Look::Known(Vec::new()),
        (Look::Known(writable), Look::Known(unreviewed)) => {
            Look::Known(writable.iter().filter(|name| unreviewed.contains(name)).cloned().collect())
        }
        (Look::Unknown(unseen), _) | (_, Look::Unknown(unseen)) => Look::Unknown(unseen.clone()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_of_codeowners_that_matches_decides() {
        let owners = parse_owners("* @all\n/docs/ @writers\nAGENTS.md\n.opencode/** @security # why\n");
        for (path, covered) in [
            ("CLAUDE.md", true),
            ("AGENTS.md", false),
            ("sub/AGENTS.md", false),
            (".opencode/agent/a.md", true),
            ("docs/a.md", true),
        ] {
            assert_eq!(owners.cover(path), covered, "{path}");
        }
        assert!(!parse_owners("# nothing\n").cover("AGENTS.md"));
    }

    #[test]
    fn one_guard_is_enough() {
        let names = |names: &[&str]| Look::Known(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        let unseen = || Look::unknown("w", "h");
        for (writable, unreviewed, unguarded_ones) in [
            (names(&["a", "b"]), names(&["b", "c"]), names(&["b"])),
            (names(&[]), unseen(), names(&[])),
            (unseen(), names(&[]), names(&[])),
            (unseen(), names(&["a"]), unseen()),
        ] {
            assert_eq!(unguarded(&writable, &unreviewed), unguarded_ones);
        }
    }

    #[test]
    fn globs_stop_at_folders() {
        let set = globs(&["AGENTS.md".into(), "**/SKILL.md".into(), ".cursor/rules/**".into()]);
        for (path, matched) in
            [("AGENTS.md", true), ("a/AGENTS.md", false), ("a/b/SKILL.md", true), (".cursor/rules/a/b.mdc", true)]
        {
            assert_eq!(set.is_match(path), matched, "{path}");
        }
    }
}
