//! Numbers for lines: the same number for the same line.

use std::hash::{BuildHasher, RandomState};

/// The number of a line that the table does not hold.
pub(super) const UNKNOWN: u32 = u32::MAX;
/// An odd number with no pattern in its bits.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// The lines of one text.
pub(super) struct Table {
    /// So that nobody can write lines that fall together.
    pub(super) seed: u64,
    /// Of a hash the upper half, and a number plus one; zero where nothing is.
    slots: Vec<(u32, u32)>,
    mask: usize,
    /// Where in the text each numbered line is, and whether it was found.
    lines: Vec<(u32, u32, bool)>,
}

impl Table {
    pub(super) fn new() -> Table {
        Table { seed: RandomState::new().hash_one(0), slots: Vec::new(), mask: 0, lines: Vec::new() }
    }

    /// Numbers the lines of `text`; says whether they are at most so many.
    pub(super) fn fill(&mut self, text: &[u8], most: usize, numbers: &mut Vec<u32>) -> bool {
        self.lines.clear();
        let count = memchr::memchr_iter(b'\n', text).count() + 1;
        if count > most {
            return false;
        }
        let size = (2 * count).next_power_of_two();
        self.slots.clear();
        self.slots.resize(size, (0, 0));
        self.mask = size - 1;
        let mut at = 0;
        while at < text.len() {
            let end = super::line_end(text, at);
            let (slot, tag, found) = self.slot(text, &text[at..end]);
            numbers.push(found.unwrap_or_else(|| {
                let number = self.lines.len() as u32;
                self.lines.push((at as u32, end as u32, false));
                self.slots[slot] = (tag, number + 1);
                number
            }));
            at = end;
        }
        true
    }

    /// The number of a line of the text that the table was filled with.
    pub(super) fn find(&mut self, text: &[u8], line: &[u8]) -> u32 {
        match self.slot(text, line).2 {
            Some(number) => {
                self.lines[number as usize].2 = true;
                number
            }
            None => UNKNOWN,
        }
    }

    /// Whether somebody looked for this line.
    pub(super) fn was_found(&self, number: u32) -> bool {
        self.lines[number as usize].2
    }

    fn slot(&self, text: &[u8], line: &[u8]) -> (usize, u32, Option<u32>) {
        let hash = hash(self.seed, line);
        let tag = (hash >> 32) as u32;
        let mut slot = hash as usize & self.mask;
        loop {
            let (there, number) = self.slots[slot];
            if number == 0 {
                return (slot, tag, None);
            }
            let (start, end, _) = self.lines[number as usize - 1];
            if there == tag && text[start as usize..end as usize] == *line {
                return (slot, tag, Some(number - 1));
            }
            slot = (slot + 1) & self.mask;
        }
    }
}

/// A hash of a line: long ones in four lanes, which a processor works on at once.
pub(super) fn hash(seed: u64, line: &[u8]) -> u64 {
    let key = MIX ^ seed.rotate_left(17) | 1;
    let mix = |state: u64, word: u64| {
        let product = u128::from(state ^ word) * u128::from(key);
        product as u64 ^ (product >> 64) as u64
    };
    let word = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
    let mut state = seed ^ line.len() as u64;
    let blocks = line.chunks_exact(32);
    let rest = blocks.remainder();
    if line.len() >= 32 {
        let mut lanes = [state, state ^ MIX, state.rotate_left(23), !state];
        for block in blocks {
            for (lane, bytes) in lanes.iter_mut().zip(block.chunks_exact(8)) {
                *lane = mix(*lane, word(bytes));
            }
        }
        state = mix(mix(lanes[0], lanes[1]), mix(lanes[2], lanes[3]));
    }
    let words = rest.chunks_exact(8);
    let mut last = [0; 8];
    last[..words.remainder().len()].copy_from_slice(words.remainder());
    for bytes in words {
        state = mix(state, word(bytes));
    }
    mix(mix(state, u64::from_le_bytes(last)), MIX)
}
