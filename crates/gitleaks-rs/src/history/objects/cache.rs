//! Objects that were read a moment ago: about as many bytes as allowed, the latest used ones.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use super::Data;

/// A hasher for numbers that nobody can choose freely: places in files.
#[derive(Default)]
pub(in crate::history) struct Numbers(u64);

impl Hasher for Numbers {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_u64(&mut self, number: u64) {
        let mixed = (self.0.rotate_left(5) ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.0 = mixed ^ mixed >> 32;
    }
}

/// A map by such numbers.
pub(in crate::history) type NumberMap<K, V> = HashMap<K, V, BuildHasherDefault<Numbers>>;

/// Two generations: what is used moves to the young one, and when that is full the old one goes.
pub(super) struct Cache {
    young: NumberMap<u64, Rc<Data>>,
    old: NumberMap<u64, Rc<Data>>,
    bytes: usize,
    half: usize,
}

impl Cache {
    /// A cache of at most about `bytes`.
    pub(super) fn new(bytes: usize) -> Cache {
        Cache { young: NumberMap::default(), old: NumberMap::default(), bytes: 0, half: bytes / 2 }
    }

    pub(super) fn get(&mut self, key: u64) -> Option<Rc<Data>> {
        if let Some(found) = self.young.get(&key) {
            return Some(Rc::clone(found));
        }
        let found = self.old.remove(&key)?;
        self.put(key, &found);
        Some(found)
    }

    pub(super) fn put(&mut self, key: u64, data: &Rc<Data>) {
        // The table itself costs about as much as a small object.
        let cost = data.bytes.len() + 128;
        if cost > self.half {
            return;
        }
        if self.bytes + cost > self.half {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += cost;
        self.young.insert(key, Rc::clone(data));
    }
}
