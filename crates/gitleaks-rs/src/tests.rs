//! Every rule finds examples made from its own expression; a table of formats, written down independently, is found
//! under the right name; near misses are not. Examples are made here, so that the files hold no token.

use std::fmt::Write as _;

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::{Confidence, Config, Scanner};

/// A small random source with a fixed seed: the tests are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % sides.max(1)
    }

    fn text(&mut self, letters: &str, length: usize) -> String {
        let letters: Vec<char> = letters.chars().collect();
        (0..length).map(|_| letters[self.roll(letters.len())]).collect()
    }

    /// A text that an expression matches.
    fn example(&mut self, hir: &Hir, out: &mut Vec<u8>) {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => out.extend_from_slice(&literal.0),
            HirKind::Class(class) => out.push(self.letter(class)),
            HirKind::Capture(group) => self.example(&group.sub, out),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.example(part, out)),
            HirKind::Alternation(parts) => {
                let at = self.roll(parts.len());
                self.example(&parts[at], out);
            }
            HirKind::Repetition(repeated) => {
                let most = repeated.max.unwrap_or(repeated.min + 30).min(repeated.min + 30);
                let spread = usize::try_from(most - repeated.min).expect("small") + 1;
                for _ in 0..repeated.min as usize + self.roll(spread) {
                    self.example(&repeated.sub, out);
                }
            }
        }
    }

    fn letter(&mut self, class: &Class) -> u8 {
        let usual = |byte: &u8| byte.is_ascii_alphanumeric() || b" _-./+:=\"".contains(byte);
        let members: Vec<u8> = match class {
            Class::Bytes(class) => class.iter().flat_map(|range| range.start()..=range.end()).collect(),
            Class::Unicode(class) => class
                .iter()
                .flat_map(|range| range.start()..=range.end().min('\u{7f}'))
                .filter_map(|letter| u8::try_from(letter).ok())
                .collect(),
        };
        let plain: Vec<u8> = members.iter().copied().filter(usual).collect();
        let pool = if plain.is_empty() { members } else { plain };
        pool[self.roll(pool.len())]
    }
}

const LOWER_HEX: &str = "0123456789abcdef";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const ALNUM: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const LETTERS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Rule, what stands before the random part, its letters and length, what stands behind it.
const FORMATS: &[(&str, &str, &str, usize, &str)] = &[
    ("aws-access-token", "AKIA", UPPER, 16, ""),
    ("aws-access-token", "ASIA", UPPER, 16, ""),
    ("gcp-api-key", "AIza", ALNUM, 35, ""),
    ("github-pat", "ghp_", ALNUM, 36, ""),
    ("github-oauth", "gho_", ALNUM, 36, ""),
    ("github-app-token", "ghs_", ALNUM, 36, ""),
    ("github-refresh-token", "ghr_", ALNUM, 36, ""),
    ("github-fine-grained-pat", "github_pat_", ALNUM, 82, ""),
    ("gitlab-pat", "glpat-", ALNUM, 20, ""),
    ("stripe-access-token", "sk_live_", ALNUM, 24, ""),
    ("anthropic-api-key", "sk-ant-api03-", ALNUM, 93, "AA"),
    ("anthropic-oauth-token", "sk-ant-oat01-", ALNUM, 93, "AA"),
    ("openrouter-api-key", "sk-or-v1-", LOWER_HEX, 64, ""),
    ("groq-api-key", "gsk_", ALNUM, 52, ""),
    ("huggingface-access-token", "hf_", LETTERS, 34, ""),
    ("npm-access-token", "npm_", ALNUM, 36, ""),
    ("pypi-upload-token", "pypi-AgEIcHlwaS5vcmc", ALNUM, 120, ""),
    ("dockerhub-access-token", "dckr_pat_", ALNUM, 27, ""),
    ("digitalocean-pat", "dop_v1_", LOWER_HEX, 64, ""),
    ("vault-service-token", "hvs.", ALNUM, 92, ""),
    ("shopify-access-token", "shpat_", LOWER_HEX, 32, ""),
    ("sentry-user-token", "sntryu_", LOWER_HEX, 64, ""),
    ("slack-bot-token", "xoxb-1029384756102-5647382910564-", ALNUM, 24, ""),
    ("telegram-bot-api-token", "802938475:AA", ALNUM, 33, ""),
    ("mistral-api-key", "MISTRAL_API_KEY=", ALNUM, 32, ""),
    ("aws-secret-access-key", "aws_secret_access_key = ", ALNUM, 40, ""),
    ("database-url-password", "postgres://app:", ALNUM, 20, "@db7.internal.corp.net/app"),
    ("generic-api-key", "session_secret = \"", ALNUM, 40, "\""),
];

/// How a token stands in a file.
const CARRIERS: &[(&str, &str)] = &[
    ("", ""),
    ("key = \"", "\"\n"),
    ("first\nsecond: ", "\nthird"),
    ("{\"out\":\"done\\n", "\\nnext\"}"),
    ("{\\\"out\\\":\\\"done\\\\n", "\\\\nnext\\\"}"),
    ("<a href='https://x/?k=", "&b=1'>"),
];

fn rules_in(text: &str) -> Vec<&'static str> {
    Scanner::embedded().scan(text.as_bytes()).iter().map(|found| found.rule.id.as_str()).collect()
}

#[test]
fn the_embedded_rules_load_and_their_ids_differ() {
    let text = include_str!("../rules.toml");
    let scanner = Config::parse(text, "rules.toml").and_then(Scanner::new).unwrap_or_else(|error| panic!("{error}"));
    let mut ids: Vec<&str> = scanner.rules().iter().map(|rule| rule.id.as_str()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id is used twice");
    assert!(all >= 100, "{all}");
}

#[test]
fn every_rule_finds_what_its_expression_describes() {
    let mut dice = Dice(7);
    let mut missed = String::new();
    for rule in Scanner::embedded().rules().iter().filter(|rule| rule.wants("")) {
        let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
        let hir = parser
            .parse(rule.regex.as_deref().unwrap_or_default())
            .unwrap_or_else(|error| panic!("{}: {error}", rule.id));
        // A random example can by chance hold too few different letters or a word that examples use.
        let found = (0..20).filter(|_| {
            let mut text = b"\n".to_vec();
            dice.example(&hir, &mut text);
            let matches = Scanner::embedded().scan(&text);
            matches.iter().any(|found| found.rule.id == rule.id || found.confidence > rule.confidence)
        });
        let found = found.count();
        if found < 10 {
            let _ = writeln!(missed, "{}: {found} of 20", rule.id);
        }
    }
    assert!(missed.is_empty(), "{missed}");
}

#[test]
fn published_formats_are_found_under_every_carrier() {
    let mut dice = Dice(42);
    for (rule, before, letters, length, behind) in FORMATS {
        for (open, close) in CARRIERS {
            let token = format!("{before}{}{behind}", dice.text(letters, *length));
            if rule.contains("generic") && open.contains("href") {
                continue;
            }
            let text = format!("{open}{token}{close}");
            assert_eq!(rules_in(&text), [*rule], "{rule} in {open}…{close}");
        }
    }
}

#[test]
fn near_misses_are_left_alone() {
    let mut dice = Dice(3);
    let hex = dice.text(LOWER_HEX, 40);
    let alnum = dice.text(ALNUM, 36);
    for text in [
        format!("AKIA{}EXAMPLE", dice.text(UPPER, 9)),
        format!("AKIA{}", dice.text(UPPER, 15)),
        format!("AKIA{}", dice.text(UPPER, 17)),
        format!("ghp_{}", "x".repeat(36)),
        format!("ghp_{}", &alnum[..35]),
        format!("ghp_{alnum}Z"),
        format!("commit {hex}"),
        format!("\"integrity\": \"sha512-{}==\"", dice.text(ALNUM, 86)),
        "token = \"process.env.GITHUB_TOKEN\"".to_owned(),
        "password: \"${DATABASE_PASSWORD}\"".to_owned(),
        "apiKey: \"{env:CONTEXT7_API_KEY}\"".to_owned(),
        "postgres://user:password@localhost:5432/app".to_owned(),
        "postgres://postgres:postgres@db/app".to_owned(),
        "redis://:${REDIS_PASSWORD}@cache.internal:6379".to_owned(),
        "api_key = \"your-api-key-goes-here-now\"".to_owned(),
        "secret_name = \"my-application-database-password\"".to_owned(),
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA".to_owned(),
        format!("-----BEGIN {} KEY-----\n...\n-----END {} KEY-----", "PRIVATE", "PRIVATE"),
        format!("-----BEGIN ENCRYPTED {} KEY-----\n{}", "PRIVATE", dice.text(ALNUM, 64)),
    ] {
        assert_eq!(rules_in(&text), [""; 0], "{text}");
    }
}

#[test]
fn a_private_key_is_found_in_a_file_and_in_a_string() {
    let mut dice = Dice(11);
    for (header, gap) in [("RSA PRIVATE KEY", "\n"), ("PRIVATE KEY", "\\n"), ("OPENSSH PRIVATE KEY", "\\\\n")] {
        let text = format!("-----BEGIN {header}-----{gap}{}{gap}", dice.text(ALNUM, 64));
        assert_eq!(rules_in(&text), ["private-key"], "{header}");
    }
}

#[test]
fn a_surer_rule_takes_the_place_of_a_generic_one() {
    let token = format!("ghp_{}", Dice(5).text(ALNUM, 36));
    let text = format!("api_token = \"{token}\"");
    let found = Scanner::embedded().scan(text.as_bytes());
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule.id.as_str(), found[0].confidence), ("github-pat", Confidence::High));
    assert_eq!(&text[found[0].start..found[0].end], token);
}

#[test]
fn a_comment_on_the_line_accepts_a_match() {
    let token = format!("ghp_{}", Dice(5).text(ALNUM, 36));
    let text = format!("{token} # gitleaks:allow\n{token}\n");
    let allowed: Vec<bool> = Scanner::embedded().scan(text.as_bytes()).iter().map(|found| found.allowed).collect();
    assert_eq!(allowed, [true, false]);
}

#[test]
fn places_count_lines_and_characters() {
    let token = format!("ghp_{}", Dice(5).text(ALNUM, 36));
    let text = format!("{token}\nä {token}\r\n\n  {token}");
    let found = Scanner::embedded().scan(text.as_bytes());
    let places: Vec<(u32, u32)> = found.iter().map(|found| (found.line, found.column)).collect();
    assert_eq!(places, [(1, 1), (2, 3), (4, 3)]);
}

#[test]
fn rules_that_cannot_work_are_refused() {
    for (text, problem) in [
        ("[[rules]]\nid = \"a\"\nregex = '('\nkeywords = [\"a\"]", "missing closing )"),
        ("[[rules]]\nid = \"a\"\nregex = 'a'\nkeywords = [\"a\"]\nsecretGroup = 1", "secretGroup is 1"),
        ("[[rules]]\nid = \"a\"\nregex = 'a'\nkeywords = [\"a\"]\n[[rules.allowlists]]", "needs commits"),
    ] {
        let error = Config::parse(text, "rules.toml")
            .and_then(Scanner::new)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(error.contains(problem), "{error}");
    }
}

#[test]
fn hostile_text_takes_linear_time() {
    // Nothing but keywords, and one line without an end.
    for unit in ["sk-", "eyJ", "token=\"", "-----BEGIN PRIVATE KEY-----", "://", "AKIA"] {
        let text = unit.repeat((1 << 18) / unit.len());
        // This thread's own time: it does not depend on what else the machine does.
        let seconds = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime).tv_sec;
        let start = seconds();
        Scanner::embedded().scan(text.as_bytes());
        assert!(seconds() - start < 20, "{unit}: {} s", seconds() - start);
    }
}

#[test]
fn of_equally_sure_rules_on_the_same_bytes_the_more_specific_one_is_told() {
    let rule = |id: &str, regex: &str| format!("[[rules]]\nid = '{id}'\nregex = '{regex}'\n");
    let loose = rule("a-loose", r"\btok_[a-z_]{20}\b");
    let longer = rule("b-longer", r"\btok_live_[a-z_]{15}\b");
    let twin = rule("c-twin", r"\btok_live_[a-z_]{15}\b");
    let around = rule("d-around", r"\btoken: (tok_[a-z_]{20})\b");
    let nearby = rule("a-nearby", r"en: (tok_[a-z_]{20})\b");
    let form = rule("unattributed-form", r"\btok_live_live_[a-z]{10}\b");
    let rest = rule("unattributed-rest", r"\btoken: (tok_live_live_[a-z]{10})\b");
    let generic = rule("e-generic", r"\btoken: (tok_live_live_[a-z]{10})\b");
    let text = b"token: tok_live_live_abcdefghij\n";
    for (rules, id) in [
        (vec![&loose, &longer], "b-longer"),
        (vec![&longer, &twin], "b-longer"),
        (vec![&longer, &around], "d-around"),
        (vec![&longer, &form, &rest], "b-longer"),
        (vec![&nearby, &around], "d-around"),
        (vec![&loose, &generic], "a-loose"),
        (vec![&loose, &longer, &twin, &nearby, &around, &form, &rest, &generic], "d-around"),
    ] {
        for rules in [rules.clone(), rules.into_iter().rev().collect()] {
            let text_of: String = rules.into_iter().map(String::as_str).collect();
            let scanner = Scanner::new(Config::parse(&text_of, "rules.toml").expect("it loads")).expect("it compiles");
            let found: Vec<_> = scanner.scan(text).iter().map(|one| one.rule.id.clone()).collect();
            assert_eq!(found, [id], "{text_of}");
        }
    }
}
