//! What is handed to whoever looks for something: the new text of a file, and which of its lines are new.

use std::cell::Cell;
use std::ops::Range;

use super::Id;
use super::objects::{Object, Store};

/// Lines that commits add to a file, or that are staged.
pub struct Change<'a> {
    pub(super) store: &'a Store,
    pub(super) path: &'a [u8],
    pub(super) commits: &'a [Object],
    pub(super) text: &'a [u8],
    pub(super) added: &'a [Range<usize>],
    pub(super) binary: bool,
    pub(super) first_line: usize,
    /// The last place whose line was asked for, and that line.
    pub(super) counted: Cell<(usize, usize)>,
}

/// Consecutive lines that are new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece<'a> {
    /// Where in [`Change::text`] the lines begin.
    pub start: usize,
    /// Whole lines. Only the last line of a file may lack its line end.
    pub bytes: &'a [u8],
}

impl<'a> Change<'a> {
    /// The file's path from the top of the repository, with slashes.
    pub fn path(&self) -> &'a [u8] {
        self.path
    }

    /// The commits that make this same change to this file, newest first; none for what is staged. Most changes are
    /// of one commit; picked and rebased ones are of several.
    pub fn commits(&self) -> impl Iterator<Item = Id> + '_ {
        self.commits.iter().filter_map(|commit| self.store.name(*commit))
    }

    /// The whole text after the change. Of files too large to be held it is a part.
    pub fn text(&self) -> &'a [u8] {
        self.text
    }

    /// Which parts of the text are new: whole lines, in order, apart from each other.
    pub fn added(&self) -> &'a [Range<usize>] {
        self.added
    }

    /// Whether git would not show it as text. All of the new file then counts as new.
    pub fn is_binary(&self) -> bool {
        self.binary
    }

    /// The new lines, run by run.
    pub fn pieces(&self) -> impl Iterator<Item = Piece<'a>> + use<'a> {
        let text = self.text;
        self.added.iter().map(move |range| Piece { start: range.start, bytes: &text[range.clone()] })
    }

    /// The line in the new file, from one on, of a place in the text. Asking in rising order is cheapest.
    pub fn line(&self, at: usize) -> usize {
        let at = at.min(self.text.len());
        let (from, line) = match self.counted.get() {
            (from, line) if from <= at && line > 0 => (from, line),
            _ => (0, self.first_line),
        };
        let line = line + memchr::memchr_iter(b'\n', &self.text[from..at]).count();
        self.counted.set((at, line));
        line
    }
}
