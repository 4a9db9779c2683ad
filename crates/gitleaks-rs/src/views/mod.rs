//! What bytes say to those who read them another way: escapes undone, base64, hex and UTF-16 decoded.
//!
//! A view holds decoded bytes and a map back, so that what is found in it has its place in the file. Escapes stand
//! between and inside plain text, so they are undone around a candidate only; base64, hex and UTF-16 stand in runs of
//! their own, which are found and decoded once.

pub(crate) mod escape;
mod letters;
mod map;
pub(crate) mod run;
pub(crate) mod wide;

pub(crate) use map::View;

use serde::{Deserialize, Serialize};

/// How a secret was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Backslash escapes as in JSON and most languages, `\u` among them.
    #[default]
    Escaped,
    /// Percent signs and hexadecimal digits, as in a URL.
    Percent,
    /// Base64, plain or for URLs.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// Two bytes a letter.
    Utf16,
}

impl Encoding {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Escaped => "escaped",
            Self::Percent => "percent",
            Self::Base64 => "base64",
            Self::Hex => "hex",
            Self::Utf16 => "utf16",
        }
    }
}
