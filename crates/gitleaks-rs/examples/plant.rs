//! Makes a folder like an agent's state, with tokens in it that the rules of a configuration describe: for comparisons.
//!
//! `plant CONFIG FOLDER SEED`. The same seed gives the same bytes. Tokens are made from the rules' own expressions and
//! put into plain lines, JSON, JSON in JSON, base64, hex and percent signs, between noise that is at times not UTF-8.

use std::fmt::Write as _;
use std::path::Path;

use gitleaks_rs::config::Config;
use regex_syntax::hir::{Class, Hir, HirKind};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [config, folder, seed] = arguments.as_slice() else { return Err("usage: plant CONFIG FOLDER SEED".into()) };
    let config = Config::load(Path::new(config))?;
    let mut dice = Dice(seed.parse()?);
    // A parser serves once.
    let parse = |regex: &str| regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(regex).ok();
    // Go takes some braces for themselves that this parser does not; the others are enough.
    let parsed = config.rules.iter().filter_map(|rule| parse(rule.regex.as_ref()?));
    let rules: Vec<Hir> = parsed.collect();
    std::fs::create_dir_all(Path::new(folder).join("storage"))?;
    for number in 0..60 {
        let (name, bytes) = dice.file(number, &rules);
        std::fs::write(Path::new(folder).join(name), bytes)?;
    }
    Ok(())
}

/// A random source of its own, the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides.max(1)
    }

    /// A file and its name. Some are long enough to be read in pieces, some are of a type that is skipped.
    fn file(&mut self, number: usize, rules: &[Hir]) -> (String, Vec<u8>) {
        let mut out: Vec<u8> = Vec::new();
        let kind = number % 6;
        if kind == 5 {
            out.extend_from_slice(b"SQLite format 3\0");
        }
        let entries = if number.is_multiple_of(10) { 3000 } else { 60 };
        for _ in 0..entries {
            let token = if self.roll(3) == 0 { self.token(rules) } else { self.noise() };
            out.extend(self.carried(&token, kind));
            let ending: &[u8] = match self.roll(12) {
                0 => b"\n\n",
                1 => b"\r\n",
                2 => b" ",
                3 => b"",
                _ => b"\n",
            };
            out.extend_from_slice(ending);
        }
        let ending = ["jsonl", "log", "json", "txt", "branch", "db"][kind];
        (format!("storage/{number:02}.{ending}"), out)
    }

    fn noise(&mut self) -> Vec<u8> {
        const PARTS: &[&[u8]] = &[
            b"the tool said ",
            b"token ",
            b"api_key=",
            b"\xc3\xa9",
            b"\xff",
            b"\xe2\x84\xaa",
            b"\xc5\xbf",
            b"=> ",
            b"\"x\": ",
            b"0x1f",
            b"%20",
            b"\\u0041",
            b"U+0042 ",
            b"gitleaks:allow",
            b"// secret",
            b"password: ",
            b"\t",
            b"AAAA",
            b"{}",
            b"0123456789abcdef",
        ];
        (0..1 + self.roll(9)).flat_map(|_| PARTS[self.roll(PARTS.len())].to_vec()).collect()
    }

    fn token(&mut self, rules: &[Hir]) -> Vec<u8> {
        let mut token = Vec::new();
        let at = self.roll(rules.len());
        self.example(&rules[at], &mut token);
        token
    }

    /// A text as it would stand in a file.
    fn carried(&mut self, text: &[u8], kind: usize) -> Vec<u8> {
        let lossy = String::from_utf8_lossy(text).into_owned();
        match self.roll(9) {
            0 => base64(text).into_bytes(),
            1 => format!("data=\"{}\"", base64(lossy.as_bytes())).into_bytes(),
            2 => hex(text, "").into_bytes(),
            3 => hex(text, "%").into_bytes(),
            4 => base64(hex(text, "%").as_bytes()).into_bytes(),
            5 if kind < 3 => quoted(&format!("{{\"output\":{}}}", quoted(&lossy))).into_bytes(),
            6 if kind < 3 => format!("{{\"text\":{},\"n\":1}}", quoted(&lossy)).into_bytes(),
            7 => lossy.chars().map(|letter| format!("\\u{:04x}", u32::from(letter))).collect::<String>().into_bytes(),
            _ => text.to_vec(),
        }
    }

    /// A text that an expression matches.
    fn example(&mut self, hir: &Hir, out: &mut Vec<u8>) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
            HirKind::Class(class) => {
                let letter = self.letter(class);
                out.extend_from_slice(&letter);
            }
            HirKind::Capture(group) => self.example(&group.sub, out),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.example(part, out)),
            HirKind::Alternation(parts) => {
                let at = self.roll(parts.len());
                self.example(&parts[at], out);
            }
            HirKind::Repetition(repeated) => {
                let most = repeated.max.unwrap_or(repeated.min + 30).min(repeated.min + 30);
                for _ in 0..repeated.min as usize + self.roll((most - repeated.min) as usize + 1) {
                    self.example(&repeated.sub, out);
                }
            }
        }
    }

    fn letter(&mut self, class: &Class) -> Vec<u8> {
        let members: Vec<Vec<u8>> = match class {
            Class::Bytes(class) => {
                class.iter().flat_map(|range| range.start()..=range.end()).map(|byte| vec![byte]).collect()
            }
            Class::Unicode(class) => class
                .iter()
                .flat_map(|range| (range.start()..=range.end()).take(128))
                .map(|letter| letter.to_string().into_bytes())
                .collect(),
        };
        let usual = |one: &&Vec<u8>| one[0].is_ascii_alphanumeric() || b" _-./+:=\"".contains(&one[0]);
        let plain: Vec<&Vec<u8>> = members.iter().filter(usual).collect();
        if plain.is_empty() || self.roll(40) == 0 {
            return members.get(self.roll(members.len())).cloned().unwrap_or_default();
        }
        plain[self.roll(plain.len())].clone()
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn hex(bytes: &[u8], before: &str) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{before}{byte:02x}");
        out
    })
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = bytes.chunks(3).flat_map(|chunk| {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        (0..4).map(
            move |at| if at > chunk.len() { '=' } else { char::from(DIGITS[(word >> (18 - 6 * at)) as usize & 63]) },
        )
    });
    digits.collect()
}
