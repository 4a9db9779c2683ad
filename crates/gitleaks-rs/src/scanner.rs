//! Literals in one pass, expressions where a literal stands, the same again in what the text says when decoded; then
//! what takes matches away: entropy, allowlists, a surer rule on the same bytes.

use std::ops::Range;
use std::sync::{LazyLock, OnceLock};

use sha2::{Digest, Sha256};

use crate::allowlist::{Allowlist, Candidate};
use crate::anchor::Literal;
use crate::config::{AllowlistConfig, Config, LoadError};
use crate::filter::Filter;
use crate::pack;
use crate::rule::{self, Confidence, Hit, Rule};
use crate::secret::Secret;
use crate::views::{Encoding, View, escape, run, wide};

/// Marks a line whose secret is known and accepted.
const ALLOW: &[u8] = b"gitleaks:allow";
/// The longest part of a line that is looked at around a match: minified files are one line.
const LINE_REACH: usize = 1024;
/// What is remembered of a line before a match.
const LEAD: usize = 64;
/// So many times a text is decoded, escapes and runs together.
const DEPTH: usize = 5;
/// Around a literal a bit more than it needs is decoded: the next one is near.
const AHEAD: (usize, usize) = (256, 2048);
/// So much text with one escape behind the other is undone at once.
const TOGETHER: usize = 48 << 10;

/// A secret's place in a text.
#[derive(Clone, Debug)]
pub struct Match<'r> {
    /// What it looks like.
    pub rule: &'r Rule,
    /// The first byte of the secret, as it is written.
    pub start: usize,
    /// The byte behind its last one.
    pub end: usize,
    /// Its line, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
    /// The line of its last byte.
    pub end_line: u32,
    /// Its entropy in bits per byte.
    pub entropy: f32,
    /// How sure it is a secret.
    pub confidence: Confidence,
    /// Whether its line says `gitleaks:allow`.
    pub allowed: bool,
    /// How it is written, from the outside in; empty for plain.
    pub encodings: Vec<Encoding>,
    /// What it says when decoded.
    pub secret: Secret,
    /// What stands before it on its line, up to the match before it.
    pub(crate) lead: Vec<u8>,
    /// How many bytes its rule matched around the secret, save one on each side that only ends it.
    around: usize,
}

/// A set of rules, ready to scan.
pub struct Scanner {
    rules: Vec<Rule>,
    allowlists: Vec<Allowlist>,
    index: OnceLock<Index>,
}

/// The literals of all rules.
struct Index {
    filter: Filter,
    /// For each literal the rules that have it.
    owners: Vec<Vec<u16>>,
    /// Rules without a literal.
    loose: Vec<u16>,
}

/// A match in a text or in a view of it; its ranges are those of what was looked at.
struct Found<'r> {
    rule: &'r Rule,
    secret: Range<usize>,
    bytes: Vec<u8>,
    around: usize,
    entropy: f32,
    encodings: Vec<Encoding>,
}

impl Scanner {
    /// The scanner of the embedded rules.
    pub fn embedded() -> &'static Self {
        static EMBEDDED: LazyLock<Scanner> = LazyLock::new(|| {
            let (lists, rules) = pack::read();
            Scanner::of(rules.into_iter().map(|(rule, anchor)| Rule::new(rule, anchor)).collect(), lists)
        });
        &EMBEDDED
    }

    /// A scanner of other rules, all compiled at once so that a mistake is found now.
    pub fn new(config: Config) -> Result<Self, LoadError> {
        let rules = config.rules.into_iter().map(|rule| {
            let anchor = rule::anchor(&rule);
            Rule::new(rule, anchor)
        });
        let scanner = Self::of(rules.collect(), config.allowlists);
        scanner.rules.iter().try_for_each(Rule::check)?;
        Ok(scanner)
    }

    fn of(rules: Vec<Rule>, lists: Vec<AllowlistConfig>) -> Self {
        Self { rules, allowlists: lists.into_iter().map(Allowlist::new).collect(), index: OnceLock::new() }
    }

    /// Its rules.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The secrets in a text, in order of their place, at most one for each byte.
    pub fn scan(&self, text: &[u8]) -> Vec<Match<'_>> {
        self.scan_named(text, "")
    }

    /// The secrets in a text that goes by a path: some rules and allowlists ask for it.
    pub fn scan_named(&self, text: &[u8], path: &str) -> Vec<Match<'_>> {
        self.scan_from(text, path, &Start::default())
    }

    /// The secrets in a part of a text.
    pub(crate) fn scan_from(&self, text: &[u8], path: &str, start: &Start) -> Vec<Match<'_>> {
        let mut found = Vec::new();
        Look { scanner: self, index: self.index(), path }.look(text, 0, &mut found);
        if found.is_empty() {
            return Vec::new();
        }
        let mut matches = place(text, found, start);
        keep_accompanied(&mut matches);
        matches.retain(|one| !one.rule.silent);
        keep_surest(&mut matches);
        matches
    }

    /// Whether the rules want nothing to do with a file of this name.
    pub fn skips(&self, path: &str) -> bool {
        self.allowlists.iter().any(|list| list.settled_by_place() && list.covers_place(path, ""))
    }

    /// The rules to which a file's name alone is a finding.
    pub fn named<'s>(&'s self, path: &str) -> impl Iterator<Item = &'s Rule> {
        self.rules.iter().filter(move |rule| {
            rule.is_path_only() && rule.wants(path) && !rule.allowlists.iter().any(|list| list.covers_place(path, ""))
        })
    }

    /// Tells this set of rules from others, in what it finds.
    pub(crate) fn identity(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(env!("CARGO_PKG_VERSION"));
        for rule in &self.rules {
            hash.update(rule.identity());
        }
        for list in &self.allowlists {
            hash.update(list.identity());
        }
        hash.finalize().into()
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(&self.rules))
    }
}

impl Index {
    fn new(rules: &[Rule]) -> Self {
        let mut all: Vec<(Literal, u16)> = Vec::new();
        let mut loose = Vec::new();
        for (at, rule) in rules.iter().enumerate() {
            let Ok(at) = u16::try_from(at) else { break };
            match &rule.anchor {
                Some(anchor) => all.extend(anchor.literals.iter().map(|literal| (literal.clone(), at))),
                None if rule.regex.is_some() => loose.push(at),
                None => {}
            }
        }
        all.sort();
        let mut literals: Vec<Literal> = Vec::new();
        let mut owners: Vec<Vec<u16>> = Vec::new();
        for (literal, rule) in all {
            if literals.last() != Some(&literal) {
                literals.push(literal);
                owners.push(Vec::new());
            }
            owners.last_mut().expect("one was pushed").push(rule);
        }
        Self { filter: Filter::new(&literals), owners, loose }
    }
}

/// Where a part of a text begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Start {
    pub(crate) offset: usize,
    line: u32,
    column: u32,
}

impl Default for Start {
    fn default() -> Self {
        Self { offset: 0, line: 1, column: 1 }
    }
}

impl Start {
    /// The start of a line.
    pub(crate) fn of_line(offset: usize, line: u32) -> Self {
        Self { offset, line, column: 1 }
    }

    pub(crate) fn line(&self) -> u32 {
        self.line
    }

    /// Goes past some bytes.
    pub(crate) fn advance(&mut self, bytes: &[u8]) {
        self.offset += bytes.len();
        let last = match memchr::memrchr(b'\n', bytes) {
            Some(at) => {
                let lines = memchr::memchr_iter(b'\n', bytes).count();
                self.line = self.line.saturating_add(u32::try_from(lines).unwrap_or(u32::MAX));
                self.column = 1;
                &bytes[at + 1..]
            }
            None => bytes,
        };
        // Only the first byte of a character counts.
        let letters = last.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
        self.column = self.column.saturating_add(u32::try_from(letters).unwrap_or(u32::MAX));
    }
}

/// One text under one name.
struct Look<'r, 'p> {
    scanner: &'r Scanner,
    index: &'r Index,
    path: &'p str,
}

impl<'r> Look<'r, '_> {
    fn look(&self, text: &[u8], depth: usize, found: &mut Vec<Found<'r>>) {
        let mut ladder = Ladder::default();
        // Up to where rules have matched, the few that have: a literal inside a match finds that match again.
        let mut done: Vec<(u16, usize)> = Vec::new();
        self.index.filter.find(text, |at, literal| {
            for which in &self.index.owners[literal] {
                let rule = &self.scanner.rules[usize::from(*which)];
                let known = done.iter_mut().find(|(rule, _)| rule == which);
                if known.as_ref().is_some_and(|(_, end)| at < *end) {
                    continue;
                }
                let ahead = rule.ahead(text, at);
                if ahead.plain
                    && let Some(hit) = rule.find(text, at)
                {
                    match known {
                        Some((_, end)) => *end = hit.whole.end,
                        None => done.push((*which, hit.whole.end)),
                    }
                    found.extend(self.judge(rule, text, text, &hit));
                }
                if ahead.escaped && depth < DEPTH && rule.survives(text, at, &mut ladder.taste) {
                    self.climb(rule, text, at, &mut ladder, found);
                }
            }
        });
        for which in &self.index.loose {
            let rule = &self.scanner.rules[usize::from(*which)];
            if holds_keyword(rule, text) {
                found.extend(rule.all(text).iter().filter_map(|hit| self.judge(rule, text, text, hit)));
            }
        }
        if depth < DEPTH {
            self.decode(text, depth, found);
        }
    }

    /// Tries a rule at its literal with the escapes around it undone, level by level.
    fn climb(&self, rule: &'r Rule, text: &[u8], at: usize, ladder: &mut Ladder, found: &mut Vec<Found<'r>>) {
        ladder.raise(text, rule.reach(at, text.len()));
        let mut place = at;
        for level in 0..ladder.count {
            let Some(next) = ladder.steps[level].view.find(place) else { return };
            place = next;
            let bytes = &ladder.steps[level].view.bytes;
            let Some(hit) = rule.at(bytes, place) else { continue };
            let Some(mut one) = self.judge(rule, text, bytes, &hit) else { continue };
            for step in ladder.steps[..=level].iter().rev() {
                one.secret = step.view.source(one.secret);
                one.encodings.insert(0, step.encoding);
            }
            one.encodings.dedup();
            found.push(one);
        }
    }

    /// Looks into the parts of a text that are written another way throughout.
    fn decode(&self, text: &[u8], depth: usize, found: &mut Vec<Found<'r>>) {
        let mut inner = Vec::new();
        let mut into = |bytes: &[u8], back: &dyn Fn(Range<usize>) -> Range<usize>, encoding: Encoding| {
            self.look(bytes, depth + 1, &mut inner);
            // In what is no text a word that is called a secret is an accident.
            if !inner.is_empty() && !run::are_text(bytes) {
                inner.retain(|one: &Found<'_>| one.rule.confidence == Confidence::High);
            }
            found.extend(inner.drain(..).map(|mut one| {
                one.secret = back(one.secret);
                if one.encodings.first() != Some(&encoding) {
                    one.encodings.insert(0, encoding);
                }
                one
            }));
        };
        run::each(text, &mut into);
        let mut view = View::default();
        wide::each(text, &mut view, |view| into(&view.bytes, &|range| view.source(range), Encoding::Utf16));
        let mut undo = |near: &Range<usize>| {
            let part =
                escape::align(text, near.start.saturating_sub(AHEAD.1))..(near.end + 2 * AHEAD.1).min(text.len());
            if let Some(encoding) = escape::undo(text, part, &mut view) {
                into(&view.bytes, &|range| view.source(range), encoding);
            }
        };
        // Escapes that follow each other belong together: they may make one token.
        let mut near: Option<Range<usize>> = None;
        escape::needless(text, |at| match &mut near {
            Some(one) if one.end <= at && at <= (one.end + AHEAD.1).min(one.start + TOGETHER) => one.end = at,
            // Where there are too many, what comes next begins with the last of them.
            Some(one) if one.end <= at && at <= one.end + AHEAD.1 => {
                undo(one);
                *one = at - TOGETHER / 4..at;
            }
            other => other.replace(at..at).iter().for_each(&mut undo),
        });
        near.iter().for_each(undo);
    }

    fn judge(&self, rule: &'r Rule, text: &[u8], seen: &[u8], hit: &Hit) -> Option<Found<'r>> {
        let secret = &seen[hit.secret.clone()];
        let entropy = crate::shannon(secret);
        if secret.is_empty() || (rule.entropy != 0.0 && f64::from(entropy) <= rule.entropy) || !rule.wants(self.path) {
            return None;
        }
        let whole = &seen[hit.whole.clone()];
        let candidate = Candidate { secret, whole, line: line_around(seen, &hit.secret) };
        let mut lists = rule.allowlists.iter().chain(&self.scanner.allowlists);
        let covered = lists.any(|list| {
            let placed = list.covers_place(self.path, "");
            (placed && list.settled_by_place()) || list.covers(&candidate, placed)
        });
        if covered || !(holds_keyword(rule, whole) || holds_keyword(rule, text)) {
            return None;
        }
        let (bytes, around) = (secret.to_vec(), (whole.len() - secret.len()).saturating_sub(2));
        Some(Found { rule, secret: hit.secret.clone(), bytes, around, entropy, encodings: Vec::new() })
    }
}

/// The escapes of one part of a text undone, one level after another.
#[derive(Default)]
struct Ladder {
    steps: Vec<Step>,
    /// Memory for a look ahead.
    taste: [View; 2],
    /// How many of the steps are in use; the others keep their memory.
    count: usize,
    covers: Range<usize>,
}

#[derive(Default)]
struct Step {
    view: View,
    encoding: Encoding,
}

impl Ladder {
    /// Makes it cover a part of a text.
    fn raise(&mut self, text: &[u8], reach: Range<usize>) {
        if self.covers.start <= reach.start && reach.end <= self.covers.end {
            return;
        }
        let start = escape::align(text, reach.start.saturating_sub(AHEAD.0));
        let end = (reach.end + reach.len() / 2 + AHEAD.1).min(text.len());
        (self.covers, self.count) = (start..end, 0);
        while self.count < DEPTH {
            if self.steps.len() == self.count {
                self.steps.push(Step::default());
            }
            let (below, this) = self.steps.split_at_mut(self.count);
            let undone = match below.last() {
                None => escape::undo(text, start..end, &mut this[0].view),
                Some(last) => escape::undo(&last.view.bytes, 0..last.view.bytes.len(), &mut this[0].view),
            };
            let Some(encoding) = undone else { break };
            this[0].encoding = encoding;
            self.count += 1;
        }
    }
}

/// Whether a text has a word that a rule asks for. Most matches hold one themselves.
fn holds_keyword(rule: &Rule, text: &[u8]) -> bool {
    !rule.asks || rule.keywords.iter().any(|word| holds(text, word.as_bytes()))
}

/// Whether a text holds a word of lower case, in whatever case.
fn holds(text: &[u8], word: &[u8]) -> bool {
    let Some(first) = word.first() else { return true };
    let both = memchr::memchr2_iter(*first, first.to_ascii_uppercase(), text);
    both.into_iter().any(|at| text[at..].get(..word.len()).is_some_and(|part| part.eq_ignore_ascii_case(word)))
}

/// The line that a secret starts on, within reach of it.
fn line_around<'t>(text: &'t [u8], secret: &Range<usize>) -> &'t [u8] {
    let before = &text[secret.start.saturating_sub(LINE_REACH)..secret.start];
    let start = secret.start - before.iter().rev().take_while(|byte| **byte != b'\n').count();
    let behind = &text[secret.end..(secret.end + LINE_REACH).min(text.len())];
    let end = secret.end + behind.iter().take_while(|byte| **byte != b'\n').count();
    &text[start..end]
}

/// Puts matches in order and counts each line and character once.
fn place<'r>(text: &[u8], mut found: Vec<Found<'r>>, begin: &Start) -> Vec<Match<'r>> {
    found.sort_by(|a, b| (a.secret.start, a.secret.end, &a.rule.id).cmp(&(b.secret.start, b.secret.end, &b.rule.id)));
    let (mut at, mut place, mut taken) = (0, *begin, 0);
    let matches = found.into_iter().map(|one| {
        let (start, end) = (one.secret.start, one.secret.end);
        place.advance(text.get(at..start).unwrap_or_default());
        at = start;
        let Start { line, column, .. } = place;
        let lead = &text[start.saturating_sub(LEAD).max(taken.min(start))..start];
        let lead = memchr::memrchr(b'\n', lead).map_or(lead, |at| &lead[at + 1..]).to_vec();
        taken = taken.max(end);
        let breaks = memchr::memchr_iter(b'\n', text.get(start..end).unwrap_or_default()).count();
        Match {
            rule: one.rule,
            start: begin.offset + start,
            end: begin.offset + end,
            line,
            column,
            end_line: line.saturating_add(u32::try_from(breaks).unwrap_or(u32::MAX)),
            entropy: one.entropy,
            confidence: one.rule.confidence,
            allowed: memchr::memmem::find(line_around(text, &one.secret), ALLOW).is_some(),
            encodings: one.encodings,
            secret: Secret::new(one.bytes),
            lead,
            around: one.around,
        }
    });
    matches.collect()
}

/// Drops the matches of rules that ask for another one near by, where there is none.
fn keep_accompanied(found: &mut Vec<Match<'_>>) {
    if found.iter().all(|one| one.rule.required.is_empty()) {
        return;
    }
    let near = |one: &Match<'_>, other: &Match<'_>, needed: &crate::config::Required| {
        let within = |limit: Option<usize>, a: u32, b: u32| limit.is_none_or(|limit| a.abs_diff(b) as usize <= limit);
        other.rule.id == needed.id
            && within(needed.within_lines, one.line, other.line)
            && within(needed.within_columns, one.column, other.column)
    };
    let keep: Vec<bool> = found
        .iter()
        .map(|one| one.rule.required.iter().all(|needed| found.iter().any(|other| near(one, other, needed))))
        .collect();
    let mut keep = keep.into_iter();
    found.retain(|_| keep.next().unwrap_or(true));
}

/// Where matches overlap, the surest stays; of one structured token what it says unescaped, so that it is the same
/// secret wherever it stands; else the longest. Of equally sure rules on the same bytes it is the more specific one: that
/// which says whose token it is, then that which matched more of what stands around it, then that with the longer literal,
/// then the first by name.
pub(crate) fn keep_surest(found: &mut Vec<Match<'_>>) {
    let mut kept: Vec<Match<'_>> = Vec::with_capacity(found.len());
    for next in found.drain(..) {
        match kept.last_mut() {
            Some(last) if overlap(last, &next) => {
                let token = last.rule.id == next.rule.id && next.confidence == Confidence::High;
                let rank = |one: &Match<'_>| {
                    let unescaped = token && !one.secret.expose().contains(&b'\\');
                    (
                        one.confidence,
                        unescaped,
                        one.end - one.start,
                        one.rule.attributes(),
                        one.around,
                        one.rule.literal(),
                    )
                };
                if rank(&next) > rank(last) {
                    *last = next;
                }
            }
            _ => kept.push(next),
        }
    }
    *found = kept;
}

/// Neighbours in encoded text may share the bytes of one unit.
fn overlap(last: &Match<'_>, next: &Match<'_>) -> bool {
    let shared = last.end.min(next.end).saturating_sub(next.start);
    let unit = if last.encodings.is_empty() || next.encodings.is_empty() { 0 } else { 4 };
    shared > unit || (shared > 0 && next.end <= last.end)
}
