//! What git itself is given of a repository where it has to write a log: data, and no settings.

use std::path::PathBuf;

use super::{OpenError, Problem, Repository, refs};

/// The largest file of attributes that is read.
const ATTRIBUTES: u64 = 1 << 20;
/// The largest list of commits without parents that is read.
const SHALLOW: u64 = 64 << 20;

/// The parts of a repository.
#[derive(Debug)]
pub(crate) struct Given {
    /// The folder of objects.
    pub(crate) objects: PathBuf,
    /// Whether objects lie in other repositories.
    pub(crate) borrows: bool,
    /// The top of the work tree, for its attributes and its mail map.
    pub(crate) work_tree: Option<PathBuf>,
    /// What HEAD leads to: the mail map of a bare repository is looked for there.
    pub(crate) head: Option<String>,
    /// The repository's own attributes.
    pub(crate) attributes: Vec<u8>,
    /// Commits whose parents were not fetched.
    pub(crate) shallow: Vec<u8>,
    /// Whether objects are named by SHA-256.
    pub(crate) sha256: bool,
}

impl Repository {
    /// What could not be read until now.
    pub(crate) fn problems(&self) -> Vec<Problem> {
        self.problems.list()
    }

    /// Its parts for git.
    pub(crate) fn given(&self) -> Result<Given, OpenError> {
        let place = &self.place;
        let unreadable = |error| OpenError::Unreadable { path: place.path.clone(), error };
        let read = |name: &[u8], limit| place.common.read(name, limit).map(Option::unwrap_or_default);
        let alternates = read(b"objects/info/alternates", ATTRIBUTES).map_err(unreadable)?;
        let head = refs::named(place, "HEAD").map_err(unreadable)?;
        Ok(Given {
            objects: std::path::absolute(place.path.join("objects")).map_err(unreadable)?,
            borrows: !alternates.trim_ascii().is_empty(),
            work_tree: place.top.as_ref().map(std::path::absolute).transpose().map_err(unreadable)?,
            head: head.map(|id| id.to_string()),
            attributes: read(b"info/attributes", ATTRIBUTES).map_err(unreadable)?,
            shallow: read(b"shallow", SHALLOW).map_err(unreadable)?,
            sha256: place.width == 32,
        })
    }
}
