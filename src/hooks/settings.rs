//! `core.hooksPath`, from the files that git reads it from, the last one winning.

use std::collections::VecDeque;
use std::io;

use crate::facts::git::config::{self, Setting};
use crate::facts::git::repository::Repository;
use crate::host::{self, CONFIG_LIMIT, Host};
use crate::model::AbsPath;

/// How deep files include each other; git stops there, too.
const DEPTH: usize = 10;
/// How many files are read in all.
const FILES: usize = 100;

/// Where hooks are said to be.
#[derive(Default)]
pub(super) struct HooksPath {
    /// The value as written.
    pub(super) value: Option<String>,
    /// The file that says so, and its line.
    pub(super) file: Option<(AbsPath, u32)>,
    /// Files that would say something else under a condition that is git's to judge.
    pub(super) maybe: Vec<AbsPath>,
}

/// A file of settings that cannot be read.
pub(super) type Unreadable = (AbsPath, io::Error);

/// What the settings say.
pub(super) fn hooks_path(host: &dyn Host, repository: &Repository) -> Result<HooksPath, Unreadable> {
    let mut reading = Reading { host, found: HooksPath::default(), files: 0, own: false };
    for file in of_account(host) {
        reading.file(&file, 0, false)?;
    }
    reading.file(&repository.common_dir.join("config"), 0, false)?;
    if reading.own {
        reading.file(&repository.git_dir.join("config.worktree"), 0, false)?;
    }
    Ok(reading.found)
}

/// Files that hold for all repositories, in git's order.
fn of_account(host: &dyn Host) -> Vec<AbsPath> {
    let named = |name: &str| host.env(name).filter(|value| !value.is_empty()).and_then(AbsPath::new);
    let mut files = VecDeque::new();
    let no_system = host.env("GIT_CONFIG_NOSYSTEM");
    if no_system.is_none_or(|value| matches!(value.as_str(), "" | "0" | "false" | "no" | "off")) {
        files.extend(named("GIT_CONFIG_SYSTEM").or_else(|| AbsPath::new("/etc/gitconfig")));
    }
    match host.env("GIT_CONFIG_GLOBAL") {
        Some(global) => files.extend(AbsPath::new(global)),
        None => {
            let home = named("HOME");
            let xdg = named("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
            files.extend(xdg.map(|folder| folder.join("git/config")));
            files.extend(home.map(|home| home.join(".gitconfig")));
        }
    }
    files.into()
}

struct Reading<'a> {
    host: &'a dyn Host,
    found: HooksPath,
    files: usize,
    /// Whether work trees have settings of their own.
    own: bool,
}

impl Reading<'_> {
    fn file(&mut self, file: &AbsPath, depth: usize, conditional: bool) -> Result<(), Unreadable> {
        self.files += 1;
        if depth > DEPTH || self.files > FILES {
            return Err((file.clone(), io::Error::other("too many files include each other")));
        }
        let text = host::read_text(self.host, file, None, CONFIG_LIMIT).map_err(|error| (file.clone(), error))?;
        for setting in config::parse(&text.unwrap_or_default()) {
            match (setting.section.as_str(), setting.key.as_str()) {
                ("core", "hookspath") if conditional => self.found.maybe.push(file.clone()),
                ("core", "hookspath") if setting.name == "core.hookspath" => {
                    self.found.value = Some(setting.value.unwrap_or_default());
                    self.found.file = Some((file.clone(), setting.line));
                }
                ("extensions", "worktreeconfig") => self.own = is_true(&setting),
                ("include", "path") => self.included(file, &setting, depth, conditional)?,
                ("includeif", "path") => self.included(file, &setting, depth, true)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn included(&mut self, by: &AbsPath, setting: &Setting, depth: usize, maybe: bool) -> Result<(), Unreadable> {
        let Some(value) = setting.value.as_deref().filter(|value| !value.is_empty()) else { return Ok(()) };
        let folder = by.parent().unwrap_or_else(AbsPath::root);
        match expanded(self.host, value, &folder) {
            Some(file) => self.file(&file, depth + 1, maybe),
            None => Ok(()),
        }
    }
}

fn is_true(setting: &Setting) -> bool {
    setting
        .value
        .as_deref()
        .is_none_or(|value| matches!(value.to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "1"))
}

/// A path as settings write it: from a folder, from the home, or absolute. None where it begins with what only git
/// knows: its own prefix, or another account's home.
pub(super) fn expanded(host: &dyn Host, value: &str, folder: &AbsPath) -> Option<AbsPath> {
    match value.strip_prefix('~') {
        Some(rest) => {
            let rest = rest.strip_prefix('/').or(rest.is_empty().then_some(""))?;
            Some(AbsPath::new(host.env("HOME")?)?.join(rest))
        }
        None if value.starts_with("%(") => None,
        None => Some(folder.join(value)),
    }
}
