//! Undoes one level of backslash escapes, or of percent escapes where there are none of the former.

use std::ops::Range;

use memchr::{memchr, memchr_iter};

use super::{Encoding, View};

/// The bytes of the longest escape.
pub(crate) const LONGEST: usize = 6;
/// A backslash run is followed to its start no farther than this.
const RUN: usize = 64;

fn has_percent(text: &[u8]) -> bool {
    memchr_iter(b'%', text).any(|at| percent(&text[at..]).is_some())
}

/// Moves the start of a window out of a run of backslashes: which of them escapes is known from the first on.
pub(crate) fn align(text: &[u8], start: usize) -> usize {
    let back = text[start.saturating_sub(RUN)..start].iter().rev().take_while(|byte| **byte == b'\\').count();
    start - back
}

/// Undoes one level in a part of a text; says which one, or nothing if there is none.
pub(crate) fn undo(text: &[u8], part: Range<usize>, view: &mut View) -> Option<Encoding> {
    view.reset(part.clone());
    let bytes = &text[part.clone()];
    if memchr(b'\\', bytes).is_some() {
        walk(bytes, part.start, b'\\', backslash, view);
        Some(Encoding::Escaped)
    } else if has_percent(bytes) {
        walk(bytes, part.start, b'%', percent, view);
        Some(Encoding::Percent)
    } else {
        None
    }
}

/// What an escape at the start of a text means and how long it is.
type Decoded = ([u8; 4], usize, usize);

fn walk(bytes: &[u8], base: usize, mark: u8, decode: fn(&[u8]) -> Option<Decoded>, view: &mut View) {
    let mut at = 0;
    while let Some(next) = memchr(mark, &bytes[at..]) {
        if next > 0 {
            view.copy(&bytes[at..at + next], base + at);
        }
        at += next;
        match decode(&bytes[at..]) {
            Some((letter, length, width)) => {
                view.decode(&letter[..length], base + at, width);
                at += width;
            }
            None => {
                view.copy(&bytes[at..=at], base + at);
                at += 1;
            }
        }
    }
    if at < bytes.len() {
        view.copy(&bytes[at..], base + at);
    }
}

fn percent(text: &[u8]) -> Option<Decoded> {
    let [b'%', high, low, ..] = text else { return None };
    Some(([digit(*high)? << 4 | digit(*low)?, 0, 0, 0], 1, 3))
}

fn backslash(text: &[u8]) -> Option<Decoded> {
    let [b'\\', kind, ..] = text else { return None };
    let byte = match kind {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 8,
        b'f' => 12,
        b'\\' | b'"' | b'\'' | b'/' | b'`' => *kind,
        b'x' => {
            let [high, low] = *text[2..].first_chunk()?;
            return Some(([digit(high)? << 4 | digit(low)?, 0, 0, 0], 1, 4));
        }
        b'u' => return unicode(&text[2..]),
        _ => return None,
    };
    Some(([byte, 0, 0, 0], 1, 2))
}

/// Four digits behind `\u`. Half of a pair becomes a question mark: no token holds such a letter.
fn unicode(text: &[u8]) -> Option<Decoded> {
    let digits: &[u8; 4] = text.first_chunk()?;
    let number = digits.iter().try_fold(0_u32, |sum, byte| Some(sum << 4 | u32::from(digit(*byte)?)))?;
    let mut bytes = [0; 4];
    let length = char::from_u32(number).unwrap_or('?').encode_utf8(&mut bytes).len();
    Some((bytes, length, 6))
}

pub(super) fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// The places where a character is escaped on which a literal may rely, so that a token could be hidden from the filter.
pub(crate) fn needless(text: &[u8], mut found: impl FnMut(usize)) {
    for at in memchr_iter(b'%', text) {
        if meant(&text[at..]).is_some_and(relied_on) {
            found(at);
        }
    }
    for at in HEX.find_iter(text).chain(LATIN.find_iter(text)) {
        if backslash(&text[at..]).is_some_and(|(letter, length, _)| length == 1 && relied_on(letter[0])) {
            found(at);
        }
    }
    SLASH.find_iter(text).for_each(found);
}

/// What percent escapes mean in the end: `%255F` is `%5F` is an underscore.
fn meant(text: &[u8]) -> Option<u8> {
    let ([mut letter, ..], ..) = percent(text)?;
    let mut rest = text[3..].as_chunks::<2>().0.iter();
    while letter == b'%'
        && let [high, low] = rest.next()?
    {
        letter = digit(*high)? << 4 | digit(*low)?;
    }
    Some(letter)
}

static SLASH: std::sync::LazyLock<memchr::memmem::Finder<'static>> =
    std::sync::LazyLock::new(|| memchr::memmem::Finder::new(b"\\/"));
static LATIN: std::sync::LazyLock<memchr::memmem::Finder<'static>> =
    std::sync::LazyLock::new(|| memchr::memmem::Finder::new(b"\\u00"));
static HEX: std::sync::LazyLock<memchr::memmem::Finder<'static>> =
    std::sync::LazyLock::new(|| memchr::memmem::Finder::new(b"\\x"));

/// Literals hold little else, base64 and what is wrapped over lines go on with it, or it begins another escape. What JSON
/// escapes by a backslash alone is none of it: such a place is in every line.
fn relied_on(byte: u8) -> bool {
    let signs = b"_-.~/:=+$\n\\%";
    byte.is_ascii_alphanumeric() || signs.contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undone(text: &str) -> (String, Option<Encoding>) {
        let mut view = View::default();
        let encoding = undo(text.as_bytes(), 0..text.len(), &mut view);
        (String::from_utf8_lossy(&view.bytes).into_owned(), encoding)
    }

    #[test]
    fn one_level_is_undone_at_a_time() {
        for (text, shown) in [
            (r#"a\nb\"c\\n"#, "a\nb\"c\\n"),
            (r"\u0067\u00e9\ud83d", "g\u{e9}?"),
            (r"\x41\q\", "A\\q\\"),
            ("a%3Db%zz", "a=b%zz"),
        ] {
            assert_eq!(undone(text).0, shown, "{text}");
        }
        assert_eq!(undone("100% plain").1, None);
    }

    #[test]
    fn every_byte_of_a_view_knows_where_it_came_from() {
        let text = br#"say \"ghp_abc\u005fdef\" \\n end"#;
        let mut view = View::default();
        undo(text, 0..text.len(), &mut view);
        let token = view.bytes.windows(11).position(|part| part == b"ghp_abc_def").expect("it is there");
        assert_eq!(&text[view.source(token..token + 11)], br"ghp_abc\u005fdef");
        assert_eq!(view.find(6), Some(token));
        assert_eq!(view.find(14), None, "inside an escape");
    }
}
