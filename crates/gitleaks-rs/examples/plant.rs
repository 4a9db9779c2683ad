//! Makes a folder like an agent's state, with tokens in it that the rules of a configuration describe: for comparisons.
//!
//! `plant CONFIG FOLDER SEED`. The same seed gives the same tokens. They are made from the rules' own expressions and
//! put into plain lines, JSON, JSON in JSON, base64, hex and percent signs, between noise that is at times not UTF-8;
//! and into databases with what was last written to them still in their logs.

use std::fmt::Write as _;
use std::path::Path;

use gitleaks_rs::config::Config;
use gitleaks_rs::template::Seed;
use regex_syntax::hir::{Class, Hir, HirKind};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [config, folder, seed] = arguments.as_slice() else { return Err("usage: plant CONFIG FOLDER SEED".into()) };
    let config = Config::load(Path::new(config))?;
    let mut dice = Dice(Seed::new(seed.parse()?));
    // A parser serves once.
    let parse = |regex: &str| regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build().parse(regex).ok();
    // Go takes some braces for themselves that this parser does not; the others are enough.
    let parsed = config.rules.iter().filter_map(|rule| parse(rule.regex.as_ref()?));
    let rules: Vec<Hir> = parsed.collect();
    let storage = Path::new(folder).join("storage");
    std::fs::create_dir_all(&storage)?;
    for number in 0..60 {
        let (kind, text) = (number % KINDS.len(), dice.text(number, &rules));
        let file = storage.join(format!("{number:02}.{}", KINDS[kind]));
        if KINDS[kind] == "db" { database(&file, &text)? } else { std::fs::write(file, text)? }
    }
    Ok(())
}

/// How files end.
const KINDS: [&str; 6] = ["jsonl", "log", "json", "txt", "branch", "db"];

/// A database with a row for each line, of which the log that goes with it holds the latest.
fn database(file: &Path, text: &[u8]) -> Result<(), Box<dyn std::error::Error>> {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(with(file, suffix));
    }
    let database = rusqlite::Connection::open(file)?;
    database.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0; CREATE TABLE part (data)",
    )?;
    let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
    for (at, line) in lines.iter().enumerate() {
        if at == lines.len() / 2 {
            database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
        }
        database.execute("INSERT INTO part VALUES (?)", [String::from_utf8_lossy(line)])?;
    }
    // Closing it empties the log, and takes it away.
    let log = std::fs::read(with(file, "-wal"))?;
    let main = std::fs::read(file)?;
    database.close().map_err(|(_, error)| error)?;
    std::fs::write(file, main)?;
    Ok(std::fs::write(with(file, "-wal"), log)?)
}

fn with(file: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

struct Dice(Seed);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0.roll(sides)
    }

    /// What a file holds. Some are long enough to be read in pieces.
    fn text(&mut self, number: usize, rules: &[Hir]) -> Vec<u8> {
        let mut out: Vec<u8> = Vec::new();
        let kind = number % KINDS.len();
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
        out
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
