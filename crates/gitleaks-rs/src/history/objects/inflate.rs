//! Deflated bytes, read from a file in parts and unpacked into memory of a known size.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use zlib_rs::{Inflate, InflateFlush, Status};

use super::Damage;

/// How much of a file is read at once: what is made of each other lies together in a pack.
const BLOCK: usize = 32 << 10;
/// How many blocks are kept, by where in the file they are.
const BLOCKS: usize = 64;
/// As much as stands before an object at most.
const HEADER: usize = 64;

/// Parts of files that were read lately, and the state of unpacking.
pub(super) struct Inflater {
    inflate: Inflate,
    blocks: Vec<Block>,
    header: Vec<u8>,
}

/// A part of a file.
#[derive(Default)]
struct Block {
    /// Whose, and the how manieth; nothing is filled where there is none yet.
    file: usize,
    number: u64,
    bytes: Vec<u8>,
    filled: usize,
}

impl Inflater {
    pub(super) fn new() -> Inflater {
        let blocks = std::iter::repeat_with(Block::default).take(BLOCKS).collect();
        Inflater { inflate: Inflate::new(true, 15), blocks, header: Vec::with_capacity(HEADER) }
    }

    /// Forgets what was read of a file: another one comes by the same key.
    pub(super) fn forget(&mut self, key: usize) {
        self.blocks.iter_mut().filter(|block| block.file == key).for_each(|block| block.filled = 0);
    }

    /// Bytes of a file from `at` on: at least [`HEADER`] of them unless the file ends.
    pub(super) fn peek(&mut self, file: &File, key: usize, at: u64) -> io::Result<&[u8]> {
        let there = bytes(&mut self.blocks, file, key, at)?.len();
        if there >= HEADER {
            return bytes(&mut self.blocks, file, key, at);
        }
        self.header.clear();
        while self.header.len() < HEADER {
            let more = bytes(&mut self.blocks, file, key, at + self.header.len() as u64)?;
            if more.is_empty() {
                break;
            }
            self.header.extend_from_slice(&more[..more.len().min(HEADER)]);
        }
        Ok(&self.header)
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
        let input = bytes(&mut self.blocks, file, key, from).map_err(|_| Damage::Broken)?;
        match self.inflate.decompress(input, out, InflateFlush::Finish) {
            Ok(Status::StreamEnd) => Ok(true),
            Ok(_) if self.inflate.total_in() > read || self.inflate.total_out() > wrote => Ok(false),
            _ => Err(Damage::Broken),
        }
    }
}

/// Bytes of a file from `at` to the end of a block; none at the end of the file.
fn bytes<'a>(blocks: &'a mut [Block], file: &File, key: usize, at: u64) -> io::Result<&'a [u8]> {
    let number = at / BLOCK as u64;
    let block = &mut blocks[(number % BLOCKS as u64) as usize];
    let inside = (at % BLOCK as u64) as usize;
    if block.filled == 0 || block.file != key || block.number != number {
        (block.file, block.number, block.filled) = (key, number, 0);
        block.bytes.resize(BLOCK, 0);
        while block.filled < BLOCK {
            match file.read_at(&mut block.bytes[block.filled..], number * BLOCK as u64 + block.filled as u64) {
                Ok(0) => break,
                Ok(count) => block.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(block.bytes[..block.filled].get(inside..).unwrap_or_default())
}
