//! Runs of UTF-16 in bytes: letters with a zero beside each.

use memchr::memchr;

use super::View;

/// Shorter runs hold no secret.
const SHORTEST: usize = 12;

/// Calls `found` with the letters of each run, in either order of bytes.
pub(crate) fn each(text: &[u8], view: &mut View, mut found: impl FnMut(&View)) {
    let mut from = 0;
    while let Some(next) = text.get(from..).and_then(|rest| memchr(0, rest)) {
        let zero = from + next;
        let little = zero.checked_sub(1).filter(|at| *at >= from).map_or(0, |at| letters(text, at, 0));
        let big = letters(text, zero, 1);
        let (start, letter, count) = if little >= big { (zero.saturating_sub(1), 0, little) } else { (zero, 1, big) };
        if count >= SHORTEST {
            view.reset(start..start + 2 * count);
            view.units(start, 1, 2);
            view.bytes.extend(text[start..start + 2 * count].iter().skip(letter).step_by(2));
            found(view);
            from = start + 2 * count;
        } else {
            from = zero + 1;
            // Long stretches of nothing are common in binary files.
            while text.get(from..).and_then(<[u8]>::first_chunk::<32>).is_some_and(|chunk| *chunk == [0; 32]) {
                from += 31;
            }
        }
    }
}

/// How many pairs from `at` on are a letter and a zero; `place` is the letter's place in a pair.
fn letters(text: &[u8], at: usize, place: usize) -> usize {
    let pairs = text.get(at..).unwrap_or_default().as_chunks::<2>().0;
    let letter = |pair: &&[u8; 2]| matches!(pair[place], b' '..=b'~' | b'\t' | b'\n' | b'\r') && pair[1 - place] == 0;
    pairs.iter().take_while(letter).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_orders_are_read_and_plain_bytes_are_not() {
        let word = "token: abcdef-ghijkl";
        let little: Vec<u8> = word.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = word.encode_utf16().flat_map(u16::to_be_bytes).collect();
        for (text, at) in [(little, 8), (big, 8)] {
            let padded = [&[0; 7][..], b"\xff", &text, &[0; 40], b"plain"].concat();
            let mut seen = Vec::new();
            each(&padded, &mut View::default(), |view| {
                seen.push((String::from_utf8_lossy(&view.bytes).into_owned(), view.source(0..view.bytes.len())));
            });
            let (found, place) = seen.pop().expect("one run");
            assert!(found.contains(word), "{found}");
            assert!(place.start >= at - 1 && place.end >= at + text.len() - 1, "{place:?}");
        }
    }
}
