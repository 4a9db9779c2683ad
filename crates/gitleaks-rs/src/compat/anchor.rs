//! Whether every match of an expression holds one of some words. Then it is enough to look around the words.
//!
//! Letters outside ASCII that fold to letters in it are left out of the proof: a text that holds one of them is
//! searched as a whole.

use regex_syntax::hir::{Class, Hir, HirKind};

/// How many texts a part of an expression may stand for.
const MOST: usize = 256;

/// The other forms of `k`, `s` and `i` outside ASCII, in UTF-8.
pub(super) const FOLDED: [&[u8]; 3] = ["\u{212a}".as_bytes(), "\u{17f}".as_bytes(), "\u{130}".as_bytes()];

/// Words in lower case; the nesting of an expression is bounded by its reader.
pub(super) fn always_holds(hir: &Hir, words: &[&[u8]]) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(_) | HirKind::Class(_) => texts(hir).is_some_and(|texts| all_hold(&texts, words)),
        HirKind::Capture(group) => always_holds(&group.sub, words),
        HirKind::Repetition(repeated) => {
            (repeated.min > 0 && always_holds(&repeated.sub, words))
                || texts(hir).is_some_and(|texts| all_hold(&texts, words))
        }
        HirKind::Alternation(parts) => parts.iter().all(|part| always_holds(part, words)),
        HirKind::Concat(parts) => concat_holds(parts, words),
    }
}

/// A run of parts whose texts are known, or one part alone.
fn concat_holds(parts: &[Hir], words: &[&[u8]]) -> bool {
    let start = || vec![Vec::new()];
    let mut run: Vec<Vec<u8>> = start();
    for part in parts {
        match texts(part).map(|texts| product(&run, &texts)) {
            Some(Some(longer)) => run = longer,
            unknown => {
                if all_hold(&run, words) || always_holds(part, words) {
                    return true;
                }
                // Too many together, but perhaps few alone.
                run = unknown.and_then(|_| texts(part)).unwrap_or_else(start);
            }
        }
    }
    all_hold(&run, words)
}

fn all_hold(texts: &[Vec<u8>], words: &[&[u8]]) -> bool {
    texts.iter().all(|text| words.iter().any(|word| !word.is_empty() && memchr::memmem::find(text, word).is_some()))
}

/// All texts that an expression stands for, in lower case, if they are few.
fn texts(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => Some(vec![Vec::new()]),
        HirKind::Literal(literal) => Some(vec![literal.0.to_ascii_lowercase()]),
        HirKind::Class(Class::Unicode(class)) => {
            let mut letters = Vec::new();
            for range in class.iter().filter(|range| !is_folded(range.start(), range.end())) {
                if !range.end().is_ascii() || u32::from(range.end()) - u32::from(range.start()) > 16 {
                    return None;
                }
                letters.extend((range.start()..=range.end()).map(|letter| vec![letter.to_ascii_lowercase() as u8]));
            }
            letters.dedup();
            (!letters.is_empty()).then(|| dedup(letters))
        }
        HirKind::Class(Class::Bytes(_)) => None,
        HirKind::Capture(group) => texts(&group.sub),
        HirKind::Repetition(repeated) if repeated.min == 0 && repeated.max == Some(1) => {
            let mut all = texts(&repeated.sub)?;
            all.push(Vec::new());
            Some(all)
        }
        HirKind::Repetition(repeated) if repeated.max == Some(repeated.min) && repeated.min <= 8 => {
            let one = texts(&repeated.sub)?;
            (0..repeated.min).try_fold(vec![Vec::new()], |all, _| product(&all, &one))
        }
        HirKind::Repetition(_) => None,
        HirKind::Alternation(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(texts(part)?);
                if all.len() > MOST {
                    return None;
                }
            }
            Some(all)
        }
        HirKind::Concat(parts) => parts.iter().try_fold(vec![Vec::new()], |all, part| product(&all, &texts(part)?)),
    }
}

fn is_folded(start: char, end: char) -> bool {
    start == end && matches!(start, '\u{212a}' | '\u{17f}' | '\u{130}')
}

fn dedup(mut letters: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    letters.sort();
    letters.dedup();
    letters
}

fn product(left: &[Vec<u8>], right: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if left.len() * right.len() > MOST {
        return None;
    }
    Some(left.iter().flat_map(|start| right.iter().map(|end| [start.as_slice(), end].concat())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::go_regex::{Bytes, parse_as};

    #[test]
    fn words_are_proved_only_where_they_must_be() {
        for (pattern, words, expected) in [
            ("ghp_[0-9]{36}", "ghp_", true),
            ("(?i)[a-z]{0,20}(?:api|secret)_?key", "api,secret", true),
            ("(?i)[a-z]{0,20}(?:api|secret)_?key", "apikey", false),
            ("(?i)[a-z]{0,20}(?:api|secret)_?key", "key", true),
            ("(?i)s(?:k|tripe)", "sk,stripe", true),
            ("a(?:bc)?d", "abcd", false),
            ("a(?:bc)?d", "abcd,ad", true),
            ("(?:ab){2}", "baba,bab", true),
            ("[a-z]", "a", false),
            ("[ab]c|xx", "ac,bc,xx", true),
            ("(?:key)*", "key", false),
            ("(?:key)+", "key", true),
            (r"(?:A3T[A-Z0-9]|AKIA|ASIA)[A-Z2-7]{16}", "a3t,akia,asia", true),
            ("", "", false),
        ] {
            let words: Vec<&[u8]> = words.split(',').map(str::as_bytes).collect();
            let hir = parse_as(pattern, Bytes::Exact).expect("it is one").hir;
            assert_eq!(always_holds(&hir, &words), expected, "{pattern}");
        }
    }
}
