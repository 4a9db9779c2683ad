//! What archives are known by: their first bytes. A name only decides where those leave it open.

/// So much of a file is enough to know it by.
pub(crate) const HEAD: usize = 512;

/// A kind of archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Zip, and what is made of it: packages of Java, Python and editors, documents of offices.
    Zip,
    /// Files one behind the other.
    Tar,
    /// One stream, which may be a file or an archive.
    Packed(Packed),
    /// A kind that is not read, by its name.
    Foreign(&'static str),
}

/// How a stream is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packed {
    Gzip,
    Bzip2,
    Xz,
    Zstd,
}

impl Kind {
    /// What begins with these bytes under this name, if it is an archive.
    pub(crate) fn of(head: &[u8], name: &str) -> Option<Self> {
        Some(match head {
            // The second is what an archive without members begins, and ends, with.
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            [0x1f, 0x8b, 8, flags, ..] if flags & 0xe0 == 0 => Self::Packed(Packed::Gzip),
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..] => Self::Packed(Packed::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Packed(Packed::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Packed(Packed::Zstd),
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Self::Foreign("7z"),
            [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => Self::Foreign("rar"),
            [0x04, 0x22, 0x4d, 0x18, ..] => Self::Foreign("lz4"),
            // Archives from before 1988 have no mark of their own.
            _ if head.get(257..262) == Some(b"ustar") || name.ends_with(".tar") => {
                head.first_chunk().filter(|block| is_header(block)).map(|_| Self::Tar)?
            }
            _ => return None,
        })
    }
}

/// Whether a block is the header of a member of a tar: it holds the sum of its own bytes.
pub(super) fn is_header(block: &[u8; 512]) -> bool {
    const SUM: std::ops::Range<usize> = 148..156;
    let sum = |byte: (usize, &u8)| if SUM.contains(&byte.0) { u64::from(b' ') } else { u64::from(*byte.1) };
    block[0] != 0 && octal(&block[SUM]) == Some(block.iter().enumerate().map(sum).sum())
}

/// A number in octal digits, which blanks may surround.
pub(super) fn octal(field: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(field).ok()?.trim_matches([' ', '\0']);
    if text.is_empty() { Some(0) } else { u64::from_str_radix(text, 8).ok() }
}
