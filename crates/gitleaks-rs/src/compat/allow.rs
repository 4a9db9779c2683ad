//! Allowlists: what only looks like a secret.

use std::collections::HashSet;

use aho_corasick::AhoCorasick;

use super::detect::Fragment;
use super::finding::Finding;
use crate::config::{AllowlistConfig, Condition, LoadError, Target, joined, lower};
use crate::go_regex::Regex;

/// An allowlist, ready to ask.
#[derive(Debug)]
pub(super) struct Allowlist {
    condition: Condition,
    target: Target,
    commits: HashSet<String>,
    paths: Option<Regex>,
    regexes: Option<Regex>,
    /// Whether there are words at all: empty ones are never found.
    has_words: bool,
    words: Option<AhoCorasick>,
}

impl Allowlist {
    pub(super) fn new(config: &AllowlistConfig, owner: &str) -> Result<Self, LoadError> {
        let compile = |patterns: &[String]| match patterns {
            [] => Ok(None),
            some => Regex::new(&joined(some)).map(Some).map_err(|problem| LoadError::rule(owner, problem)),
        };
        let words: Vec<&String> = config.stopwords.iter().filter(|word| !word.is_empty()).collect();
        let words = if words.is_empty() {
            None
        } else {
            Some(AhoCorasick::new(words).map_err(|problem| LoadError::rule(owner, problem))?)
        };
        Ok(Self {
            condition: config.condition,
            target: config.target,
            commits: config.commits.iter().cloned().collect(),
            paths: compile(&config.paths)?,
            regexes: compile(&config.regexes)?,
            has_words: !config.stopwords.is_empty(),
            words,
        })
    }

    pub(super) fn allows_path(&self, path: &str) -> bool {
        !path.is_empty() && self.paths.as_ref().is_some_and(|paths| paths.is_match(path.as_bytes()))
    }

    fn allows_commit(&self, commit: &str) -> bool {
        !commit.is_empty() && self.commits.contains(&lower(commit))
    }

    /// By commit and path alone, before anything is searched.
    pub(super) fn allows_fragment(&self, fragment: &Fragment<'_>) -> bool {
        if fragment.file.is_empty() && fragment.commit_id().is_empty() {
            return false;
        }
        let (commit, path) = (|| self.allows_commit(fragment.commit_id()), || self.allows_path(fragment.file));
        match self.condition {
            Condition::Any => commit() || path(),
            // What else it asks for is known only of a finding.
            Condition::All if self.regexes.is_some() || self.has_words => false,
            Condition::All => (self.commits.is_empty() || commit()) && (self.paths.is_none() || path()),
        }
    }

    /// A finding, whose line may be that of a decoded text.
    pub(super) fn allows_finding(&self, finding: &Finding, line: &[u8], fragment: &Fragment<'_>) -> bool {
        let text = match self.target {
            Target::Secret => finding.secret.expose(),
            Target::Match => finding.matched.expose(),
            Target::Line => line,
        };
        let regex = || !text.is_empty() && self.regexes.as_ref().is_some_and(|regexes| regexes.is_match(text));
        let word = || self.words.as_ref().is_some_and(|words| words.is_match(&lower_bytes(finding.secret.expose())));
        match self.condition {
            Condition::Any => regex() || word(),
            Condition::All => {
                (self.commits.is_empty() || self.allows_commit(fragment.commit_id()))
                    && (self.paths.is_none() || self.allows_path(fragment.file))
                    && (self.regexes.is_none() || regex())
                    && (!self.has_words || word())
            }
        }
    }
}

/// Lower case as Go has it, also of bytes that are not text.
pub(super) fn lower_bytes(bytes: &[u8]) -> Vec<u8> {
    if bytes.is_ascii() {
        return bytes.to_ascii_lowercase();
    }
    lower(&super::finding::text_of(bytes)).into_bytes()
}
