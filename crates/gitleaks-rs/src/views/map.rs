//! Decoded bytes with the way back to where they came from.

use std::ops::Range;

/// A stretch of a view in which every unit of decoded bytes comes from a unit of encoded ones.
#[derive(Clone, Copy, Debug)]
struct Piece {
    /// Where it begins in the view.
    view: usize,
    /// Where it begins in the text below.
    text: usize,
    /// Decoded bytes of a unit.
    unit: usize,
    /// Encoded bytes of a unit.
    width: usize,
}

/// Decoded bytes and their places in the text that they were decoded from.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    /// What the text says.
    pub(crate) bytes: Vec<u8>,
    pieces: Vec<Piece>,
    /// The part of the text below that it was made from.
    pub(crate) covers: Range<usize>,
}

impl View {
    /// Empties it for another part of a text; its memory is kept.
    pub(crate) fn reset(&mut self, covers: Range<usize>) {
        self.bytes.clear();
        self.pieces.clear();
        self.covers = covers;
    }

    /// Bytes that stand for themselves, from `text` on.
    pub(crate) fn copy(&mut self, bytes: &[u8], text: usize) {
        self.piece(text, 1, 1);
        self.bytes.extend_from_slice(bytes);
    }

    /// One unit: `width` bytes from `text` on mean `bytes`.
    pub(crate) fn decode(&mut self, bytes: &[u8], text: usize, width: usize) {
        self.piece(text, bytes.len().max(1), width);
        self.bytes.extend_from_slice(bytes);
    }

    /// What follows comes in units: `unit` bytes for `width` encoded ones from `text` on.
    pub(crate) fn units(&mut self, text: usize, unit: usize, width: usize) {
        self.piece(text, unit, width);
    }

    fn piece(&mut self, text: usize, unit: usize, width: usize) {
        self.pieces.push(Piece { view: self.bytes.len(), text, unit, width });
    }

    /// Where a range of decoded bytes comes from: the whole of every unit it touches.
    pub(crate) fn source(&self, range: Range<usize>) -> Range<usize> {
        let start = self.unit_at(range.start).start;
        let end = if range.is_empty() { start } else { self.unit_at(range.end - 1).end };
        start..end.max(start)
    }

    fn unit_at(&self, at: usize) -> Range<usize> {
        let next = self.pieces.partition_point(|piece| piece.view <= at);
        let Some(piece) = next.checked_sub(1).and_then(|last| self.pieces.get(last)) else {
            return self.covers.start..self.covers.start;
        };
        let start = piece.text + (at - piece.view) / piece.unit * piece.width;
        let limit = self.pieces.get(next).map_or(self.covers.end, |next| next.text);
        start.min(limit)..(start + piece.width).min(limit).max(start.min(limit))
    }

    /// Where the byte at `text` went, if it stands for itself or begins a unit.
    pub(crate) fn find(&self, text: usize) -> Option<usize> {
        let next = self.pieces.partition_point(|piece| piece.text <= text);
        let piece = self.pieces.get(next.checked_sub(1)?)?;
        let past = text - piece.text;
        if !past.is_multiple_of(piece.width) {
            return None;
        }
        let at = piece.view + past / piece.width * piece.unit;
        let limit = self.pieces.get(next).map_or(self.bytes.len(), |next| next.view);
        (at < limit).then_some(at)
    }
}
