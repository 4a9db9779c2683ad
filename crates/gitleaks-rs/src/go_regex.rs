//! Go's regular expressions (the RE2 language, as `regexp` reads it) as [`Hir`], with Go's meaning.
//!
//! Rust's own parser accepts most of the language and means something else by parts of it: `\d`, `\w`, `\s` and `\b`
//! are ASCII in Go and `\s` lacks the vertical tab; `[` inside a class is itself, and `&&`, `--` and `~~` are no
//! operators; a `{` that starts no repetition is itself; `\Q..\E` quotes; a count ends at 1000; `(?i)` folds `k` with
//! the Kelvin sign and `s` with the long s even inside `\w`. So this is a reader of its own that makes the Hir itself.
//!
//! Expressions come from configurations of strangers: there is no recursion here, the nesting is bounded (the
//! compiler behind the Hir does recurse), and so is the size of all classes together.

mod class;
mod escape;
mod matcher;
mod parser;
#[cfg(test)]
mod tests;

use std::fmt;

use regex_syntax::hir::Hir;

pub(crate) use matcher::{Regex, Text};

/// What a rune is in bytes that are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bytes {
    /// Whatever takes U+FFFD also takes one byte outside ASCII, as Go takes an invalid byte for U+FFFD. A search for
    /// such an expression may also end inside a valid character, which Go never does.
    Tolerant,
    /// Only whole UTF-8 characters match: exactly Go's matches, as long as the text is UTF-8.
    Exact,
}

/// An expression, ready to compile.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Its meaning.
    pub(crate) hir: Hir,
    /// How many groups capture, the whole match not counted.
    pub(crate) groups: usize,
    /// Whether some part of it takes U+FFFD, and so a byte that is not UTF-8.
    pub(crate) takes_invalid: bool,
}

/// An expression for texts that may hold bytes that are not UTF-8.
#[allow(dead_code, reason = "what compares with Gitleaks uses the exact reading; this one is for the engine")]
pub(crate) fn parse(pattern: &str) -> Result<Hir, RegexError> {
    parse_as(pattern, Bytes::Tolerant).map(|parsed| parsed.hir)
}

/// An expression, read for one of the two views of bytes.
pub(crate) fn parse_as(pattern: &str, bytes: Bytes) -> Result<Parsed, RegexError> {
    parser::Parser::new(pattern, bytes).parse()
}

/// Why something is not an expression, in Go's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("error parsing regexp: {kind}: `{part}`")]
pub struct RegexError {
    kind: Kind,
    part: String,
}

impl RegexError {
    fn new(kind: Kind, part: &str) -> Self {
        // Go shows all of it; a line of an error message is no place for a megabyte.
        let part = part.char_indices().nth(200).map_or(part, |(end, _)| &part[..end]);
        Self { kind, part: part.to_owned() }
    }

    fn too_large(pattern: &str) -> Self {
        Self::new(Kind::Large, pattern)
    }
}

/// The ways to be wrong that Go knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    CharRange,
    Escape,
    NamedCapture,
    PerlOp,
    RepeatOp,
    RepeatSize,
    MissingBracket,
    MissingParen,
    MissingArgument,
    TrailingBackslash,
    UnexpectedParen,
    Nesting,
    Large,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CharRange => "invalid character class range",
            Self::Escape => "invalid escape sequence",
            Self::NamedCapture => "invalid named capture",
            Self::PerlOp => "invalid or unsupported Perl syntax",
            Self::RepeatOp => "invalid nested repetition operator",
            Self::RepeatSize => "invalid repeat count",
            Self::MissingBracket => "missing closing ]",
            Self::MissingParen => "missing closing )",
            Self::MissingArgument => "missing argument to repetition operator",
            Self::TrailingBackslash => "trailing backslash at end of expression",
            Self::UnexpectedParen => "unexpected )",
            Self::Nesting => "expression nests too deeply",
            Self::Large => "expression too large",
        })
    }
}
