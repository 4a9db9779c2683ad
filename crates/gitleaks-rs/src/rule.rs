//! One rule: what a kind of secret looks like, ready to be tried where its literal stands.

use std::ops::Range;
use std::sync::OnceLock;

use regex_automata::hybrid::dfa::{self, DFA};
use regex_automata::meta::{self, Regex};
use regex_automata::nfa::thompson;
use regex_automata::util::captures::Captures;
use regex_automata::util::pool::Pool;
use regex_automata::{Anchored, Input};
use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Hir, HirKind};
use serde::{Deserialize, Serialize};

use crate::allowlist::Allowlist;
use crate::anchor::{self, Anchor};
use crate::config::{LoadError, Required, RuleConfig};
use crate::go_regex;
use crate::views::{View, escape};

/// How far an expression without a longest match looks before its literal, and from it on: a private key of 8192 bits
/// has 6.4 KiB.
const UNBOUNDED: (usize, usize) = (256, 8 << 10);

/// How sure a match is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// A random value that is called a secret (tag `generic`).
    Low,
    /// A value of the right form beside the name of its issuer (tag `assigned`).
    Medium,
    /// The token itself says what it is.
    High,
}

impl Confidence {
    /// How sure the matches of a rule are.
    pub fn of(rule: &RuleConfig) -> Self {
        let tagged = |word: &str| rule.tags.iter().any(|tag| tag == word);
        match (tagged("generic") || rule.id.contains("generic"), tagged("assigned")) {
            (true, _) => Self::Low,
            (_, true) => Self::Medium,
            _ => Self::High,
        }
    }
}

/// What a kind of secret looks like.
#[derive(Debug)]
pub struct Rule {
    /// Its name, as Gitleaks calls the same token.
    pub id: String,
    /// What the token opens.
    pub description: String,
    /// How sure its matches are.
    pub confidence: Confidence,
    /// Lower-case words of which one has to occur.
    pub keywords: Vec<String>,
    /// Free labels.
    pub tags: Vec<String>,
    /// Where to revoke or renew the secret.
    pub rotate: Option<String>,
    /// What it looks like, in Go's syntax.
    pub regex: Option<String>,
    /// Texts in which it finds something, as templates. Left out of [`Scanner::embedded`](crate::Scanner::embedded),
    /// as is the next: they are in [`Config::embedded`](crate::Config::embedded).
    pub examples: Vec<String>,
    /// Texts in which it finds nothing, as templates.
    pub negatives: Vec<String>,
    pub(crate) entropy: f64,
    pub(crate) allowlists: Vec<Allowlist>,
    pub(crate) required: Vec<Required>,
    pub(crate) silent: bool,
    pub(crate) anchor: Option<Anchor>,
    /// Whether its keywords have to be asked for: not where every match holds one.
    pub(crate) asks: bool,
    path: Option<String>,
    path_regex: OnceLock<Option<Regex>>,
    group: usize,
    compiled: OnceLock<Option<Compiled>>,
}

/// So much behind a literal is looked at before more is undone.
const TASTE: usize = 96;

#[derive(Debug)]
struct Compiled {
    whole: Regex,
    /// The part from the literal on, to be tried there and nowhere else, byte by byte to learn where it fails.
    steps: Option<Steps>,
}

/// An automaton, and memory for as many threads as walk it.
#[derive(Debug)]
struct Steps {
    dfa: DFA,
    caches: Pool<dfa::Cache, Box<dyn Fn() -> dfa::Cache + Send + Sync>>,
}

impl Steps {
    /// How many bytes were read when a text could no longer match; none if it may.
    fn fails(&self, text: &[u8]) -> Option<usize> {
        let mut cache = self.caches.get();
        let start = self.dfa.start_state_forward(&mut cache, &Input::new(text).anchored(Anchored::Yes));
        let mut state = start.ok()?;
        for (at, byte) in text.iter().enumerate() {
            state = match self.dfa.next_state(&mut cache, state, *byte) {
                Ok(next) if next.is_dead() => return Some(at + 1),
                Ok(next) if !next.is_tagged() => next,
                _ => return None,
            };
        }
        None
    }
}

/// What may come of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ahead {
    /// Whether the text as it stands may match.
    pub(crate) plain: bool,
    /// Whether it may with its escapes undone.
    pub(crate) escaped: bool,
}

/// What a match of a rule looked like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) whole: Range<usize>,
    pub(crate) secret: Range<usize>,
}

impl Rule {
    /// A rule with what is known of its expression.
    pub(crate) fn new(config: RuleConfig, anchor: Option<Anchor>) -> Self {
        let holds =
            |text: &[u8]| config.keywords.iter().any(|word| memchr::memmem::find(text, word.as_bytes()).is_some());
        let implied = |anchor: &Anchor| anchor.literals.iter().all(|one| holds(&one.bytes.to_ascii_lowercase()));
        Self {
            asks: !config.keywords.is_empty() && !anchor.as_ref().is_some_and(implied),
            confidence: Confidence::of(&config),
            anchor,
            id: config.id,
            description: config.description,
            keywords: config.keywords,
            tags: config.tags,
            rotate: config.rotate,
            regex: config.regex,
            examples: config.examples,
            negatives: config.negatives,
            entropy: config.entropy,
            allowlists: config.allowlists.into_iter().map(Allowlist::new).collect(),
            required: config.required,
            silent: config.skip_report,
            path: config.path,
            path_regex: OnceLock::new(),
            group: config.secret_group,
            compiled: OnceLock::new(),
        }
    }

    /// Whether it says whose token it finds, and is none that takes what the others leave.
    pub(crate) fn attributes(&self) -> bool {
        !self.id.starts_with("unattributed-") && !self.id.contains("generic")
    }

    /// How much of its matches is known beforehand: the length of the shortest of its literals.
    pub(crate) fn literal(&self) -> usize {
        let literals = self.anchor.iter().flat_map(|anchor| &anchor.literals);
        literals.map(|literal| literal.bytes.len()).min().unwrap_or(0)
    }

    /// Compiles everything now, to learn what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        let Some(pattern) = &self.regex else { return Ok(()) };
        let problem = |problem: String| LoadError::rule(&self.id, problem);
        let hir = read(pattern).map_err(|error| problem(error.to_string()))?;
        compile(&hir).map_err(problem)?;
        Ok(())
    }

    /// Tells it from others that find something else.
    pub(crate) fn identity(&self) -> String {
        let lists: String = self.allowlists.iter().map(Allowlist::identity).collect();
        let (form, limits) = ((&self.regex, &self.path, &self.keywords), (self.group, self.entropy, self.silent));
        format!("{}\0{form:?}{limits:?}{:?}{:?}{lists}", self.id, self.tags, self.required)
    }

    /// Whether it has anything to say about a file of this name.
    pub(crate) fn wants(&self, path: &str) -> bool {
        let Some(pattern) = &self.path else { return true };
        let regex = self.path_regex.get_or_init(|| compile(&read(pattern).ok()?).ok());
        regex.as_ref().is_some_and(|regex| regex.is_match(path.as_bytes()))
    }

    /// Whether a file's name alone is a finding.
    pub(crate) fn is_path_only(&self) -> bool {
        self.regex.is_none() && self.path.is_some()
    }

    /// The bytes around a literal at `at` that a match may reach.
    pub(crate) fn reach(&self, at: usize, length: usize) -> Range<usize> {
        let (before, behind) = self.anchor.as_ref().map_or((None, None), |anchor| (anchor.before, anchor.behind));
        // A byte more, so that a border at the end of a match is a border of the text and not of the window.
        let before = before.unwrap_or(UNBOUNDED.0).min(4 * UNBOUNDED.0) + 1;
        let behind = behind.unwrap_or(UNBOUNDED.1).min(UNBOUNDED.1) + 1;
        at.saturating_sub(before)..at.saturating_add(behind).min(length)
    }

    /// What may come of the literal at `at`, by what follows it. Most literals are words that go on as words do, and an
    /// expression that fails before the first character that could be an escape fails with all escapes undone as well.
    pub(crate) fn ahead(&self, text: &[u8], at: usize) -> Ahead {
        let Some(steps) = self.steps() else { return Ahead { plain: true, escaped: true } };
        let seen = &text[at..self.reach(at, text.len()).end];
        match steps.fails(seen) {
            Some(read) => Ahead { plain: false, escaped: seen[..read].iter().any(|byte| matches!(byte, b'\\' | b'%')) },
            None => Ahead { plain: true, escaped: true },
        }
    }

    /// Whether what follows the literal at `at` may match with its escapes undone, once or more: a first taste of it, so
    /// that all around it has to be undone for few.
    pub(crate) fn survives(&self, text: &[u8], at: usize, taste: &mut [View; 2]) -> bool {
        let Some(steps) = self.steps() else { return true };
        let end = text.len().min(at + TASTE);
        let cut = if end < text.len() { escape::LONGEST } else { 0 };
        let [this, last] = taste;
        if escape::undo(text, at..end, this).is_none() {
            return cut > 0;
        }
        loop {
            // What was cut off at the end may be half of an escape.
            let length = this.bytes.len();
            this.bytes.truncate(length.saturating_sub(cut));
            if steps.fails(&this.bytes).is_none() {
                return true;
            }
            std::mem::swap(this, last);
            let undone = escape::undo(&last.bytes, 0..last.bytes.len(), this);
            // A lone backslash is no escape.
            if undone.is_none() || this.bytes.len() == last.bytes.len() {
                return false;
            }
        }
    }

    fn steps(&self) -> Option<&Steps> {
        self.compiled()?.steps.as_ref()
    }

    /// The match that holds the literal at `at`.
    pub(crate) fn at(&self, text: &[u8], at: usize) -> Option<Hit> {
        if self.ahead(text, at).plain { self.find(text, at) } else { None }
    }

    /// The same, where what follows the literal is known to fit.
    pub(crate) fn find(&self, text: &[u8], at: usize) -> Option<Hit> {
        let compiled = self.compiled()?;
        let reach = self.reach(at, text.len());
        // What lies outside the reach is not seen, so that a match does not depend on how much of a text is at hand.
        let seen = &text[..reach.end];
        let mut from = reach.start;
        let mut captures = compiled.whole.create_captures();
        loop {
            compiled.whole.search_captures(&Input::new(seen).span(from..reach.end), &mut captures);
            let whole = captures.get_match()?.range();
            if whole.start > at {
                return None;
            }
            if whole.end > at {
                return Some(Hit { secret: self.secret(&captures, &whole), whole });
            }
            from = whole.end.max(whole.start + 1);
        }
    }

    /// All matches in a text, for rules without a literal.
    pub(crate) fn all(&self, text: &[u8]) -> Vec<Hit> {
        let Some(compiled) = self.compiled() else { return Vec::new() };
        let captures = compiled.whole.captures_iter(text);
        captures
            .filter_map(|captures| {
                let whole = captures.get_match()?.range();
                Some(Hit { secret: self.secret(&captures, &whole), whole })
            })
            .collect()
    }

    fn secret(&self, captures: &Captures, whole: &Range<usize>) -> Range<usize> {
        let group = match self.group {
            0 => (1..captures.group_len()).filter_map(|group| captures.get_group(group)).find(|span| !span.is_empty()),
            group => captures.get_group(group),
        };
        group.map_or(whole.clone(), |span| span.start..span.end)
    }

    /// None where the expression cannot be compiled; [`Rule::check`] says why.
    fn compiled(&self) -> Option<&Compiled> {
        self.compiled
            .get_or_init(|| {
                let hir = read(self.regex.as_deref()?).ok()?;
                let tail = anchor::find(&hir).and_then(|(_, tail)| tail);
                Some(Compiled { whole: compile(&hir).ok()?, steps: tail.as_ref().and_then(steps) })
            })
            .as_ref()
    }
}

/// By which literals a rule's matches are found.
pub(crate) fn anchor(rule: &RuleConfig) -> Option<Anchor> {
    Some(anchor::find(&read(rule.regex.as_deref()?).ok()?)?.0)
}

/// Reads an expression so that it looks at bytes: what takes a letter outside ASCII takes each of its bytes.
pub(crate) fn read(pattern: &str) -> Result<Hir, go_regex::RegexError> {
    go_regex::parse(pattern).map(|hir| by_bytes(&hir))
}

/// The loader bounds the nesting of expressions.
fn by_bytes(hir: &Hir) -> Hir {
    match hir.kind() {
        HirKind::Class(Class::Unicode(class)) => {
            let mut bytes = ClassBytes::empty();
            for range in class.iter() {
                if let Ok(start) = u8::try_from(range.start())
                    && start.is_ascii()
                {
                    let end = u8::try_from(range.end()).map_or(0x7f, |end| end.min(0x7f));
                    bytes.push(ClassBytesRange::new(start, end));
                }
            }
            // A class that only folds a letter with its likes outside ASCII stays one of ASCII.
            if class.iter().any(|range| range.end() > '\u{ff}' && range.len() > 2) {
                bytes.push(ClassBytesRange::new(0x80, 0xff));
            }
            Hir::class(Class::Bytes(bytes))
        }
        HirKind::Repetition(repeated) => {
            let mut repeated = repeated.clone();
            repeated.sub = Box::new(by_bytes(&repeated.sub));
            Hir::repetition(repeated)
        }
        HirKind::Capture(group) => {
            let mut group = group.clone();
            group.sub = Box::new(by_bytes(&group.sub));
            Hir::capture(group)
        }
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(by_bytes).collect()),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(by_bytes).collect()),
        HirKind::Empty | HirKind::Look(_) | HirKind::Literal(_) | HirKind::Class(Class::Bytes(_)) => hir.clone(),
    }
}

/// The automaton of what stands from a literal on. What the expression asks of the byte before the literal is left out,
/// since an escape there may say another one; where that cannot be told apart, there is none.
fn steps(tail: &Hir) -> Option<Steps> {
    let parts = anchor::flatten(tail);
    let looks = parts.iter().take_while(|part| matches!(part.kind(), HirKind::Look(_))).count();
    let rest = Hir::concat(parts[looks..].to_vec());
    if !rest.properties().look_set_prefix_any().is_empty() {
        return None;
    }
    let config = thompson::Config::new().utf8(false).which_captures(thompson::WhichCaptures::None);
    let nfa = thompson::Compiler::new().configure(config.nfa_size_limit(Some(1 << 20))).build_from_hir(&rest).ok()?;
    let config = DFA::config().cache_capacity(128 << 10).skip_cache_capacity_check(true);
    let dfa = DFA::builder().configure(config).build_from_nfa(nfa).ok()?;
    let own = dfa.clone();
    Some(Steps { dfa, caches: Pool::new(Box::new(move || own.create_cache())) })
}

/// Rules are many and each sees little: none gets much memory.
pub(crate) fn compile(hir: &Hir) -> Result<Regex, String> {
    let config = meta::Config::new()
        .utf8_empty(false)
        .nfa_size_limit(Some(10 << 20))
        .hybrid_cache_capacity(512 << 10)
        .onepass_size_limit(Some(256 << 10));
    meta::Builder::new().configure(config).build_from_hir(hir).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::Ahead;
    use crate::Scanner;

    #[test]
    fn a_place_is_given_up_where_what_follows_fails_before_any_escape() {
        let rules = Scanner::embedded().rules();
        let rule = rules.iter().find(|rule| rule.id == "github-pat").expect("it is there");
        for (text, plain, escaped) in [
            ("ghp_ and no more", false, false),
            ("ghp_short", true, true),
            ("ghp_short ", false, false),
            (r"ghp_sh\u006frt ", false, true),
            ("ghp_sh%6Frt ", false, true),
        ] {
            assert_eq!(rule.ahead(text.as_bytes(), 0), Ahead { plain, escaped }, "{text}");
        }
    }
}
