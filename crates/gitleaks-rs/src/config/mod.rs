//! Rules and allowlists in Gitleaks' form: TOML with keys in any case, with `extend`.
//!
//! What Gitleaks refuses is an error with its file and line. What it takes and has no use for, such as a mistyped key,
//! is a warning. Nothing is compiled here: an expression is only read, to learn whether it is one.

mod error;
mod extend;
mod raw;
mod source;
#[cfg(test)]
mod tests;
mod value;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use error::{LoadError, Problem};
pub(crate) use extend::joined;
pub(crate) use raw::lower;

/// The rules that the library brings.
const EMBEDDED: &str = include_str!("../../rules.toml");

/// A configuration, its extensions merged into it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// What it calls itself.
    pub title: String,
    /// What it says of itself.
    pub description: String,
    /// In the order of the file; by id where it extends another one.
    pub rules: Vec<RuleConfig>,
    /// What holds for all rules.
    pub allowlists: Vec<AllowlistConfig>,
    /// What is likely not meant, each with its place.
    pub warnings: Vec<String>,
}

/// What a kind of secret looks like.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct RuleConfig {
    /// Its name.
    #[serde(skip_serializing_if = "is_default")]
    pub id: String,
    /// What the secret opens.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// What it looks like, in Go's syntax.
    #[serde(skip_serializing_if = "is_default")]
    pub regex: Option<String>,
    /// Which paths it looks at; without a regex, which paths are a finding themselves.
    #[serde(skip_serializing_if = "is_default")]
    pub path: Option<String>,
    /// The group that holds the secret; 0 for the first one that is not empty.
    #[serde(skip_serializing_if = "is_default")]
    pub secret_group: usize,
    /// The entropy that a secret has to exceed; 0 for any.
    #[serde(skip_serializing_if = "is_default")]
    pub entropy: f64,
    /// In lower case. Where there are any, one of them has to occur.
    #[serde(skip_serializing_if = "is_default")]
    pub keywords: Vec<String>,
    /// Free labels.
    #[serde(skip_serializing_if = "is_default")]
    pub tags: Vec<String>,
    /// Whether it only serves other rules.
    #[serde(skip_serializing_if = "is_default")]
    pub skip_report: bool,
    /// What only looks like its secrets.
    #[serde(skip_serializing_if = "is_default")]
    pub allowlists: Vec<AllowlistConfig>,
    /// Rules that have to match near by.
    #[serde(skip_serializing_if = "is_default")]
    pub required: Vec<Required>,
    /// Texts in which it finds something; a key of our own, which Gitleaks ignores like the two below.
    #[serde(skip_serializing_if = "is_default")]
    pub examples: Vec<String>,
    /// Texts in which it finds nothing.
    #[serde(skip_serializing_if = "is_default")]
    pub negatives: Vec<String>,
    /// Where to revoke or renew the secret: one sentence or an address.
    #[serde(skip_serializing_if = "is_default")]
    pub rotate: Option<String>,
}

/// What only looks like a secret.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AllowlistConfig {
    /// Why it is there.
    #[serde(skip_serializing_if = "is_default")]
    pub description: String,
    /// How its parts work together.
    #[serde(skip_serializing_if = "is_default")]
    pub condition: Condition,
    /// Whole commit ids, in lower case.
    #[serde(skip_serializing_if = "is_default")]
    pub commits: Vec<String>,
    /// Expressions for paths.
    #[serde(skip_serializing_if = "is_default")]
    pub paths: Vec<String>,
    /// What the expressions look at.
    #[serde(skip_serializing_if = "is_default")]
    pub target: Target,
    /// Expressions for what is found.
    #[serde(skip_serializing_if = "is_default")]
    pub regexes: Vec<String>,
    /// In lower case. Words that a secret does not hold.
    #[serde(skip_serializing_if = "is_default")]
    pub stopwords: Vec<String>,
}

/// How the parts of an allowlist work together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Condition {
    /// One of them is enough.
    #[default]
    Any,
    /// All that are given have to hold.
    All,
}

/// What the expressions of an allowlist look at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// The secret.
    #[default]
    Secret,
    /// All that the rule matched.
    Match,
    /// The line it stands on.
    Line,
}

/// A rule that has to match near another one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Required {
    /// Its id.
    #[serde(skip_serializing_if = "is_default")]
    pub id: String,
    /// How many lines away at most.
    #[serde(skip_serializing_if = "is_default")]
    pub within_lines: Option<usize>,
    /// How many columns away at most.
    #[serde(skip_serializing_if = "is_default")]
    pub within_columns: Option<usize>,
}

/// What is as usual is left out of the pack.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

impl Config {
    /// Reads a text that goes by a name in errors. `extend.useDefault` brings in the rules of this library; a text
    /// that extends a file needs [`Config::load`].
    pub fn parse(text: &str, name: &str) -> Result<Self, LoadError> {
        extend::finish(extend::read(text, name, extend::Files::Refused, 0)?, extend::Trust::None)
    }

    /// Reads a file and what it extends. Like Gitleaks, `extend.path` starts at the working directory; a path that
    /// leads nowhere from there is tried beside the file.
    pub fn load(path: &Path) -> Result<Self, LoadError> {
        let text = source::read_file(path)?;
        let draft = extend::read(&text, &path.display().to_string(), extend::Files::Beside(path), 0)?;
        extend::finish(draft, extend::Trust::None)
    }

    /// The rules of this library. A test reads their expressions, so that nobody has to wait for it here.
    pub fn embedded() -> Self {
        let config = extend::read(EMBEDDED, "rules.toml", extend::Files::Refused, 0)
            .and_then(|draft| extend::finish(draft, extend::Trust::Expressions));
        config.expect("a test loads the embedded rules")
    }
}
