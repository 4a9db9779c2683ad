//! Tokens in random carriers, one in the other: each is found, its place says where it stands, and reading in blocks of
//! any size changes nothing.

use std::fmt::Write as _;

use gitleaks_rs::template::{Seed, expand};
use gitleaks_rs::{Buffer, Encoding, Match, Scanner};
use proptest::prelude::*;

/// A way to write a text inside another one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Carrier {
    Json,
    Letters,
    Percent,
    Base64,
    Lines,
    Hex,
    Wide,
}

impl Carrier {
    fn write(self, text: &[u8]) -> Vec<u8> {
        match self {
            Self::Json => serde_json::json!({ "said": String::from_utf8_lossy(text) }).to_string().into_bytes(),
            Self::Letters => each(text, |byte| format!("\\u{byte:04x}")),
            Self::Percent => each(text, |byte| match byte {
                byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
                byte => format!("%{byte:02X}"),
            }),
            Self::Base64 => [b"data:;base64,", base64(text).as_slice()].concat(),
            Self::Lines => base64(text).chunks(76).collect::<Vec<_>>().join(&b"\n"[..]),
            Self::Hex => each(text, |byte| format!("{byte:02x}")),
            Self::Wide => text.iter().flat_map(|byte| [*byte, 0]).collect(),
        }
    }

    /// What a part may say that was cut out of a text: where its first unit begins is not known.
    fn read(self, part: &[u8]) -> Vec<Vec<u8>> {
        match self {
            Self::Json | Self::Letters => vec![unescaped(part)],
            Self::Percent => vec![units(part, |rest| match rest {
                [b'%', high, low, ..] => (vec![byte(*high, *low)], 3),
                _ => (rest[..1].to_vec(), 1),
            })],
            Self::Base64 | Self::Lines => {
                let letters: Vec<u8> = part.iter().copied().filter(|byte| *byte != b'\n').collect();
                let from = |first: usize| letters.get(first..).unwrap_or_default().chunks(4).flat_map(three).collect();
                (0..4).map(from).collect()
            }
            Self::Hex => {
                let pairs = |first: usize| part.get(first..).unwrap_or_default().as_chunks::<2>().0.iter();
                (0..2).map(|first| pairs(first).map(|[high, low]| byte(*high, *low)).collect()).collect()
            }
            Self::Wide => vec![part.iter().copied().filter(|byte| *byte != 0).collect()],
        }
    }

    fn encoding(self) -> Encoding {
        match self {
            Self::Json | Self::Letters => Encoding::Escaped,
            Self::Percent => Encoding::Percent,
            Self::Base64 | Self::Lines => Encoding::Base64,
            Self::Hex => Encoding::Hex,
            Self::Wide => Encoding::Utf16,
        }
    }
}

fn each(text: &[u8], write: impl Fn(u8) -> String) -> Vec<u8> {
    text.iter().flat_map(|byte| write(*byte).into_bytes()).collect()
}

fn units(text: &[u8], read: impl Fn(&[u8]) -> (Vec<u8>, usize)) -> Vec<u8> {
    let (mut out, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let (bytes, width) = read(&text[at..]);
        out.extend(bytes);
        at += width;
    }
    out
}

fn byte(high: u8, low: u8) -> u8 {
    let digit = |letter| char::from(letter).to_digit(16).unwrap_or(0) as u8;
    digit(high) << 4 | digit(low)
}

fn unescaped(part: &[u8]) -> Vec<u8> {
    units(part, |rest| match rest {
        [b'\\', b'u', _, _, high, low, ..] => (vec![byte(*high, *low)], 6),
        [b'\\', b'n', ..] => (vec![b'\n'], 2),
        [b'\\', other, ..] => (vec![*other], 2),
        _ => (rest[..1].to_vec(), 1),
    })
}

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

fn base64(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in text.chunks(3) {
        let bits = (0..3).fold(0_u32, |sum, at| sum << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        out.extend((0..=chunk.len()).map(|place| LETTERS[(bits >> (18 - 6 * place) & 63) as usize]));
        out.extend((chunk.len()..3).map(|_| b'='));
    }
    out
}

fn three(quad: &[u8]) -> Vec<u8> {
    let value = |letter: &u8| LETTERS.iter().position(|known| known == letter).unwrap_or(0) as u32;
    let bits = (0..4).fold(0, |sum, at| sum << 6 | quad.get(at).map_or(0, value));
    bits.to_be_bytes()[1..quad.len().max(1)].to_vec()
}

/// Kinds that say themselves what they are; what stands for the token is drawn anew for each text.
const KINDS: &[&str] = &["ghp_{alnum:36}", "glpat-{alnum:20}", "sk-ant-api03-{base64url:93}AA", "npm_{alnum:36}"];

fn carriers() -> impl Strategy<Value = Vec<Carrier>> {
    use Carrier::{Base64, Hex, Json, Letters, Lines, Percent, Wide};
    // What is written as bytes of two is no text any more: something that makes letters of it has to stand around it.
    let inner = proptest::sample::select(vec![Json, Letters, Percent, Base64, Lines, Hex]);
    let outer = proptest::option::of(Just(Wide));
    (proptest::collection::vec(inner, 0..4), outer).prop_map(|(mut inner, outer)| {
        inner.extend(outer);
        inner
    })
}

fn place(one: &Match<'_>) -> (String, usize, usize, u32, u32) {
    (one.rule.id.clone(), one.start, one.end, one.line, one.column)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(192) })]

    #[test]
    fn a_token_is_found_in_any_carrier_and_its_place_holds_it(
        number in any::<u64>(), kind in 0..KINDS.len(), inside in carriers(), before in 0..80_usize,
    ) {
        let mut seed = Seed::new(number);
        let token = expand(KINDS[kind], &mut seed);
        let mut text = format!("{}TOKEN={token}\nmore\n", "words before it, ".repeat(before)).into_bytes();
        for carrier in &inside {
            text = carrier.write(&text);
        }
        let found = Scanner::embedded().scan(&text);
        let shown = String::from_utf8_lossy(&text[..text.len().min(300)]).into_owned();
        let one = found.iter().find(|one| one.secret.expose() == token.as_bytes());
        let Some(one) = one else { return Err(TestCaseError::fail(format!("{inside:?}: {shown}"))) };
        // Neighbours of one kind are named once, and what is plain inside a carrier of letters was not escaped.
        for carrier in inside.iter().filter(|carrier| !matches!(carrier, Carrier::Json | Carrier::Percent)) {
            prop_assert!(one.encodings.contains(&carrier.encoding()), "{carrier:?} of {inside:?}: {:?}", one.encodings);
        }
        let part = &text[one.start..one.end];
        let longest = inside.iter().fold(token.len(), |length, carrier| match carrier {
            Carrier::Letters => length * 6,
            Carrier::Percent => length * 3,
            Carrier::Base64 => length.div_ceil(3) * 4 + 4,
            Carrier::Lines => length.div_ceil(3) * 4 + 4 + length / 50 + 1,
            Carrier::Hex | Carrier::Wide => length * 2,
            Carrier::Json => length * 2,
        });
        prop_assert!(part.len() <= longest, "{inside:?}: {} bytes for {}", part.len(), token.len());
        let said = inside.iter().rev().fold(vec![part.to_vec()], |parts, carrier| {
            parts.iter().flat_map(|part| carrier.read(part)).collect()
        });
        let holds = |part: &Vec<u8>| part.windows(token.len()).any(|window| window == token.as_bytes());
        prop_assert!(said.iter().any(holds), "{inside:?}: {:?}", String::from_utf8_lossy(part));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(12) })]

    #[test]
    fn blocks_of_any_size_find_the_same(number in any::<u64>(), block in 140_000..900_000_usize) {
        let mut seed = Seed::new(number);
        let forms = [&[][..], &[Carrier::Json], &[Carrier::Json, Carrier::Json], &[Carrier::Base64], &[Carrier::Lines],
            &[Carrier::Hex], &[Carrier::Percent], &[Carrier::Letters], &[Carrier::Base64, Carrier::Json]];
        let mut text = Vec::new();
        while text.len() < 1_500_000 {
            let mut part = format!("x {} y\n", expand(KINDS[seed.roll(KINDS.len())], &mut seed)).into_bytes();
            for carrier in forms[seed.roll(forms.len())] {
                part = carrier.write(&part);
            }
            text.extend(part);
            let mut filler = String::new();
            let _ = write!(filler, "{} {}", "and so on ".repeat(seed.roll(900)), expand("{hex:40}", &mut seed));
            text.extend_from_slice(filler.as_bytes());
            // Some lines are longer than a block.
            if seed.roll(40) == 0 {
                text.push(b'\n');
            } else {
                text.push(b' ');
            }
        }
        let scanner = Scanner::embedded();
        let whole: Vec<_> = scanner.scan(&text).iter().map(place).collect();
        prop_assert!(whole.len() > 100, "{}", whole.len());
        let read = scanner.scan_read(text.as_slice(), "", &mut Buffer::of(block)).expect("memory can be read");
        let parts: Vec<_> = read.iter().map(place).collect();
        prop_assert_eq!(parts, whole, "{}", block);
    }
}
