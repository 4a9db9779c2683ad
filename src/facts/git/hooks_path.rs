//! `core.hooksPath`, from the files that git reads it from, the last one winning: for what puts hooks there, and for an
//! audit of what runs.

use std::io;

use super::config::{self, Setting};
use super::repository::Repository;
use crate::host::{self, CONFIG_LIMIT, Host};
use crate::model::AbsPath;

/// How deep files include each other; git stops there, too.
const DEPTH: usize = 10;
/// How many files are read in all.
const FILES: usize = 100;

/// Which files are read beside the repository's own.
#[derive(Clone, Debug, Default)]
pub struct Reach {
    /// Whether those of the system and of the account are.
    pub account: bool,
    /// The home of the account.
    pub home: Option<AbsPath>,
    /// Whether the repository's own files may lead out of it: never where they are what is audited.
    pub outward: bool,
}

/// Where hooks are said to be.
#[derive(Debug, Default)]
pub struct HooksPath {
    /// The value as written.
    pub value: Option<String>,
    /// The file that says so, and its line.
    pub file: Option<(AbsPath, u32)>,
    /// Files that would say something else under a condition that is git's to judge.
    pub maybe: Vec<AbsPath>,
}

/// What a setting names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// A folder, which need not be there.
    Folder(AbsPath),
    /// Nothing: hooks are turned off.
    Nothing,
    /// What only git can expand.
    Unknown(String),
}

/// A file of settings that cannot be read.
pub type Unreadable = (AbsPath, io::Error);

/// What the settings say.
pub fn read(host: &dyn Host, repository: &Repository, reach: &Reach) -> Result<HooksPath, Unreadable> {
    let mut reading = Reading { host, repository, reach, found: HooksPath::default(), files: 0, own: false };
    for file in of_account(host, reach) {
        reading.file(&file, Standing { depth: 0, conditional: false, own: false })?;
    }
    let own = Standing { depth: 0, conditional: false, own: true };
    reading.file(&repository.common_dir.join("config"), own)?;
    if reading.own {
        reading.file(&repository.git_dir.join("config.worktree"), own)?;
    }
    Ok(reading.found)
}

impl HooksPath {
    /// The folder that the settings name, or the usual one.
    pub fn named(&self, repository: &Repository, reach: &Reach) -> Named {
        match self.value.as_deref() {
            None => Named::Folder(usual(repository)),
            Some("") => Named::Nothing,
            Some(value) => expanded(value, &repository.top, reach.home.as_ref())
                .map_or_else(|| Named::Unknown(value.to_owned()), Named::Folder),
        }
    }
}

/// The folder that git takes hooks from where nothing is said.
pub fn usual(repository: &Repository) -> AbsPath {
    repository.common_dir.join("hooks")
}

/// Files that hold for all repositories, in git's order.
fn of_account(host: &dyn Host, reach: &Reach) -> Vec<AbsPath> {
    if !reach.account {
        return Vec::new();
    }
    let named = |name: &str| host.env(name).filter(|value| !value.is_empty()).and_then(AbsPath::new);
    // Who audits for somebody else has variables that are not theirs.
    let theirs = |name: &str| host.env(name).filter(|_| named("HOME") == reach.home);
    let mut files = Vec::new();
    let no_system = host.env("GIT_CONFIG_NOSYSTEM");
    if no_system.is_none_or(|value| matches!(value.as_str(), "" | "0" | "false" | "no" | "off")) {
        files.extend(named("GIT_CONFIG_SYSTEM").or_else(|| AbsPath::new("/etc/gitconfig")));
    }
    match theirs("GIT_CONFIG_GLOBAL") {
        Some(global) => files.extend(AbsPath::new(global)),
        None => {
            let xdg = theirs("XDG_CONFIG_HOME").filter(|value| !value.is_empty()).and_then(AbsPath::new);
            let xdg = xdg.or_else(|| Some(reach.home.as_ref()?.join(".config")));
            files.extend(xdg.map(|folder| folder.join("git/config")));
            files.extend(reach.home.as_ref().map(|home| home.join(".gitconfig")));
        }
    }
    files
}

/// How a file came to be read.
#[derive(Clone, Copy)]
struct Standing {
    depth: usize,
    /// Under a condition.
    conditional: bool,
    /// By the repository.
    own: bool,
}

struct Reading<'a> {
    host: &'a dyn Host,
    repository: &'a Repository,
    reach: &'a Reach,
    found: HooksPath,
    files: usize,
    /// Whether work trees have settings of their own.
    own: bool,
}

impl Reading<'_> {
    fn file(&mut self, file: &AbsPath, by: Standing) -> Result<(), Unreadable> {
        self.files += 1;
        if by.depth > DEPTH || self.files > FILES {
            return Err((file.clone(), io::Error::other("too many files include each other")));
        }
        let inside = self.inside(file).filter(|_| by.own && !self.reach.outward);
        let text = host::read_text(self.host, file, inside, CONFIG_LIMIT).map_err(|error| (file.clone(), error))?;
        for setting in config::parse(&text.unwrap_or_default()) {
            match (setting.section.as_str(), setting.key.as_str()) {
                // A condition in what is audited is a finding by itself.
                ("core", "hookspath") if by.conditional && by.own && !self.reach.outward => {}
                ("core", "hookspath") if by.conditional => self.found.maybe.push(file.clone()),
                ("core", "hookspath") if setting.name == "core.hookspath" => {
                    self.found.value = Some(setting.value.unwrap_or_default());
                    self.found.file = Some((file.clone(), setting.line));
                }
                ("extensions", "worktreeconfig") => self.own = is_true(&setting),
                ("include", "path") => self.included(file, &setting, by)?,
                ("includeif", "path") => self.included(file, &setting, Standing { conditional: true, ..by })?,
                _ => {}
            }
        }
        Ok(())
    }

    fn included(&mut self, from: &AbsPath, setting: &Setting, by: Standing) -> Result<(), Unreadable> {
        let Some(value) = setting.value.as_deref().filter(|value| !value.is_empty()) else { return Ok(()) };
        let folder = from.parent().unwrap_or_else(AbsPath::root);
        let Some(file) = expanded(value, &folder, self.reach.home.as_ref()) else { return Ok(()) };
        // A file elsewhere is a finding by itself, too.
        if by.own && !self.reach.outward && self.inside(&file).is_none() {
            return Ok(());
        }
        self.file(&file, Standing { depth: by.depth + 1, ..by })
    }

    /// The folder of the repository that holds a file.
    fn inside(&self, file: &AbsPath) -> Option<&AbsPath> {
        let Repository { top, git_dir, common_dir, .. } = self.repository;
        [common_dir, git_dir, top].into_iter().find(|folder| file.is_within(folder))
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
fn expanded(value: &str, folder: &AbsPath, home: Option<&AbsPath>) -> Option<AbsPath> {
    match value.strip_prefix('~') {
        Some(rest) => {
            let rest = rest.strip_prefix('/').or(rest.is_empty().then_some(""))?;
            Some(home?.join(rest))
        }
        None if value.starts_with("%(") => None,
        None => Some(folder.join(value)),
    }
}
