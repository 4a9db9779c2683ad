//! Tar: blocks of 512 bytes, a header before each member. Links and devices are passed by.

use std::io;

use super::ahead::Ahead;
use super::kind::{is_header, octal};
use super::{Trouble, Walk, name_of};

const BLOCK: u64 = 512;
/// The longest name, and the longest list of what else there is to say of a member.
const WORDS: u64 = 64 << 10;

impl Walk<'_> {
    /// The members of a tar that goes by a path.
    pub(super) fn tar(&self, source: &mut Ahead<'_>, path: &str, depth: u32) -> Result<(), Trouble> {
        // What a header of its own says of the member behind it.
        let (mut long_name, mut long_size): (Option<String>, Option<u64>) = (None, None);
        let mut ended = false;
        loop {
            let Some(header) = source.peek(512)?.first_chunk::<512>().copied() else {
                let rest = source.peek(512)?;
                return if ended || rest.is_empty() { Ok(()) } else { Err(Trouble::Cut) };
            };
            if header.iter().all(|byte| *byte == 0) {
                // Two of these end an archive; another may stand behind it.
                source.skip(BLOCK)?;
                ended = true;
                continue;
            }
            if !is_header(&header) {
                return if ended { Ok(()) } else { Err(Trouble::Damaged) };
            }
            source.skip(BLOCK)?;
            let kind = header[156];
            let size = long_size.take().map_or_else(|| size(&header[124..136]), Ok)?;
            match kind {
                b'L' | b'x' | b'g' | b'K' => {
                    if size > WORDS {
                        return Err(Trouble::Damaged);
                    }
                    let words = source.exact(usize::try_from(size).unwrap_or(0))?;
                    source.skip(padding(size))?;
                    match kind {
                        b'L' => long_name = Some(text(&words)),
                        b'x' => {
                            long_name = record(&words, "path").map(str::to_owned).or(long_name);
                            long_size = record(&words, "size").and_then(|size| size.parse().ok());
                        }
                        _ => {}
                    }
                }
                b'0' | 0 | b'7' | b'S' => {
                    let mut more = kind == b'S' && header[482] != 0;
                    while more {
                        more = source.exact(512)?[504] != 0;
                    }
                    let name = long_name.take().unwrap_or_else(|| name(&header));
                    self.member(source, size, &name_of(path, &name), depth)?;
                    source.skip(padding(size))?;
                }
                // A link has no bytes, whatever size it tells; nor has a folder.
                b'1'..=b'6' => (long_name, long_size) = (None, None),
                _ => {
                    long_name = None;
                    source.skip(size)?;
                    source.skip(padding(size))?;
                }
            }
        }
    }
}

fn padding(size: u64) -> u64 {
    size.wrapping_neg() % BLOCK
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

/// The name in a header, with what stands before it in its own field.
fn name(header: &[u8; 512]) -> String {
    let name = text(&header[..100]);
    let before = if header[257..263] == *b"ustar\0" { text(&header[345..500]) } else { String::new() };
    if before.is_empty() { name } else { format!("{before}/{name}") }
}

/// Octal digits, or where the first bit is set a number in bytes.
fn size(field: &[u8]) -> io::Result<u64> {
    let number = match field {
        [0x80, zeros @ .., a, b, c, d, e, f, g, h] if zeros.iter().all(|byte| *byte == 0) => {
            Some(u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]))
        }
        _ => octal(field),
    };
    number.filter(|size| *size < 1 << 62).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

/// What a list of `length key=value` lines says of a key.
fn record<'w>(words: &'w [u8], key: &str) -> Option<&'w str> {
    let mut rest = words;
    let mut found = None;
    while let Some(space) = rest.iter().position(|byte| *byte == b' ') {
        let length: usize = std::str::from_utf8(&rest[..space]).ok()?.parse().ok()?;
        let line = std::str::from_utf8(rest.get(space + 1..length)?).ok();
        let value = line.and_then(|line| line.trim_end_matches('\n').strip_prefix(key)?.strip_prefix('='));
        found = value.or(found);
        rest = &rest[length..];
    }
    found
}
