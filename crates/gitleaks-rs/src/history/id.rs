//! Names of objects, SHA-1 and SHA-256 alike.

use std::fmt;

/// The longest name: SHA-256.
const LONGEST: usize = 32;

/// The name of an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    bytes: [u8; LONGEST],
    length: u8,
}

impl Id {
    /// A name of 20 or 32 bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Id> {
        if !matches!(bytes.len(), 20 | 32) {
            return None;
        }
        let mut id = Id { bytes: [0; LONGEST], length: bytes.len() as u8 };
        id.bytes[..bytes.len()].copy_from_slice(bytes);
        Some(id)
    }

    /// A name of 40 or 64 hexadecimal digits.
    pub fn from_hex(hex: &[u8]) -> Option<Id> {
        if !matches!(hex.len(), 40 | 64) {
            return None;
        }
        let mut id = Id { bytes: [0; LONGEST], length: (hex.len() / 2) as u8 };
        for (byte, pair) in id.bytes.iter_mut().zip(hex.chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Some(id)
    }

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// Whether it is all zeros, which stands for no object at all.
    pub fn is_null(&self) -> bool {
        self.bytes == [0; LONGEST]
    }
}

/// The value of a hexadecimal digit.
fn digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).map(|digit| digit as u8)
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
