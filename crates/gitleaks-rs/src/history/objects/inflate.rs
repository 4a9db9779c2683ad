//! Deflated bytes, read from a file in parts and unpacked into memory of a known size.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::Damage;

/// How much of a file is read at once. Objects made of each other lie close together in a pack.
const WINDOW: usize = 32 << 10;
/// What is left of a window must hold a header and more, or the next window is read.
const HEADER: usize = 64;

/// A part of a file that was read last, and the state of unpacking.
pub(super) struct Inflater {
    inflate: Inflate,
    window: Vec<u8>,
    /// Whose window it is, and where in the file it begins.
    file: usize,
    start: u64,
    filled: usize,
}

impl Inflater {
    pub(super) fn new() -> Inflater {
        Inflater { inflate: Inflate::new(true, 15), window: vec![0; WINDOW], file: usize::MAX, start: 0, filled: 0 }
    }

    /// Forgets what was read: the next file may have the same key.
    pub(super) fn forget(&mut self) {
        self.filled = 0;
    }

    /// Bytes of a file from `at` on: at least [`HEADER`] of them unless the file ends.
    pub(super) fn peek(&mut self, file: &File, key: usize, at: u64) -> io::Result<&[u8]> {
        let inside = key == self.file && at >= self.start && at + HEADER as u64 <= self.start + self.filled as u64;
        if !inside {
            self.load(file, key, at)?;
        }
        Ok(&self.window[(at - self.start) as usize..self.filled])
    }

    fn load(&mut self, file: &File, key: usize, at: u64) -> io::Result<()> {
        (self.file, self.start, self.filled) = (key, at, 0);
        while self.filled < WINDOW {
            match file.read_at(&mut self.window[self.filled..], at + self.filled as u64) {
                Ok(0) => break,
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Unpacks what begins at `at` into the whole of `out`.
    pub(super) fn fill(&mut self, file: &File, key: usize, at: u64, out: &mut [u8]) -> Result<(), Damage> {
        self.inflate.reset(true);
        let mut written = 0;
        // One byte more than there should be shows a stream that is longer than it says.
        let mut spare = [0; 1];
        loop {
            let room = if written < out.len() { &mut out[written..] } else { &mut spare[..] };
            let whole = self.step(file, key, at, room)?;
            written = self.inflate.total_out() as usize;
            if whole {
                return if written == out.len() { Ok(()) } else { Err(Damage::Broken) };
            }
            if written > out.len() {
                return Err(Damage::Broken);
            }
        }
    }

    /// Unpacks what begins at `at` in parts of at most `out`'s length, and calls `each` with them.
    pub(super) fn stream(
        &mut self,
        file: &File,
        key: usize,
        at: u64,
        out: &mut [u8],
        mut each: impl FnMut(&[u8]) -> bool,
    ) -> Result<(), Damage> {
        self.inflate.reset(true);
        let mut written = 0;
        loop {
            let before = self.inflate.total_out();
            let whole = self.step(file, key, at, &mut out[written..])?;
            written += (self.inflate.total_out() - before) as usize;
            if (whole || written == out.len()) && written > 0 {
                if !each(&out[..written]) {
                    return Ok(());
                }
                written = 0;
            }
            if whole {
                return Ok(());
            }
        }
    }

    /// Goes on unpacking; tells whether that was all.
    fn step(&mut self, file: &File, key: usize, at: u64, out: &mut [u8]) -> Result<bool, Damage> {
        let (read, wrote) = (self.inflate.total_in(), self.inflate.total_out());
        let from = at.checked_add(read).ok_or(Damage::Broken)?;
        if key != self.file || from < self.start || from >= self.start + self.filled as u64 {
            self.load(file, key, from).map_err(|_| Damage::Broken)?;
        }
        let input = &self.window[(from - self.start) as usize..self.filled];
        match self.inflate.decompress(input, out, InflateFlush::Finish) {
            Ok(Status::StreamEnd) => Ok(true),
            Ok(_) if self.inflate.total_in() > read || self.inflate.total_out() > wrote => Ok(false),
            _ => Err(Damage::Broken),
        }
    }
}
