//! Payloads put together from their pages, with where each byte came from.

use std::ops::Range;

use super::pages::{File, Spot};
use super::record::{Field, Kind, fields};

/// The smallest part of a payload that is given at once.
const LEAST: usize = 1024;

/// What a row, an entry of an index, or a chain of pages of a deleted row holds, or one part of it if it is long.
#[derive(Debug)]
pub struct Payload<'p> {
    /// The bytes in the order in which the database has them.
    pub bytes: &'p [u8],
    /// How many bytes of the payload came before these. Parts overlap.
    pub start: u64,
    /// Where the bytes stand in the files, in the same order and without gaps.
    pub pieces: &'p [Piece],
    /// The texts and blobs among the bytes, as far as they lie in this part. Empty if the bytes are no record, as those
    /// of a deleted row: then they are all there is.
    pub values: &'p [Value],
    /// What to ask [`Database::places`](super::Database::places) with.
    pub origin: Origin,
}

/// Bytes of a payload that stand together in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where they start in [`Payload::bytes`]. They end where the next piece starts.
    pub start: usize,
    /// Which file they stand in.
    pub file: File,
    /// Where.
    pub offset: u64,
}

/// A text or blob of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Where it is in [`Payload::bytes`].
    pub range: Range<usize>,
    /// Text or blob.
    pub kind: Kind,
    /// The how manyth value of the record it is, from 0.
    pub column: u16,
}

/// Which row a payload is of. Small, so that it can be kept until there is a finding to name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    pub(super) spot: Spot,
    pub(super) page: u32,
    pub(super) cell: Option<u16>,
}

impl Payload<'_> {
    /// Where bytes stand in the files: the file, the offset, the length, in order.
    pub fn stand(&self, range: Range<usize>) -> impl Iterator<Item = (File, u64, usize)> {
        let ends = self.pieces.iter().skip(1).map(|piece| piece.start).chain([self.bytes.len()]);
        self.pieces.iter().zip(ends).filter_map(move |(piece, end)| {
            let (start, end) = (piece.start.max(range.start), end.min(range.end));
            let length = end.checked_sub(start).filter(|length| *length > 0)?;
            Some((piece.file, piece.offset + (start - piece.start) as u64, length))
        })
    }

    /// Whether bytes stand in more than one place, so that nobody finds them who reads the files alone.
    #[must_use]
    pub fn straddles(&self, range: Range<usize>) -> bool {
        self.stand(range).nth(1).is_some()
    }
}

/// Puts a payload together and gives it away in parts.
pub(super) struct Joiner<'v> {
    limit: usize,
    overlap: usize,
    visit: &'v mut dyn FnMut(&Payload),
    bytes: Vec<u8>,
    pieces: Vec<Piece>,
    values: Vec<Value>,
    fields: Vec<Field>,
    /// None for bytes that are no record, as far as is known.
    total: Option<u64>,
    start: u64,
    /// How many of the bytes were given before.
    given: usize,
    /// How many parts were given in all.
    pub(super) count: u64,
}

impl<'v> Joiner<'v> {
    pub(super) fn new(limit: usize, overlap: usize, visit: &'v mut dyn FnMut(&Payload)) -> Self {
        let limit = limit.max(LEAST);
        let overlap = overlap.min(limit / 2);
        let (bytes, pieces, values, fields) = <_>::default();
        Self { limit, overlap, visit, bytes, pieces, values, fields, total: None, start: 0, given: 0, count: 0 }
    }

    pub(super) fn begin(&mut self, total: Option<u64>) {
        self.bytes.clear();
        self.pieces.clear();
        self.fields.clear();
        (self.total, self.start, self.given) = (total, 0, 0);
    }

    pub(super) fn add(&mut self, mut bytes: &[u8], (file, mut offset): (File, u64), origin: Origin) {
        while !bytes.is_empty() {
            let (now, rest) = bytes.split_at(bytes.len().min(self.limit - self.bytes.len()));
            self.pieces.push(Piece { start: self.bytes.len(), file, offset });
            self.bytes.extend_from_slice(now);
            offset += now.len() as u64;
            bytes = rest;
            if self.bytes.len() == self.limit {
                self.give(origin);
                self.keep_overlap();
            }
        }
    }

    pub(super) fn finish(&mut self, origin: Origin) {
        if self.bytes.len() > self.given {
            self.give(origin);
        }
    }

    fn give(&mut self, origin: Origin) {
        if let (0, Some(total)) = (self.start, self.total) {
            let found = fields(&self.bytes, total);
            self.total = found.as_ref().map(|_| total);
            let found = found.into_iter().flatten();
            self.fields.extend(found.filter(|field| field.kind != Kind::Number && field.start < field.end));
        }
        let (start, end) = (self.start, self.start + self.bytes.len() as u64);
        let first = self.fields.partition_point(|field| field.end <= start);
        let within = self.fields.iter().skip(first).take_while(|field| field.start < end);
        self.values.clear();
        self.values.extend(within.map(|field| Value {
            range: field.start.saturating_sub(start) as usize..(field.end.min(end) - start) as usize,
            kind: field.kind,
            column: field.column,
        }));
        self.given = self.bytes.len();
        let (bytes, pieces, values) = (&self.bytes, &self.pieces, &self.values);
        if self.total.is_none() || !values.is_empty() {
            self.count += 1;
            (self.visit)(&Payload { bytes, start, pieces, values, origin });
        }
    }

    /// Lets go of all but the end, so that what lies across two parts is whole in the second.
    fn keep_overlap(&mut self) {
        let gone = self.bytes.len() - self.overlap;
        self.bytes.drain(..gone);
        let first = self.pieces.partition_point(|piece| piece.start <= gone).saturating_sub(1);
        self.pieces.drain(..first);
        for piece in &mut self.pieces {
            let into = gone.saturating_sub(piece.start);
            piece.offset += into as u64;
            piece.start = piece.start.saturating_sub(gone);
        }
        if self.bytes.is_empty() {
            self.pieces.clear();
        }
        self.start += gone as u64;
        self.given = self.bytes.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORIGIN: Origin = Origin { spot: Spot::Main(2), page: 2, cell: None };

    #[test]
    fn parts_overlap_and_know_where_they_stand() {
        let text: Vec<u8> = (0..5000_u32).map(|byte| byte as u8).collect();
        for overlap in [0, 1, 100, 512, 9999] {
            let mut seen = Vec::new();
            let mut visit = |part: &Payload| {
                assert_eq!(&text[part.start as usize..][..part.bytes.len()], part.bytes);
                let stands: Vec<_> = part.stand(0..part.bytes.len()).collect();
                let mut at = part.start;
                for (_, offset, length) in stands {
                    assert_eq!(offset, at / 700 * 10_000 + at % 700);
                    at += length as u64;
                }
                assert_eq!(at, part.start + part.bytes.len() as u64);
                seen.push(part.start..at);
            };
            let mut joiner = Joiner::new(1024, overlap, &mut visit);
            joiner.begin(None);
            for (index, piece) in text.chunks(700).enumerate() {
                joiner.add(piece, (File::Main, index as u64 * 10_000), ORIGIN);
            }
            joiner.finish(ORIGIN);
            assert_eq!((seen[0].start, seen.last().map(|part| part.end)), (0, Some(5000)));
            for pair in seen.windows(2) {
                assert_eq!(pair[0].end - pair[1].start, overlap.min(512) as u64);
            }
        }
    }
}
