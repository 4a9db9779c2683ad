//! Finds a few hundred literals in a text at about the speed of reading it.
//!
//! Of each literal a window of three or four bytes is looked for, its rarest. A window is two or three overlapping
//! pairs of bytes; a table tells for each pair which of eight groups of windows have it as their first, second or
//! third pair. Eight text positions are judged at once by joining their table entries, each shifted to the position it
//! speaks of (the idea of a shift-or automaton over pairs). What passes is compared with the literals that begin alike.
//!
//! This is plain safe code: one table look-up, a shift and an or for each byte keep a core below the speed of memory,
//! and the table stays in its nearest cache.

use crate::anchor::{Literal, share};

/// Pairs are told apart by all of their first byte and half of their second.
const PAIRS: usize = 1 << 12;
/// Groups of windows, one bit each.
const GROUPS: usize = 8;
/// Three letters of five bits.
const TRIGRAMS: usize = 1 << 15;
/// Text positions that are judged at once.
const STEP: usize = 8;

/// The literals of all rules, ready to be looked for.
pub(crate) struct Filter {
    /// For each pair, which groups do *not* have it: as third pair in the lowest byte, then second, then first.
    pairs: Box<[u32; PAIRS]>,
    /// For each trigram, where its literals begin in `windows`; one more entry ends the last.
    heads: Box<[u16]>,
    /// The literals by the trigram that their window begins with.
    windows: Vec<Window>,
}

struct Window {
    literal: Literal,
    /// Which literal it is, as the caller counts them.
    index: u16,
    /// How far in the literal the window begins.
    offset: usize,
}

impl Filter {
    /// A filter of at most 65,535 literals of three bytes or more.
    pub(crate) fn new(literals: &[Literal]) -> Self {
        let mut windows: Vec<Window> = literals
            .iter()
            .enumerate()
            .filter_map(|(index, literal)| {
                Some(Window { offset: rarest(literal)?, literal: literal.clone(), index: u16::try_from(index).ok()? })
            })
            .collect();
        windows.sort_by_cached_key(|window| (window.long(), window.bytes()));
        let mut pairs = Box::new([0x00ff_ffff; PAIRS]);
        let count = windows.len().max(1);
        for (at, window) in windows.iter().enumerate() {
            window.enter(&mut pairs, at * GROUPS / count);
        }
        windows.sort_by_key(|window| trigram(&window.bytes()));
        let mut heads = vec![0_u16; TRIGRAMS + 1];
        windows.iter().for_each(|window| heads[trigram(&window.bytes()) + 1] += 1);
        let mut sum = 0;
        for head in &mut heads {
            sum += *head;
            *head = sum;
        }
        Self { pairs, heads: heads.into(), windows }
    }

    /// Calls `hit` with each place where a literal begins and with the literal's index.
    pub(crate) fn find(&self, text: &[u8], mut hit: impl FnMut(usize, usize)) {
        // No window has its third pair at the first two positions.
        let mut carry = 0xffff;
        let mut at = 0;
        while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk::<{ STEP + 1 }>) {
            let missed = self.step(bytes, &mut carry);
            if missed != u64::MAX {
                self.verify(text, at, missed, &mut hit);
            }
            at += STEP;
        }
        // The end is padded with zeroes, which no literal holds.
        while at < text.len() + 2 {
            let mut bytes = [0; STEP + 1];
            let rest = text.get(at..).unwrap_or_default();
            let rest = &rest[..rest.len().min(STEP + 1)];
            bytes[..rest.len()].copy_from_slice(rest);
            let missed = self.step(&bytes, &mut carry);
            self.verify(text, at, missed, &mut hit);
            at += STEP;
        }
    }

    /// For eight pairs, the groups that do not end a window there.
    #[inline(always)]
    fn step(&self, bytes: &[u8; STEP + 1], carry: &mut u64) -> u64 {
        let low = u64::from_le_bytes(*bytes.first_chunk().expect("nine bytes hold eight"));
        let high = u64::from_le_bytes(*bytes.last_chunk().expect("nine bytes hold eight"));
        let entry = |pair: u64| u64::from(self.pairs[(pair & 0xfff) as usize]);
        let entries = [
            entry(low),
            entry(low >> 8),
            entry(low >> 16),
            entry(low >> 24),
            entry(low >> 32),
            entry(low >> 40),
            entry(low >> 48),
            entry(high >> 48),
        ];
        let mut missed = *carry;
        for (at, entry) in entries.iter().enumerate() {
            missed |= entry << (8 * at);
        }
        *carry = entries[6] >> 16 | entries[7] >> 8;
        missed
    }

    /// Compares the literals that begin like the text where a group may end.
    #[cold]
    #[inline(never)]
    fn verify(&self, text: &[u8], at: usize, missed: u64, hit: &mut impl FnMut(usize, usize)) {
        let mut passed = !missed;
        while passed != 0 {
            let lane = passed.trailing_zeros() as usize / 8;
            passed &= !(0xff << (8 * lane));
            // The position is that of a window's third pair.
            let Some(start) = (at + lane).checked_sub(2) else { continue };
            let Some(letters) = text.get(start..).and_then(<[u8]>::first_chunk::<3>) else { continue };
            let key = trigram(letters);
            let (from, to) = (usize::from(self.heads[key]), usize::from(self.heads[key + 1]));
            for window in &self.windows[from..to] {
                let Some(begin) = start.checked_sub(window.offset) else { continue };
                if window.literal.starts(&text[begin..]) {
                    hit(begin, usize::from(window.index));
                }
            }
        }
    }
}

impl Window {
    /// Whether it is four bytes and not three.
    fn long(&self) -> bool {
        self.literal.bytes.len() > 3
    }

    fn bytes(&self) -> Vec<u8> {
        let length = if self.long() { 4 } else { 3 };
        self.literal.bytes[self.offset..self.offset + length].to_vec()
    }

    /// Clears the group's bit for its pairs. A short window has no third pair: there any pair will do.
    fn enter(&self, pairs: &mut [u32; PAIRS], group: usize) {
        let bytes = self.bytes();
        let folded = &self.literal.folded[self.offset..];
        for (place, pair) in bytes.windows(2).enumerate() {
            let bit = 1 << (8 * (2 - place) + group);
            let [first, second] = [pair[0], pair[1]];
            pairs[index(first, second)] &= !bit;
            if folded[place] {
                pairs[index(first.to_ascii_uppercase(), second)] &= !bit;
            }
        }
        if !self.long() {
            pairs.iter_mut().for_each(|entry| *entry &= !(1 << group));
        }
    }
}

/// Upper and lower case of a letter differ in a bit that the second byte's half does not have.
fn index(first: u8, second: u8) -> usize {
    usize::from(first) | usize::from(second & 0xf) << 8
}

fn trigram(bytes: &[u8]) -> usize {
    bytes.iter().take(3).fold(0, |key, byte| key << 5 | usize::from(byte & 0x1f))
}

/// Where the rarest window of a literal begins.
fn rarest(literal: &Literal) -> Option<usize> {
    let length = literal.bytes.len().min(4);
    let often =
        |at: &usize| -> f64 { (*at..at + length).map(|at| share(literal.bytes[at], literal.folded[at])).product() };
    (3 <= length).then(|| (0..=literal.bytes.len() - length).min_by(|a, b| often(a).total_cmp(&often(b))))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn literals(words: &[&str]) -> Vec<Literal> {
        let literal = |word: &&str| Literal {
            bytes: word.as_bytes().to_vec(),
            folded: word.bytes().map(|byte| byte.is_ascii_lowercase() && word.len() != 4).collect(),
        };
        words.iter().map(literal).collect()
    }

    fn found(words: &[&str], text: &[u8]) -> Vec<(usize, usize)> {
        let mut hits = Vec::new();
        Filter::new(&literals(words)).find(text, |at, which| hits.push((at, which)));
        hits.sort_unstable();
        hits
    }

    #[test]
    fn literals_are_found_at_every_place_and_next_to_the_ends() {
        let words = ["key", "ghp_", "password", "secret_access_key", "akia"];
        for pad in 0..40 {
            for (which, word) in words.iter().enumerate() {
                let text = format!("{}{}{}", "-".repeat(pad), word, "-".repeat(40 - pad));
                assert!(found(&words, text.as_bytes()).contains(&(pad, which)), "{word} at {pad}");
                assert!(
                    found(&words, &text.as_bytes()[..pad + word.len()]).contains(&(pad, which)),
                    "{word} at the end"
                );
            }
        }
    }

    #[test]
    fn case_counts_where_the_literal_says_so() {
        let words = ["key", "ghp_"];
        assert_eq!(found(&words, b"KeY GHP_ ghp_"), [(0, 0), (9, 1)]);
    }

    #[test]
    fn it_finds_what_a_plain_search_finds() {
        let words = ["key", "ghp_", "password", "token", "xoxb-", "eyj0eX", "sk-ant-", "abcab"];
        let mut seed = 7_u64;
        let text: Vec<u8> = (0..60_000)
            .map(|_| {
                seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                b"abcdefkeyKEYpghs_-xonwr Jtj0"[(seed >> 40) as usize % 28]
            })
            .collect();
        let own = literals(&words);
        let mut plain = Vec::new();
        for at in 0..text.len() {
            plain.extend((0..own.len()).filter(|which| own[*which].starts(&text[at..])).map(|which| (at, which)));
        }
        assert!(plain.len() > 5);
        assert_eq!(found(&words, &text), plain);
    }
}
