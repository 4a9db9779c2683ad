//! Runs of base64 and hexadecimal digits that hold text.

use std::ops::Range;

use super::escape::digit;
use super::{Encoding, View};

/// Shorter runs hold no secret: fifteen bytes.
const SHORTEST: usize = 20;
/// So much of a run is decoded to see whether it is text.
const TASTE: usize = 16;
/// A longer run is decoded in pieces that overlap.
const PIECE: usize = 32 << 10;
const OVERLAP: usize = 4 << 10;

/// Six bits for each letter of both alphabets of base64, 64 for all else.
const VALUE: [u8; 256] = {
    let mut table = [64; 256];
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

/// Calls `found` with what each run of a text says, if it is text.
pub(crate) fn each(text: &[u8], view: &mut View, mut found: impl FnMut(&View, Encoding)) {
    runs(text, |run| {
        let run = behind_escape(text, run);
        let mut start = run.start;
        while let Some(encoding) = decode(text, start..run.end.min(start + PIECE), view) {
            found(view, encoding);
            if run.end - start <= PIECE {
                break;
            }
            start += PIECE - OVERLAP;
        }
    });
}

/// The runs of letters of base64. Between two of them is a byte that is none, so it is enough to look at every
/// twentieth byte and to walk back and forth from those that belong to one.
fn runs(text: &[u8], mut found: impl FnMut(Range<usize>)) {
    let mut border = 0;
    let mut at = SHORTEST - 1;
    while at < text.len() {
        if VALUE[usize::from(text[at])] == 64 {
            border = at + 1;
            at += SHORTEST;
            continue;
        }
        let start = at - text[border..at].iter().rev().take_while(|byte| VALUE[usize::from(**byte)] != 64).count();
        let end = at + text[at..].iter().take_while(|byte| VALUE[usize::from(**byte)] != 64).count();
        if end - start >= SHORTEST {
            found(start..end);
        }
        border = end;
        at = end + SHORTEST;
    }
}

/// Moves a place inside a run back to a multiple of four letters, so that the rest of the run decodes alike.
pub(crate) fn align(text: &[u8], at: usize) -> usize {
    at - text[..at].iter().rev().take_while(|byte| VALUE[usize::from(**byte)] != 64).count() % 4
}

/// The letters that belong to an escape before a run are none of its own.
fn behind_escape(text: &[u8], run: Range<usize>) -> Range<usize> {
    let escaped = run.start > 0 && text[run.start - 1] == b'\\';
    let skip = match (escaped, text[run.start]) {
        (true, b'u') => 5,
        (true, _) => 1,
        _ => 0,
    };
    run.start + skip.min(run.len())..run.end
}

/// What a run says. None where its first bytes are not text: most runs are words, paths and digests.
fn decode(text: &[u8], run: Range<usize>, view: &mut View) -> Option<Encoding> {
    let bytes = &text[run.clone()];
    if bytes.len() < SHORTEST {
        return None;
    }
    view.reset(run.clone());
    if bytes.len() >= 2 * TASTE
        && bytes.len().is_multiple_of(2)
        && bytes[..2 * TASTE].iter().all(|byte| digit(*byte).is_some())
    {
        view.units(run.start, 1, 2);
        let pairs = bytes.as_chunks::<2>().0.iter();
        let decoded = pairs.map_while(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
        view.bytes.extend(decoded);
        let taste = &view.bytes[..TASTE.min(view.bytes.len())];
        return (begins_as_text(taste) && is_text(&view.bytes)).then_some(Encoding::Hex);
    }
    view.units(run.start, 3, 4);
    quads(&bytes[..TASTE], &mut view.bytes);
    if !begins_as_text(&view.bytes) {
        return None;
    }
    quads(&bytes[TASTE..], &mut view.bytes);
    is_text(&view.bytes).then_some(Encoding::Base64)
}

fn quads(letters: &[u8], out: &mut Vec<u8>) {
    for quad in letters.chunks(4) {
        let bits = quad.iter().fold(0_u32, |sum, letter| sum << 6 | u32::from(VALUE[usize::from(*letter)]));
        match quad.len() {
            4 => out.extend_from_slice(&bits.to_be_bytes()[1..]),
            3 => out.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
            2 => out.push((bits >> 4) as u8),
            _ => {}
        }
    }
}

/// Whether the first bytes of a run are what people write.
fn begins_as_text(bytes: &[u8]) -> bool {
    let whole = match std::str::from_utf8(bytes) {
        Ok(_) => true,
        Err(problem) => problem.error_len().is_none(),
    };
    whole && !bytes.iter().any(strange)
}

/// Whether bytes are mostly what people write: a few strange ones at the end of a run do no harm.
fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().filter(|byte| strange(byte)).count() * 8 <= bytes.len()
}

fn strange(byte: &u8) -> bool {
    !matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r' | 0x80..)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &[u8]) -> Vec<(String, Encoding, Vec<u8>)> {
        let mut all = Vec::new();
        each(text, &mut View::default(), |view, encoding| {
            let whole = view.source(0..view.bytes.len());
            all.push((String::from_utf8_lossy(&view.bytes).into_owned(), encoding, text[whole].to_vec()));
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
    fn words_and_digests_are_not() {
        assert!(said(b"/usr/share/doc/packages/example/README some_long_identifier_of_a_program").is_empty());
        assert!(said(b"d41d8cd98f00b204e9800998ecf8427e 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b").is_empty());
    }
}
