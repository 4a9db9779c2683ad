//! Where in a file something stands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A span in a text file. Lines and columns count from 1; columns count characters; the end is exclusive.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct Location {
    /// Relative to the project with `/` where the file lies in it, else absolute.
    pub file: String,
    /// First line, from 1.
    pub line: u32,
    /// First column, from 1.
    pub column: u32,
    /// Last line.
    pub end_line: u32,
    /// Column behind the last character.
    pub end_column: u32,
    /// The first line of the span as it may be shown: values that could be secrets are masked.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub text: String,
}

impl Location {
    /// The whole of a file, for things that have no line.
    pub fn file(file: impl Into<String>) -> Self {
        Self { file: file.into(), line: 1, column: 1, end_line: 1, end_column: 2, text: String::new() }
    }

    /// One line of a file.
    pub fn line(file: impl Into<String>, line: u32, text: &str) -> Self {
        let width = u32::try_from(text.chars().count()).unwrap_or(u32::MAX - 1);
        Self {
            file: file.into(),
            line,
            column: 1,
            end_line: line,
            end_column: width.saturating_add(1).max(2),
            text: super::redact_line(text),
        }
    }

    /// Whether the file lies in the project under audit.
    pub fn in_project(&self) -> bool {
        !self.file.starts_with('/')
    }
}

impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}:{}", super::plain(&self.file), self.line, self.column)
    }
}
