//! The first hundred bytes of a database.

use super::problem::Problem;

/// How many bytes the header takes of the first page.
pub(super) const LENGTH: usize = 100;

const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The log's first four bytes; the last bit tells the byte order of its checksums.
const LOG_MAGIC: [u32; 2] = [0x377f_0682, 0x377f_0683];

/// Whether a file that starts so is a SQLite database or a write-ahead log.
#[must_use]
pub fn is_database(head: &[u8]) -> bool {
    head.starts_with(MAGIC) || is_log(head)
}

/// Whether a file that starts so is a write-ahead log, of either byte order.
#[must_use]
pub fn is_log(head: &[u8]) -> bool {
    number(head, 0).is_some_and(|magic| LOG_MAGIC.contains(&magic))
}

/// How the texts of a database are encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8, as nearly all are.
    #[default]
    Utf8,
    /// UTF-16, the low byte first.
    Utf16Le,
    /// UTF-16, the high byte first.
    Utf16Be,
}

impl Encoding {
    /// A text of the database as ours; what is no character becomes one that says so.
    #[must_use]
    pub fn decode(self, bytes: &[u8]) -> String {
        let units = |join: fn([u8; 2]) -> u16| -> String {
            let pairs = bytes.as_chunks::<2>().0.iter().map(|pair| join(*pair));
            char::decode_utf16(pairs).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        };
        match self {
            Self::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Self::Utf16Le => units(u16::from_le_bytes),
            Self::Utf16Be => units(u16::from_be_bytes),
        }
    }
}

/// What of the header decides how pages are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) page_size: u32,
    /// Bytes at the end of each page that belong to an extension.
    pub(super) reserved: u8,
    /// The first page of the list of free pages, 0 if none is free.
    pub(super) free_list: u32,
    /// Whether pages that point back to their parents are strewn in.
    pub(super) pointer_maps: bool,
    pub(super) encoding: u32,
}

impl Header {
    pub(super) fn parse(head: &[u8]) -> Result<Self, Problem> {
        if !head.starts_with(MAGIC) || head.len() < LENGTH {
            return Err(Problem::NotADatabase);
        }
        let page_size = match u32::from(head[16]) << 8 | u32::from(head[17]) {
            1 => 65536,
            size => size,
        };
        checked_page_size(page_size, 16)?;
        let reserved = head[20];
        if page_size - u32::from(reserved) < 480 {
            return Err(Problem::Reserved { reserved, page_size });
        }
        let field = |at| number(head, at).unwrap_or_default();
        let (free_list, pointer_maps, encoding) = (field(32), field(52) != 0, field(56));
        Ok(Self { page_size, reserved, free_list, pointer_maps, encoding })
    }

    /// None where the header names an encoding that does not exist. A database without any text has not chosen one.
    pub(super) fn text(&self) -> Option<Encoding> {
        match self.encoding {
            0 | 1 => Some(Encoding::Utf8),
            2 => Some(Encoding::Utf16Le),
            3 => Some(Encoding::Utf16Be),
            _ => None,
        }
    }
}

pub(super) fn checked_page_size(size: u32, at: u64) -> Result<u32, Problem> {
    let fits = size.is_power_of_two() && (512..=65536).contains(&size);
    if fits { Ok(size) } else { Err(Problem::PageSize(size, at)) }
}

/// The number in four bytes, the high one first, as the format has all its numbers.
pub(super) fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

/// The same in two bytes.
pub(super) fn short(bytes: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(page_size: u16, reserved: u8) -> Vec<u8> {
        let mut head = MAGIC.to_vec();
        head.extend(page_size.to_be_bytes());
        head.extend([1, 1, reserved]);
        head.resize(LENGTH, 0);
        head
    }

    #[test]
    fn a_damaged_header_says_what_is_wrong_where() {
        for (head, said) in [
            (vec![0; 100], "it does not start as a SQLite database or a write-ahead log"),
            (head(4096, 0)[..99].to_vec(), "it does not start as a SQLite database or a write-ahead log"),
            (head(1000, 0), "page size 1000 (byte 16) is not a power of two from 512 to 65536"),
            (head(256, 0), "page size 256 (byte 16) is not a power of two from 512 to 65536"),
            (head(512, 33), "33 reserved bytes (byte 20) leave less than 480 of a page of 512"),
        ] {
            assert_eq!(Header::parse(&head).map_err(|problem| problem.to_string()), Err(said.to_owned()));
        }
        assert_eq!(Header::parse(&head(1, 255)).map(|header| header.page_size), Ok(65536));
        assert!(Header::parse(&head(512, 32)).is_ok());
    }

    #[test]
    fn both_kinds_of_file_are_known_by_their_first_bytes() {
        for (head, database, log) in [
            (head(512, 0), true, false),
            (vec![0x37, 0x7f, 0x06, 0x82], true, true),
            (vec![0x37, 0x7f, 0x06, 0x83, 9], true, true),
            (vec![0x37, 0x7f, 0x06], false, false),
            (b"SQLite format 2\0".to_vec(), false, false),
            (Vec::new(), false, false),
        ] {
            assert_eq!((is_database(&head), is_log(&head)), (database, log), "{head:?}");
        }
    }
}
