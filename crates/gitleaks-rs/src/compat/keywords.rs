//! Which rules a text may concern: those without keywords, and those of which one occurs.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use super::allow::lower_bytes;
use super::anchor::FOLDED;
use crate::config::LoadError;

/// Where a rule is to be searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Nowhere.
    Nowhere,
    /// Around these places, if every match holds one of the keywords, or everywhere.
    Around(Vec<Range<usize>>),
    /// Everywhere.
    Everywhere,
}

/// The keywords of all rules.
pub(super) struct Keywords {
    automaton: AhoCorasick,
    /// For each keyword its rules.
    owners: Vec<Vec<usize>>,
    /// What holds of a rule before a text is looked at.
    start: Vec<Reach>,
    /// Whether one of them is not ASCII, so that case is more than a bit.
    beyond_ascii: bool,
}

impl Keywords {
    pub(super) fn new<'w>(rules: impl Iterator<Item = &'w [String]>) -> Result<Self, LoadError> {
        let (mut words, mut owners, mut start): (Vec<&str>, Vec<Vec<usize>>, _) = (Vec::new(), Vec::new(), Vec::new());
        let mut known = std::collections::HashMap::new();
        for (rule, own) in rules.enumerate() {
            start.push(if own.is_empty() { Reach::Everywhere } else { Reach::Nowhere });
            // An empty keyword never occurs.
            for word in own.iter().filter(|word| !word.is_empty()) {
                let at = *known.entry(word).or_insert(words.len());
                if at == words.len() {
                    words.push(word);
                    owners.push(Vec::new());
                }
                owners[at].push(rule);
            }
        }
        let beyond_ascii = words.iter().any(|word| !word.is_ascii());
        // The full table is three times as fast as what the crate would choose for this many words.
        let kind = Some(AhoCorasickKind::DFA).filter(|_| words.iter().map(|word| word.len()).sum::<usize>() < 50_000);
        let automaton = AhoCorasick::builder().ascii_case_insensitive(true).kind(kind).build(&words);
        let automaton = automaton.map_err(|problem| LoadError::rule("keywords", problem))?;
        Ok(Self { automaton, owners, start, beyond_ascii })
    }

    /// For each rule where a text may concern it.
    pub(super) fn reach(&self, text: &[u8]) -> Vec<Reach> {
        let mut all = self.start.clone();
        let folds = |text: &[u8]| FOLDED.iter().any(|letter| memchr::memmem::find(text, letter).is_some());
        if !text.is_ascii() && (self.beyond_ascii || folds(text)) {
            for hit in self.automaton.find_overlapping_iter(&lower_bytes(text)) {
                self.owners[hit.pattern().as_usize()].iter().for_each(|rule| all[*rule] = Reach::Everywhere);
            }
            return all;
        }
        for hit in self.automaton.find_overlapping_iter(text) {
            for rule in &self.owners[hit.pattern().as_usize()] {
                match &mut all[*rule] {
                    Reach::Around(hits) => hits.push(hit.range()),
                    reach => *reach = Reach::Around(vec![hit.range()]),
                }
            }
        }
        all
    }
}

/// The stretches that matches of at most `longest` bytes around the hits can lie in. Hits come in order of their end.
pub(super) fn windows(hits: &[Range<usize>], longest: usize, length: usize) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for hit in hits {
        let window = hit.end.saturating_sub(longest)..hit.start.saturating_add(longest).min(length);
        match all.last_mut() {
            Some(last) if window.start <= last.end => last.end = last.end.max(window.end),
            _ => all.push(window),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_occur_in_any_case_and_only_where_go_folds_them() {
        let words = [vec!["key".to_owned()], vec![], vec![String::new()], vec!["sk-".to_owned(), "é".to_owned()]];
        let keywords = Keywords::new(words.iter().map(Vec::as_slice)).expect("they fit");
        let found = |text: &str| {
            keywords.reach(text.as_bytes()).iter().map(|reach| *reach != Reach::Nowhere).collect::<Vec<_>>()
        };
        assert_eq!(found("a KEY"), [true, true, false, false]);
        assert_eq!(found("\u{212a}ey"), [true, true, false, false]);
        assert_eq!(found("É"), [false, true, false, true]);
        assert_eq!(found("ſk-"), [false, true, false, false]);
    }

    #[test]
    fn windows_that_meet_are_one() {
        assert_eq!(windows(&[10..13, 14..16, 100..103], 8, 105), [5..22, 95..105]);
    }
}
