//! Where a repository's parts are. Nothing is followed out of it unless the caller says so, save a linked work tree
//! or a submodule whose git directory points back: what came with a project cannot have written that.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::folder::Folder;
use super::problem::Problems;
use super::{OpenError, Options, ProblemKind};

/// The largest file of a few lines that is read.
const SMALL: u64 = 64 << 10;
/// The largest config that is read.
const CONFIG: u64 = 1 << 20;
/// The most folders that objects are borrowed from.
const ALTERNATES: usize = 16;

/// The folders of a repository.
pub(super) struct Place {
    /// What belongs to one work tree: HEAD and the index.
    pub(super) own: Folder,
    /// What all work trees share.
    pub(super) common: Folder,
    /// Where `common` is.
    pub(super) path: PathBuf,
    /// The top of the work tree; none of a bare repository.
    pub(super) top: Option<PathBuf>,
    /// The length of objects' names in bytes.
    pub(super) width: usize,
}

/// Finds the repository whose work tree begins at `path`, or which is at `path` itself.
pub(super) fn open(path: &Path, follow: bool) -> Result<Place, OpenError> {
    let unreadable = |error: io::Error| OpenError::Unreadable { path: path.to_owned(), error };
    let top = Folder::open(path).map_err(unreadable)?;
    let (own, common, common_path) = match top.kind(".git").map_err(unreadable)? {
        Some(FileType::Directory) => {
            let own = top.folder(b".git").map_err(unreadable)?;
            (own, top.folder(b".git").map_err(unreadable)?, path.join(".git"))
        }
        Some(FileType::RegularFile) => pointed(path, &top, follow)?,
        Some(FileType::Symlink) if follow => {
            let own = Folder::open(&path.join(".git")).map_err(unreadable)?;
            (own, Folder::open(&path.join(".git")).map_err(unreadable)?, path.join(".git"))
        }
        Some(FileType::Symlink) => {
            let target = std::fs::read_link(path.join(".git")).unwrap_or_default();
            return Err(OpenError::Elsewhere { path: path.join(".git"), target });
        }
        _ => (top.folder(b"").map_err(unreadable)?, top, path.to_owned()),
    };
    let top = (common_path != path).then(|| path.to_owned());
    whole(path, own, common, (common_path, top))
}

/// The repository of a git directory that git itself names.
pub(super) fn of_git_dir(path: &Path) -> Result<Place, OpenError> {
    let unreadable = |error: io::Error| OpenError::Unreadable { path: path.to_owned(), error };
    let own = Folder::open(path).map_err(unreadable)?;
    let (common, common_path) = shared(&own, path).map_err(unreadable)?;
    whole(path, own, common, (common_path, None))
}

/// What all work trees of a git directory share.
fn shared(own: &Folder, path: &Path) -> io::Result<(Folder, PathBuf)> {
    let common = match own.read(b"commondir", SMALL)? {
        Some(text) => path.join(OsStr::from_bytes(trimmed(&text))),
        None => path.to_owned(),
    };
    Ok((Folder::open(&common)?, common))
}

/// Puts the parts together, if they are those of a repository.
fn whole(
    path: &Path,
    own: Folder,
    common: Folder,
    (common_path, top): (PathBuf, Option<PathBuf>),
) -> Result<Place, OpenError> {
    let unreadable = |error: io::Error| OpenError::Unreadable { path: path.to_owned(), error };
    if common.kind("objects").map_err(unreadable)?.is_none() || own.kind("HEAD").map_err(unreadable)?.is_none() {
        return Err(OpenError::NoRepository { path: path.to_owned() });
    }
    let config = common.read(b"config", CONFIG).map_err(unreadable)?.unwrap_or_default();
    let sha256 =
        setting(&config, "extensions", "objectformat").is_some_and(|value| value.eq_ignore_ascii_case("sha256"));
    Ok(Place { own, common, path: common_path, top, width: if sha256 { 32 } else { 20 } })
}

/// The git directory that a `.git` file names.
fn pointed(path: &Path, top: &Folder, follow: bool) -> Result<(Folder, Folder, PathBuf), OpenError> {
    let pointer = path.join(".git");
    let unreadable = |error: io::Error| OpenError::Unreadable { path: pointer.clone(), error };
    let text = top.read(b".git", SMALL).map_err(unreadable)?.unwrap_or_default();
    let Some(target) = trimmed(&text).strip_prefix(b"gitdir: ") else {
        return Err(OpenError::NoRepository { path: path.to_owned() });
    };
    let target = path.join(OsStr::from_bytes(target));
    let elsewhere = || OpenError::Elsewhere { path: pointer.clone(), target: target.clone() };
    if !follow && !points_back(path, &pointer, &target) {
        return Err(elsewhere());
    }
    let own = Folder::open(&target).map_err(unreadable)?;
    let (common, common_path) = shared(&own, &target).map_err(unreadable)?;
    Ok((own, common, common_path))
}

/// Whether a git directory says that its work tree is this one.
fn points_back(top: &Path, pointer: &Path, target: &Path) -> bool {
    let Ok(own) = Folder::open(target) else { return false };
    let same = |one: &Path, other: &Path| matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other);
    if let Ok(Some(back)) = own.read(b"gitdir", SMALL) {
        // The folder above must be the one that is shared, or `commondir` could lead anywhere.
        let common = own.read(b"commondir", SMALL).ok().flatten().unwrap_or_default();
        return same(&target.join(OsStr::from_bytes(trimmed(&back))), pointer)
            && same(&target.join(OsStr::from_bytes(trimmed(&common))), &target.join("../.."));
    }
    let config = own.read(b"config", CONFIG).ok().flatten().unwrap_or_default();
    setting(&config, "core", "worktree").is_some_and(|back| same(&target.join(back), top))
}

/// A line without its end.
fn trimmed(text: &[u8]) -> &[u8] {
    text.trim_ascii_end()
}

/// The last value of a setting in a config file. Includes are not followed, and quotes and comments are taken off.
fn setting(config: &[u8], section: &str, key: &str) -> Option<String> {
    let text = String::from_utf8_lossy(config);
    let (mut inside, mut found) = (false, None);
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            inside = name.split(']').next().is_some_and(|name| name.trim().eq_ignore_ascii_case(section));
        } else if inside
            && let Some((name, value)) = line.split_once('=')
            && name.trim().eq_ignore_ascii_case(key)
        {
            let value = value.trim();
            let value = match value.strip_prefix('"') {
                Some(quoted) => quoted.split('"').next().unwrap_or_default(),
                None => value.split(['#', ';']).next().unwrap_or_default().trim_end(),
            };
            found = Some(value.to_owned());
        }
    }
    found
}

/// The folders that hold objects: the repository's own, and those it borrows from if they may be followed.
pub(super) fn objects(place: &Place, options: &Options, problems: &Problems) -> Vec<Folder> {
    let follow = options.follow;
    let own = match place.common.folder(b"objects") {
        Ok(own) => own,
        Err(_) if follow => match Folder::open(&place.path.join("objects")) {
            Ok(own) => own,
            Err(error) => {
                problems.add(ProblemKind::of(&error), || format!("`objects`: {error}"));
                return Vec::new();
            }
        },
        Err(error) => {
            problems.add(ProblemKind::Outside, || {
                format!("`objects` is a link, or no folder, and was left alone: {error}")
            });
            return Vec::new();
        }
    };
    let mut folders = vec![own];
    let mut todo = vec![place.path.join("objects")];
    while let (Some(path), Some(folder)) = (todo.pop(), folders.last()) {
        let lines = match folder.read(b"info/alternates", SMALL) {
            Ok(lines) => lines.unwrap_or_default(),
            Err(error) => {
                problems.add(ProblemKind::of(&error), || format!("`objects/info/alternates`: {error}"));
                continue;
            }
        };
        let named = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty() && !line.starts_with(b"#"));
        for target in named.map(|line| path.join(OsStr::from_bytes(line))) {
            if !follow && !options.borrow {
                let shown = target.display();
                problems
                    .add(ProblemKind::Outside, || format!("objects are borrowed from `{shown}`, which was not read"));
                continue;
            }
            match Folder::open(&target) {
                Ok(folder) if folders.len() < ALTERNATES => {
                    folders.push(folder);
                    todo.push(target);
                }
                Ok(_) => problems
                    .add(ProblemKind::Limit, || format!("objects are borrowed from more than {ALTERNATES} places")),
                Err(error) => problems.add(ProblemKind::of(&error), || format!("`{}`: {error}", target.display())),
            }
        }
    }
    folders
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_git_does() {
        let config = b"[core]\n\tworktree = \"../a b\" ; x\n[Extensions]\n ObjectFormat = sha256 # y\n[core \"sub\"]\nworktree=no\n";
        assert_eq!(setting(config, "core", "worktree").as_deref(), Some("../a b"));
        assert_eq!(setting(config, "extensions", "objectformat").as_deref(), Some("sha256"));
        assert_eq!(setting(config, "core", "bare"), None);
    }
}
