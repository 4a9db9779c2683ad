//! Keywords in one pass, expressions on windows around them, then what takes matches away again: entropy,
//! allowlists, a surer rule on the same bytes.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::config::{Config, LoadError};
use crate::rule::{self, Allowlist, Confidence, Hit, Rule};

/// Marks a line whose secret is known and accepted.
const ALLOW: &[u8] = b"gitleaks:allow";
/// The longest part of a line that is looked at around a match: minified files are one line.
const LINE_REACH: usize = 1024;

/// A secret's place in a text.
#[derive(Clone, Debug)]
pub struct Match<'r> {
    /// What it looks like.
    pub rule: &'r Rule,
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last one.
    pub end: usize,
    /// Its line, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
    /// Its entropy in bits per byte.
    pub entropy: f32,
    /// How sure it is a secret.
    pub confidence: Confidence,
    /// Whether its line says `gitleaks:allow`.
    pub allowed: bool,
}

/// A set of rules, ready to scan.
pub struct Scanner {
    rules: Vec<Rule>,
    allowlists: Vec<Allowlist>,
    words: OnceLock<Words>,
}

/// The keywords of all rules in one automaton.
struct Words {
    automaton: AhoCorasick,
    /// For each keyword the rules that have it.
    rules: Vec<Vec<usize>>,
}

impl Scanner {
    /// The scanner of the embedded rules.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<Scanner> = LazyLock::new(|| {
            let (rules, allowlists) = rule::from_config(Config::embedded());
            Scanner { rules, allowlists, words: OnceLock::new() }
        });
        &EMBEDDED
    }

    /// A scanner of other rules, all compiled at once so that a mistake is found now.
    pub fn from_toml(text: &str) -> Result<Self, LoadError> {
        let (rules, allowlists) = rule::from_config(Config::parse(text, "rules")?);
        let scanner = Self { rules, allowlists, words: OnceLock::new() };
        scanner.check()?;
        Ok(scanner)
    }

    fn check(&self) -> Result<(), LoadError> {
        self.rules.iter().try_for_each(Rule::check)?;
        self.allowlists.iter().try_for_each(|list| list.check("(all)"))
    }

    /// Its rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The secrets in a text, in order of their place, at most one for each byte.
    pub fn scan(&self, text: &[u8]) -> Vec<Match<'_>> {
        let mut found = Vec::new();
        for (rule, windows) in self.windows(text) {
            for window in windows {
                found.extend(rule.hits(text, window).filter_map(|hit| self.judge(rule, text, hit)));
            }
        }
        keep_surest(&mut found);
        number_lines(text, &mut found);
        found
    }

    /// For each rule whose keyword occurs, the merged windows around the occurrences.
    fn windows(&self, text: &[u8]) -> Vec<(&Rule, Vec<Range<usize>>)> {
        let words = self.words.get_or_init(|| Words::new(&self.rules));
        let mut by_rule: Vec<Vec<Range<usize>>> = vec![Vec::new(); self.rules.len()];
        for hit in words.automaton.find_overlapping_iter(text) {
            for at in words.rules.get(hit.pattern().as_usize()).into_iter().flatten() {
                let window = self.rules[*at].window(hit.range(), text.len());
                match by_rule[*at].last_mut() {
                    // Hits come in order of their end, so a window starts hardly ever before the last one.
                    Some(last) if window.start <= last.end => {
                        last.start = last.start.min(window.start);
                        last.end = last.end.max(window.end);
                    }
                    _ => by_rule[*at].push(window),
                }
            }
        }
        self.rules.iter().zip(by_rule).filter(|(_, windows)| !windows.is_empty()).collect()
    }

    fn judge<'r>(&'r self, rule: &'r Rule, text: &[u8], hit: Hit) -> Option<Match<'r>> {
        let secret = &text[hit.secret.clone()];
        let entropy = crate::shannon(secret);
        if rule.entropy > 0.0 && entropy <= rule.entropy {
            return None;
        }
        let whole = &text[hit.whole.clone()];
        let line = line_around(text, &hit.secret);
        if rule.allows(secret, whole, line) || self.allowlists.iter().any(|list| list.covers(secret, whole, line)) {
            return None;
        }
        Some(Match {
            rule,
            start: hit.secret.start,
            end: hit.secret.end,
            line: 0,
            column: 0,
            entropy,
            confidence: rule.confidence,
            allowed: line.windows(ALLOW.len()).any(|part| part == ALLOW),
        })
    }
}

impl Words {
    fn new(rules: &[Rule]) -> Self {
        let mut words: Vec<&str> = Vec::new();
        let mut owners: Vec<Vec<usize>> = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            for word in &rule.keywords {
                match words.iter().position(|known| known == word) {
                    Some(known) => owners[known].push(at),
                    None => {
                        words.push(word);
                        owners.push(vec![at]);
                    }
                }
            }
        }
        // The full table is three times as fast as what the crate would choose for this many words.
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .kind(Some(AhoCorasickKind::DFA))
            .build(&words)
            .expect("a few hundred short words fit");
        Self { automaton, rules: owners }
    }
}

/// The line that a secret starts on, within reach of it.
fn line_around<'t>(text: &'t [u8], secret: &Range<usize>) -> &'t [u8] {
    let before = &text[secret.start.saturating_sub(LINE_REACH)..secret.start];
    let start = secret.start - before.iter().rev().take_while(|byte| **byte != b'\n').count();
    let behind = &text[secret.end..(secret.end + LINE_REACH).min(text.len())];
    let end = secret.end + behind.iter().take_while(|byte| **byte != b'\n').count();
    &text[start..end]
}

/// Where matches overlap, the surest stays, of equally sure ones the longest.
fn keep_surest(found: &mut Vec<Match<'_>>) {
    found.sort_by(|a, b| (a.start, a.end, &a.rule.id).cmp(&(b.start, b.end, &b.rule.id)));
    let mut kept: Vec<Match<'_>> = Vec::with_capacity(found.len());
    for next in found.drain(..) {
        match kept.last_mut() {
            Some(last) if next.start < last.end => {
                if (next.confidence, next.end - next.start) > (last.confidence, last.end - last.start) {
                    *last = next;
                }
            }
            _ => kept.push(next),
        }
    }
    *found = kept;
}

/// Counts each line and character once: matches are in order.
fn number_lines(text: &[u8], found: &mut [Match<'_>]) {
    let (mut at, mut line, mut column) = (0, 1_u32, 1_u32);
    for one in found {
        for byte in text.get(at..one.start).unwrap_or_default() {
            match byte {
                b'\n' => (line, column) = (line.saturating_add(1), 1),
                // Only the first byte of a character counts.
                byte if byte & 0xc0 != 0x80 => column = column.saturating_add(1),
                _ => {}
            }
        }
        (at, one.line, one.column) = (one.start, line, column);
    }
}
