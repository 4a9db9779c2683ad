//! What git itself is given of a repository where it has to write a log: data, and no settings. All of it is read here,
//! without following links or waiting for pipes, save the objects, of which only plain files are let pass.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::fs::FileType;

use super::folder::Folder;
use super::{OpenError, Problem, Repository, refs};
use crate::tree::{self, Entry, Visitor};

/// The largest file of attributes that is read.
const ATTRIBUTES: u64 = 1 << 20;
/// The most files of attributes that are read.
const FILES: usize = 10_000;
/// How deep the folders of objects lie.
const DEPTH: usize = 4;
/// The largest list of commits without parents that is read.
const SHALLOW: u64 = 64 << 20;

/// The parts of a repository.
#[derive(Debug)]
pub(crate) struct Given {
    /// The folder of objects.
    pub(crate) objects: PathBuf,
    /// Why git is not let near the objects.
    pub(crate) refused: Option<&'static str>,
    /// Of a repository with a work tree its mail map and attributes, each with its path.
    pub(crate) work_tree: Option<Vec<(PathBuf, Vec<u8>)>>,
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
        let head = refs::named(place, "HEAD").map_err(unreadable)?;
        Ok(Given {
            objects: std::path::absolute(place.path.join("objects")).map_err(unreadable)?,
            refused: refused(&place.common).map_err(unreadable)?,
            work_tree: place.top.as_deref().map(texts).transpose().map_err(unreadable)?,
            head: head.map(|id| id.to_string()),
            attributes: read(b"info/attributes", ATTRIBUTES).map_err(unreadable)?,
            shallow: read(b"shallow", SHALLOW).map_err(unreadable)?,
            sha256: place.width == 32,
        })
    }
}

/// Git follows what it finds among objects, and waits for pipes.
fn refused(common: &Folder) -> io::Result<Option<&'static str>> {
    if common.kind("objects")? != Some(FileType::Directory) || !are_plain(&common.folder(b"objects")?, DEPTH)? {
        return Ok(Some("has links, pipes or devices among its objects, which were not followed"));
    }
    let alternates = common.read(b"objects/info/alternates", ATTRIBUTES)?.unwrap_or_default();
    let borrows = !alternates.trim_ascii().is_empty();
    Ok(borrows.then_some("borrows objects from another repository, which was not followed"))
}

/// Whether there are only folders and plain files below a folder.
fn are_plain(folder: &Folder, depth: usize) -> io::Result<bool> {
    for (name, kind) in folder.list()? {
        let plain = match kind {
            FileType::RegularFile => true,
            FileType::Directory => depth > 0 && are_plain(&folder.folder(&name)?, depth - 1)?,
            _ => false,
        };
        if !plain {
            return Ok(false);
        }
    }
    Ok(true)
}

/// The mail map and the attributes of a work tree.
fn texts(top: &Path) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
    let texts = Texts(Mutex::default());
    tree::walk(top, &texts)?;
    Ok(texts.0.into_inner().unwrap_or_else(PoisonError::into_inner))
}

struct Texts(Mutex<Vec<(PathBuf, Vec<u8>)>>);

impl Visitor for Texts {
    fn skips(&self, path: &Path, is_folder: bool) -> bool {
        match is_folder {
            true => path.ends_with(".git"),
            false => !(path.ends_with(".gitattributes") || path == Path::new(".mailmap")),
        }
    }

    fn file(&self, entry: &Entry<'_>) {
        let mut text = Vec::new();
        let read = entry.open().and_then(|file| file.take(ATTRIBUTES).read_to_end(&mut text));
        let mut texts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if read.is_ok() && texts.len() < FILES {
            texts.push((entry.path.to_owned(), text));
        }
    }

    /// As git does not see what it cannot open.
    fn problem(&self, _: &Path, _: &io::Error) {}
}
