//! Why a configuration cannot be loaded, and where.

use crate::go_regex::RegexError;

/// Why a configuration cannot be loaded.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{file}{}: {problem}", .line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct LoadError {
    file: String,
    line: Option<usize>,
    problem: Problem,
}

impl LoadError {
    pub(super) fn new(place: &Place, problem: Problem) -> Self {
        Self { file: place.file.to_string(), line: Some(place.line), problem }
    }

    /// About a file as a whole.
    pub(super) fn file_as_a_whole(file: String, problem: Problem) -> Self {
        Self { file, line: None, problem }
    }

    /// About a rule whose place is no longer known.
    pub(crate) fn rule(rule: &str, problem: impl std::fmt::Display) -> Self {
        let problem = Problem::Compile { rule: rule.to_owned(), problem: problem.to_string() };
        Self { file: "rules".to_owned(), line: None, problem }
    }

    /// The file, as it was named.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// The line, from 1, if it is about one.
    pub fn line(&self) -> Option<usize> {
        self.line
    }

    /// What is wrong there.
    pub fn problem(&self) -> &Problem {
        &self.problem
    }
}

/// A line of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: std::rc::Rc<str>,
    pub(super) line: usize,
}

/// What can be wrong with a configuration.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// The file cannot be read.
    #[error("cannot read it: {0}")]
    Unreadable(String),
    /// It is not TOML.
    #[error("not TOML: {0}")]
    Syntax(String),
    /// A value of a type that Gitleaks does not convert.
    #[error("`{key}` takes {expected}, not {found}")]
    Type {
        /// Its key.
        key: String,
        /// What belongs there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// `minVersion` is no version.
    #[error("minVersion `{0}` is not a version such as 8.25.0")]
    MinVersion(String),
    /// A rule without a name.
    #[error("a rule without an `id`")]
    NoId,
    /// A rule that can match nothing.
    #[error("rule `{0}` has neither `regex` nor `path`, so it finds nothing")]
    MatchesNothing(String),
    /// Not an expression.
    #[error("{owner}: `{key}` is no expression that Go takes: {problem}")]
    Regex {
        /// The rule or the allowlist.
        owner: String,
        /// Its key.
        key: &'static str,
        /// What Go would say.
        problem: RegexError,
    },
    /// A group that the expression does not have.
    #[error("rule `{rule}`: secretGroup is {group}, and its regex has {groups}")]
    SecretGroup {
        /// The rule.
        rule: String,
        /// What it asks for.
        group: usize,
        /// How many there are.
        groups: usize,
    },
    /// A word that is no condition.
    #[error("{owner}: condition `{condition}` is neither AND nor OR")]
    Condition {
        /// The rule or the list of all rules.
        owner: String,
        /// The word.
        condition: String,
    },
    /// A word that is no target.
    #[error("{owner}: regexTarget `{target}` is neither secret, match nor line")]
    RegexTarget {
        /// The rule or the list of all rules.
        owner: String,
        /// The word.
        target: String,
    },
    /// An allowlist that allows nothing.
    #[error("{0}: an allowlist needs commits, paths, regexes or stopwords")]
    EmptyAllowlist(String),
    /// The old and the new form side by side.
    #[error("{0}: the old [allowlist] cannot stand beside [[allowlists]]; move it there")]
    TwoForms(String),
    /// A required rule without a name.
    #[error("rule `{0}` requires a rule without an `id`")]
    RequiredNoId(String),
    /// A required rule that is not in the same file.
    #[error("rule `{rule}` requires `{required}`, which is not in this file{}", .nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    RequiredUnknown {
        /// The rule.
        rule: String,
        /// What it asks for.
        required: String,
        /// The nearest name that is there.
        nearest: Option<String>,
    },
    /// A target of an allowlist that is no rule.
    #[error("an allowlist targets rule `{rule}`, which does not exist{}", .nearest.as_ref().map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    TargetUnknown {
        /// What it asks for.
        rule: String,
        /// The nearest name that is there.
        nearest: Option<String>,
    },
    /// Two bases.
    #[error("extend.path and extend.useDefault are both set; a config has one base")]
    TwoBases,
    /// A base that this text may not read.
    #[error("extend.path `{0}`: only a configuration that is itself a file extends files")]
    NoFiles(String),
    /// A base that cannot be loaded.
    #[error("cannot extend `{path}`: {problem}")]
    Base {
        /// The path as it was written.
        path: String,
        /// What is wrong with it.
        problem: Box<LoadError>,
    },
    /// An expression that does not compile.
    #[error("rule `{rule}`: {problem}")]
    Compile {
        /// The rule.
        rule: String,
        /// Why.
        problem: String,
    },
}
