//! Searches as Go's `regexp` does, also in text that is not UTF-8.
//!
//! Go reads text rune by rune, and a byte that starts no valid character is a rune of its own, U+FFFD. An expression
//! that cannot take U+FFFD sees no difference: what it takes are whole characters, and their first bytes are never
//! part of something else. For all others such a text is rewritten once, each stray byte as a real U+FFFD, and the
//! places are mapped back.

use std::cell::OnceCell;
use std::ops::Range;

use regex_automata::meta;
use regex_automata::{Input, util::captures::Captures};

use super::{Bytes, Parsed, RegexError, parse_as};

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Regex {
    compiled: meta::Regex,
    groups: usize,
    /// Whether stray bytes matter to it.
    sees_invalid: bool,
}

/// A text to search many times.
pub(crate) struct Text<'t> {
    bytes: &'t [u8],
    valid: bool,
    rewritten: OnceCell<Rewritten>,
}

/// A text with a U+FFFD for every stray byte.
struct Rewritten {
    bytes: Vec<u8>,
    /// Where those characters start.
    strays: Vec<usize>,
}

impl<'t> Text<'t> {
    pub(crate) fn new(bytes: &'t [u8]) -> Self {
        Self { bytes, valid: std::str::from_utf8(bytes).is_ok(), rewritten: OnceCell::new() }
    }

    pub(crate) fn bytes(&self) -> &'t [u8] {
        self.bytes
    }
}

impl Rewritten {
    fn new(text: &[u8]) -> Self {
        let mut bytes = Vec::with_capacity(text.len() + text.len() / 8);
        let mut strays = Vec::new();
        for chunk in text.utf8_chunks() {
            bytes.extend_from_slice(chunk.valid().as_bytes());
            for _ in chunk.invalid() {
                strays.push(bytes.len());
                bytes.extend_from_slice("\u{fffd}".as_bytes());
            }
        }
        Self { bytes, strays }
    }

    /// The place in the text that was rewritten.
    fn original(&self, at: usize) -> usize {
        at - 2 * self.strays.partition_point(|stray| *stray < at)
    }
}

impl Regex {
    pub(crate) fn new(pattern: &str) -> Result<Self, RegexError> {
        Self::compile(parse_as(pattern, Bytes::Exact)?, pattern)
    }

    /// What was read with [`Bytes::Exact`].
    pub(crate) fn compile(parsed: Parsed, pattern: &str) -> Result<Self, RegexError> {
        let empty = parsed.hir.properties().minimum_len().is_none_or(|least| least == 0);
        // The parser has bounded the size; these caches are per expression, and there are hundreds.
        let config = meta::Config::new().nfa_size_limit(None).hybrid_cache_capacity(1 << 20);
        let compiled = meta::Builder::new().configure(config).build_from_hir(&parsed.hir);
        let compiled = compiled.map_err(|_| RegexError::too_large(pattern))?;
        Ok(Self { compiled, groups: parsed.groups, sees_invalid: parsed.takes_invalid || empty })
    }

    pub(crate) fn is_match(&self, text: &[u8]) -> bool {
        if self.sees_invalid && std::str::from_utf8(text).is_err() {
            return self.compiled.is_match(&Rewritten::new(text).bytes);
        }
        self.compiled.is_match(text)
    }

    /// The matches that lie between two places, with the rest of the text in sight.
    pub(crate) fn find_all(&self, text: &Text<'_>, within: Range<usize>) -> Vec<Range<usize>> {
        if text.valid || !self.sees_invalid {
            return self.walk(text.bytes, within, |found| found.clone());
        }
        // Rare enough to look at all of it.
        let rewritten = text.rewritten.get_or_init(|| Rewritten::new(text.bytes));
        let all = self.walk(&rewritten.bytes, 0..rewritten.bytes.len(), |found| {
            rewritten.original(found.start)..rewritten.original(found.end)
        });
        all.into_iter().filter(|found| within.start <= found.start && found.end <= within.end).collect()
    }

    fn walk(
        &self,
        text: &[u8],
        within: Range<usize>,
        place: impl Fn(&Range<usize>) -> Range<usize>,
    ) -> Vec<Range<usize>> {
        let mut all = Vec::new();
        let (mut from, mut last) = (within.start, None);
        while from <= within.end {
            let input = Input::new(text).range(from..within.end);
            let Some(found) = self.compiled.search(&input).map(|found| found.range()) else { break };
            // An empty match right behind another one does not count, and the next search starts a character later.
            let accepted = found.end != from || last != Some(found.start);
            from = if found.end == from { from + width(text, from) } else { found.end };
            last = Some(found.end);
            if accepted {
                all.push(place(&found));
            }
        }
        all
    }

    /// All matches with their groups, -1 for a group that took no part: the oracle's form.
    #[cfg(test)]
    pub(super) fn find_all_groups(&self, text: &[u8]) -> Vec<Vec<i64>> {
        let text = Text::new(text);
        let rewritten = (self.sees_invalid && !text.valid).then(|| Rewritten::new(text.bytes));
        let seen = rewritten.as_ref().map_or(text.bytes, |rewritten| &rewritten.bytes);
        let place = |at: usize| rewritten.as_ref().map_or(at, |rewritten| rewritten.original(at)) as i64;
        let mut captures = self.compiled.create_captures();
        self.walk(seen, 0..seen.len(), Clone::clone)
            .into_iter()
            .map(|found| {
                self.compiled.search_captures(&Input::new(seen).range(found.start..), &mut captures);
                let groups = std::iter::once(Some(found)).chain(self.groups_of(&captures));
                groups
                    .flat_map(|group| group.map_or([-1, -1], |group| [place(group.start), place(group.end)]))
                    .collect()
            })
            .collect()
    }

    /// The groups of the first match in a text of its own; the whole match is not among them.
    pub(crate) fn first_groups(&self, text: &[u8]) -> Option<Vec<Option<Range<usize>>>> {
        let rewritten = (self.sees_invalid && std::str::from_utf8(text).is_err()).then(|| Rewritten::new(text));
        let seen = rewritten.as_ref().map_or(text, |rewritten| &rewritten.bytes);
        let mut captures = self.compiled.create_captures();
        self.compiled.search_captures(&Input::new(seen), &mut captures);
        captures.is_match().then(|| {
            let place = |at: usize| rewritten.as_ref().map_or(at, |rewritten| rewritten.original(at));
            self.groups_of(&captures).map(|group| group.map(|group| place(group.start)..place(group.end))).collect()
        })
    }

    fn groups_of<'c>(&'c self, captures: &'c Captures) -> impl Iterator<Item = Option<Range<usize>>> + 'c {
        // A group that is repeated no times is not in the program, but it counts.
        (1..=self.groups).map(|index| captures.get_group(index).map(|span| span.range()))
    }
}

/// The bytes of the character at a place of valid text.
fn width(text: &[u8], at: usize) -> usize {
    match text.get(at) {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => 1,
    }
}
