//! The embedded rules against their own words: each finds its examples and none of its negatives, every token kind
//! that Gitleaks names is there, and the file keeps the form that the engine counts on.

use std::fmt::Write as _;

use gitleaks_rs::template::{Seed, expand};
use gitleaks_rs::{Confidence, Config, Match, Scanner};
use serde::Deserialize;

const FILE: &str = include_str!("../rules.toml");

/// What may stand between the name of an issuer and the value, in every rule that looks for the name.
const MIDDLE: &str = r#"[\w .-]{0,30}["'`\])]{0,3}[\t ]{0,4}(?:[:=|?,]{1,3}>?|>)[\t ]{0,4}["'`(\[]{0,2}"#;

/// Every id in Gitleaks' own configuration.
const GITLEAKS: &str = include_str!("gitleaks-ids.txt");

/// So many texts are made from each template.
const SEEDS: u64 = 8;

/// Structured rules that may claim what another one's example holds: the claimed rule, then who claims it too.
const ALSO: &[(&str, &str)] = &[("aws-secret-access-key", "aws-access-token")];

#[derive(Deserialize)]
struct File {
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    id: String,
    description: String,
    regex: Option<String>,
    path: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
    #[serde(default)]
    tags: Vec<String>,
    rotate: Option<String>,
    #[serde(default)]
    examples: Vec<String>,
    #[serde(default)]
    negatives: Vec<String>,
}

fn rules() -> Vec<Rule> {
    toml::from_str::<File>(FILE).unwrap_or_else(|error| panic!("{error}")).rules
}

/// A scanner of one rule with the allowlists that hold for all. The path is left out: a text has none.
fn alone(id: &str) -> Scanner {
    let mut parts = FILE.split("\n[[rules]]\n");
    let head = parts.next().unwrap_or_default();
    let marker = format!("id = \"{id}\"\n");
    let rule = parts.find(|part| part.starts_with(&marker)).unwrap_or_else(|| panic!("{id} is not in the file"));
    let rule: Vec<&str> = rule.lines().filter(|line| !line.starts_with("path = ")).collect();
    let text = format!("{head}\n[[rules]]\n{}\n", rule.join("\n"));
    Config::parse(&text, "rules.toml").and_then(Scanner::new).unwrap_or_else(|error| panic!("{id}: {error}"))
}

fn shorten(text: &str) -> String {
    text.chars().take(160).collect()
}

#[test]
fn every_rule_finds_its_own_examples_and_none_of_its_negatives() {
    let mut wrong = String::new();
    for rule in rules().iter().filter(|rule| rule.regex.is_some()) {
        let scanner = alone(&rule.id);
        assert!(rule.examples.len() >= 2, "{}: give it two examples at least", rule.id);
        assert!(rule.negatives.len() >= 2, "{}: give it two near misses at least", rule.id);
        for template in &rule.examples {
            let missed = (0..SEEDS).filter(|seed| {
                let text = expand(template, &mut Seed::new(*seed));
                scanner.scan(text.as_bytes()).is_empty()
            });
            let missed = missed.count();
            if missed > 0 {
                let _ =
                    writeln!(wrong, "{} misses its example, {missed} times of {SEEDS}: {}", rule.id, shorten(template));
            }
        }
        for template in &rule.negatives {
            let found = (0..SEEDS).filter(|seed| {
                let text = expand(template, &mut Seed::new(*seed));
                !scanner.scan(text.as_bytes()).is_empty()
            });
            let found = found.count();
            if found > 0 {
                let _ =
                    writeln!(wrong, "{} finds its negative, {found} times of {SEEDS}: {}", rule.id, shorten(template));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn an_example_is_found_under_its_own_id_or_a_surer_one_that_is_listed() {
    let mut wrong = String::new();
    for rule in rules().iter().filter(|rule| rule.regex.is_some() && rule.path.is_none()) {
        for (seed, template) in (100..).zip(&rule.examples) {
            let text = expand(template, &mut Seed::new(seed));
            let found = Scanner::embedded().scan(text.as_bytes());
            let own = found.iter().any(|found| found.rule.id == rule.id);
            let structured = |found: &&Match<'_>| found.rule.id != rule.id && found.confidence == Confidence::High;
            let others = found.iter().filter(structured).map(|found| found.rule.id.as_str());
            let others: Vec<&str> = others.filter(|other| !ALSO.contains(&(rule.id.as_str(), other))).collect();
            if !own || !others.is_empty() {
                let all: Vec<&str> = found.iter().map(|found| found.rule.id.as_str()).collect();
                let _ = writeln!(wrong, "{}: {all:?} in {}", rule.id, shorten(template));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_token_kind_of_gitleaks_is_there() {
    let ours: Vec<String> = rules().into_iter().map(|rule| rule.id).collect();
    let ids: Vec<&str> = GITLEAKS.lines().collect();
    assert_eq!(ids.len(), 222);
    let missing: Vec<&&str> = ids.iter().filter(|id| !ours.iter().any(|own| own == *id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn rules_are_sorted_and_named_once() {
    let ids: Vec<String> = rules().into_iter().map(|rule| rule.id).collect();
    for pair in ids.windows(2) {
        assert!(pair[0] < pair[1], "{} stands before {}", pair[0], pair[1]);
    }
}

#[test]
fn keywords_are_lower_case_and_every_match_holds_one() {
    for rule in rules().iter().filter(|rule| rule.regex.is_some()) {
        assert!(!rule.keywords.is_empty(), "{}: name a keyword", rule.id);
        for word in &rule.keywords {
            assert_eq!(*word, word.to_lowercase(), "{}", rule.id);
        }
        let regex = compile(rule);
        for (seed, template) in (0..).zip(&rule.examples) {
            let text = expand(template, &mut Seed::new(seed));
            for found in regex.find_iter(text.as_bytes()) {
                let found = String::from_utf8_lossy(found.as_bytes()).to_lowercase();
                assert!(rule.keywords.iter().any(|word| found.contains(word)), "{}: no keyword in {found}", rule.id);
            }
        }
    }
}

#[test]
fn expressions_compile_small() {
    for rule in rules().iter().filter(|rule| rule.regex.is_some()) {
        compile(rule);
    }
}

fn compile(rule: &Rule) -> regex::bytes::Regex {
    let pattern = rule.regex.as_deref().unwrap_or_default();
    regex::bytes::RegexBuilder::new(pattern)
        .unicode(false)
        .size_limit(1 << 20)
        .build()
        .unwrap_or_else(|error| panic!("{}: {error}", rule.id))
}

#[test]
fn rules_that_look_for_an_issuers_name_share_one_middle() {
    for rule in rules().iter().filter(|rule| rule.tags.iter().any(|tag| tag == "assigned")) {
        let pattern = rule.regex.as_deref().unwrap_or_default();
        if let Some((_, behind)) = pattern.split_once(r"[\w .-]{0,30}") {
            let whole = format!(r"[\w .-]{{0,30}}{behind}");
            assert!(whole.starts_with(MIDDLE), "{}: {pattern}", rule.id);
        }
    }
}

#[test]
fn words_of_a_rule_are_short_and_say_something() {
    for rule in rules() {
        assert!(!rule.description.is_empty() && !rule.description.ends_with('.'), "{}: {}", rule.id, rule.description);
        assert!(rule.rotate.is_none_or(|rotate| rotate.len() < 140 && !rotate.ends_with('.')), "{}", rule.id);
        assert!(rule.tags.iter().all(|tag| tag == "generic" || tag == "assigned"), "{}: {:?}", rule.id, rule.tags);
    }
}

#[test]
fn nothing_in_the_file_looks_like_a_token() {
    let found: Vec<(&str, u32)> =
        Scanner::embedded().scan(FILE.as_bytes()).iter().map(|found| (found.rule.id.as_str(), found.line)).collect();
    assert!(found.is_empty(), "{found:?}");
}
