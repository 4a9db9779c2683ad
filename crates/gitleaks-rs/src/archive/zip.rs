//! Zip, read from its beginning to its end. The list of members at the end is not asked: it may name the same bytes
//! many times, or leave out some that are there.

use std::io::{self, BufRead, Read};

use super::ahead::Ahead;
use super::kind::Packed;
use super::unpack::{Inflated, unpacked};
use super::{Trouble, Walk, name_of};

const MEMBER: &[u8] = b"PK\x03\x04";
const LIST: &[u8] = b"PK\x01\x02";
const END: &[u8] = b"PK\x05\x06";
const SIZES: &[u8] = b"PK\x07\x08";

/// What stands before the bytes of a member.
struct Header {
    flags: u16,
    method: u16,
    /// How many bytes it has here. None where only what stands behind them says so.
    packed: Option<u64>,
    name: String,
}

impl Walk<'_> {
    /// The members of a zip that goes by a path.
    pub(super) fn zip(&self, source: &mut Ahead<'_>, path: &str, depth: u32) -> Result<(), Trouble> {
        while to_member(source)? {
            let header = header(source)?;
            let name = name_of(path, &header.name);
            if header.name.ends_with('/') && header.packed.is_none_or(|size| size == 0) {
                continue;
            }
            match self.zipped(source, &header, &name, depth) {
                // The next member tells by its mark where it begins.
                Err(trouble @ (Trouble::Damaged | Trouble::Encrypted | Trouble::Method(_) | Trouble::Memory)) => {
                    self.tell(&name, trouble);
                }
                done => done?,
            }
        }
        Ok(())
    }

    fn zipped(&self, source: &mut Ahead<'_>, header: &Header, name: &str, depth: u32) -> Result<(), Trouble> {
        // The second bit is that of hidden names.
        if header.flags & (1 | 1 << 13) != 0 {
            header.packed.map_or(Ok(()), |size| source.skip(size))?;
            return Err(Trouble::Encrypted);
        }
        match (header.method, header.packed) {
            (0, Some(size)) => self.member(source, size, name, depth),
            (0, None) => self.part(&mut Stored { source, count: 0 }, name, depth, false),
            // The bytes themselves say where they end, whatever the header does.
            (8, Some(0)) if source.peek(2)?.starts_with(b"PK") => Ok(()),
            (8, _) => self.part(&mut Inflated::raw(source), name, depth, false),
            (method @ (12 | 93 | 95), Some(size)) => {
                let packed = match method {
                    12 => Packed::Bzip2,
                    93 => Packed::Zstd,
                    _ => Packed::Xz,
                };
                let mut own = source.take(size);
                let done = {
                    let mut inner = Ahead::new(&mut own);
                    self.with_window(packed, |window| {
                        self.part(&mut *unpacked(packed, &mut inner, window), name, depth, false)
                    })
                };
                let left = own.limit();
                source.skip(left)?;
                done
            }
            (method, size) => {
                size.map_or(Ok(()), |size| source.skip(size))?;
                Err(Trouble::Method(method))
            }
        }
    }
}

/// Goes to the next member; false where their list begins.
fn to_member(source: &mut Ahead<'_>) -> Result<bool, Trouble> {
    loop {
        let next = source.peek(4)?;
        if next.starts_with(MEMBER) {
            return Ok(true);
        }
        if next.starts_with(LIST) || next.starts_with(END) {
            return Ok(false);
        }
        if next.len() < 4 {
            return Err(Trouble::Cut);
        }
        // Sizes that follow a member, and what some tools put before the list.
        let go = memchr::memchr(b'P', &next[1..]).map_or(next.len() - 3, |at| at + 1);
        source.consume(go.max(1));
    }
}

fn header(source: &mut Ahead<'_>) -> io::Result<Header> {
    let fixed = source.exact(30)?;
    let short = |at: usize| u16::from_le_bytes([fixed[at], fixed[at + 1]]);
    let long = |at: usize| u64::from(short(at)) | u64::from(short(at + 2)) << 16;
    let name = source.exact(usize::from(short(26)))?;
    let extra = source.exact(usize::from(short(28)))?;
    let (flags, mut packed) = (short(6), long(18));
    if packed == u64::from(u32::MAX) {
        packed = large(&extra).unwrap_or(packed);
    }
    let behind = flags & 8 != 0 && packed == 0;
    let name = String::from_utf8_lossy(&name).into_owned();
    Ok(Header { flags, method: short(8), packed: (!behind).then_some(packed), name })
}

/// The size of a member beyond 4 GiB, behind that which it has unpacked.
fn large(mut extra: &[u8]) -> Option<u64> {
    while let [a, b, c, d, rest @ ..] = extra {
        let (id, length) = (u16::from_le_bytes([*a, *b]), usize::from(u16::from_le_bytes([*c, *d])));
        let field = rest.get(..length)?;
        if id == 1 {
            return Some(u64::from_le_bytes(*field.get(8..16)?.first_chunk()?));
        }
        extra = &rest[length..];
    }
    None
}

/// Bytes that are stored as they are, up to the sizes behind them.
struct Stored<'s, 'r> {
    source: &'s mut Ahead<'r>,
    count: u64,
}

impl Read for Stored<'_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let next = self.source.peek(24)?;
        if next.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let long =
            |at: usize| next.get(at..at + 4).map(|field| u32::from_le_bytes([field[0], field[1], field[2], field[3]]));
        if next.starts_with(SIZES) && long(8).is_some_and(|size| size == self.count as u32) {
            return Ok(0);
        }
        let go = memchr::memchr(b'P', &next[1..]).map_or(next.len(), |at| at + 1);
        let go = go.min(into.len());
        into[..go].copy_from_slice(&next[..go]);
        self.source.consume(go);
        self.count += go as u64;
        Ok(go)
    }
}
