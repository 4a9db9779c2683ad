//! Reads on and looks ahead: what a stream is shows in bytes that its decoder wants to see again.

use std::io::{self, BufRead, Read};

/// How far one may look ahead.
const SIZE: usize = 32 << 10;

/// A stream whose next bytes can be looked at before they are taken.
pub(super) struct Ahead<'r> {
    inner: &'r mut dyn Read,
    buffer: Vec<u8>,
    /// What is taken already.
    taken: usize,
    /// Whether the stream has ended.
    ended: bool,
}

impl<'r> Ahead<'r> {
    pub(super) fn new(inner: &'r mut dyn Read) -> Self {
        Self { inner, buffer: Vec::new(), taken: 0, ended: false }
    }

    /// The next bytes: at least `wanted`, unless the stream ends before.
    pub(super) fn peek(&mut self, wanted: usize) -> io::Result<&[u8]> {
        if self.buffer.len() - self.taken < wanted {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        while self.buffer.len() < wanted && !self.ended {
            let filled = self.buffer.len();
            self.buffer.resize(SIZE, 0);
            let read = self.inner.read(&mut self.buffer[filled..]);
            self.buffer.truncate(filled + read.as_ref().map_or(0, |count| *count));
            match read {
                Ok(count) => self.ended = count == 0,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(&self.buffer[self.taken..])
    }

    /// Exactly so many bytes, which are taken.
    pub(super) fn exact(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Goes past so many bytes.
    pub(super) fn skip(&mut self, mut count: u64) -> io::Result<()> {
        while count > 0 {
            let there = self.peek(1)?.len();
            if there == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let now = usize::try_from(count).unwrap_or(usize::MAX).min(there);
            self.consume(now);
            count -= now as u64;
        }
        Ok(())
    }
}

impl Read for Ahead<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.peek(1)?;
        let count = bytes.len().min(into.len());
        into[..count].copy_from_slice(&bytes[..count]);
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Ahead<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, count: usize) {
        self.taken = (self.taken + count).min(self.buffer.len());
    }
}
