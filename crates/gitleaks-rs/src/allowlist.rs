//! What only looks like a secret.

use std::sync::OnceLock;

use regex_automata::meta::Regex;

use crate::config::{AllowlistConfig, Condition, Target};
use crate::rule;

/// An allowlist, ready to ask.
#[derive(Debug)]
pub(crate) struct Allowlist {
    config: AllowlistConfig,
    regexes: OnceLock<Vec<Regex>>,
    paths: OnceLock<Vec<Regex>>,
}

/// What an allowlist is asked about.
pub(crate) struct Candidate<'t> {
    pub(crate) secret: &'t [u8],
    pub(crate) whole: &'t [u8],
    pub(crate) line: &'t [u8],
}

impl Allowlist {
    pub(crate) fn new(config: AllowlistConfig) -> Self {
        Self { config, regexes: OnceLock::new(), paths: OnceLock::new() }
    }

    /// Whether what was found is none, as far as its text says. A list that also asks for a path or a commit and wants
    /// all to hold is settled by [`Allowlist::covers_place`] first.
    pub(crate) fn covers(&self, found: &Candidate<'_>, place_holds: bool) -> bool {
        let config = &self.config;
        let text = match config.target {
            Target::Secret => found.secret,
            Target::Match => found.whole,
            Target::Line => found.line,
        };
        let regex = || self.regexes().iter().any(|regex| regex.is_match(text));
        let word = || holds_word(found.secret, &config.stopwords);
        match config.condition {
            Condition::Any => regex() || word(),
            Condition::All => {
                let placed = place_holds || (config.paths.is_empty() && config.commits.is_empty());
                let texts = !config.regexes.is_empty() || !config.stopwords.is_empty();
                texts && placed && (config.regexes.is_empty() || regex()) && (config.stopwords.is_empty() || word())
            }
        }
    }

    /// Whether a path or commit is on the list, with nothing said of the text.
    pub(crate) fn covers_place(&self, path: &str, commit: &str) -> bool {
        let config = &self.config;
        let path_holds = || self.paths().iter().any(|regex| regex.is_match(path.as_bytes()));
        let commit_holds = || config.commits.iter().any(|known| known.eq_ignore_ascii_case(commit));
        match config.condition {
            Condition::Any => (!config.paths.is_empty() && path_holds()) || (!commit.is_empty() && commit_holds()),
            Condition::All => {
                !(config.paths.is_empty() && config.commits.is_empty())
                    && (config.paths.is_empty() || path_holds())
                    && (config.commits.is_empty() || commit_holds())
            }
        }
    }

    /// Whether a place alone settles it.
    pub(crate) fn settled_by_place(&self) -> bool {
        let config = &self.config;
        config.condition == Condition::Any || (config.regexes.is_empty() && config.stopwords.is_empty())
    }

    /// Tells it from others.
    pub(crate) fn identity(&self) -> String {
        format!("{:?}", self.config)
    }

    fn regexes(&self) -> &[Regex] {
        self.regexes.get_or_init(|| compile(&self.config.regexes))
    }

    fn paths(&self) -> &[Regex] {
        self.paths.get_or_init(|| compile(&self.config.paths))
    }
}

/// The loader has read them all; one that is too large to compile allows nothing.
fn compile(patterns: &[String]) -> Vec<Regex> {
    patterns.iter().filter_map(|pattern| rule::compile(&rule::read(pattern).ok()?).ok()).collect()
}

fn holds_word(secret: &[u8], words: &[String]) -> bool {
    if words.is_empty() {
        return false;
    }
    let lower = secret.to_ascii_lowercase();
    words.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
}
