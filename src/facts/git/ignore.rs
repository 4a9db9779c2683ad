//! Whether git would ignore a path: the ignore files of a work tree, `.git/info/exclude` and the person's own list,
//! all read through the host.

use std::io;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use super::config;
use super::repository::Repository;
use crate::facts::ProbeError;
use crate::host::{self, Host, Kind};
use crate::model::{AbsPath, Scope, Subject};

/// The largest ignore file that is read: 1 MiB.
const LIMIT: u64 = 1 << 20;

/// A rule that ignores a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// The file that it stands in.
    pub file: AbsPath,
    /// The rule as written.
    pub text: String,
    /// Whether it is the person's own and so holds on this machine only.
    pub global: bool,
}

/// The rule that ignores `path` below the top of `repository`; None where none does, or a later one takes it back.
/// `folder` tells whether it is one.
pub fn rule(
    host: &dyn Host,
    subject: &Subject,
    repository: &Repository,
    path: &AbsPath,
    folder: bool,
) -> Result<Option<Rule>, ProbeError> {
    let top = &repository.top;
    let Some(relative) = path.below(top) else { return Ok(None) };
    let depth = relative.components().count();
    // A path is ignored with its folder: from the top down, the first ignored folder settles it.
    let mut whole: Vec<AbsPath> = path.ancestors().take(depth).collect();
    whole.reverse();
    let lists = lists(host, subject, repository, &whole)?;
    for (at, part) in whole.iter().enumerate() {
        let is_folder = folder || at + 1 < whole.len();
        let near_first = lists.iter().rev().filter(|list| part != &list.base && part.is_within(&list.base));
        let decided = near_first
            .map(|list| (list, list.rules.matched(part.as_path(), is_folder)))
            .find(|(_, matched)| !matched.is_none());
        if let Some((list, Match::Ignore(glob))) = decided {
            return Ok(Some(Rule { file: list.file.clone(), text: glob.original().to_owned(), global: list.global }));
        }
    }
    Ok(None)
}

struct List {
    file: AbsPath,
    base: AbsPath,
    rules: Gitignore,
    global: bool,
}

/// The lists that speak of a path, weakest first.
fn lists(
    host: &dyn Host,
    subject: &Subject,
    repository: &Repository,
    parts: &[AbsPath],
) -> Result<Vec<List>, ProbeError> {
    let top = &repository.top;
    let mut lists = Vec::new();
    if let Some(file) = global(host, subject, repository).filter(|_| subject.scope > Scope::Repo) {
        lists.extend(read(host, file, top, None, true)?);
    }
    let exclude = repository.common_dir.join("info/exclude");
    lists.extend(read(host, exclude, top, Some(&repository.common_dir), false)?);
    lists.extend(read(host, top.join(".gitignore"), top, Some(top), false)?);
    for folder in parts.iter().take(parts.len().saturating_sub(1)) {
        match host.stat(folder) {
            Ok(stat) if stat.kind == Kind::Dir => {
                lists.extend(read(host, folder.join(".gitignore"), folder, Some(top), false)?);
            }
            _ => break,
        }
    }
    Ok(lists)
}

/// `core.excludesFile` of the repository or the person, else git's usual place.
fn global(host: &dyn Host, subject: &Subject, repository: &Repository) -> Option<AbsPath> {
    // Ignore rules are the committing person's, not the agent's.
    let home = subject.invoker.as_ref()?.home.as_ref()?;
    let xdg = host.env("XDG_CONFIG_HOME").and_then(AbsPath::new).unwrap_or_else(|| home.join(".config"));
    let files = [repository.common_dir.join("config"), home.join(".gitconfig"), xdg.join("git/config")];
    let named = files.iter().find_map(|file| {
        let text = host::read_text(host, file, None, host::CONFIG_LIMIT).ok()??;
        config::parse(&text).into_iter().rfind(|setting| setting.name == "core.excludesfile")?.value
    });
    Some(match named.as_deref().map(|path| (path, path.strip_prefix("~/"))) {
        Some((_, Some(rest))) => home.join(rest),
        Some((path, None)) => repository.top.join(path),
        None => xdg.join("git/ignore"),
    })
}

fn read(
    host: &dyn Host,
    file: AbsPath,
    base: &AbsPath,
    jail: Option<&AbsPath>,
    global: bool,
) -> Result<Option<List>, ProbeError> {
    let bytes = match host::resolve(host, &file, jail).and_then(|path| host.read(&path, LIMIT)) {
        Ok(bytes) => bytes,
        Err(error) if host::is_absent(&error) => return Ok(None),
        // git does not follow links here either, and what is no file holds no rule.
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Other) => return Ok(None),
        Err(error) => return Err(ProbeError::unreadable(&file, error)),
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut builder = GitignoreBuilder::new(base.as_path());
    for line in text.lines() {
        // A line that is no pattern is skipped, as git does.
        let _ = builder.add_line(None, line);
    }
    let rules = builder.build().map_err(|error| ProbeError::garbled(format!("`{file}`"), error.to_string()))?;
    Ok(Some(List { file, base: base.clone(), rules, global }))
}
