//! What a commit would add if it were made now: the index compared with HEAD.

pub mod index;

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use self::index::Entry;
use super::commits::{peeled, report};
use super::files::Files;
use super::folder::Folder;
use super::objects::{Kind, Object, Reader};
use super::tree::{self, Form};
use super::{Change, OpenError, ProblemKind, Repository, Summary, refs};

/// The largest index that is read.
const LIMIT: u64 = 512 << 20;
impl Repository {
    /// Hands over every line that is staged. `index` names another index than the repository's own: git sets
    /// `GIT_INDEX_FILE` for a hook where a commit does not take all that is staged.
    pub fn staged(&self, index: Option<&Path>, visit: impl FnMut(&Change<'_>)) -> Result<Summary, OpenError> {
        let bytes = match index {
            Some(path) => read(path),
            None => self.place.own.read(b"index", LIMIT),
        };
        let bytes = bytes.map_err(|error| OpenError::Index { why: format!("cannot be read: {error}") })?;
        let parse = |bytes: Vec<u8>| index::parse(&bytes, self.place.width);
        let entries = bytes.map_or(Ok(Vec::new()), parse).map_err(|why| OpenError::Index { why: said(why) })?;
        let mut reader = self.reader();
        let head = self.head_files(&mut reader, &entries);
        let mut files = Files::new(reader, self.options.binaries, &self.problems, visit);
        for entry in &entries {
            let form = Form::of(entry.mode);
            // A folder of a sparse index is as it is in HEAD, or it would not be sparse.
            if entry.announced || matches!(form, Form::Module | Form::Folder) {
                continue;
            }
            let new = self.store.find(entry.id.as_bytes());
            let old = head.get(&entry.path[..]);
            if old != Some(&(form, new)) {
                let old = old.filter(|(was, _)| *was == form).map(|(_, old)| *old);
                files.file(&entry.path, new, old.as_slice(), &[]);
            }
        }
        Ok(self.summary(0, &[files.totals]))
    }

    /// The folder of HEAD; nothing before the first commit.
    fn head_tree(&self, reader: &mut Reader<'_>) -> Option<Object> {
        let id = refs::named(&self.place, "HEAD").unwrap_or_else(|error| {
            self.problems.add(ProblemKind::of(&error), || format!("`HEAD`: {error}"));
            None
        })?;
        let commit = peeled(reader, self.store.find(id.as_bytes()), &self.problems)?;
        super::commits::tree_of(reader, commit)
    }

    /// The files of HEAD that the index holds too. What it does not hold is not looked into: so much is bounded by it.
    fn head_files<'e>(&self, reader: &mut Reader<'_>, entries: &'e [Entry]) -> HashMap<&'e [u8], (Form, Object)> {
        let mut files = HashMap::with_capacity(entries.len());
        let mut folders: HashSet<&[u8]> = HashSet::new();
        for Entry { path, .. } in entries {
            files.insert(&path[..], (Form::Module, Object::NONE));
            let mut slashes = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/');
            // Where a folder is known those above it are.
            while slashes.next().is_some_and(|(at, _)| folders.insert(&path[..at])) {}
        }
        let mut todo: Vec<_> = self.head_tree(reader).map(|top| (Vec::new(), top)).into_iter().collect();
        while let Some((path, object)) = todo.pop() {
            let data = match reader.read_kind(object, Kind::Tree) {
                Ok(data) => data,
                Err(damage) => {
                    report(&self.store, object, damage, &self.problems);
                    continue;
                }
            };
            for entry in tree::entries(&data.bytes, self.store.width()) {
                let slash: &[u8] = if path.is_empty() { b"" } else { b"/" };
                let full = [&path, slash, entry.name].concat();
                if entry.form == Form::Folder {
                    // Taken out, so that a folder that is named twice is read once.
                    if folders.remove(&full[..]) {
                        todo.push((full, self.store.find(entry.id)));
                    }
                } else if let Some(slot) = files.get_mut(&full[..]) {
                    *slot = (entry.form, self.store.find(entry.id));
                }
            }
        }
        files
    }
}

/// Why an index cannot be read, and what helps.
fn said(why: &str) -> String {
    match why {
        index::SPLIT => format!("{why}; run `git update-index --no-split-index`"),
        other => other.to_owned(),
    }
}

/// Reads an index that the caller names; like git, nothing is staged where there is none.
fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    Folder::open(folder)?.read(name.as_bytes(), LIMIT)
}
