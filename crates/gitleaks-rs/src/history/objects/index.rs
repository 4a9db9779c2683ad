//! The index of a pack: which object begins where.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// The most objects that one pack may hold: names and places of so many take 720 MB.
const MOST: usize = 30_000_000;
/// The fan-out table's length.
const FAN: usize = 256 * 4;

/// The names in a pack, in order, and where each object begins.
pub(super) struct Index {
    fan: Vec<u32>,
    names: Vec<u8>,
    offsets: Vec<u32>,
    /// Offsets that need more than 31 bits; `offsets` holds places in here with the high bit set.
    far: Vec<u64>,
    width: usize,
}

/// A damaged index.
fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn words(bytes: &[u8]) -> Vec<u32> {
    bytes.chunks_exact(4).map(|word| u32::from_be_bytes([word[0], word[1], word[2], word[3]])).collect()
}

impl Index {
    /// Reads an index of version 1 or 2 whose names are `width` bytes long.
    pub(super) fn read(file: &File, width: usize) -> io::Result<Index> {
        let length = file.metadata()?.len();
        let mut head = [0; 8];
        file.read_exact_at(&mut head, 0)?;
        let second = head[..4] == [0xff, b't', b'O', b'c'];
        if second && head[4..] != [0, 0, 0, 2] {
            return Err(damaged("is an index of a version that is not known"));
        }
        let start = if second { 8 } else { 0 };
        let mut fan = vec![0; FAN];
        file.read_exact_at(&mut fan, start)?;
        let fan = words(&fan);
        let count = fan[255] as usize;
        if fan.is_sorted() && count <= MOST && length >= (count * (width + 4)) as u64 {
            let at = start + FAN as u64;
            if second { Index::second(file, fan, at, width, length) } else { Index::first(file, fan, at, width) }
        } else {
            Err(damaged("is an index that cannot be"))
        }
    }

    fn first(file: &File, fan: Vec<u32>, at: u64, width: usize) -> io::Result<Index> {
        let count = fan[255] as usize;
        let mut rows = vec![0; count * (4 + width)];
        file.read_exact_at(&mut rows, at)?;
        let (mut names, mut offsets, mut far) = (Vec::with_capacity(count * width), Vec::new(), Vec::new());
        for row in rows.chunks_exact(4 + width) {
            let offset = u32::from_be_bytes([row[0], row[1], row[2], row[3]]);
            if offset >> 31 == 1 {
                offsets.push(far.len() as u32 | 1 << 31);
                far.push(u64::from(offset));
            } else {
                offsets.push(offset);
            }
            names.extend_from_slice(&row[4..]);
        }
        Ok(Index { fan, names, offsets, far, width })
    }

    fn second(file: &File, fan: Vec<u32>, at: u64, width: usize, length: u64) -> io::Result<Index> {
        let count = fan[255] as usize;
        let mut names = vec![0; count * width];
        file.read_exact_at(&mut names, at)?;
        let at = at + (count * (width + 4)) as u64;
        let mut offsets = vec![0; count * 4];
        file.read_exact_at(&mut offsets, at)?;
        let offsets = words(&offsets);
        let most = offsets.iter().filter(|offset| **offset >> 31 == 1).count();
        let at = at + (count * 4) as u64;
        let mut far = Vec::new();
        if most > 0 {
            let room = length.saturating_sub(at + 2 * width as u64) / 8;
            let mut bytes = vec![0; most.min(room as usize) * 8];
            file.read_exact_at(&mut bytes, at)?;
            far = words(&bytes).chunks_exact(2).map(|two| u64::from(two[0]) << 32 | u64::from(two[1])).collect();
        }
        Ok(Index { fan, names, offsets, far, width })
    }

    /// How many objects there are.
    pub(super) fn count(&self) -> usize {
        self.offsets.len()
    }

    /// The name at a place.
    pub(super) fn name(&self, place: usize) -> Option<&[u8]> {
        self.names.get(place * self.width..(place + 1) * self.width)
    }

    /// Where in the pack the object at a place begins.
    pub(super) fn offset(&self, place: usize) -> Option<u64> {
        let offset = *self.offsets.get(place)?;
        if offset >> 31 == 0 { Some(u64::from(offset)) } else { self.far.get((offset & !(1 << 31)) as usize).copied() }
    }

    /// The places of the names that begin with this byte.
    fn places(&self, first: u8) -> std::ops::Range<usize> {
        let start = if first == 0 { 0 } else { self.fan[usize::from(first) - 1] };
        start as usize..self.fan[usize::from(first)] as usize
    }

    /// The place of a name.
    pub(super) fn find(&self, name: &[u8]) -> Option<usize> {
        let places = self.places(*name.first()?);
        let (mut low, mut high) = (places.start, places.end);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.name(middle)?.cmp(name) {
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }

    /// The places of the names that begin like `prefix`, whose first byte is whole.
    pub(super) fn starting<'a>(&'a self, from: &'a [u8], to: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
        let places = from.first().map_or(0..0, |first| self.places(*first));
        places.filter_map(|place| self.name(place)).filter(move |name| *name >= from && *name <= to)
    }
}
