//! Our reading beside Go's own, asked over a pipe where Go is installed.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{Regex, Text, parse};

/// Expressions that Rust's parser reads differently, or not at all, each with texts that show it.
const TABLE: &[(&str, &[&str])] = &[
    (r"[[a]", &["[", "a", "x[a"]),
    (r"[a[b-d]+]", &["abcd]", "[]", "a[]"]),
    (r"[a&&b]+", &["a&b", "&&"]),
    (r"[a--z]", &["a", "-", "z", "."]),
    (r"[a~~b]+", &["~a~b"]),
    (r"^\${[A-Z_]+}$", &["${HOME}", "$HOME}"]),
    (r"a{", &["a{", "a"]),
    (r"a{,5}", &["a{,5}", "aaa"]),
    (r"a{2}{", &["aa{"]),
    (r"a{01}", &["a{01}"]),
    (r"x{2,3}y{1,}", &["xxy", "xxxxyyy"]),
    (r"\Qa.b*\E+", &["a.b*", "a.b***", "aXb"]),
    (r"\Q(((", &["((("]),
    (r"\Qab\E|c\z", &["ab", "c", "cc"]),
    (r"\Aa|a\z", &["aba"]),
    (r"(?U)a+b*", &["aaabbb"]),
    (r"(?U)a+?b*?", &["aaabbb"]),
    (r"(?U:a+)(a*)", &["aaaa"]),
    (r"\pN+", &["a12٣"]),
    (r"\p{Greek}+\P{Greek}", &["αβγx"]),
    (r"\p{^Lu}+", &["ABcD"]),
    (r"(?i)\p{Lu}+", &["aBcK\u{212a}ſ1"]),
    (r"(?P<first>a)(?<second>b)", &["ab"]),
    (r"\w+", &["aé_9\u{212a}"]),
    (r"(?i)\w+", &["a\u{212a}ſé"]),
    (r"(?i)\W+", &["-\u{212a}ſé"]),
    (r"(?i)k+s+", &["Kk\u{212a}sSſ"]),
    (r"(?i)[^k]+", &["akbK\u{212a}c"]),
    (r"(?i)[h-l]+", &["hIjK\u{212a}L"]),
    (r"(?i)σ+|ß|İ|ǆ", &["σΣς", "ẞ", "i̇", "ǅǄ"]),
    (r"\s+", &["a\t\n\u{b}\u{c}\r b\u{a0}"]),
    (r"[[:space:]]+", &["a\t\n\u{b}\u{c}\r b"]),
    (r"[[:^alpha:]x]+", &["a1x-b"]),
    (r"[[:word:]-]+", &["a_-9é"]),
    (r"\bé?\w+\b", &["aéb éa b"]),
    (r"\B.", &["ab éé"]),
    (r".", &["aé\n世"]),
    (r"(?s).", &["aé\n世"]),
    (r"[^a]", &["aéb\n"]),
    (r"^..$", &["é", "éé", "ab"]),
    (r"(?m)^a$", &["a\na\r\na", "a\n"]),
    (r"a$", &["a\n", "a"]),
    (r"(?i)a(?-i)b|C", &["AB", "Ab", "c", "C"]),
    (r"(?:(?i)a|b)c", &["Bc", "BC", "Ac"]),
    (r"(a*)+", &["aab", "b"]),
    (r"(a|b*)*", &["abbac"]),
    (r"(|a)*", &["aaa"]),
    (r"(|a)+", &["aaa"]),
    (r"(a*?)*?b", &["aab"]),
    (r"(a){0}(b)", &["ab"]),
    (r"(a){0,2}(b)", &["aab"]),
    (r"(?:(a)|b)*", &["ab", "ba"]),
    (r"a*", &["baac", "é", ""]),
    (r"a*?", &["aa"]),
    (r"a|ab|abc", &["abc"]),
    (r"(a+)(b+)?", &["aab", "aa"]),
    (r"[\d\-x]+", &["1-x"]),
    (r"[]a]+", &["]a"]),
    (r"[^]a]+", &["]ab"]),
    (r"[a-]+|[-b]+", &["a-b"]),
    (r"[\]\\]+", &["]\\"]),
    (r"\x41\x{1F600}\101\07\a\f\v\t", &["A\u{1f600}A\u{7}\u{7}\u{c}\u{b}\t"]),
    (r"\x{D800}|[\x{D000}-\x{E001}]", &["\u{d001}\u{e000}"]),
    (r"\_\!\-\:", &["_!-:"]),
    (r"(?)a(?:)*", &["a"]),
    (r"\x{fffd}", &["\u{fffd}"]),
    (r"", &["", "é"]),
];

/// What Go refuses, and so do we, in the same words.
const WRONG: &[&str] = &[
    "a**",
    "a*??",
    "a{2}{3}",
    "a{2}*",
    "*a",
    "(*a)",
    "(|*a)",
    "a{1001}",
    "a{2,1}",
    "a{1,1001}",
    "(a{100}){11}",
    "((a{10}){10}){11}",
    "(a",
    "a)",
    "(?P<n",
    "(?P<>a)",
    "(?P<n-m>a)",
    "(?<n",
    "(?<é>a)",
    "(?z)",
    "(?i",
    "(?i-)",
    "(?P=n)",
    "(?=a)",
    "(?!a)",
    "(?<=a)",
    "(?#c)",
    "[a",
    "[",
    "[]",
    "[^]",
    "[z-a]",
    "[a-\\d]",
    "[[:nope:]]",
    "\\",
    "[\\",
    "\\1",
    "\\8",
    "\\C",
    "\\e",
    "\\Z",
    "\\G",
    "\\x",
    "\\xg1",
    "\\x{",
    "\\x{}",
    "\\x{110000}",
    "\\x{zz}",
    "\\p",
    "\\p{",
    "\\pX",
    "\\p{Nope}",
    "\\p{Script=Greek}",
    "\\é",
    "(?i)(?s",
    "a{99999999999}",
    "x{2,1}{",
    "(?-)",
    "(?i-i-i)",
    "+",
    "?",
    "{1}",
];

#[test]
fn what_go_refuses_is_refused() {
    for pattern in WRONG {
        assert!(parse(pattern).is_err(), "{pattern}");
    }
}

#[test]
fn no_nesting_and_no_size_is_too_much() {
    for (open, close) in [("(", ")"), ("(?:", ")*"), ("(?:a|", ")")] {
        let deep = open.repeat(100_000) + &close.repeat(100_000);
        assert!(
            parse(&deep)
                .expect_err("too deep")
                .to_string()
                .starts_with("error parsing regexp: expression nests too deeply")
        );
        let flat = open.repeat(80) + &close.repeat(80);
        assert!(Regex::new(&flat).is_ok(), "{open}");
    }
    assert!(parse(&"(?i)*".repeat(1000)).is_err());
    assert!(parse(&r"\pL".repeat(100_000)).expect_err("too large").to_string().contains("too large"));
    assert!(parse(r"(?:\pL\pN){1000}").is_ok());
    assert!(parse(r"((\pL\pN){10}[^a]){100}(?:(?:\pL{10}){10}\pL){10}\PN{1000}{").is_err());
}

#[test]
fn a_stray_byte_is_one_character() {
    let regex = Regex::new("x(.)y").expect("it is one");
    let text = Text::new(b"x\xffy x\xc3\xa9y x\xe2\x82y");
    assert_eq!(regex.find_all(&text, 0..text.bytes().len()), [0..3, 4..8]);
    assert_eq!(regex.first_groups(b"\xffx\xfey"), Some(vec![Some(2..3)]));
}

/// A small generator of its own: the same questions every time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % end.max(1)
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    fn pattern(&mut self) -> String {
        const ATOMS: &[&str] = &[
            "a",
            "b",
            "k",
            "S",
            "é",
            "ß",
            "世",
            "-",
            "{",
            "}",
            "]",
            ".",
            "^",
            "$",
            r"\b",
            r"\B",
            r"\d",
            r"\w",
            r"\W",
            r"\s",
            r"\S",
            r"\pL",
            r"\PN",
            r"\.",
            r"\n",
            r"\x6b",
            "[ab]",
            "[^a]",
            "[a-k]",
            "[[]",
            "[&&]",
            "[^k-s]",
            r"[\w.-]",
            "[[:alpha:]]",
            "(?i)",
            "(?-i)",
            "(?s)",
            "(?m)",
            "(?U)",
            r"\Qa*\E",
            "[^\\x00-\\x{10FFFF}]",
            "\\x{fffd}",
            r"\A",
        ];
        const AFTER: &[&str] =
            &["", "", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{0,3}", "{1,}", "{,2}", "{2,3}?"];
        const OPEN: &[&str] = &["(", "(?:", "(?i:", "(?P<n>", "(?-s:", "(?U:"];
        let (mut pattern, mut open) = (String::new(), 0);
        for _ in 0..1 + self.below(8) {
            match self.below(8) {
                0 => {
                    pattern += self.pick(OPEN);
                    open += 1;
                }
                1 if open > 0 => {
                    pattern.push(')');
                    pattern += self.pick(AFTER);
                    open -= 1;
                }
                2 => pattern.push('|'),
                _ => {
                    pattern += self.pick(ATOMS);
                    pattern += self.pick(AFTER);
                }
            }
        }
        pattern + &")".repeat(open)
    }

    fn text(&mut self) -> Vec<u8> {
        const PARTS: &[&[u8]] = &[
            b"a",
            b"b",
            b"k",
            b"K",
            "\u{212a}".as_bytes(),
            b"s",
            "ſ".as_bytes(),
            "é".as_bytes(),
            "世".as_bytes(),
            b"-",
            b"\n",
            b" ",
            b"[",
            b"&",
            b"{",
            b"0",
            b"_",
            b"]",
            b"\x0b",
            b"\xff",
            b"\xc3",
            b"\xe4\xb8",
            "ß".as_bytes(),
            b"aa",
        ];
        (0..self.below(14)).flat_map(|_| PARTS[self.below(PARTS.len())].to_vec()).collect()
    }
}

/// The questions to both: the table and what the generator makes.
fn questions() -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for (pattern, texts) in TABLE {
        all.extend(texts.iter().map(|text| ((*pattern).to_owned(), text.as_bytes().to_vec())));
        all.push(((*pattern).to_owned(), b"a\xffb\xc3k\xe4\xb8 \x80".to_vec()));
    }
    all.extend(WRONG.iter().map(|pattern| ((*pattern).to_owned(), Vec::new())));
    let rounds = std::env::var("ORACLE_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(3000);
    let mut random = Random(20_261_121);
    for _ in 0..rounds {
        let pattern = random.pattern();
        all.push((pattern, random.text()));
    }
    all
}

/// Our answer in the oracle's form: an error, or for each match the places of the whole and of its groups.
fn ours(pattern: &str, text: &[u8]) -> (String, Vec<Vec<i64>>) {
    let regex = match Regex::new(pattern) {
        Ok(regex) => regex,
        Err(error) => return (error.to_string(), Vec::new()),
    };
    (String::new(), regex.find_all_groups(text))
}

#[test]
fn every_match_is_where_go_finds_it() {
    let Some(answers) = ask_go(&questions()) else { return };
    let mut wrong = Vec::new();
    for ((pattern, text), said) in questions().iter().zip(&answers) {
        let (error, matches) = ours(pattern, text);
        let expected: Vec<Vec<i64>> = serde_json::from_value(said["matches"].clone()).expect("lists of numbers");
        if said["error"] != error || matches != expected {
            let text = String::from_utf8_lossy(text).into_owned();
            wrong.push(format!("{pattern:?} in {text:?}\n  go   {said}\n  ours {error} {matches:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ:\n{}",
        wrong.len(),
        answers.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
}

/// Go's answers, or none where it is not installed.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn ask_go(questions: &[(String, Vec<u8>)]) -> Option<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle");
    let started = Command::new("go")
        .args(["run", "."])
        .current_dir(folder)
        .env("GOFLAGS", "-mod=mod")
        .env("GOWORK", "off")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut go) = started else {
        eprintln!("skipped: `go` is not on PATH, so its regexp was not asked");
        return None;
    };
    let mut input = go.stdin.take().expect("it is piped");
    let asked: Vec<String> =
        questions.iter().map(|(pattern, text)| json!({"pattern": pattern, "text": base64(text)}).to_string()).collect();
    let writer = std::thread::spawn(move || asked.iter().try_for_each(|line| writeln!(input, "{line}")));
    let output = go.wait_with_output().expect("it runs");
    writer.join().expect("no panic").expect("go reads all of it");
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .expect("JSON")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(answers.len(), questions.len(), "one answer for each question");
    Some(answers)
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
            (0..4).map(
                move |at| {
                    if at > chunk.len() { '=' } else { char::from(DIGITS[(word >> (18 - 6 * at)) as usize & 63]) }
                },
            )
        })
        .collect()
}
