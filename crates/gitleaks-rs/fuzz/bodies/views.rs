//! Any bytes as a text, escaped and encoded as it likes: what is found lies in it, in order, and blocks change nothing.
//! One text in sixteen is repeated until it is several blocks long.

use gitleaks_rs::{Buffer, Scanner};

/// Blocks so small that what a match may reach lies in three of them.
const BLOCK: usize = 96 << 10;

/// Panics where that does not hold.
pub(crate) fn check(input: &[u8]) {
    let long = input.first().is_some_and(|byte| byte % 16 == 1) && input.len() > 64;
    let repeated = if long { input.repeat(400_000 / input.len()) } else { Vec::new() };
    let input = if long { &repeated } else { input };
    let scanner = Scanner::embedded();
    let whole = scanner.scan(input);
    let mut last = 0;
    for one in &whole {
        assert!(one.start < one.end && one.end <= input.len(), "a place in the text");
        assert!(one.start >= last, "in order");
        assert!(!one.secret.expose().is_empty() && one.line >= 1 && one.column >= 1 && one.end_line >= one.line);
        if one.encodings.is_empty() {
            assert_eq!(one.secret.expose(), &input[one.start..one.end], "what is plain stands there");
        }
        last = one.start;
    }
    // A file that begins like a program keeps only what is sure.
    if memchr(input) {
        return;
    }
    let read = scanner.scan_read(input, "", &mut Buffer::of(BLOCK)).expect("memory can be read");
    let place = |one: &gitleaks_rs::Match<'_>| (one.rule.id.clone(), one.start, one.end, one.line, one.column);
    assert!(whole.iter().map(place).eq(read.iter().map(place)), "reading changes nothing");
}

fn memchr(input: &[u8]) -> bool {
    input.iter().take(8192).any(|byte| *byte == 0)
}
