//! Rules, compiled when they are first needed.

use std::ops::Range;
use std::sync::OnceLock;

use super::allow::Allowlist;
use super::anchor::always_holds;
use super::keywords::{Reach, windows};
use crate::config::{LoadError, Required, RuleConfig};
use crate::go_regex::{Bytes, Regex, Text, parse_as};

/// A rule, ready to search with.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) id: String,
    pub(super) description: String,
    pub(super) path: Option<Regex>,
    pub(super) regex: Option<Pattern>,
    pub(super) secret_group: usize,
    pub(super) entropy: f64,
    pub(super) tags: Vec<String>,
    pub(super) skip_report: bool,
    pub(super) allowlists: Vec<Allowlist>,
    pub(super) required: Vec<Required>,
}

/// An expression that waits to be compiled.
#[derive(Debug)]
pub(super) struct Pattern {
    text: String,
    keywords: Vec<String>,
    compiled: OnceLock<Option<Compiled>>,
}

#[derive(Debug)]
struct Compiled {
    regex: Regex,
    /// The longest match, if every match holds a keyword.
    longest: Option<usize>,
}

impl Rule {
    pub(super) fn new(config: &RuleConfig) -> Result<Self, LoadError> {
        let wrong = |problem: crate::go_regex::RegexError| LoadError::rule(&config.id, problem);
        let path = config.path.as_deref().map(Regex::new).transpose().map_err(wrong)?;
        if let Some(regex) = &config.regex {
            // A configuration may be made by hand, so this one was perhaps never read.
            parse_as(regex, Bytes::Exact).map_err(wrong)?;
        }
        let regex = config.regex.as_ref().map(|text| Pattern {
            text: text.clone(),
            keywords: config.keywords.clone(),
            compiled: OnceLock::new(),
        });
        let allowlists = config.allowlists.iter().map(|list| Allowlist::new(list, &config.id));
        Ok(Self {
            id: config.id.clone(),
            description: config.description.clone(),
            path,
            regex,
            secret_group: config.secret_group,
            entropy: config.entropy,
            tags: config.tags.clone(),
            skip_report: config.skip_report,
            allowlists: allowlists.collect::<Result<_, _>>()?,
            required: config.required.clone(),
        })
    }
}

impl Pattern {
    fn compiled(&self) -> Option<&Compiled> {
        self.compiled.get_or_init(|| self.compile()).as_ref()
    }

    fn compile(&self) -> Option<Compiled> {
        let parsed = parse_as(&self.text, Bytes::Exact).ok()?;
        let words: Vec<&[u8]> = self.keywords.iter().map(String::as_bytes).collect();
        let longest = parsed.hir.properties().maximum_len().filter(|_| always_holds(&parsed.hir, &words));
        Some(Compiled { regex: Regex::compile(parsed, &self.text).ok()?, longest })
    }

    /// All matches, searched for only where they can be.
    pub(super) fn find_all(&self, text: &Text<'_>, reach: &Reach) -> Vec<Range<usize>> {
        let Some(Compiled { regex, longest }) = self.compiled() else { return Vec::new() };
        let length = text.bytes().len();
        match (reach, longest) {
            (Reach::Nowhere, _) => Vec::new(),
            (Reach::Around(hits), Some(longest)) => {
                windows(hits, *longest, length).into_iter().flat_map(|window| regex.find_all(text, window)).collect()
            }
            _ => regex.find_all(text, 0..length),
        }
    }

    /// The secret in the text of a match: the expression is run once more, on that text alone.
    pub(super) fn secret(&self, matched: &[u8], group: usize) -> Range<usize> {
        let whole = 0..matched.len();
        let Some(groups) = self.compiled().and_then(|compiled| compiled.regex.first_groups(matched)) else {
            return whole;
        };
        match group {
            0 => groups.into_iter().flatten().find(|group| !group.is_empty()).unwrap_or(whole),
            _ if groups.is_empty() => whole,
            group => groups.get(group - 1).cloned().flatten().unwrap_or(0..0),
        }
    }
}
