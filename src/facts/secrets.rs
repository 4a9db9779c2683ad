//! Secrets in files, as facts may tell of them: what they look like and where they stand, never the value.

use std::path::Path;

use gitleaks_rs::{Confidence as Sure, Context, Scanner};
use schemars::JsonSchema;
use serde::Serialize;

use crate::model::Confidence;

/// A secret in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(super) struct Secret {
    /// The rule that matched.
    pub(super) name: String,
    /// What such a token opens.
    pub(super) opens: String,
    /// Its line, from 1.
    pub(super) line: u32,
    /// Its column in characters, from 1.
    pub(super) column: u32,
    /// How sure it is a secret.
    pub(super) confidence: Confidence,
}

/// The kind of file that a secret stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Place {
    /// Code, configuration, anything else.
    Source,
    /// A test or its data.
    Test,
    /// An example or template.
    Example,
    /// Documentation.
    Docs,
    /// A list of resolved dependencies.
    LockFile,
}

/// The secrets in a text, and how many its comments accept.
pub(super) fn secrets(bytes: &[u8]) -> (Vec<Secret>, u64) {
    let (allowed, found): (Vec<_>, Vec<_>) =
        Scanner::embedded().scan(bytes).into_iter().partition(|found| found.allowed);
    let secret = |found: gitleaks_rs::Match<'_>| Secret {
        name: found.rule.id.clone(),
        opens: found.rule.description.clone(),
        line: found.line,
        column: found.column,
        confidence: match found.confidence {
            Sure::Low => Confidence::Low,
            Sure::Medium => Confidence::Medium,
            Sure::High => Confidence::High,
        },
    };
    (found.into_iter().map(secret).collect(), allowed.len() as u64)
}

/// Whether a value holds a token whose form is enough to know it. No comment in it accepts anything.
pub(super) fn holds_token(value: &str) -> bool {
    Scanner::embedded().scan(value.as_bytes()).iter().any(|found| found.confidence == Sure::High)
}

/// Whether content is text: a NUL near its start says that it is not.
pub(super) fn is_text(bytes: &[u8]) -> bool {
    !bytes.iter().take(8192).any(|byte| *byte == 0)
}

/// Whether a file's name says that it holds no text, so that it need not be read.
pub(super) fn is_media(path: &Path) -> bool {
    const ENDS: &[&str] = &[
        "png",
        "jpg",
        "jpeg",
        "gif",
        "webp",
        "ico",
        "bmp",
        "tiff",
        "avif",
        "icns",
        "psd",
        "pdf",
        "mp3",
        "mp4",
        "mov",
        "webm",
        "wav",
        "ogg",
        "flac",
        "avi",
        "woff",
        "woff2",
        "ttf",
        "otf",
        "eot",
        "zip",
        "gz",
        "tgz",
        "bz2",
        "xz",
        "zst",
        "7z",
        "rar",
        "jar",
        "war",
        "class",
        "o",
        "a",
        "so",
        "dylib",
        "dll",
        "exe",
        "wasm",
        "pyc",
        "rlib",
        "rmeta",
        "node",
        "br",
        "lz4",
        "safetensors",
        "gguf",
        "onnx",
        "parquet",
    ];
    let end = path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    end.is_some_and(|end| ENDS.contains(&end.as_str()))
}

/// What kind of file a path in a project names.
pub(super) fn place_of(path: &Path) -> Place {
    match Context::of(path) {
        Context::Source => Place::Source,
        Context::Test => Place::Test,
        Context::Example => Place::Example,
        Context::Docs => Place::Docs,
        Context::LockFile => Place::LockFile,
    }
}

/// Names that are too many to list: the first ones and how many more.
pub(super) fn few(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let listed = names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{listed} and {} more", names.len() - SHOWN) } else { listed }
}

/// `1 file`, `2 files`.
pub(super) fn count(number: u64, thing: &str) -> String {
    if number == 1 { format!("1 {thing}") } else { format!("{number} {thing}s") }
}

/// A size as people say it.
pub(super) fn size(bytes: u64) -> String {
    if bytes >= 1 << 20 { format!("{} MiB", bytes >> 20) } else { format!("{} KiB", bytes >> 10) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_means_no_text() {
        assert!(is_text("ä\n".as_bytes()) && is_text(b"") && !is_text(b"SQLite format 3\0"));
    }
}
