//! From a fragment to its findings.

use std::ops::Range;

use super::Detector;
use super::decode::Decoded;
use super::finding::{Finding, text_of};
use super::keywords::Reach;
use super::place::place;
use super::rules::{Pattern, Rule};
use crate::Secret;
use crate::config::Required;
use crate::go_regex::Text;

/// Marks a line whose secret is known and accepted.
const ALLOW: &[u8] = b"gitleaks:allow";

/// A commit as far as findings tell of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// And under which address.
    pub email: String,
    /// And when, in RFC 3339.
    pub date: String,
    /// And what it says.
    pub message: String,
}

/// A piece of a file, or the added lines of a hunk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fragment<'f> {
    pub(super) raw: &'f [u8],
    pub(super) file: &'f str,
    pub(super) symlink: &'f str,
    pub(super) start_line: i64,
    pub(super) commit: Option<&'f Commit>,
}

impl Fragment<'_> {
    pub(super) fn commit_id(&self) -> &str {
        self.commit.map_or("", |commit| commit.id.as_str())
    }
}

/// One pass over a fragment: its text, as it is or decoded.
struct Pass<'p> {
    fragment: &'p Fragment<'p>,
    newlines: &'p [usize],
    text: &'p Text<'p>,
    decoded: Option<&'p Decoded>,
}

/// A match with what is known of its place.
struct Located {
    place: Range<usize>,
    tags: Vec<String>,
    /// The line in the decoded text.
    line: Option<Range<usize>>,
}

impl Detector {
    /// The findings of a fragment that no allowlist takes back, in the order of passes and rules.
    pub(super) fn detect(&self, fragment: &Fragment<'_>) -> Vec<Finding> {
        if self.is_own_file(fragment.file) || self.allowlists.iter().any(|list| list.allows_fragment(fragment)) {
            return Vec::new();
        }
        let newlines: Vec<usize> = memchr::memchr_iter(b'\n', fragment.raw).collect();
        let mut findings = Vec::new();
        let mut decoded: Option<Decoded> = None;
        for depth in 0.. {
            let text = Text::new(decoded.as_ref().map_or(fragment.raw, |decoded| &decoded.text));
            let pass = Pass { fragment, newlines: &newlines, text: &text, decoded: decoded.as_ref() };
            for (rule, reach) in self.rules.iter().zip(self.keywords.reach(text.bytes())) {
                if reach != Reach::Nowhere {
                    findings.extend(self.with_partners(rule, &pass, &reach));
                }
            }
            if depth >= self.options.max_decode_depth {
                break;
            }
            let Some(next) = Decoded::next(&text, decoded.as_ref()) else { break };
            decoded = Some(next);
        }
        without_generic(findings)
    }

    /// The findings of a rule, if the rules it requires have theirs near by.
    fn with_partners(&self, rule: &Rule, pass: &Pass<'_>, reach: &Reach) -> Vec<Finding> {
        if rule.skip_report {
            return Vec::new();
        }
        let mut found = self.apply(rule, pass, reach);
        if found.is_empty() || rule.required.is_empty() {
            return found;
        }
        let partners: Vec<(&Required, Vec<Finding>)> = rule
            .required
            .iter()
            .map(|required| {
                // Its own keywords do not matter here.
                let partner = self.rules.iter().find(|rule| rule.id == required.id);
                (required, partner.map_or(Vec::new(), |partner| self.apply(partner, pass, &Reach::Everywhere)))
            })
            .collect();
        // A rule that is required twice has to be near by one of the two measures.
        let near = |found: &Finding, id: &str| {
            partners
                .iter()
                .filter(|(required, _)| required.id == id)
                .any(|(required, theirs)| theirs.iter().any(|their| is_near(found, their, required)))
        };
        found.retain(|found| rule.required.iter().all(|required| near(found, &required.id)));
        found
    }

    fn apply(&self, rule: &Rule, pass: &Pass<'_>, reach: &Reach) -> Vec<Finding> {
        let fragment = pass.fragment;
        if rule.allowlists.iter().any(|list| list.allows_fragment(fragment)) {
            return Vec::new();
        }
        if let Some(path) = &rule.path {
            // A rule without an expression is about the file, and that only once.
            let whole_file = rule.regex.is_none() && pass.decoded.is_none();
            match path.is_match(fragment.file.as_bytes()) {
                true if whole_file => return vec![self.file_finding(rule, fragment)],
                true => {}
                false => return Vec::new(),
            }
        }
        let Some(regex) = &rule.regex else { return Vec::new() };
        let limit = self.options.max_target_megabytes;
        if limit > 0 && pass.text.bytes().len() as u64 / 1_000_000 > limit {
            return Vec::new();
        }
        let matches = regex.find_all(pass.text, reach);
        matches.into_iter().filter_map(|found| self.judge(rule, regex, pass, found)).collect()
    }

    fn file_finding(&self, rule: &Rule, fragment: &Fragment<'_>) -> Finding {
        let matched = Secret::new(format!("file detected: {}", fragment.file).as_bytes());
        self.with_commit(Finding { matched, tags: rule.tags.clone(), ..self.start(rule, fragment) }, fragment)
    }

    /// What every finding of a rule in a fragment has.
    fn start(&self, rule: &Rule, fragment: &Fragment<'_>) -> Finding {
        Finding {
            rule_id: rule.id.clone(),
            description: rule.description.clone(),
            file: fragment.file.to_owned(),
            symlink_file: fragment.symlink.to_owned(),
            commit: fragment.commit_id().to_owned(),
            ..Finding::default()
        }
    }

    fn with_commit(&self, mut finding: Finding, fragment: &Fragment<'_>) -> Finding {
        if let Some(commit) = fragment.commit {
            finding.author = commit.author.clone();
            finding.email = commit.email.clone();
            finding.date = commit.date.clone();
            finding.message = commit.message.clone();
            finding.link = self.options.remote.as_ref().map_or(String::new(), |remote| remote.link(&finding));
        }
        finding
    }

    /// A match, unless its place, its secret or an allowlist speaks against it.
    fn judge(&self, rule: &Rule, regex: &Pattern, pass: &Pass<'_>, found: Range<usize>) -> Option<Finding> {
        let matched = trimmed(&pass.text.bytes()[found.clone()]);
        let located = locate(pass, &found, matched.len())?;
        let raw = pass.fragment.raw;
        let (start, end) = (located.place.start.min(raw.len()), located.place.end.min(raw.len()));
        let mut place = place(pass.newlines, raw, start..end.max(start));
        place.line.end = place.line.end.max(end);
        let line = raw.get(place.line).unwrap_or_default();
        if !self.options.ignore_allow && memchr::memmem::find(line, ALLOW).is_some() {
            return None;
        }
        let secret = &matched[regex.secret(matched, rule.secret_group)];
        let entropy = entropy(secret);
        // Written so that a threshold that is no number drops nothing.
        if rule.entropy != 0.0 && entropy <= rule.entropy {
            return None;
        }
        let finding = Finding {
            start_line: pass.fragment.start_line.wrapping_add(place.start_line as i64),
            end_line: pass.fragment.start_line.wrapping_add(place.end_line as i64),
            start_column: place.start_column as i64,
            end_column: place.end_column as i64,
            line: Secret::new(line),
            matched: Secret::new(matched),
            secret: Secret::new(secret),
            entropy: entropy as f32,
            tags: rule.tags.iter().cloned().chain(located.tags).collect(),
            ..self.start(rule, pass.fragment)
        };
        let decoded = located.line.map(|line| &pass.text.bytes()[line]).filter(|line| !line.is_empty());
        let seen = decoded.unwrap_or(line);
        let mut lists = self.allowlists.iter().chain(&rule.allowlists);
        if lists.any(|list| list.allows_finding(&finding, seen, pass.fragment)) {
            return None;
        }
        Some(self.with_commit(finding, pass.fragment))
    }
}

/// Where in the fragment a match is. In a decoded text only what touches something decoded is new.
fn locate(pass: &Pass<'_>, found: &Range<usize>, trimmed: usize) -> Option<Located> {
    match pass.decoded {
        // The newlines taken from its front are missing at its end.
        None => Some(Located { place: found.start..found.start + trimmed, tags: Vec::new(), line: None }),
        Some(decoded) => {
            let origin = decoded.source(found.start, found.end)?;
            let place = origin.place.start..origin.place.end;
            Some(Located { place, tags: origin.tags, line: Some(origin.line) })
        }
    }
}

fn trimmed(matched: &[u8]) -> &[u8] {
    let start = matched.iter().take_while(|byte| **byte == b'\n').count();
    let end = matched.len() - matched[start..].iter().rev().take_while(|byte| **byte == b'\n').count();
    &matched[start..end]
}

/// Bits per character, but measured by the length in bytes.
fn entropy(secret: &[u8]) -> f64 {
    let mut counts = std::collections::BTreeMap::new();
    for letter in text_of(secret).chars() {
        *counts.entry(letter).or_insert(0_u32) += 1;
    }
    let part = 1.0 / secret.len() as f64;
    counts.values().map(|count| f64::from(*count) * part).map(|share| -share * share.log2()).sum::<f64>() + 0.0
}

fn is_near(found: &Finding, partner: &Finding, required: &Required) -> bool {
    let within = |a: i64, b: i64, most: Option<usize>| most.is_none_or(|most| a.abs_diff(b) <= most as u64);
    within(found.start_line, partner.start_line, required.within_lines)
        && within(found.start_column, partner.start_column, required.within_columns)
}

/// A finding of a generic rule goes where another rule has a secret that holds it, on the same line.
fn without_generic(findings: Vec<Finding>) -> Vec<Finding> {
    let generic = |finding: &Finding| finding.rule_id.to_lowercase().contains("generic");
    let better = |own: &Finding, other: &Finding| {
        own.start_line == other.start_line
            && own.commit == other.commit
            && !generic(other)
            && (own.secret.expose().is_empty()
                || memchr::memmem::find(other.secret.expose(), own.secret.expose()).is_some())
    };
    let keep: Vec<bool> =
        findings.iter().map(|own| !generic(own) || !findings.iter().any(|other| better(own, other))).collect();
    findings.into_iter().zip(keep).filter_map(|(finding, keep)| keep.then_some(finding)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_is_measured_by_bytes() {
        assert_eq!(entropy(b""), 0.0);
        assert_eq!(entropy(b"aaaa"), 0.0);
        assert_eq!(entropy(b"abcdefgh"), 3.0);
        assert_eq!(entropy("éé".as_bytes()), 0.5);
    }

    #[test]
    fn only_newlines_are_trimmed() {
        assert_eq!(trimmed(b"\n\n a\r\n"), b" a\r");
        assert_eq!(trimmed(b"\n\n"), b"");
    }
}
