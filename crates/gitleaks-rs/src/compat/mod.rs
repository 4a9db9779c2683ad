//! What Gitleaks 8.30.1 finds, exactly: its fragments, its positions, its order of decisions, with all that is odd about
//! them. For whom this is not the point, [`crate::Scanner`] finds more and places it better.
//!
//! A history is read from the log that git writes: [`Detector::scan_history`] has git write it without the repository's
//! configuration, [`Detector::scan_log`] takes one from wherever it comes.
//!
//! Known to differ: archives are not opened (Gitleaks' default); findings come in a fixed order, where Gitleaks' is that
//! of its threads; and what arrives through a pipe is cut into pieces by its length, not by the writer's pauses.

mod allow;
mod anchor;
mod decode;
mod detect;
mod diff;
mod encoding;
mod finding;
#[cfg(all(unix, feature = "git"))]
mod git;
mod header;
mod keywords;
mod kind;
mod known;
mod link;
mod names;
#[cfg(test)]
mod oracle;
mod place;
mod reader;
pub mod report;
mod rules;
#[cfg(test)]
mod tests;
mod walk;

use std::io::{self, Read};

use allow::Allowlist;
use detect::Fragment;
use known::Known;
use rules::Rule;

pub use detect::Commit;
pub use diff::LogError;
pub use finding::Finding;
#[cfg(all(unix, feature = "git"))]
pub use git::{HistoryError, log_command};
pub use known::BaselineError;
pub use link::{Platform, Remote};
pub use walk::{Skipped, Target};

use crate::config::{Config, LoadError};

/// What Gitleaks takes as flags.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often what was decoded is decoded again.
    pub max_decode_depth: usize,
    /// Whether `gitleaks:allow` means nothing.
    pub ignore_allow: bool,
    /// Files larger than this are skipped; 0 for none.
    pub max_target_megabytes: u64,
    /// Whether links to files are followed.
    pub follow_symlinks: bool,
    /// Whether secrets are hidden in reports, so that a baseline cannot tell them apart.
    pub redacts: bool,
    /// The configuration's path as Gitleaks would have been given it; it is not searched.
    pub config_path: String,
    /// Where commits can be seen.
    pub remote: Option<Remote>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            max_decode_depth: 5,
            ignore_allow: false,
            max_target_megabytes: 0,
            follow_symlinks: false,
            redacts: true,
            config_path: String::new(),
            remote: None,
        }
    }
}

/// Finds what Gitleaks finds.
pub struct Detector {
    rules: Vec<Rule>,
    allowlists: Vec<Allowlist>,
    keywords: keywords::Keywords,
    known: Known,
    options: Options,
}

impl std::fmt::Debug for Detector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Detector({} rules)", self.rules.len())
    }
}

impl Detector {
    /// A detector with Gitleaks' default flags.
    pub fn new(config: &Config) -> Result<Self, LoadError> {
        Self::with(config, Options::default())
    }

    /// A detector with flags.
    pub fn with(config: &Config, options: Options) -> Result<Self, LoadError> {
        let rules = config.rules.iter().map(Rule::new).collect::<Result<_, _>>()?;
        let allowlists = config.allowlists.iter().map(|list| Allowlist::new(list, "[[allowlists]]"));
        let keywords = keywords::Keywords::new(config.rules.iter().map(|rule| rule.keywords.as_slice()))?;
        Ok(Self {
            rules,
            allowlists: allowlists.collect::<Result<_, _>>()?,
            keywords,
            known: Known::default(),
            options,
        })
    }

    /// Takes findings out that a `.gitleaksignore` names, and tells which of its lines name nothing.
    pub fn ignore(&mut self, text: &str) -> Vec<String> {
        self.known.ignore(text)
    }

    /// Takes findings out that an earlier report holds. The path is the report's as seen from the source.
    pub fn baseline(&mut self, report: &[u8], path: &str) -> Result<(), BaselineError> {
        self.known.baseline(report, path)
    }

    /// The findings of a file's content. Without a path it is as if it came from a pipe.
    pub fn scan_bytes(&self, path: &str, bytes: &[u8]) -> Vec<Finding> {
        self.scan_reader(path, "", bytes).unwrap_or_default()
    }

    /// The findings of what a reader yields, piece by piece.
    pub fn scan_reader(&self, path: &str, symlink: &str, reader: impl Read) -> io::Result<Vec<Finding>> {
        let mut all = Vec::new();
        if kind::named_like_archive(path) {
            return Ok(all);
        }
        let mut pieces = reader::Pieces::new(reader);
        while let Some(piece) = pieces.next()? {
            // As long as no line has ended, this may still be its start.
            if piece.start_line == 1 && kind::is_application(&piece.bytes[..piece.first_read]) {
                break;
            }
            let fragment =
                Fragment { raw: &piece.bytes, file: path, symlink, start_line: piece.start_line, commit: None };
            all.extend(self.report(&fragment));
        }
        Ok(all)
    }

    /// The findings of a fragment that are not known already.
    fn report(&self, fragment: &Fragment<'_>) -> Vec<Finding> {
        let mut findings = self.detect(fragment);
        findings.iter_mut().for_each(known::name);
        findings.retain(|finding| !self.known.holds(finding, self.options.redacts));
        findings
    }

    /// Whether a path is that of the configuration or of the baseline.
    fn is_own_file(&self, path: &str) -> bool {
        !path.is_empty() && (path == self.options.config_path || path == self.known.baseline_path())
    }

    /// Id and description of all rules, in the order of the configuration.
    pub fn rules(&self) -> Vec<(&str, &str)> {
        self.rules.iter().map(|rule| (rule.id.as_str(), rule.description.as_str())).collect()
    }
}
