//! One bit for each page: what was seen, what is free. Bounded, so that no file makes it large.

/// Pages beyond this one are not followed: 64 GiB of the usual 4 KiB, and 2 MiB for each set of bits.
pub(super) const MOST: u32 = 1 << 24;

/// A set of page or frame numbers below [`MOST`].
#[derive(Debug)]
pub(super) struct Bits {
    words: Vec<u64>,
    set: usize,
}

impl Bits {
    /// Room for the numbers up to and with `last`.
    pub(super) fn up_to(last: u32) -> Self {
        Self { words: vec![0; last.min(MOST) as usize / 64 + 1], set: 0 }
    }

    pub(super) fn has(&self, number: u32) -> bool {
        self.words.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// False if it was there already, or if there is no room for it: either way nobody should go on from it.
    pub(super) fn add(&mut self, number: u32) -> bool {
        let Some(word) = self.words.get_mut(number as usize / 64) else { return false };
        let bit = 1 << (number % 64);
        let new = *word & bit == 0;
        *word |= bit;
        self.set += usize::from(new);
        new
    }

    pub(super) fn remove(&mut self, number: u32) {
        if self.has(number) {
            self.words[number as usize / 64] &= !(1 << (number % 64));
            self.set -= 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.set == 0
    }

    /// The numbers in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let first = at as u32 * 64;
            let rest = std::iter::successors(Some(*word), |word| Some(word & word.wrapping_sub(1)));
            rest.take_while(|word| *word != 0).map(move |word| first + word.trailing_zeros())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_new_once_and_out_of_room_never() {
        let mut bits = Bits::up_to(100);
        assert!(bits.add(64) && !bits.add(64) && bits.add(0) && bits.add(100));
        assert!(!bits.add(MOST) && !bits.has(MOST) && !bits.has(63));
        assert_eq!(bits.iter().collect::<Vec<_>>(), [0, 64, 100]);
        bits.remove(64);
        assert!(bits.add(64) && !bits.is_empty());
    }
}
