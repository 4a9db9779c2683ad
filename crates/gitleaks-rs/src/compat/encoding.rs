//! What looks encoded, and what it says.

use std::ops::Range;
use std::sync::LazyLock;

use super::finding::text_of;
use crate::go_regex::{Regex, Text};

/// How something is encoded. Where two touch, the one that is named first here goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Encoding {
    Percent,
    Unicode,
    Hex,
    Base64,
}

impl Encoding {
    pub(super) const ALL: [Self; 4] = [Self::Percent, Self::Unicode, Self::Hex, Self::Base64];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Percent => "percent",
            Self::Unicode => "unicode",
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }

    /// What it says, if that is text as Gitleaks wants it.
    pub(super) fn decode(self, encoded: &[u8]) -> Option<Vec<u8>> {
        let decoded = match self {
            Self::Percent => percent(encoded),
            Self::Unicode => Some(unicode(encoded)),
            Self::Hex => hex(encoded),
            Self::Base64 => base64(encoded),
        };
        decoded.filter(|decoded| !decoded.is_empty())
    }
}

/// A percent sign with two digits up to the last one on the line; code points; digits; letters and digits.
static LOOKS_ENCODED: LazyLock<Regex> = LazyLock::new(|| {
    let percent = "%[[:xdigit:]]{2}(?:.*%[[:xdigit:]]{2})?";
    let points = r"(?:U\+[[:xdigit:]]{4}(?:\s|$))+";
    let escapes = r"(?i:(?:\\{1,2}u[0-9a-f]{4})+)";
    let both = r"[[:xdigit:]]{32,}|[\w/+-]{16,}={0,2}";
    Regex::new(&format!("{percent}|{points}|{escapes}|{both}")).expect("a test runs it")
});

/// The encoded parts of a text, in their order.
pub(super) fn encoded_parts(text: &Text<'_>) -> Vec<(Encoding, Range<usize>)> {
    let bytes = text.bytes();
    let all: Vec<_> = LOOKS_ENCODED
        .find_all(text, 0..bytes.len())
        .into_iter()
        .map(|found| (which(&bytes[found.clone()]), found))
        .collect();
    let touch = |a: &Range<usize>, b: &Range<usize>| a.start <= b.end && b.start <= a.end;
    let yields = |at: usize, to: Option<usize>| {
        let (own, place) = &all[at];
        to.and_then(|to| all.get(to)).is_some_and(|(other, beside)| touch(place, beside) && other < own)
    };
    let kept = (0..all.len()).filter(|at| !yields(*at, at.checked_sub(1)) && !yields(*at, Some(at + 1)));
    kept.map(|at| all[at].clone()).collect()
}

/// Which of the alternatives matched: no text is two of them.
fn which(part: &[u8]) -> Encoding {
    match part.first() {
        Some(b'%') => Encoding::Percent,
        Some(b'\\') => Encoding::Unicode,
        // Base64 has no white space and 16 letters.
        _ if part.len() == 6 || part.iter().any(u8::is_ascii_whitespace) => Encoding::Unicode,
        _ if part.len() >= 32 && part.iter().all(u8::is_ascii_hexdigit) => Encoding::Hex,
        _ => Encoding::Base64,
    }
}

/// Tab to tilde, with all control characters between tab and space.
fn printable(byte: u8) -> bool {
    (0x09..=0x7e).contains(&byte)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn pair(encoded: &[u8], at: usize) -> Option<u8> {
    Some(digit(*encoded.get(at)?)? << 4 | digit(*encoded.get(at + 1)?)?)
}

fn percent(encoded: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(encoded.len());
    let mut at = 0;
    while let Some(byte) = encoded.get(at) {
        match (byte, pair(encoded, at + 1)) {
            (b'%', Some(decoded)) if printable(decoded) => {
                out.push(decoded);
                at += 3;
            }
            (b'%', Some(_)) => return None,
            _ => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    Some(out)
}

/// Any code points, printable or not.
fn unicode(encoded: &[u8]) -> Vec<u8> {
    let text = text_of(encoded);
    let points: Vec<&str> = if text.starts_with("U+") {
        text.split_whitespace().filter_map(|point| point.get(2..)).collect()
    } else {
        text.split(['\\', 'u', 'U']).filter(|part| !part.is_empty()).collect()
    };
    let value = |digits: &&str| u32::from_str_radix(digits, 16).ok();
    points.iter().filter_map(value).map(|point| char::from_u32(point).unwrap_or('\u{fffd}')).collect::<String>().into()
}

fn hex(encoded: &[u8]) -> Option<Vec<u8>> {
    if !encoded.len().is_multiple_of(2) || !encoded.iter().any(u8::is_ascii_digit) {
        return None;
    }
    (0..encoded.len()).step_by(2).map(|at| pair(encoded, at).filter(|byte| printable(*byte))).collect()
}

fn base64(encoded: &[u8]) -> Option<Vec<u8>> {
    if !encoded.iter().any(|byte| byte.is_ascii_digit() || b"+/-_".contains(byte)) {
        return None;
    }
    let plain = encoded.strip_suffix(b"==").or_else(|| encoded.strip_suffix(b"=")).unwrap_or(encoded);
    let padding = encoded.len() - plain.len();
    // Four letters with their padding; without padding, in the alphabet for addresses.
    let standard = (plain.len() + padding).is_multiple_of(4) && plain.len() % 4 != 1;
    let decoded = standard.then(|| letters(plain, *b"+/")).flatten();
    decoded.or_else(|| if padding == 0 && plain.len() % 4 != 1 { letters(plain, *b"-_") } else { None })
}

/// The bytes that letters stand for, all of them printable.
fn letters(encoded: &[u8], last: [u8; 2]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(encoded.len() / 4 * 3 + 2);
    let (mut bits, mut held) = (0_u32, 0);
    for letter in encoded {
        let value = match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            other if *other == last[0] => 62,
            other if *other == last[1] => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            let byte = (bits >> held) as u8;
            if !printable(byte) {
                return None;
            }
            out.push(byte);
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &str) -> Vec<(Encoding, String)> {
        encoded_parts(&Text::new(text.as_bytes()))
            .into_iter()
            .filter_map(|(encoding, place)| Some((encoding, text_of(&encoding.decode(&text.as_bytes()[place])?))))
            .collect()
    }

    #[test]
    fn each_encoding_says_what_it_says() {
        use Encoding::{Base64, Hex, Percent, Unicode};
        for (text, expected) in [
            ("a%3Db%20c", vec![(Percent, "=b ")]),
            ("%41%zz%42 %4", vec![(Percent, "A%zzB")]),
            ("%00%41", vec![]),
            ("U+0061 U+0062\tU+0063", vec![(Unicode, "abc")]),
            ("U+0061,", vec![]),
            (r"\u0068\\u0069\U006a\uD800", vec![(Unicode, "hij\u{fffd}")]),
            ("466973684D617048756E6B79212121363334", vec![(Hex, "FishMapHunky!!!634")]),
            ("466973684D617048756E6B7921212136333", vec![]),
            ("466973684D617048756E6B79212121363380", vec![]),
            ("x=bG9uZ2VyLWVuY29kZWQtc2VjcmV0LXRlc3Q=", vec![(Base64, "longer-encoded-secret-test")]),
            ("bG9uZ2VyLWVuY29kZWQtc2VjcmV0LXRlc3Q", vec![(Base64, "longer-encoded-secret-test")]),
            ("bG9uZ2VyLWVuY29kZWQtc2VjcmV0LXRlc3Q==", vec![]),
            ("abcdefghijklmnopqrstuvwx", vec![]),
            // Touching: the percent sign goes first, the rest waits for the next pass.
            ("bG9uZ2VyLWVuY29kZWQtc2VjcmV0LXRlc3Q%3D", vec![(Percent, "=")]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(kind, text)| (kind, text.to_owned())).collect();
            assert_eq!(decoded(text), expected, "{text}");
        }
    }
}
