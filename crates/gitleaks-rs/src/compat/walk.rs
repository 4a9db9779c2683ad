//! The files below a folder, in the order of their names, as Gitleaks chooses them. Nothing outside is entered: a link
//! is followed only on request, and then only to a file.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use super::Detector;
use super::finding::{Finding, text_of};

/// A file to search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Where it is.
    pub path: PathBuf,
    /// The link that led there.
    pub symlink: Option<PathBuf>,
}

/// What could not be read.
#[derive(Debug)]
pub struct Skipped {
    /// Where it is.
    pub path: PathBuf,
    /// Why not.
    pub why: io::Error,
}

impl Detector {
    /// The files of a folder one after the other; a file stands for itself.
    pub fn targets<'d>(&'d self, root: &Path) -> impl Iterator<Item = Result<Target, Skipped>> + 'd {
        Walk { detector: self, open: vec![root.to_owned()] }
    }

    /// The findings of a file.
    pub fn scan_target(&self, target: &Target) -> Result<Vec<Finding>, Skipped> {
        let symlink = target.symlink.as_deref().map(shown).unwrap_or_default();
        File::open(&target.path)
            .and_then(|file| self.scan_reader(&shown(&target.path), &symlink, file))
            .map_err(|why| Skipped { path: target.path.clone(), why })
    }

    /// All findings of a folder, file by file, and what could not be read.
    pub fn scan_dir(&self, root: &Path, mut visit: impl FnMut(&Target, Vec<Finding>)) -> Vec<Skipped> {
        let mut skipped = Vec::new();
        for target in self.targets(root) {
            let done = target.and_then(|target| self.scan_target(&target).map(|found| (target, found)));
            match done {
                Ok((target, found)) => visit(&target, found),
                Err(one) => skipped.push(one),
            }
        }
        skipped
    }

    /// A file that Gitleaks would search.
    fn target(&self, path: PathBuf, info: &Metadata) -> Result<Option<Target>, Skipped> {
        let limit = self.options.max_target_megabytes.saturating_mul(1_000_000);
        // Pipes and devices have no length either, so none of them is ever opened.
        if info.len() == 0 || (limit > 0 && info.len() > limit) || self.skips(&path) {
            return Ok(None);
        }
        if info.is_file() {
            return Ok(Some(Target { path, symlink: None }));
        }
        if !info.is_symlink() || !self.options.follow_symlinks {
            return Ok(None);
        }
        let followed = real_path(&path).and_then(|real| Ok((fs::metadata(&real)?, real)));
        match followed {
            Ok((info, real)) if info.is_file() => Ok(Some(Target { path: real, symlink: Some(path) })),
            Ok(_) => Ok(None),
            Err(why) => Err(Skipped { path, why }),
        }
    }

    /// Whether any list of all rules names the path; their conditions do not count here.
    fn skips(&self, path: &Path) -> bool {
        self.allowlists.iter().any(|list| list.allows_path(&shown(path)))
    }
}

struct Walk<'d> {
    detector: &'d Detector,
    /// What is still to be looked at, the next one last.
    open: Vec<PathBuf>,
}

impl Walk<'_> {
    fn enter(&mut self, folder: PathBuf) -> Result<(), Skipped> {
        let names: Result<Vec<_>, _> = fs::read_dir(&folder)
            .and_then(|entries| entries.map(|entry| entry.map(|entry| entry.file_name())).collect());
        let mut names = names.map_err(|why| Skipped { path: folder.clone(), why })?;
        names.sort_unstable_by(|a, b| b.cmp(a));
        let folder = clean(&folder);
        self.open.extend(names.into_iter().map(|name| folder.join(name)));
        Ok(())
    }

    fn look(&mut self, path: PathBuf) -> Result<Option<Target>, Skipped> {
        let info = fs::symlink_metadata(&path).map_err(|why| Skipped { path: path.clone(), why })?;
        if !info.is_dir() {
            return self.detector.target(path, &info);
        }
        if !self.detector.skips(&path) {
            self.enter(path)?;
        }
        Ok(None)
    }
}

impl Iterator for Walk<'_> {
    type Item = Result<Target, Skipped>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some(path) = self.open.pop() {
            if let Some(done) = self.look(path).transpose() {
                return Some(done);
            }
        }
        None
    }
}

/// A path as a Go string.
fn shown(path: &Path) -> String {
    text_of(path.as_os_str().as_encoded_bytes())
}

/// Go joins a folder and a name without `.` and doubled slashes; what is below `.` has no folder.
fn clean(folder: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in folder.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir if clean.parent().is_some() && !clean.ends_with("..") => {
                clean.pop();
            }
            part => clean.push(part),
        }
    }
    clean
}

/// Where a link leads. From a relative path, Go's answer stays relative as long as it can.
fn real_path(path: &Path) -> io::Result<PathBuf> {
    let real = fs::canonicalize(path)?;
    if path.is_absolute() {
        return Ok(real);
    }
    let here = std::env::current_dir().and_then(fs::canonicalize)?;
    Ok(real.strip_prefix(here).map(Path::to_owned).unwrap_or(real))
}
