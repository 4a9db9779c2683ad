//! Where a git repository is, told from its files. A pointer is believed only where its target points back: a `.git`
//! file that came with the project must not lead the audit, or git, somewhere else.

use std::io;

use schemars::JsonSchema;
use serde::Serialize;

use super::config::{self, Setting};
use crate::host::{self, Host, Kind};
use crate::model::AbsPath;

/// A repository with a work tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// The top of its work tree.
    pub top: AbsPath,
    /// Its own git directory.
    pub git_dir: AbsPath,
    /// The git directory that holds objects, refs, config and hooks.
    pub common_dir: AbsPath,
    /// How the work tree is tied to it.
    pub form: Form,
}

/// How a work tree is tied to its git directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// A `.git` directory.
    Directory,
    /// A linked work tree.
    Worktree,
    /// A submodule.
    Submodule,
}

/// What is at a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// No repository.
    None,
    /// A repository.
    Repository(Repository),
    /// A `.git` that is a link, or a file that leads to something which does not point back. It is not followed.
    Elsewhere {
        /// The `.git`.
        pointer: AbsPath,
        /// Where it leads, as written.
        target: String,
    },
}

/// The repository whose work tree holds `path`, which need not exist.
pub fn around(host: &dyn Host, path: &AbsPath) -> io::Result<Place> {
    for folder in path.ancestors() {
        match at(host, &folder)? {
            Place::None => {}
            found => return Ok(found),
        }
    }
    Ok(Place::None)
}

/// The repository whose work tree starts at `top`.
pub fn at(host: &dyn Host, top: &AbsPath) -> io::Result<Place> {
    let pointer = top.join(".git");
    let kind = match host.stat(&pointer) {
        Ok(stat) => stat.kind,
        Err(error) if is_absence(&error) => return Ok(Place::None),
        Err(error) => return Err(error),
    };
    match kind {
        Kind::Dir if is_git_dir(host, &pointer)? => Ok(Place::Repository(Repository {
            top: top.clone(),
            git_dir: pointer.clone(),
            common_dir: pointer,
            form: Form::Directory,
        })),
        Kind::Link => {
            let target = host.read_link(&pointer)?.to_string_lossy().into_owned();
            Ok(Place::Elsewhere { pointer, target })
        }
        Kind::File => pointed(host, top, &pointer),
        _ => Ok(Place::None),
    }
}

/// What cannot be looked into from here holds no repository that this account could use.
fn is_absence(error: &io::Error) -> bool {
    host::is_absent(error) || error.kind() == io::ErrorKind::PermissionDenied
}

/// What git itself asks of a git directory, the refs left out.
fn is_git_dir(host: &dyn Host, folder: &AbsPath) -> io::Result<bool> {
    for name in ["HEAD", "objects"] {
        match host.stat(&folder.join(name)) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

fn pointed(host: &dyn Host, top: &AbsPath, pointer: &AbsPath) -> io::Result<Place> {
    let text = match host::read_text(host, pointer, Some(top), 4096) {
        Ok(text) => text.unwrap_or_default(),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Err(error),
        Err(_) => String::new(),
    };
    let Some(target) = text.trim_end_matches(['\n', '\r']).strip_prefix("gitdir: ") else { return Ok(Place::None) };
    let elsewhere = || Place::Elsewhere { pointer: pointer.clone(), target: target.to_owned() };
    let Ok(git_dir) = host::resolve(host, &top.join(target), None) else { return Ok(elsewhere()) };
    let here = host::resolve(host, pointer, None)?;
    let found = worktree(host, &git_dir, &here).or_else(|| submodule(host, top, &git_dir));
    Ok(found.map_or_else(elsewhere, |(common_dir, form)| {
        Place::Repository(Repository { top: top.clone(), git_dir, common_dir, form })
    }))
}

/// A linked work tree: `<common>/worktrees/<name>/gitdir` names the `.git` file.
fn worktree(host: &dyn Host, git_dir: &AbsPath, pointer: &AbsPath) -> Option<(AbsPath, Form)> {
    let parent = git_dir.parent().filter(|parent| parent.name_text() == "worktrees")?;
    let common = parent.parent()?;
    let back = host::read_text(host, &git_dir.join("gitdir"), Some(git_dir), 4096).ok()??;
    let back = host::resolve(host, &git_dir.join(back.trim_end()), None).ok()?;
    (back == *pointer && is_git_dir(host, &common).ok()?).then_some((common, Form::Worktree))
}

/// A submodule: `core.worktree` of a directory below `<super>/.git/modules` names the work tree.
fn submodule(host: &dyn Host, top: &AbsPath, git_dir: &AbsPath) -> Option<(AbsPath, Form)> {
    git_dir.as_path().components().any(|part| part.as_os_str() == "modules").then_some(())?;
    let settings = settings(host, git_dir, "config").ok()?;
    let back = settings.iter().rfind(|setting| setting.name == "core.worktree")?.value.clone()?;
    let back = host::resolve(host, &git_dir.join(back), None).ok()?;
    let top = host::resolve(host, top, None).ok()?;
    (back == top && is_git_dir(host, git_dir).ok()?).then(|| (git_dir.clone(), Form::Submodule))
}

/// The settings of a config file in a git directory; none where there is no such file.
pub(super) fn settings(host: &dyn Host, folder: &AbsPath, name: &str) -> io::Result<Vec<Setting>> {
    let text = host::read_text(host, &folder.join(name), Some(folder), host::CONFIG_LIMIT)?;
    Ok(config::parse(&text.unwrap_or_default()))
}
