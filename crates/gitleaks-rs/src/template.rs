//! Templates of texts that hold tokens: `{hex:32}` stands for 32 random hex digits. With them the examples beside the
//! rules, and tests elsewhere, make tokens that stand in no file. The same seed makes the same text.

use std::ops::Range;

/// What a slot's name stands for.
const CLASSES: &[(&str, &str)] = &[
    ("alnum", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    ("lownum", "0123456789abcdefghijklmnopqrstuvwxyz"),
    ("upnum", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("alpha", "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
    ("lower", "abcdefghijklmnopqrstuvwxyz"),
    ("upper", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    ("digit", "0123456789"),
    ("hex", "0123456789abcdef"),
    ("upperhex", "0123456789ABCDEF"),
    ("anyhex", "0123456789ABCDEFabcdef"),
    ("b32", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"),
    ("bech32", "023456789ACDEFGHJKLMNPQRSTUVWXYZ"),
    ("base64", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+/"),
    ("base64url", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"),
    // Not random: what a placeholder and the header of a PEM file are made of.
    ("x", "x"),
    ("dash", "-"),
    ("word", "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"),
];

/// The longest slot that is filled; a longer one stays as it is written.
const LONGEST: usize = 1 << 16;

/// A source of random choices that a seed decides.
#[derive(Clone, Debug)]
pub struct Seed(u64);

impl Seed {
    /// The choices that `number` stands for.
    pub fn new(number: u64) -> Self {
        Self(number ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// A number below `sides`; 0 where there are none.
    pub fn roll(&mut self, sides: usize) -> usize {
        // splitmix64: every seed, small ones too, starts well mixed.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) >> 33) as usize % sides.max(1)
    }
}

/// A template with its slots filled. What is no slot, such as the braces of JSON, stays.
pub fn expand(template: &str, seed: &mut Seed) -> String {
    expand_marked(template, seed).0
}

/// The same, and where in the text its slots are: of a token, the parts that are random.
pub fn expand_marked(template: &str, seed: &mut Seed) -> (String, Vec<Range<usize>>) {
    let mut text = String::with_capacity(template.len() * 2);
    let mut slots = Vec::new();
    let mut rest = template;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        text.push_str(before);
        match slot(from) {
            Some((letters, length, behind)) => {
                slots.push(text.len()..text.len() + length);
                fill(&mut text, letters, length, seed);
                rest = behind;
            }
            None => {
                text.push('{');
                rest = &from[1..];
            }
        }
    }
    text.push_str(rest);
    (text, slots)
}

/// The letters and the length of the slot at the start of a text, and what follows it.
fn slot(text: &str) -> Option<(&'static str, usize, &str)> {
    let (name, behind) = text.strip_prefix('{')?.split_once(':')?;
    let (_, letters) = CLASSES.iter().find(|(class, _)| *class == name)?;
    let (length, behind) = behind.split_once('}')?;
    let length = length.parse().ok().filter(|length| *length <= LONGEST)?;
    Some((letters, length, behind))
}

fn fill(text: &mut String, letters: &str, length: usize, seed: &mut Seed) {
    let letters = letters.as_bytes();
    text.extend((0..length).map(|_| char::from(letters[seed.roll(letters.len())])));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_filled_and_all_else_stays() {
        let text = expand(r#"{"key":"a-{hex:8}-{digit:3}"} {env:NAME} {hex:} {"#, &mut Seed::new(1));
        let (key, rest) = text.split_at(r#"{"key":"a-"#.len());
        assert_eq!(key, r#"{"key":"a-"#);
        assert!(rest[..8].bytes().all(|byte| byte.is_ascii_hexdigit()), "{text}");
        assert!(rest[9..12].bytes().all(|byte| byte.is_ascii_digit()), "{text}");
        assert_eq!(&rest[12..], r#""} {env:NAME} {hex:} {"#);
    }

    #[test]
    fn a_seed_decides_the_text() {
        let made = |seed| expand("{base64:40}", &mut Seed::new(seed));
        assert_eq!(made(3), made(3));
        assert_ne!(made(3), made(4));
    }
}
