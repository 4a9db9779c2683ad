//! The objects of a repository, packed and loose, by number: a number is four bytes where a name is twenty or more,
//! and finding an object by it costs nothing.

mod cache;
mod delta;
mod index;
mod inflate;
mod reader;

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::sync::{Mutex, PoisonError};

use rustix::fs::FileType;

pub(super) use self::cache::NumberMap;
use self::index::Index;
pub(super) use self::reader::{Data, Reader};
use super::folder::Folder;
use super::problem::Problems;
use super::{Id, ProblemKind};

/// The most packs that are opened: each holds a file open.
const PACKS: usize = 512;
/// The most loose objects that are counted.
const LOOSE: usize = 5_000_000;

/// The number of an object of a [`Store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Object(pub(super) u32);

impl Object {
    /// No object: the empty file or folder.
    pub(super) const NONE: Object = Object(u32::MAX);
}

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Commit,
    Tree,
    Blob,
    Tag,
}

/// Why an object cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Damage {
    /// It is not there.
    Missing,
    /// What is there is no object.
    Broken,
    /// It is larger than allowed; where it is stored whole it can be read in parts.
    TooLarge,
}

/// A pack and its index.
struct Pack {
    /// The number of its first object.
    first: u32,
    index: Index,
    file: File,
    length: u64,
}

/// Loose objects below one `objects` folder.
struct Loose {
    first: u32,
    folder: Folder,
    names: Vec<Id>,
}

/// All objects.
pub(super) struct Store {
    packs: Vec<Pack>,
    loose: Vec<Loose>,
    /// The number after the last one that is there.
    end: u32,
    missing: Mutex<(HashMap<Id, u32>, Vec<Id>)>,
    width: usize,
}

/// Where an object is.
enum Place<'a> {
    Packed(usize, u64),
    Loose(&'a Folder, Id),
    Missing,
}

impl Store {
    /// Opens the objects below these folders; names are `width` bytes long.
    pub(super) fn open(folders: Vec<Folder>, width: usize, problems: &Problems) -> Store {
        let mut store = Store { packs: Vec::new(), loose: Vec::new(), end: 0, missing: Mutex::default(), width };
        for folder in folders {
            if let Err(error) = store.open_packs(&folder, problems) {
                problems.add(ProblemKind::of(&error), || format!("`objects/pack`: {error}"));
            }
            match loose_names(&folder, width) {
                Ok(names) if !names.is_empty() => {
                    let first = store.end;
                    if let Some(end) = first.checked_add(names.len() as u32) {
                        store.end = end;
                        store.loose.push(Loose { first, folder, names });
                    }
                }
                Ok(_) => {}
                Err(error) => problems.add(ProblemKind::of(&error), || format!("`objects`: {error}")),
            }
        }
        store
    }

    fn open_packs(&mut self, objects: &Folder, problems: &Problems) -> io::Result<()> {
        let folder = match objects.folder(b"pack") {
            Ok(folder) => folder,
            Err(error) if super::folder::is_absence(&error) => return Ok(()),
            Err(error) => return Err(error),
        };
        let mut names: Vec<_> = folder.list()?.into_iter().filter(|(name, _)| name.ends_with(b".idx")).collect();
        names.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        for (name, _) in names {
            let shown = || format!("`objects/pack/{}`", String::from_utf8_lossy(&name));
            if self.packs.len() == PACKS {
                problems.add(ProblemKind::Limit, || format!("more than {PACKS} packs; run `git gc`"));
                break;
            }
            match self.open_pack(&folder, &name) {
                Ok(pack) => match self.end.checked_add(pack.index.count() as u32).filter(|end| end >> 31 == 0) {
                    Some(end) => {
                        self.end = end;
                        self.packs.push(pack);
                    }
                    None => problems.add(ProblemKind::Limit, || format!("{} has too many objects", shown())),
                },
                Err(error) => problems.add(ProblemKind::of(&error), || format!("{} {error}", shown())),
            }
        }
        Ok(())
    }

    fn open_pack(&self, folder: &Folder, name: &[u8]) -> io::Result<Pack> {
        let index = Index::read(&folder.file(name)?, self.width)?;
        let mut name = name.to_vec();
        name.truncate(name.len() - 3);
        name.extend(b"pack");
        let file = folder.file(&name)?;
        let length = file.metadata()?.len();
        Ok(Pack { first: self.end, index, file, length })
    }

    /// The number of the object of this name, which need not be there.
    pub(super) fn find(&self, name: &[u8]) -> Object {
        self.find_present(name).unwrap_or_else(|| {
            let Some(id) = Id::from_bytes(name) else { return Object::NONE };
            let mut missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
            let (numbers, names) = &mut *missing;
            Object(*numbers.entry(id).or_insert_with(|| {
                names.push(id);
                self.end.saturating_add(names.len() as u32 - 1)
            }))
        })
    }

    /// The number of the object of this name if it is there.
    pub(super) fn find_present(&self, name: &[u8]) -> Option<Object> {
        let packed = self.packs.iter().find_map(|pack| Some(pack.first + pack.index.find(name)? as u32));
        let number = packed.or_else(|| {
            let id = Id::from_bytes(name)?;
            self.loose.iter().find_map(|loose| Some(loose.first + loose.names.binary_search(&id).ok()? as u32))
        });
        number.map(Object)
    }

    /// The object that this name of at least four digits begins, if it is only one.
    pub(super) fn abbreviated(&self, hex: &[u8]) -> Option<Object> {
        if hex.len() < 4 || hex.len() > 2 * self.width {
            return None;
        }
        let bound = |fill: u8| {
            let mut whole = hex.to_vec();
            whole.resize(2 * self.width, fill);
            Id::from_hex(&whole)
        };
        let (from, to) = (bound(b'0')?, bound(b'f')?);
        let packed = self.packs.iter().flat_map(|pack| pack.index.starting(from.as_bytes(), to.as_bytes()));
        let mut found: Vec<Id> = packed.filter_map(Id::from_bytes).collect();
        let loose = self.loose.iter().flat_map(|loose| &loose.names);
        found.extend(loose.filter(|name| **name >= from && **name <= to));
        found.sort_unstable();
        found.dedup();
        match found[..] {
            [only] => self.find_present(only.as_bytes()),
            _ => None,
        }
    }

    /// The name of an object.
    pub(super) fn name(&self, object: Object) -> Option<Id> {
        let number = object.0;
        if let Some(pack) = self.pack_of(number) {
            let pack = &self.packs[pack];
            return Id::from_bytes(pack.index.name((number - pack.first) as usize)?);
        }
        if let Some(loose) = self.loose.iter().rfind(|loose| loose.first <= number && number < self.end) {
            return loose.names.get((number - loose.first) as usize).copied();
        }
        let missing = self.missing.lock().unwrap_or_else(PoisonError::into_inner);
        missing.1.get(number.checked_sub(self.end)? as usize).copied()
    }

    fn pack_of(&self, number: u32) -> Option<usize> {
        let after = self.packs.partition_point(|pack| pack.first <= number);
        let pack = self.packs.get(after.checked_sub(1)?)?;
        (((number - pack.first) as usize) < pack.index.count()).then_some(after - 1)
    }

    fn place(&self, object: Object) -> Place<'_> {
        let number = object.0;
        if let Some(at) = self.pack_of(number) {
            let pack = &self.packs[at];
            let offset = pack.index.offset((number - pack.first) as usize);
            return offset.map_or(Place::Missing, |offset| Place::Packed(at, offset));
        }
        let Some(loose) = self.loose.iter().rfind(|loose| loose.first <= number && number < self.end) else {
            return Place::Missing;
        };
        let name = loose.names.get((number - loose.first) as usize);
        name.map_or(Place::Missing, |name| Place::Loose(&loose.folder, *name))
    }

    /// How many objects there are.
    pub(in crate::history) fn count(&self) -> usize {
        self.end as usize
    }

    /// The length of names in bytes.
    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// All objects, those of a pack by where they lie in it: bases are then near what is made of them. An object that
    /// is stored twice comes once.
    pub(super) fn all(&self) -> Vec<Object> {
        let mut all = Vec::with_capacity(self.end as usize);
        for pack in &self.packs {
            let from = all.len();
            all.extend((0..pack.index.count() as u32).map(|place| Object(pack.first + place)));
            let offset = |object: &Object| pack.index.offset((object.0 - pack.first) as usize);
            all[from..].sort_unstable_by_key(offset);
        }
        for loose in &self.loose {
            all.extend((0..loose.names.len() as u32).map(|place| Object(loose.first + place)));
        }
        if self.packs.len() + self.loose.len() > 1 {
            all.retain(|object| self.name(*object).is_none_or(|id| self.find_present(id.as_bytes()) == Some(*object)));
        }
        all
    }
}

/// The names of loose objects in order.
fn loose_names(objects: &Folder, width: usize) -> io::Result<Vec<Id>> {
    let mut names = Vec::new();
    for (folder, kind) in objects.list()? {
        let plain = kind == FileType::Directory && folder.len() == 2 && folder.iter().all(u8::is_ascii_hexdigit);
        if !plain || names.len() >= LOOSE {
            continue;
        }
        for (rest, _) in objects.folder(&folder)?.list()? {
            let mut hex = folder.clone();
            hex.extend(rest);
            names.extend(Id::from_hex(&hex).filter(|id| id.as_bytes().len() == width));
        }
    }
    names.sort_unstable();
    Ok(names)
}
