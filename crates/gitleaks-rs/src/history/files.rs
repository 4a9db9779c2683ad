//! Compares versions of files and hands over what is new.

use std::cell::Cell;
use std::ops::Range;

use super::change::Change;
use super::commits::report;
use super::lines::Lines;
use super::objects::{Damage, Kind, Object, Reader};
use super::problem::Problems;
use super::{Totals, large};

/// One thread's reader and comparer.
pub(super) struct Files<'a, V> {
    pub(super) reader: Reader<'a>,
    pub(super) totals: Totals,
    lines: Lines,
    added: Vec<Range<usize>>,
    binaries: bool,
    problems: &'a Problems,
    visit: V,
}

impl<'a, V: FnMut(&Change<'_>)> Files<'a, V> {
    /// `binaries` says whether files that are no text are handed over too.
    pub(super) fn new(reader: Reader<'a>, binaries: bool, problems: &'a Problems, visit: V) -> Files<'a, V> {
        Files { reader, totals: Totals::default(), lines: Lines::new(), added: Vec::new(), binaries, problems, visit }
    }

    /// Hands over the lines of `new` that are in none of `olds`.
    pub(super) fn file(&mut self, path: &[u8], new: Object, olds: &[Object], commits: &[Object]) {
        let data = match self.reader.read_kind(new, Kind::Blob) {
            Ok(data) => data,
            Err(Damage::TooLarge) => return self.large(path, new, commits),
            Err(damage) => return report(self.reader.store(), new, damage, self.problems),
        };
        let text = &data.bytes[..];
        let binary = is_binary(text);
        if binary && !self.binaries {
            self.totals.binaries += 1;
            return;
        }
        self.added.clear();
        if binary || olds.is_empty() {
            self.added.extend((!text.is_empty()).then_some(0..text.len()));
        } else {
            self.compare(olds, text);
        }
        if self.added.is_empty() {
            return;
        }
        self.totals.changes += 1;
        self.totals.bytes += self.added.iter().map(|range| range.len() as u64).sum::<u64>();
        (self.visit)(&Change {
            store: self.reader.store(),
            path,
            commits,
            text,
            added: &self.added,
            binary,
            first_line: 1,
            counted: Cell::new((0, 0)),
        });
    }

    /// Finds the new lines. An older version that cannot be read counts as empty.
    fn compare(&mut self, olds: &[Object], new: &[u8]) {
        let mut texts = Vec::with_capacity(olds.len());
        for old in olds {
            match self.reader.read_kind(*old, Kind::Blob) {
                Ok(old) => texts.push(old),
                Err(Damage::TooLarge) => {}
                Err(damage) => report(self.reader.store(), *old, damage, self.problems),
            }
        }
        if let [old] = &texts[..] {
            self.lines.added(&old.bytes, new, &mut self.added);
        } else {
            self.lines.added_to_all(texts.iter().map(|old| &old.bytes[..]), new, &mut self.added);
        }
    }

    /// A file too large to be held: all of it counts as new.
    fn large(&mut self, path: &[u8], new: Object, commits: &[Object]) {
        let store = self.reader.store();
        let (visit, totals, binaries) = (&mut self.visit, &mut self.totals, self.binaries);
        let done = large::read(&mut self.reader, new, &mut |part| {
            let first = u64::from(part.is_first);
            if part.binary && !binaries {
                totals.binaries += first;
                return false;
            }
            totals.changes += first;
            totals.bytes += part.bytes.len() as u64;
            visit(&Change {
                store,
                path,
                commits,
                text: part.bytes,
                added: std::slice::from_ref(&(0..part.bytes.len())),
                binary: part.binary,
                first_line: part.first_line,
                counted: Cell::new((0, 0)),
            });
            true
        });
        if let Err(damage) = done {
            report(store, new, damage, self.problems);
        }
    }
}

/// What git takes for no text: a NUL near the start.
pub(super) fn is_binary(text: &[u8]) -> bool {
    text[..text.len().min(8000)].contains(&0)
}
