//! Runs of base64 and hexadecimal digits that hold text, wrapped over lines or not.

use std::ops::Range;

use super::escape::digit;
use super::letters::{self, is_letter};
use super::{Encoding, View};

/// Shorter runs hold no secret: fifteen bytes.
const SHORTEST: usize = 20;
/// So many bytes of text in a row are no accident: no secret is shorter, with what stands around it.
const STRETCH: usize = 15;
/// A longer run is decoded in pieces that overlap by more than a private key is long.
const PIECE: usize = 64 << 10;
const OVERLAP: usize = 16 << 10;
/// Longer lines are not wrapped: what stands on the next one is something else.
const WIDEST: usize = 128;
/// Lines of a wrapped run are indented by no more than this.
const INDENT: usize = 64;

/// Six bits for each letter of both alphabets of base64.
const VALUE: [u8; 256] = {
    let mut table = [0; 256];
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut at = 0;
    while at < 64 {
        table[letters[at] as usize] = at as u8;
        at += 1;
    }
    table[b'-' as usize] = 62;
    table[b'_' as usize] = 63;
    table
};

/// A part of a text in another alphabet: how many letters make a unit, and the bytes that a unit stands for.
struct Alphabet {
    encoding: Encoding,
    letters: usize,
    bytes: usize,
    /// Whether a unit stands for text, or for letters of two bytes each.
    says: fn(&[u8]) -> bool,
}

const ALPHABETS: [Alphabet; 2] = [
    Alphabet { encoding: Encoding::Base64, letters: 4, bytes: 3, says: quad_says },
    Alphabet { encoding: Encoding::Hex, letters: 2, bytes: 1, says: pair_says },
];

/// Calls `found` with what runs of a text say, where they say something, and with the way back to the text.
pub(crate) fn each(text: &[u8], mut found: impl FnMut(&[u8], &dyn Fn(Range<usize>) -> Range<usize>, Encoding)) {
    let (mut joined, mut view) = (View::default(), View::default());
    runs(text, |parts| {
        // Lines of equal length may also be many short runs below each other.
        for run in parts {
            decode(&text[run.clone()], &mut view, |view, encoding| {
                let back = |range| shift(view.source(range), run.start);
                found(&view.bytes, &back, encoding);
            });
        }
        if let [first, .., last] = parts
            && parts.iter().any(|part| says_something(&text[part.clone()]))
        {
            joined.reset(first.start..last.end);
            parts.iter().for_each(|part| joined.copy(&text[part.clone()], part.start));
            decode(&joined.bytes, &mut view, |view, encoding| {
                let back = |range| joined.source(view.source(range));
                found(&view.bytes, &back, encoding);
            });
        }
    });
}

fn shift(range: Range<usize>, by: usize) -> Range<usize> {
    range.start + by..range.end + by
}

/// The runs of letters, each with the lines that go on with it.
fn runs(text: &[u8], mut found: impl FnMut(&[Range<usize>])) {
    let mut parts = Vec::new();
    let (mut at, mut here) = (0, letters::mask(text));
    while at < text.len() {
        let next = letters::mask(text.get(at + letters::STEP..).unwrap_or_default());
        let begins = long(u128::from(next) << letters::STEP | u128::from(here)) as u64;
        if begins == 0 {
            (at, here) = (at + letters::STEP, next);
            continue;
        }
        let start = at + begins.trailing_zeros() as usize;
        let mut end = start + SHORTEST + letters::count(&text[start + SHORTEST..]);
        let escape = letters_of_escape(text, start);
        parts.clear();
        parts.push((start + escape).min(end)..end);
        // Lines are of one length, but for the last.
        let (mut width, mut line) = (None, end - parts[0].start);
        while let Some((next, breaks)) = continued(text, end) {
            let more = letters::count(&text[next..]);
            if breaks {
                if line > WIDEST || *width.get_or_insert(line) != line || more > line {
                    break;
                }
                line = 0;
            }
            line += more;
            end = next + more;
            parts.push(next..end);
        }
        found(&parts);
        (at, here) = (end, letters::mask(&text[end..]));
    }
}

/// The bits at which [`SHORTEST`] bits in a row begin.
fn long(bits: u128) -> u128 {
    let two = bits & bits >> 1;
    let four = two & two >> 2;
    let eight = four & four >> 4;
    eight & eight >> 8 & four >> 16
}

/// The letters that belong to an escape before a run are none of its own.
fn letters_of_escape(text: &[u8], start: usize) -> usize {
    match (start.checked_sub(1).map(|before| text[before]), text[start]) {
        (Some(b'\\'), b'u') => 5,
        (Some(b'\\'), _) => 1,
        _ => 0,
    }
}

/// Where a run goes on behind its end, on the next line or behind the backslash of an escaped slash, and whether a line
/// broke.
fn continued(text: &[u8], end: usize) -> Option<(usize, bool)> {
    let skip =
        |at: usize, set: &[u8]| at + text[at..].iter().take(INDENT).take_while(|byte| set.contains(byte)).count();
    let mut at = end;
    loop {
        let escape = skip(at, b"\\");
        at = match (escape > at, text.get(escape)?) {
            (true, b'n' | b'r') => escape + 1,
            (true, b'/') if at == end => return Some((escape, false)),
            (false, b'\n' | b'\r') => skip(at, b"\r\n"),
            _ => break,
        };
    }
    if at == end {
        return None;
    }
    let next = skip(at, b" \t");
    is_letter(*text.get(next)?).then_some((next, true))
}

/// Moves a place inside a run back to a multiple of four letters, so that the rest of the run decodes alike.
pub(crate) fn align(text: &[u8], at: usize) -> usize {
    at - text[..at].iter().rev().take_while(|byte| is_letter(**byte)).count() % 4
}

/// Calls `found` with what letters say in each alphabet, from each place at which a unit of it may begin: a run may have
/// a word, a path or another run before it.
fn decode(letters: &[u8], view: &mut View, mut found: impl FnMut(&View, Encoding)) {
    let mut start = 0;
    loop {
        let piece = start..letters.len().min(start + PIECE);
        for alphabet in &ALPHABETS {
            for first in (0..alphabet.letters).filter(|first| alphabet.speaks(&letters[piece.clone()], *first)) {
                view.reset(piece.clone());
                view.units(start + first, alphabet.bytes, alphabet.letters);
                alphabet.read(&letters[start + first..piece.end], &mut view.bytes);
                found(view, alphabet.encoding);
            }
        }
        if piece.end == letters.len() {
            return;
        }
        start += PIECE - OVERLAP;
    }
}

fn says_something(letters: &[u8]) -> bool {
    ALPHABETS.iter().any(|alphabet| (0..alphabet.letters).any(|first| alphabet.speaks(letters, first)))
}

impl Alphabet {
    /// Whether letters hold a stretch of text, if units begin at `first`. The last unit of a stretch is looked at first.
    fn speaks(&self, letters: &[u8], first: usize) -> bool {
        let units = STRETCH / self.bytes;
        let mut start = first;
        while let Some(stretch) = letters.get(start..start + units * self.letters) {
            match stretch.chunks_exact(self.letters).rposition(|unit| !(self.says)(unit)) {
                Some(last) => start += (last + 1) * self.letters,
                None => return true,
            }
        }
        false
    }

    fn read(&self, letters: &[u8], out: &mut Vec<u8>) {
        match self.encoding {
            Encoding::Hex => out.extend(letters.as_chunks::<2>().0.iter().map(|pair| byte_of(pair).unwrap_or(0))),
            _ => {
                let (quads, rest) = letters.as_chunks::<4>();
                out.extend(quads.iter().flat_map(bytes_of));
                // What padding would fill up, were it there.
                let mut quad = [b'A'; 4];
                quad[..rest.len()].copy_from_slice(rest);
                out.extend_from_slice(&bytes_of(&quad)[..rest.len().saturating_sub(1)]);
            }
        }
    }
}

fn bytes_of(quad: &[u8; 4]) -> [u8; 3] {
    let [a, b, c, d] = quad.map(|letter| VALUE[usize::from(letter)]);
    [a << 2 | b >> 4, b << 4 | c >> 2, c << 6 | d]
}

fn byte_of(pair: &[u8; 2]) -> Option<u8> {
    Some(digit(pair[0])? << 4 | digit(pair[1])?)
}

fn quad_says(quad: &[u8]) -> bool {
    let Some(quad) = quad.first_chunk() else { return false };
    match bytes_of(quad) {
        [a, 0, b] => is_text(a) && is_text(b),
        [0, a, 0] => is_text(a),
        bytes => bytes.into_iter().all(is_text),
    }
}

fn pair_says(pair: &[u8]) -> bool {
    pair.first_chunk().and_then(byte_of).is_some_and(|byte| byte == 0 || is_text(byte))
}

/// Whether a byte is what people write.
fn is_text(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// Whether bytes are mostly what people write: a few strange ones do no harm.
pub(crate) fn are_text(bytes: &[u8]) -> bool {
    bytes.iter().filter(|byte| !is_text(**byte) && **byte < 0x80).count() * 8 <= bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &[u8]) -> Vec<(String, Encoding, Vec<u8>)> {
        let mut all = Vec::new();
        each(text, |bytes, back, encoding| {
            let whole = back(0..bytes.len());
            all.push((String::from_utf8_lossy(bytes).into_owned(), encoding, text[whole].to_vec()));
        });
        all
    }

    #[test]
    fn runs_that_hold_text_are_decoded() {
        let found = said(br#"{"a":"\nc2VjcmV0OiBodW50ZXIyIGh1bnRlcjI=","b":"736563726574732061726520736563726574"}"#);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].0.as_str(), found[0].1), ("secret: hunter2 hunter2", Encoding::Base64));
        assert_eq!(found[0].2, b"c2VjcmV0OiBodW50ZXIyIGh1bnRlcjI");
        assert_eq!((found[1].0.as_str(), found[1].1), ("secrets are secret", Encoding::Hex));
    }

    #[test]
    fn a_run_may_begin_with_something_else() {
        for (text, encoding) in [
            (&b"0x736563726574732061726520736563726574"[..], Encoding::Hex),
            (b"host/path/c2VjcmV0OiBodW50ZXIyIGh1bnRlcjI", Encoding::Base64),
            (b"AAECAwQFBgcICQoLDA0OD2M6IHNlY3JldHMgYXJlIHNlY3JldA==", Encoding::Base64),
        ] {
            let found = said(text);
            let shown = format!("{:?} {found:?}", String::from_utf8_lossy(text));
            assert!(found.iter().any(|(said, kind, _)| *kind == encoding && said.contains("secret")), "{shown}");
        }
    }

    #[test]
    fn a_run_goes_on_over_line_breaks_and_escaped_slashes() {
        for text in [
            &b"c2VjcmV0OiBodW50ZXIy\nIGh1bnRlcjIgYW5kIGh1\nbnRlcjI="[..],
            b"c2VjcmV0OiBodW50ZXIy\r\n    IGh1bnRlcjIgYW5kIGh1\r\n    bnRlcjI=",
            br"c2VjcmV0OiBodW50ZXIy\nIGh1bnRlcjIgYW5kIGh1\nbnRlcjI=",
            br"c2VjcmV0OiBodW50ZXIy\\r\\nIGh1bnRlcjIgYW5kIGh1\\r\\nbnRlcjI=",
        ] {
            let found = said(text);
            let shown = String::from_utf8_lossy(text).into_owned();
            let last = found.last().expect("it says something");
            assert_eq!(last.0, "secret: hunter2 hunter2 and hunter2", "{shown}");
            assert_eq!(last.2, &text[..text.len() - 1], "{shown}");
        }
        let found = said(br"c2VjcmV0cz8/PyBhcmUgc2VjcmV0cz8\/ yes");
        assert_eq!(found.last().expect("it says something").0, "secrets??? are secrets??", "{found:?}");
        let found = said(b"c2VjcmV0OiBodW50ZXIyIGh1\nc2VjcmV0OiBodW50ZXIyIGh1bnRlcjIg");
        assert_eq!(found.len(), 2, "a longer line does not go on with a shorter one: {found:?}");
    }

    #[test]
    fn words_and_digests_are_not() {
        assert!(said(b"/usr/share/doc/packages/example/README some_long_identifier_of_a_program").is_empty());
        assert!(said(b"d41d8cd98f00b204e9800998ecf8427e 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b").is_empty());
    }

    #[test]
    fn long_runs_are_decoded_in_pieces_that_overlap() {
        let long = "c2VjcmV0OiBodW50ZXIyIGh1bnRlcjIg".repeat(5000);
        let found = said(long.as_bytes());
        assert!(found.len() > 2);
        assert_eq!(found.last().map(|last| last.0.ends_with("hunter2 hunter2 ")), Some(true));
    }
}
