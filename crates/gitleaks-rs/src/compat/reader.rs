//! A file in the pieces that Gitleaks reads it in.
//!
//! It asks for 100,000 bytes through a reader with a buffer of 4096, then goes on byte by byte to a blank line, the end
//! or 25,000 bytes more. That fills the buffer, so the next piece starts with only what is left in it, and so on: they are
//! long at first and then short. They do not overlap, and what lies across their border is lost.

use std::io::{self, Read};

const PIECE: usize = 100_000;
const FURTHER: usize = 25_000;
const BUFFER: usize = 4096;

/// A reader as Go's `bufio` has it: large reads go past an empty buffer.
struct Buffered<R> {
    inner: R,
    buffer: [u8; BUFFER],
    start: usize,
    end: usize,
}

impl<R: Read> Buffered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.start == self.end {
            return patiently(&mut self.inner, into);
        }
        let length = into.len().min(self.end - self.start);
        into[..length].copy_from_slice(&self.buffer[self.start..self.start + length]);
        self.start += length;
        Ok(length)
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        if self.start == self.end {
            (self.start, self.end) = (0, patiently(&mut self.inner, &mut self.buffer)?);
        }
        let byte = self.buffer[..self.end].get(self.start).copied();
        self.start += usize::from(byte.is_some());
        Ok(byte)
    }
}

/// One read; an interruption is no end.
fn patiently(inner: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match inner.read(into) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            done => return done,
        }
    }
}

/// The pieces of a file.
pub(super) struct Pieces<R> {
    reader: Buffered<R>,
    lines: i64,
}

/// A piece, the line it starts on, and whether no line ended before it.
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    /// How much of it came with the first read.
    pub(super) first_read: usize,
    pub(super) start_line: i64,
}

impl<R: Read> Pieces<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { reader: Buffered { inner, buffer: [0; BUFFER], start: 0, end: 0 }, lines: 0 }
    }

    /// The next piece; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Piece>> {
        let mut bytes = vec![0; PIECE];
        let first_read = self.reader.read(&mut bytes)?;
        if first_read == 0 {
            return Ok(None);
        }
        bytes.truncate(first_read);
        // What was read counts, even if reading on fails.
        let failed = self.extend_to_blank_line(&mut bytes).err();
        let start_line = self.lines + 1;
        self.lines += memchr::memchr_iter(b'\n', &bytes).count() as i64;
        match failed {
            Some(error) => Err(error),
            None => Ok(Some(Piece { bytes, first_read, start_line })),
        }
    }

    fn extend_to_blank_line(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        if ends_with_blank_line(bytes) {
            return Ok(());
        }
        let first_read = bytes.len();
        let mut newlines = 0;
        loop {
            match bytes.last() {
                Some(b'\n') => newlines += 1,
                Some(b' ' | b'\t' | b'\r') => {}
                _ => newlines = 0,
            }
            if newlines >= 2 || bytes.len() - first_read >= FURTHER {
                return Ok(());
            }
            match self.reader.byte()? {
                Some(byte) => bytes.push(byte),
                None => return Ok(()),
            }
        }
    }
}

/// Whether there are two newlines in the white space at the end.
fn ends_with_blank_line(bytes: &[u8]) -> bool {
    let white = bytes.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    white.filter(|byte| **byte == b'\n').nth(1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(text: &[u8]) -> Vec<(usize, i64)> {
        let mut pieces = Pieces::new(text);
        std::iter::from_fn(|| pieces.next().expect("memory can be read"))
            .map(|piece| (piece.bytes.len(), piece.start_line))
            .collect()
    }

    #[test]
    fn pieces_end_at_blank_lines_and_leave_the_rest_of_the_buffer() {
        assert_eq!(lengths(b""), []);
        assert_eq!(lengths(b"a\n\nb"), [(4, 1)]);
        // Without a blank line: 25,000 more, for which the buffer is filled seven times, so 3672 bytes are left in it;
        // and so from there on.
        let flat = vec![b'x'; 200_000];
        assert_eq!(lengths(&flat), [(125_000, 1), (28_672, 1), (28_672, 1), (17_656, 1)]);
        let lines = b"abcdefghi\n".repeat(12_000);
        assert_eq!(lengths(&lines)[0], (120_000, 1));
        let mut blank = b"abcdefghi\n".repeat(10_001);
        blank.extend_from_slice(b" \t\r\n");
        blank.extend_from_slice(&b"abcdefghi\n".repeat(300));
        assert_eq!(lengths(&blank)[..2], [(100_014, 1), (3000, 10_003)]);
    }
}
