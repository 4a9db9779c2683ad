//! Tokens of every kind that says itself what it is, planted as agents write things down, and all of them found; between
//! them what only looks like tokens, and none of that. `-- --nocapture` prints how many of each form.
//!
//! What has to be found is decided by the template that a token is made from: a finding counts if its secret holds one of
//! the random parts whole, and is the same in every form.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use gitleaks_rs::archive::Limits;
use gitleaks_rs::template::{Seed, expand, expand_marked};
use gitleaks_rs::{Confidence, Config, Finding, Job, Key, Progress, Scanner};

/// A way in which a text comes to stand in a file.
type Form = (&'static str, fn(&str) -> Vec<u8>);

const FORMS: &[Form] = &[
    ("plain", |text| line(text)),
    ("json", |text| line(&json(text, 1))),
    ("json in json", |text| line(&json(text, 2))),
    ("json in json in json", |text| line(&json(text, 3))),
    ("every letter as \\u", |text| {
        let letters: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
        line(&format!(r#"{{"output":"{letters}"}}"#))
    }),
    ("base64 in json", |text| line(&format!(r#"{{"data":"{}"}}"#, base64(text.as_bytes())))),
    ("base64 of json", |text| line(&format!("data:;base64,{}", base64(json(text, 1).as_bytes())))),
    ("base64 in lines", |text| line(&wrapped(text, "\n"))),
    ("base64 in lines in json", |text| line(&json(&wrapped(text, "\r\n"), 2))),
    ("base64 behind a path", |text| line(&format!("https://host.internal/v1/{}", base64(text.as_bytes())))),
    ("base64 behind bytes", |text| {
        line(&base64(&[&[0, 159, 146, 150, 7, 1, 200][..], text.as_bytes(), &[0; 4]].concat()))
    }),
    ("base64 of utf-16", |text| line(&base64(&text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>()))),
    ("base64 with escaped slashes", |text| {
        let said = format!("{} {text}", "??>\u{e9}\u{fc}\u{ff}".repeat(9));
        line(&format!(r#"{{"data":"{}"}}"#, base64(said.as_bytes()).replace('/', "\\/")))
    }),
    ("base64 of base64", |text| line(&base64(format!("inner: {}", base64(text.as_bytes())).as_bytes()))),
    ("hex", |text| line(&format!("blob={}", hex(text.as_bytes())))),
    ("hex behind 0x", |text| line(&format!("0x{}", hex(text.as_bytes()).to_uppercase()))),
    ("percent", |text| line(&format!("q={}", percent(text, "", "%")))),
    ("percent of percent", |text| line(&format!("q={}", percent(text, "", "%25")))),
    ("percent as in a query", |text| line(&format!("q={}", percent(text, "-_.!~*'()", "%")))),
    ("json with escaped slashes", |text| line(&json(text, 1).replace('/', "\\/"))),
    ("utf-16", |text| format!("{text}\r\n").encode_utf16().flat_map(u16::to_le_bytes).collect()),
];

/// Base64 as mail and `base64` write it, the token somewhere in the middle.
fn wrapped(text: &str, end: &str) -> String {
    let coded = base64(format!("{}{text}\n", "all that stands before ".repeat(5)).as_bytes());
    let lines = coded.as_bytes().chunks(76).map(|line| String::from_utf8_lossy(line).into_owned());
    lines.collect::<Vec<String>>().join(end)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "{byte:02x}");
        all
    })
}

/// Escapes all but letters, digits and what else is allowed.
fn percent(text: &str, allowed: &str, mark: &str) -> String {
    text.bytes().fold(String::new(), |mut all, byte| {
        let _ = if byte.is_ascii_alphanumeric() || allowed.as_bytes().contains(&byte) {
            write!(all, "{}", char::from(byte))
        } else {
            write!(all, "{mark}{byte:02X}")
        };
        all
    })
}

fn line(text: &str) -> Vec<u8> {
    format!("{text}\n").into_bytes()
}

fn json(text: &str, levels: usize) -> String {
    (0..levels).fold(text.to_owned(), |inner, level| {
        serde_json::json!({ "type": "tool", "level": level, "output": format!("before\n{inner}\nafter") }).to_string()
    })
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |sum, at| sum << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for place in 0..4 {
            let letter = if place <= chunk.len() { LETTERS[(bits >> (18 - 6 * place) & 63) as usize] } else { b'=' };
            out.push(char::from(letter));
        }
    }
    out
}

/// What looks like a token and opens nothing.
fn decoy(seed: &mut Seed) -> String {
    const KINDS: &[&str] = &[
        "commit {hex:40}",
        "{hex:8}-{hex:4}-4{hex:3}-a{hex:3}-{hex:12}",
        "\"integrity\": \"sha512-{base64:86}==\"",
        "etag: W/\"{hex:32}\"",
        "export GITHUB_TOKEN=ghp_{x:36}",
        "aws_access_key_id = AKIA{x:16}",
        "const API_KEY = process.env.API_KEY_{upper:6};",
        "sha256:{hex:64}",
        "!function(e,t){r.exports={alpha:8}}(this,{alpha:12});",
    ];
    expand(KINDS[seed.roll(KINDS.len())], seed)
}

/// A text with a token of each kind, and the token.
fn tokens(seed: &mut Seed) -> Vec<(String, String, Vec<u8>)> {
    let scanner = Scanner::embedded();
    let sure: BTreeSet<&str> = scanner
        .rules()
        .iter()
        .filter(|rule| rule.confidence == Confidence::High && rule.regex.is_some())
        .map(|rule| rule.id.as_str())
        .collect();
    let mut all = Vec::new();
    for rule in Config::embedded().rules.iter().filter(|rule| sure.contains(rule.id.as_str()) && rule.path.is_none()) {
        // By chance an example may hold a word that examples use; the next one does not.
        let mut texts = rule.examples.iter().cycle().take(8).map(|template| expand_marked(template, seed));
        let found = texts.find_map(|(text, random)| {
            let matches = scanner.scan(text.as_bytes());
            let random: Vec<&[u8]> = random.into_iter().map(|slot| &text.as_bytes()[slot]).collect();
            let holds = |secret: &[u8]| {
                random.iter().any(|slot| slot.len() >= RANDOM && memchr::memmem::find(secret, slot).is_some())
            };
            let secret = matches.iter().map(|one| one.secret.expose()).find(|secret| holds(secret))?;
            Some((rule.id.clone(), text.clone(), secret.to_vec()))
        });
        all.push(found.unwrap_or_else(|| panic!("{}: its example is not found in plain text", rule.id)));
    }
    all
}

/// Fewer random letters are found by chance.
const RANDOM: usize = 8;

struct Place {
    folder: tempfile::TempDir,
    /// For each form the file and the mark of each token, and its rule.
    planted: BTreeMap<&'static str, Vec<(String, String, String)>>,
    key: Key,
}

impl Place {
    fn plant(number: u64) -> Self {
        let (folder, key, mut seed) = (tempfile::tempdir().expect("a folder"), Key::new([9; 32]), Seed::new(number));
        let mut place = Self { folder, planted: BTreeMap::new(), key };
        for (which, (name, form)) in FORMS.iter().enumerate() {
            let file = format!("ses_{which}.jsonl");
            let mut bytes = Vec::new();
            for (rule, text, secret) in tokens(&mut seed) {
                bytes.extend(form(&text));
                bytes.extend(form(&decoy(&mut seed)));
                place.note(name, &file, &rule, &secret);
            }
            std::fs::write(place.path().join(&file), bytes).expect("writable");
        }
        place.database("opencode.db", &mut seed, false);
        place.database("live.db", &mut seed, true);
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn note(&mut self, form: &'static str, file: &str, rule: &str, secret: &[u8]) {
        let mark = self.key.mark(secret);
        self.planted.entry(form).or_default().push((file.to_owned(), mark, rule.to_owned()));
    }

    /// A database whose rows are tool output, some longer than a page; `live` as an agent that runs leaves it.
    fn database(&mut self, name: &str, seed: &mut Seed, live: bool) {
        let made = tempfile::tempdir().expect("a folder");
        let path = made.path().join(name);
        let database = rusqlite::Connection::open(&path).expect("a database");
        if live {
            database.pragma_update(None, "journal_mode", "wal").expect("a log");
            database.pragma_update(None, "wal_autocheckpoint", 0).expect("a log that stays");
        }
        database.execute("create table part (id integer primary key, data text)", ()).expect("a table");
        for (number, (rule, text, secret)) in tokens(seed).into_iter().enumerate() {
            let filler = if number % 4 == 0 { "nothing of note, ".repeat(400) } else { decoy(seed) };
            let row = json(&format!("{filler}\n{text}"), 2);
            database.execute("insert into part (data) values (?1)", [row]).expect("a row");
            let long = number % 4 == 0;
            let form = match (live, long) {
                (true, _) => "write-ahead log",
                (_, true) => "row of a database on pages of its own",
                _ => "row of a database",
            };
            self.note(form, if live { "live.db-wal" } else { name }, &rule, &secret);
        }
        for end in ["", "-wal"] {
            let from = made.path().join(format!("{name}{end}"));
            if from.exists() {
                std::fs::copy(from, self.path().join(format!("{name}{end}"))).expect("copied");
            }
        }
    }

    fn scan(&self) -> Vec<Finding> {
        let progress = Progress::default();
        let job = Job {
            scanner: Scanner::embedded(),
            key: &self.key,
            cache: None,
            progress: &progress,
            archives: Limits::OFF,
            most: u64::MAX,
        };
        let outcome = job.folder(self.path(), &|_, _| false).expect("readable");
        assert_eq!(outcome.problems, Vec::new());
        outcome.findings
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the table is for whoever asks with --nocapture")]
fn nearly_every_planted_token_is_found_and_nothing_else() {
    for number in [1, 2] {
        let place = Place::plant(number);
        let findings = place.scan();
        let found: BTreeSet<(&str, &str)> =
            findings.iter().map(|finding| (finding.path.as_str(), finding.hash.as_str())).collect();
        let (mut all, mut hit, mut missed) = (0, 0, String::new());
        for (form, planted) in &place.planted {
            let known = |file: &str, mark: &str| found.contains(&(file, mark));
            let lost: Vec<&str> =
                planted.iter().filter(|(file, mark, _)| !known(file, mark)).map(|(.., rule)| rule.as_str()).collect();
            println!("{form}: {} of {} {lost:?}", planted.len() - lost.len(), planted.len());
            let _ = writeln!(missed, "{form}: {lost:?}");
            all += planted.len();
            hit += planted.len() - lost.len();
            assert!(planted.len() >= 50, "{form}: {} kinds", planted.len());
            assert!(lost.len() * 100 <= planted.len(), "{form}: {} of {} lost {lost:?}", lost.len(), planted.len());
        }
        println!("{hit} of {all}");
        assert!(hit * 100 >= all * 99, "{hit} of {all}\n{missed}");
        let marks: BTreeSet<&str> = place.planted.values().flatten().map(|(_, mark, _)| mark.as_str()).collect();
        let odd = |finding: &&Finding| !marks.contains(finding.hash.as_str());
        let odd: Vec<String> = findings
            .iter()
            .filter(odd)
            .map(|finding| format!("{}:{} {} {:?}", finding.path, finding.line, finding.rule, finding.encodings))
            .collect();
        assert_eq!(odd, Vec::<String>::new(), "found where nothing was planted");
    }
}
