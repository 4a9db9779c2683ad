//! Reads objects: unpacks them, puts together what is stored as differences, and keeps what was read lately.

use std::io::{self, Read};
use std::rc::Rc;

use super::cache::Cache;
use super::inflate::Inflater;
use super::{Damage, Kind, Object, Pack, Place, Store, delta};

/// The longest chain of differences: what git can write at all.
const CHAIN: usize = 4096;
/// The key of a loose object's file.
const LOOSE: usize = usize::MAX - 1;
/// How much of a large object is unpacked at once.
const PART: usize = 1 << 20;

/// An object.
pub(in crate::history) struct Data {
    pub(in crate::history) kind: Kind,
    pub(in crate::history) bytes: Vec<u8>,
}

/// Reads the objects of a store; one for each thread.
pub(in crate::history) struct Reader<'a> {
    store: &'a Store,
    cache: Cache,
    inflater: Inflater,
    delta: Vec<u8>,
    limit: u64,
}

/// What stands before an object in a pack.
struct Header {
    form: Form,
    size: u64,
    /// Where the deflated bytes begin.
    body: u64,
}

enum Form {
    Whole(Kind),
    /// The difference to what begins so much before.
    Before(u64),
    /// The difference to another object.
    Named(Object),
}

impl<'a> Reader<'a> {
    /// `cache` is about how many bytes of objects are kept, `limit` the size of the largest object that is read.
    pub(in crate::history) fn new(store: &'a Store, cache: usize, limit: u64) -> Reader<'a> {
        Reader { store, cache: Cache::new(cache), inflater: Inflater::new(), delta: Vec::new(), limit }
    }

    /// The store that is read.
    pub(in crate::history) fn store(&self) -> &'a Store {
        self.store
    }

    /// Reads an object.
    pub(in crate::history) fn read(&mut self, object: Object) -> Result<Rc<Data>, Damage> {
        match self.store.place(object) {
            Place::Missing => Err(Damage::Missing),
            Place::Packed(pack, offset) => self.packed(pack, offset),
            Place::Loose(..) => {
                let key = u64::MAX - u64::from(object.0);
                if let Some(found) = self.cache.get(key) {
                    return Ok(found);
                }
                let data = Rc::new(self.loose(object)?);
                self.cache.put(key, &data);
                Ok(data)
            }
        }
    }

    /// Reads an object of one kind.
    pub(in crate::history) fn read_kind(&mut self, object: Object, kind: Kind) -> Result<Rc<Data>, Damage> {
        self.read(object).and_then(|data| if data.kind == kind { Ok(data) } else { Err(Damage::Broken) })
    }

    /// Whether a packed object is told to be of another kind by its header alone.
    pub(in crate::history) fn is_other_than(&mut self, object: Object, kind: Kind) -> bool {
        let Place::Packed(pack, offset) = self.store.place(object) else { return false };
        let header = self.header(pack, offset);
        matches!(header, Ok(Header { form: Form::Whole(found), .. }) if found != kind)
    }

    fn packed(&mut self, pack: usize, offset: u64) -> Result<Rc<Data>, Damage> {
        let (mut pack, mut offset) = (pack, offset);
        let mut chain = Vec::new();
        let mut data = loop {
            if let Some(found) = self.cache.get(key(pack, offset)) {
                break found;
            }
            let header = self.header(pack, offset)?;
            match header.form {
                Form::Whole(kind) => {
                    if header.size > self.limit {
                        return Err(Damage::TooLarge);
                    }
                    let mut bytes = vec![0; header.size as usize];
                    self.inflater.fill(&self.store.packs[pack].file, pack, header.body, &mut bytes)?;
                    let data = Rc::new(Data { kind, bytes });
                    self.cache.put(key(pack, offset), &data);
                    break data;
                }
                Form::Before(distance) => {
                    chain.push((pack, offset, header.body, header.size));
                    offset = offset.checked_sub(distance).ok_or(Damage::Broken)?;
                }
                Form::Named(object) => {
                    chain.push((pack, offset, header.body, header.size));
                    match self.store.place(object) {
                        Place::Packed(other, there) => (pack, offset) = (other, there),
                        Place::Loose(..) => break Rc::new(self.loose(object)?),
                        Place::Missing => return Err(Damage::Missing),
                    }
                }
            }
            if chain.len() > CHAIN {
                return Err(Damage::Broken);
            }
        };
        while let Some((pack, offset, body, size)) = chain.pop() {
            data = Rc::new(self.changed(&data, pack, body, size)?);
            self.cache.put(key(pack, offset), &data);
        }
        Ok(data)
    }

    /// What the difference stored at `body` makes of a base.
    fn changed(&mut self, base: &Data, pack: usize, body: u64, size: u64) -> Result<Data, Damage> {
        if size > self.limit {
            return Err(Damage::TooLarge);
        }
        let size = size as usize;
        if self.delta.len() < size {
            self.delta.resize(size, 0);
        }
        self.inflater.fill(&self.store.packs[pack].file, pack, body, &mut self.delta[..size])?;
        let delta = &self.delta[..size];
        let (_, length) = delta::lengths(delta).ok_or(Damage::Broken)?;
        if length > self.limit {
            return Err(Damage::TooLarge);
        }
        let bytes = delta::apply(&base.bytes, delta, self.limit).map_err(|_| Damage::Broken)?;
        if self.delta.len() > PART {
            self.delta = Vec::new();
        }
        Ok(Data { kind: base.kind, bytes })
    }

    fn header(&mut self, at: usize, offset: u64) -> Result<Header, Damage> {
        let pack: &Pack = &self.store.packs[at];
        if offset < 12 || offset >= pack.length {
            return Err(Damage::Broken);
        }
        let bytes = self.inflater.peek(&pack.file, at, offset).map_err(|_| Damage::Broken)?;
        header(bytes, offset, self.store).ok_or(Damage::Broken)
    }

    /// Opens a loose object, reads its header and puts the inflater behind it.
    fn loose(&mut self, object: Object) -> Result<Data, Damage> {
        let Place::Loose(folder, id) = self.store.place(object) else { return Err(Damage::Missing) };
        let hex = id.to_string();
        let file = folder.file(format!("{}/{}", &hex[..2], &hex[2..]).as_bytes()).map_err(loose_damage)?;
        let mut head = [0; 32];
        self.inflater.forget(LOOSE);
        let mut length = 0;
        self.inflater.stream(&file, LOOSE, 0, &mut head, |part| {
            length = part.len();
            false
        })?;
        let (kind, size, start) = loose_header(&head[..length]).ok_or(Damage::Broken)?;
        if size > self.limit {
            return Err(Damage::TooLarge);
        }
        let mut bytes = vec![0; start + size as usize];
        self.inflater.forget(LOOSE);
        self.inflater.fill(&file, LOOSE, 0, &mut bytes)?;
        self.inflater.forget(LOOSE);
        bytes.drain(..start);
        Ok(Data { kind, bytes })
    }

    /// Reads an object of any size in parts, in order, for as long as `each` wants more. Only what is stored whole can be read so.
    pub(in crate::history) fn parts(
        &mut self,
        object: Object,
        mut each: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), Damage> {
        let mut part = vec![0; PART];
        match self.store.place(object) {
            Place::Missing => Err(Damage::Missing),
            Place::Packed(pack, offset) => {
                let header = self.header(pack, offset)?;
                if !matches!(header.form, Form::Whole(Kind::Blob)) {
                    return Err(Damage::TooLarge);
                }
                let file = &self.store.packs[pack].file;
                self.inflater.stream(file, pack, header.body, &mut part, each)
            }
            Place::Loose(folder, id) => {
                let hex = id.to_string();
                let file = folder.file(format!("{}/{}", &hex[..2], &hex[2..]).as_bytes()).map_err(loose_damage)?;
                self.inflater.forget(LOOSE);
                let mut first = true;
                let done = self.inflater.stream(&file, LOOSE, 0, &mut part, |part| {
                    let start = if first { loose_header(part).map_or(0, |(_, _, start)| start) } else { 0 };
                    first = false;
                    each(&part[start..])
                });
                self.inflater.forget(LOOSE);
                done
            }
        }
    }
}

fn loose_damage(error: io::Error) -> Damage {
    if super::super::folder::is_absence(&error) { Damage::Missing } else { Damage::Broken }
}

/// The key of a packed object in the cache.
fn key(pack: usize, offset: u64) -> u64 {
    (pack as u64) << 48 ^ offset
}

/// `blob 12\0` and the like: the kind, the size, and where the object begins.
fn loose_header(bytes: &[u8]) -> Option<(Kind, u64, usize)> {
    let end = bytes.iter().take(32).position(|byte| *byte == 0)?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let (kind, size) = text.split_once(' ')?;
    let kind = match kind {
        "commit" => Kind::Commit,
        "tree" => Kind::Tree,
        "blob" => Kind::Blob,
        "tag" => Kind::Tag,
        _ => return None,
    };
    Some((kind, size.parse().ok()?, end + 1))
}

/// Reads the header of the object at `offset` whose first bytes are given.
fn header(bytes: &[u8], offset: u64, store: &Store) -> Option<Header> {
    let mut rest = bytes.bytes();
    let mut next = || rest.next()?.ok();
    let first = next()?;
    let (mut size, mut shift, mut more, mut used) = (u64::from(first & 0x0f), 4, first & 0x80 != 0, 1);
    while more {
        let byte = next()?;
        size |= u64::from(byte & 0x7f).checked_shl(shift).filter(|_| shift < 57)?;
        (shift, more, used) = (shift + 7, byte & 0x80 != 0, used + 1);
    }
    let form = match first >> 4 & 7 {
        1 => Form::Whole(Kind::Commit),
        2 => Form::Whole(Kind::Tree),
        3 => Form::Whole(Kind::Blob),
        4 => Form::Whole(Kind::Tag),
        6 => {
            let mut byte = next()?;
            let mut distance = u64::from(byte & 0x7f);
            used += 1;
            while byte & 0x80 != 0 {
                byte = next()?;
                distance = distance.checked_add(1)?.checked_mul(128)? | u64::from(byte & 0x7f);
                used += 1;
            }
            Form::Before(Some(distance).filter(|distance| *distance > 0)?)
        }
        7 => {
            let name = bytes.get(used..used + store.width())?;
            used += store.width();
            Form::Named(store.find_present(name)?)
        }
        _ => return None,
    };
    Some(Header { form, size, body: offset + used as u64 })
}
