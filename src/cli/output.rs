//! What `--format` says: the form of a report, and where it goes.

use std::path::PathBuf;
use std::str::FromStr;

/// The form of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// For programs, with a published schema.
    Json,
    /// For code scanning.
    Sarif,
    /// For test runners.
    Junit,
    /// For sheets.
    Csv,
    /// Annotations by workflow commands.
    Github,
    /// A comment for a pull request.
    Markdown,
}

impl Format {
    /// Each with its name.
    pub const ALL: [(&'static str, Self); 7] = [
        ("table", Self::Table),
        ("json", Self::Json),
        ("sarif", Self::Sarif),
        ("junit", Self::Junit),
        ("csv", Self::Csv),
        ("github", Self::Github),
        ("markdown", Self::Markdown),
    ];
}

/// A set of forms, each with its name.
pub trait Named: Copy + 'static {
    /// All of them.
    const ALL: &'static [(&'static str, Self)];
}

impl Named for Format {
    const ALL: &'static [(&'static str, Self)] = &Format::ALL;
}

/// A form and where it goes: `sarif=harden.sarif`, `json`, `json=-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output<F = Format> {
    /// The form.
    pub format: F,
    /// The file; standard output where there is none.
    pub file: Option<PathBuf>,
}

impl<F: Named> FromStr for Output<F> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, file) = match text.split_once('=') {
            Some((name, file)) => (name, Some(file)),
            None => (text, None),
        };
        let Some((_, format)) = F::ALL.iter().find(|(known, _)| *known == name) else {
            let known: Vec<&str> = F::ALL.iter().map(|(name, _)| *name).collect();
            return Err(format!("no format is called `{name}`; known: {}", known.join(", ")));
        };
        match file {
            Some("") => Err(format!("`{text}` names no file; write `{name}=FILE`, or `{name}` for standard output")),
            file => Ok(Self { format: *format, file: file.filter(|file| *file != "-").map(PathBuf::from) }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_a_format_and_perhaps_a_file() {
        let output = |text: &str| text.parse::<Output>().map(|output| (output.format, output.file));
        assert_eq!(output("json"), Ok((Format::Json, None)));
        assert_eq!(output("sarif=-"), Ok((Format::Sarif, None)));
        assert_eq!(output("csv=a=b.csv"), Ok((Format::Csv, Some("a=b.csv".into()))));
        assert!(output("sarif=").is_err() && output("xml").is_err());
    }
}
