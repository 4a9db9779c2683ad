//! Expected errors as diagnostics: what was tried, on what, and the next move.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode, SourceOffset};

use crate::catalog::CatalogError;
use crate::model::plain;
use crate::report::Look;

/// Why a command did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// A check, profile or agent file is wrong.
    #[error("{}", plain(&.0.message))]
    Catalog(Box<CatalogError>),
    /// A path, argument or output is wrong.
    #[error("{}", plain(.message))]
    Usage {
        /// What is wrong.
        message: String,
        /// The next move.
        help: String,
    },
    /// Standard output could not be written.
    #[error("cannot write to standard output: {}", cause(.0))]
    Output(#[from] io::Error),
    /// A file could not be written.
    #[error("cannot write `{}`: {cause}", plain(&file.display().to_string()))]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        cause: String,
    },
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        Self::Catalog(Box::new(error))
    }
}

impl Failure {
    /// A wrong path or argument.
    pub fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), help: help.into() }
    }

    /// A file could not be written. What goes wrong with the temporary file beside it is said of the file itself.
    pub fn file(file: &Path, error: &io::Error) -> Self {
        let cause = match error.raw_os_error() {
            Some(_) => cause(error),
            None => error.kind().to_string(),
        };
        Self::File { file: file.to_owned(), cause }
    }

    /// Whether it stopped the command before it did anything. What cannot be written was made before.
    pub(super) fn came_first(&self) -> bool {
        matches!(self, Self::Catalog(_) | Self::Usage { .. })
    }

    /// As text for the terminal, the offending line included; `first` is what the reader has to know first.
    pub(super) fn render(&self, first: Option<&str>, look: Look) -> String {
        let mut text = first.map(|first| format!("{first}\n")).unwrap_or_default();
        let shown = Shown::of(self);
        let theme = if look.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(usize::from(look.width.max(40)));
        let rendered = handler.render_report(&mut text, &shown);
        if rendered.is_err() {
            text.push_str(&self.to_string());
        }
        text
    }
}

/// What the system said, in the words of a sentence: `permission denied`, without its number.
pub(super) fn cause(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error ").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// A failure with its excerpt.
#[derive(Debug)]
struct Shown {
    message: String,
    help: String,
    source: Option<NamedSource<String>>,
    at: usize,
}

impl Shown {
    fn of(failure: &Failure) -> Self {
        match failure {
            Failure::Catalog(error) => {
                let text = shown_text(&error.text);
                let message = if error.text.is_empty() { error.to_string() } else { error.message.clone() };
                Self {
                    message: plain(&message).into_owned(),
                    help: plain(&error.help).into_owned(),
                    source: (error.line > 0).then(|| NamedSource::new(plain(&error.file), text.clone())),
                    at: SourceOffset::from_location(&text, error.line, error.column).offset(),
                }
            }
            Failure::Usage { help, .. } => {
                Self { message: failure.to_string(), help: help.clone(), source: None, at: 0 }
            }
            Failure::Output(_) | Failure::File { .. } => {
                let message = failure.to_string();
                let help = match message.ends_with("permission denied") {
                    true => "name a place that you may write to",
                    false => "make room, or name another place",
                };
                Self { message, help: help.into(), source: None, at: 0 }
            }
        }
    }
}

/// A file's text as it may be shown: each character that could steer a terminal becomes one that stands for it, so that
/// lines and columns stay.
fn shown_text(text: &str) -> String {
    let steers = |c: char| c != '\n' && c != '\t' && matches!(plain(c.encode_utf8(&mut [0; 4])), Cow::Owned(_));
    text.chars().map(|c| if steers(c) { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

impl std::fmt::Display for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn help<'a>(&'a self) -> Option<Box<dyn std::fmt::Display + 'a>> {
        (!self.help.is_empty()).then(|| Box::new(&self.help) as Box<dyn std::fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        Some(Box::new(std::iter::once(LabeledSpan::new(None, self.at, 1))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_of_a_hostile_file_steers_no_terminal() {
        let text = "a: \u{1b}[2J\u{202e}x\n\tb: 1\n";
        let error = CatalogError::at_word("x\u{1b}.yaml", text, "b", "`b` is wrong", "write c");
        let look = Look { width: 80, colour: false, verbose: 0, quiet: false };
        let shown = Failure::from(error).render(None, look);
        assert!(shown.contains("b: 1") && shown.contains("\u{fffd}"), "{shown}");
        assert!(!shown.replace('\n', "").contains(|c: char| c.is_control() || c == '\u{202e}'), "{shown}");
    }
}
