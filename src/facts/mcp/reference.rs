//! References in values: text that says where the value is. They hold names and paths, no secret.

use schemars::JsonSchema;
use serde::Serialize;

/// Longest reference; what is longer is none.
const REFERENCE_LIMIT: usize = 512;

/// Where a reference is resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// `{env:NAME}`: the environment, in OpenCode's words.
    Env,
    /// `{file:path}`: a file, in OpenCode's words.
    File,
    /// `${NAME}`, `${env:NAME}`, `$NAME`: the environment, in other agents' words.
    Variable,
    /// Asked of the person: `${input:key}`.
    Prompt,
    /// `$(command)`.
    Command,
    /// A secret store: `op://vault/item`.
    Store,
}

/// A reference in a value. It holds names and paths, no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Reference {
    /// As written: `{env:KEY}`.
    pub text: String,
    /// Where it is resolved.
    pub source: Source,
}

/// Splits off `{env:…}` and its relatives: what is left, what they were, and their defaults.
pub(super) fn take_references(value: &str) -> (String, Vec<Reference>, Vec<&str>) {
    let mut rest = String::new();
    let mut defaults = Vec::new();
    let mut found = Vec::new();
    let mut at = 0;
    while at < value.len() {
        match reference_at(&value[at..]) {
            Some((length, source, default)) => {
                let text = if default.is_some() {
                    shortened(&value[at..at + length])
                } else {
                    value[at..at + length].to_owned()
                };
                found.push(Reference { text, source });
                defaults.extend(default);
                rest.push(' ');
                at += length;
            }
            None => {
                let next = value[at..].chars().next().map_or(1, char::len_utf8);
                rest.push_str(&value[at..at + next]);
                at += next;
            }
        }
    }
    (rest, found, defaults)
}

/// `${NAME:-default}` without its default.
fn shortened(text: &str) -> String {
    text.split(":-").next().map_or_else(|| text.to_owned(), |name| format!("{name}}}"))
}

/// The reference at the start of `text`: its length, its kind, its default.
fn reference_at(text: &str) -> Option<(usize, Source, Option<&str>)> {
    if !text.starts_with(['{', '$', '%', 'o', 'k', 'v', 's', 'p', 'd', 'b']) {
        return None;
    }
    let text = start(text, REFERENCE_LIMIT);
    let braced = |start: &str, source| {
        let body = text.strip_prefix(start)?;
        let end = body.find('}').filter(|end| *end > 0)?;
        Some((start.len() + end + 1, source, None))
    };
    if let Some(found) = braced("{env:", Source::Env).or_else(|| braced("{file:", Source::File)) {
        return Some(found);
    }
    if let Some(found) = braced("${input:", Source::Prompt).or_else(|| braced("${env:", Source::Variable)) {
        return Some(found);
    }
    if let Some(found) = braced("{{", Source::Variable) {
        return Some((found.0 + usize::from(text[found.0..].starts_with('}')), found.1, None));
    }
    if let Some(body) = text.strip_prefix("${") {
        let end = closing(body).filter(|end| *end > 0)?;
        let (name, default) = match body[..end].split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (&body[..end], None),
        };
        return is_name(name).then_some((end + 3, Source::Variable, default));
    }
    if text.starts_with("$(") {
        let end = text.find(')')?;
        return Some((end + 1, Source::Command, None));
    }
    if let Some(body) = text.strip_prefix('$') {
        let end = body.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(body.len());
        return is_name(&body[..end]).then_some((end + 1, Source::Variable, None));
    }
    if let Some(body) = text.strip_prefix('%') {
        let end = body.find('%')?;
        return (end > 2 && is_name(&body[..end])).then_some((end + 2, Source::Variable, None));
    }
    let stores = ["op://", "keychain:", "keyring:", "vault:", "vault://", "secret://", "pass:", "doppler://", "bws://"];
    let store = stores.iter().find(|store| text.starts_with(**store))?;
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (end > store.len()).then_some((end, Source::Store, None))
}

/// The brace that closes one that is open, others in between.
fn closing(body: &str) -> Option<usize> {
    let mut open = 1usize;
    for (at, c) in body.char_indices() {
        match c {
            '{' => open += 1,
            '}' if open == 1 => return Some(at),
            '}' => open -= 1,
            _ => {}
        }
    }
    None
}

fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.:".contains(&byte))
}

/// The first `limit` bytes, or a little less.
pub(super) fn start(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    text.get(..end.unwrap_or(0)).unwrap_or("")
}
