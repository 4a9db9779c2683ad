//! One rule: what a kind of secret looks like, and what only looks like it.

use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};

use crate::config::{AllowlistConfig, Config, LoadError, Target};

/// How far an expression without a longest match looks before and behind its keyword.
const UNBOUNDED: (usize, usize) = (256, 4096);

/// How sure a match is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// A random value that is called a secret (tag `generic`).
    Low,
    /// A value of the right form beside the name of its issuer (tag `assigned`).
    Medium,
    /// The token itself says what it is.
    High,
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
    /// Lower-case words of which every match holds at least one.
    pub keywords: Vec<String>,
    /// Free labels.
    pub tags: Vec<String>,
    pattern: String,
    group: usize,
    pub(crate) entropy: f32,
    allowlists: Vec<Allowlist>,
    compiled: OnceLock<Option<Compiled>>,
}

/// An expression with the reach it needs around a keyword.
#[derive(Debug)]
struct Compiled {
    regex: Regex,
    before: usize,
    behind: usize,
}

/// What a match of a rule looked like.
pub(crate) struct Hit {
    pub(crate) whole: std::ops::Range<usize>,
    pub(crate) secret: std::ops::Range<usize>,
}

impl Rule {
    #[expect(clippy::too_many_arguments, reason = "one per key of the file")]
    pub(crate) fn new(
        id: String,
        description: String,
        pattern: String,
        group: usize,
        entropy: f32,
        keywords: Vec<String>,
        tags: Vec<String>,
        allowlists: Vec<Allowlist>,
    ) -> Self {
        let tagged = |word: &str| tags.iter().any(|tag| tag == word);
        let confidence = match (tagged("generic"), tagged("assigned")) {
            (true, _) => Confidence::Low,
            (_, true) => Confidence::Medium,
            _ => Confidence::High,
        };
        let compiled = OnceLock::new();
        Self { id, description, confidence, keywords, tags, pattern, group, entropy, allowlists, compiled }
    }

    /// Compiles everything now, to learn what is wrong with it.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        if self.keywords.iter().all(String::is_empty) {
            return Err(LoadError::rule(&self.id, "it has no keyword"));
        }
        let compiled = compile(&self.pattern).map_err(|problem| LoadError::rule(&self.id, problem))?;
        if self.group >= compiled.regex.captures_len() {
            return Err(LoadError::rule(&self.id, format!("secretGroup {} is not in its regex", self.group)));
        }
        self.allowlists.iter().try_for_each(|list| list.check(&self.id))
    }

    /// None where the expression is not one; [`Rule::check`] says why.
    fn compiled(&self) -> Option<&Compiled> {
        self.compiled.get_or_init(|| compile(&self.pattern).ok()).as_ref()
    }

    /// The part of a text of `length` bytes that a match around a keyword at `hit` may lie in.
    pub(crate) fn window(&self, hit: std::ops::Range<usize>, length: usize) -> std::ops::Range<usize> {
        let (before, behind) = self.compiled().map_or((0, 0), |compiled| (compiled.before, compiled.behind));
        hit.start.saturating_sub(before)..hit.end.saturating_add(behind).min(length)
    }

    /// The matches in a window. What stands around it counts for word borders; one byte more is seen at its end.
    pub(crate) fn hits<'t>(&'t self, text: &'t [u8], window: std::ops::Range<usize>) -> impl Iterator<Item = Hit> + 't {
        let seen = text.get(..window.end).unwrap_or(text);
        let mut from = window.start;
        std::iter::from_fn(move || {
            let captures = self.compiled()?.regex.captures_at(seen, from.min(seen.len()))?;
            let whole = captures.get(0)?.range();
            from = whole.end.max(whole.start + 1);
            let secret = match self.group {
                0 => captures.iter().skip(1).flatten().find(|group| !group.is_empty()).map(|group| group.range()),
                group => captures.get(group).map(|group| group.range()),
            };
            Some(Hit { secret: secret.unwrap_or(whole.clone()), whole })
        })
    }

    pub(crate) fn allows(&self, secret: &[u8], whole: &[u8], line: &[u8]) -> bool {
        self.allowlists.iter().any(|list| list.covers(secret, whole, line))
    }

    /// Its expression, for tests that make examples from it.
    #[cfg(test)]
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }
}

/// The rules of a configuration that have an expression, and the lists that hold for all of them.
pub(crate) fn from_config(config: Config) -> (Vec<Rule>, Vec<Allowlist>) {
    let lists = |lists: Vec<AllowlistConfig>| lists.into_iter().map(allowlist).collect();
    let rules = config.rules.into_iter().filter_map(|rule| {
        let (regex, allowlists) = (rule.regex?, lists(rule.allowlists));
        let entropy = rule.entropy as f32;
        Some(Rule::new(
            rule.id,
            rule.description,
            regex,
            rule.secret_group,
            entropy,
            rule.keywords,
            rule.tags,
            allowlists,
        ))
    });
    (rules.collect(), lists(config.allowlists))
}

fn allowlist(config: AllowlistConfig) -> Allowlist {
    Allowlist::new(config.target, config.regexes, config.stopwords)
}

/// Go's expressions mean ASCII by `\w`, `\d`, `\s` and `\b`, and so do these.
fn builder(pattern: &str) -> RegexBuilder {
    let mut builder = RegexBuilder::new(pattern);
    builder.unicode(false);
    builder
}

fn compile(pattern: &str) -> Result<Compiled, String> {
    let regex = builder(pattern).build().map_err(|error| error.to_string())?;
    let mut parser = regex_syntax::ParserBuilder::new().unicode(false).utf8(false).build();
    let longest = parser.parse(pattern).map_err(|error| error.to_string())?.properties().maximum_len();
    // One byte more, so that a border at the end of a match is a border of the text and not of the window.
    let (before, behind) = longest.map_or(UNBOUNDED, |longest| (longest, longest + 1));
    Ok(Compiled { regex, before, behind })
}

/// What only looks like a secret.
#[derive(Debug)]
pub(crate) struct Allowlist {
    target: Target,
    patterns: Vec<String>,
    stopwords: Vec<String>,
    compiled: OnceLock<Vec<Regex>>,
}

impl Allowlist {
    pub(crate) fn new(target: Target, patterns: Vec<String>, stopwords: Vec<String>) -> Self {
        Self { target, patterns, stopwords, compiled: OnceLock::new() }
    }

    pub(crate) fn check(&self, rule: &str) -> Result<(), LoadError> {
        let bad = self.patterns.iter().find_map(|pattern| builder(pattern).build().err());
        bad.map_or(Ok(()), |problem| Err(LoadError::rule(rule, problem)))
    }

    pub(crate) fn covers(&self, secret: &[u8], whole: &[u8], line: &[u8]) -> bool {
        let text = match self.target {
            Target::Secret => secret,
            Target::Match => whole,
            Target::Line => line,
        };
        let regexes = self
            .compiled
            .get_or_init(|| self.patterns.iter().filter_map(|pattern| builder(pattern).build().ok()).collect());
        regexes.iter().any(|regex| regex.is_match(text)) || self.holds_stopword(secret)
    }

    fn holds_stopword(&self, secret: &[u8]) -> bool {
        let lower = secret.to_ascii_lowercase();
        self.stopwords.iter().any(|word| lower.windows(word.len().max(1)).any(|part| part == word.as_bytes()))
    }
}
