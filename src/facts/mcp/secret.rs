//! What kind of value stands in a header, a variable, an argument or an address: a secret in plain text, a reference
//! to one, a placeholder, or nothing of the kind. Values come in and never go out.
//!
//! Names and shapes decide here; formats of tokens are the scanner's.

use schemars::JsonSchema;
use serde::Serialize;

use super::address;
use super::reference::{Reference, start, take_references};
use crate::facts::secret_names;
use crate::facts::secrets::holds_token;

/// The kind of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Nothing to hide.
    Plain,
    /// Text that stands for a value to be filled in: `YOUR_API_KEY`.
    Placeholder,
    /// It names where the value is: `{env:KEY}`.
    Reference,
    /// The secret itself.
    Secret,
}

/// The kind of a value with the references in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Classified {
    pub(super) class: Class,
    pub(super) references: Vec<Reference>,
}

/// Longest value that is looked at.
const VALUE_LIMIT: usize = 64 << 10;

/// How deep defaults may stand in defaults: `${A:-${B:-c}}`.
const DEFAULT_DEPTH: usize = 8;

/// Judges `value`, which stands under `name` (empty where it has none).
pub(super) fn classify(name: &str, value: &str) -> Classified {
    let (rest, mut references, mut defaults) = take_references(start(value, VALUE_LIMIT));
    let mut class = judge(name, rest.trim(), !references.is_empty());
    // A default is a value like any other, and may hold references again.
    for _ in 0..DEFAULT_DEPTH {
        let mut inner = Vec::new();
        for default in std::mem::take(&mut defaults) {
            let (rest, more, deeper) = take_references(default);
            if judge(name, rest.trim(), !more.is_empty()) == Class::Secret {
                class = Class::Secret;
            }
            references.extend(more);
            inner.extend(deeper);
        }
        defaults = inner;
    }
    Classified { class, references }
}

fn judge(name: &str, rest: &str, has_reference: bool) -> Class {
    let credential = without_scheme(rest);
    let left = if has_reference { Class::Reference } else { Class::Plain };
    // Only a password may be that short.
    let short = credential.chars().filter(|c| c.is_alphanumeric()).count() < 4;
    if short && (has_reference || !secret_names::is_password(name)) {
        return left;
    }
    if has_password_in_address(rest) {
        return Class::Secret;
    }
    if is_placeholder(credential) {
        return if has_reference { Class::Reference } else { Class::Placeholder };
    }
    if is_token(credential) {
        return Class::Secret;
    }
    // `prefix-{env:X}`: the reference is what matters.
    if has_reference || is_setting(credential) {
        return left;
    }
    let bare = credential.len() != rest.len() && rest.len() >= 12;
    let is_secret = if secret_names::is_password(name) {
        !credential.is_empty()
    } else if secret_names::may_be_secret(name) || bare {
        credential.len() >= 8 && !credential.contains(' ')
    } else {
        is_random(credential)
    };
    if is_secret { Class::Secret } else { Class::Plain }
}

/// `Bearer x`, `Basic x`, `token x` without the word before it.
fn without_scheme(value: &str) -> &str {
    let Some((scheme, rest)) = value.split_once(' ') else { return value };
    let known = ["bearer", "basic", "token", "apikey", "api-key", "key", "digest"];
    if known.contains(&scheme.trim_end_matches(':').to_ascii_lowercase().as_str()) { rest.trim() } else { value }
}

/// Text that waits to be replaced.
pub(super) fn is_placeholder(value: &str) -> bool {
    let text = value.trim().trim_matches(['"', '\'']).to_lowercase();
    let inner = text.trim_matches(['<', '>', '[', ']', '(', ')', '{', '}', '*', '.', '…', '_', '-', ' ']);
    if inner.is_empty() || (inner.len() < text.len() && text.starts_with(['<', '[']) && text.ends_with(['>', ']'])) {
        return true;
    }
    let words = [
        "your",
        "xxxx",
        "changeme",
        "change_me",
        "change-me",
        "replace",
        "example",
        "placeholder",
        "dummy",
        "redacted",
        "insert",
        "todo",
        "fixme",
        "fill_in",
        "fill-in",
        "enter_",
        "put_your",
        "-here",
        "_here",
        "my_api",
        "my-api",
        "mykey",
        "my-key",
        "my_key",
        "my-token",
        "my_token",
        "api_key",
        "api-key",
        "apikey",
        "access_token",
        "not-needed",
        "not_needed",
        "fake",
        "sample",
        "...",
        "…",
        "***",
        "12345678",
        "abcdefgh",
        "goes_here",
        "none",
        "undefined",
    ];
    let weak = [
        "password",
        "passwd",
        "pass",
        "postgres",
        "root",
        "admin",
        "test",
        "guest",
        "secret",
        "token",
        "user",
        "key",
        "development",
        "local",
        "localhost",
        "demo",
        "null",
        "pat",
    ];
    let first = text.chars().next();
    words.iter().any(|word| text.contains(word))
        || weak.contains(&inner)
        || text.chars().all(|c| Some(c) == first)
        || text.starts_with("test-")
        || text.starts_with("test_")
}

/// Whether the value has the form of a provider's token or a private key.
pub(super) fn is_token(value: &str) -> bool {
    holds_token(value) || value.contains("PRIVATE KEY-----")
}

/// `postgres://user:password@host/db`.
fn has_password_in_address(value: &str) -> bool {
    value.split_whitespace().any(|word| {
        let start = word.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(0);
        let word = &word[start..];
        let userinfo = address::parse(word).and_then(|address| address.userinfo);
        let Some((user, password)) = userinfo.as_deref().and_then(|text| text.split_once(':')) else { return false };
        let references = !take_references(password).1.is_empty();
        !references && !password.trim().is_empty() && !is_placeholder(password) && user != password
    })
}

/// Values of settings: numbers, switches, paths, addresses, lists of words.
fn is_setting(value: &str) -> bool {
    let switch = matches!(value.to_ascii_lowercase().as_str(), "true" | "false" | "yes" | "no" | "on" | "off" | "none");
    let path = value.starts_with(['/', '~', '.']) && value.contains('/') && !value.contains('=')
        || value.contains(":\\")
        || value.contains(":/");
    switch || path || value.parse::<f64>().is_ok() && value.len() < 8
}

/// Letters and digits without an order that words have.
fn is_random(value: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte);
    if value.len() < 32 || value.len() > 512 || !value.bytes().all(plain) || is_uuid(value) {
        return false;
    }
    let count = |test: fn(&u8) -> bool| value.bytes().filter(test).count();
    let (digits, letters) = (count(u8::is_ascii_digit), count(u8::is_ascii_alphabetic));
    let slashes = value.bytes().filter(|byte| *byte == b'/').count();
    digits >= 4 && letters >= 4 && slashes <= value.len() / 16 && entropy(value) > 3.3
}

fn is_uuid(value: &str) -> bool {
    value.split('-').map(str::len).eq([8, 4, 4, 4, 12])
}

/// Bits per character.
fn entropy(value: &str) -> f64 {
    let mut counts = [0u32; 256];
    value.bytes().for_each(|byte| counts[usize::from(byte)] += 1);
    let all = value.len() as f64;
    counts.iter().filter(|count| **count > 0).map(|count| f64::from(*count) / all).map(|p| -p * p.log2()).sum()
}

#[cfg(test)]
mod tests;
