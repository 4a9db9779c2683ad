//! Scans what does not fit in memory, with the same result as if it did.
//!
//! A text is read in blocks. Each block is looked at with as much of its neighbours as a match may reach, and answers
//! for the matches that begin in its core. Cores meet at line ends where there are any; where a run of base64 lasts
//! longer than a block, the next one begins at a multiple of four letters of it.

use std::fs::File;
use std::io::{self, Read, Seek};

use crate::archive::HEAD;
use crate::files::keep_plausible;
use crate::scanner::{Match, Scanner, Start, keep_surest};
use crate::views::run;

/// What is read at a time.
const BLOCK: usize = 4 << 20;
/// What a match may reach on either side of the place where it begins, decoded or not.
const REACH: usize = 64 << 10;

/// Memory for reading, to be used again for the next file.
#[derive(Debug)]
pub struct Buffer {
    bytes: Vec<u8>,
    head: Vec<u8>,
    block: usize,
    /// Whether reading ended before the text did.
    cut: bool,
}

impl Default for Buffer {
    fn default() -> Self {
        Self::of(BLOCK)
    }
}

impl Buffer {
    /// One that reads about so many bytes at a time. What is found does not depend on it.
    pub fn of(block: usize) -> Self {
        Self { bytes: Vec::new(), head: Vec::new(), block, cut: false }
    }

    /// How the text that was read last begins.
    pub(crate) fn head(&self) -> &[u8] {
        &self.head
    }
}

impl Scanner {
    /// The secrets in what a reader gives, in order of their place. `path` is the name that rules may ask for.
    pub fn scan_read(&self, mut reader: impl Read, path: &str, buffer: &mut Buffer) -> io::Result<Vec<Match<'_>>> {
        self.scan_blocks(&mut reader, path, buffer, usize::MAX, Start::default()).map(|(matches, _)| matches)
    }

    /// The same, until there are more than enough; and whether that was before the end.
    pub(crate) fn scan_until(
        &self,
        mut reader: impl Read,
        path: &str,
        buffer: &mut Buffer,
        enough: usize,
    ) -> io::Result<(Vec<Match<'_>>, bool)> {
        let (matches, _) = self.scan_blocks(&mut reader, path, buffer, enough, Start::default())?;
        Ok((matches, buffer.cut))
    }

    /// The secrets in an open file from a place on and in its first `most` bytes, and where those ended.
    pub(crate) fn scan_open(
        &self,
        file: &File,
        path: &str,
        buffer: &mut Buffer,
        from: &Start,
        most: u64,
    ) -> io::Result<(Vec<Match<'_>>, Start)> {
        let mut file = file;
        file.seek(io::SeekFrom::Start(from.offset as u64))?;
        self.scan_blocks(&mut file.take(most.saturating_sub(from.offset as u64)), path, buffer, usize::MAX, *from)
    }

    /// The same, until there are more than enough matches. `begin` is where the buffer begins in the file.
    fn scan_blocks(
        &self,
        reader: &mut impl Read,
        path: &str,
        buffer: &mut Buffer,
        enough: usize,
        mut begin: Start,
    ) -> io::Result<(Vec<Match<'_>>, Start)> {
        let Buffer { bytes: buffer, head, block, cut } = buffer;
        *cut = false;
        buffer.clear();
        head.clear();
        let mut all = Vec::new();
        let mut core = 0;
        loop {
            let wanted = block.saturating_sub(buffer.len() - core).max(*block / 2).max(1);
            let got = reader.by_ref().take(wanted as u64).read_to_end(buffer)?;
            let last = got < wanted;
            if head.is_empty() {
                head.extend_from_slice(&buffer[..buffer.len().min(HEAD)]);
            }
            let end = if last { buffer.len() } else { border(buffer, core) };
            if end > core || last {
                let mut matches = self.scan_from(buffer, path, &begin);
                keep_plausible(&mut matches, head);
                let own = begin.offset + core..begin.offset + end + usize::from(last);
                all.extend(matches.into_iter().filter(|one| own.contains(&one.start)));
            }
            *cut = !last && all.len() > enough;
            if last || *cut {
                begin.advance(buffer);
                break;
            }
            let keep = run::align(buffer, end.saturating_sub(REACH));
            begin.advance(&buffer[..keep]);
            buffer.drain(..keep);
            core = end - keep;
        }
        keep_surest(&mut all);
        Ok((all, begin))
    }
}

/// Where a core may end so that what begins in it is seen whole: behind a line, if one ends in reach of that.
fn border(text: &[u8], core: usize) -> usize {
    let most = text.len().saturating_sub(REACH).max(core);
    let least = most.saturating_sub(REACH).max(core);
    memchr::memrchr(b'\n', &text[least..most]).map_or(most, |at| least + at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives bytes a few at a time.
    struct Drops<'t>(&'t [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(into.len()).min(self.0.len());
            into[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            self.1 = self.1 % 8191 + 1;
            Ok(count)
        }
    }

    #[test]
    fn blocks_never_change_the_result() {
        let mut seed = 3_u64;
        let mut letters = |count: usize| -> String {
            (0..count)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    char::from(
                        b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[(seed >> 40) as usize % 62],
                    )
                })
                .collect()
        };
        let mut text = String::new();
        for round in 0..400 {
            let token = format!("ghp_{}", letters(36));
            match round % 4 {
                0 => text.push_str(&format!("line {token}\n")),
                1 => text.push_str(&format!("{{\\\"a\\\":\\\"x\\\\n{token}\\\\n\\\"}} ")),
                2 => text.push_str(&format!("é {token},")),
                _ => text.push_str(&" nothing of note, and more of it".repeat(90)),
            }
        }
        let place = |one: &Match<'_>| (one.rule.id.clone(), one.start, one.end, one.line, one.column, one.end_line);
        let scanner = Scanner::embedded();
        let whole: Vec<_> = scanner.scan(text.as_bytes()).iter().map(place).collect();
        assert!(whole.len() >= 300, "{}", whole.len());
        for block in [150_000, 200_001, 1 << 20] {
            let mut buffer = Buffer::of(block);
            let parts =
                scanner.scan_blocks(&mut Drops(text.as_bytes(), 1), "", &mut buffer, usize::MAX, Start::default());
            let (parts, end) = parts.expect("memory can be read");
            assert_eq!(end.offset, text.len());
            let parts: Vec<_> = parts.iter().map(place).collect();
            assert_eq!(parts, whole, "{block}");
        }
    }
}
