//! A secret that was found, as it may be told of: where it is and what kind, never what it says.

use std::collections::HashMap;
use std::path::Path;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::context::Context;
use crate::rule::{Confidence, Rule};
use crate::scanner::Match;
use crate::views::Encoding;

/// A secret in a file or commit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule that found it.
    pub rule: String,
    /// What such a token opens.
    pub description: String,
    /// The file, as it was named or from the folder that was scanned; a part of an archive behind a `!`.
    pub path: String,
    /// Its first line, from 1. 0 where the file's name is the finding.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
    /// The line of its last byte.
    pub end_line: u32,
    /// Its first byte in the file, from 0.
    pub offset: u64,
    /// Its bytes as they are written.
    pub length: u64,
    /// Bits per byte.
    pub entropy: f32,
    /// How sure it is a secret.
    pub confidence: Confidence,
    /// How it is written, from the outside in; empty for plain.
    pub encodings: Vec<Encoding>,
    /// The kind of file.
    pub context: Context,
    /// Where in a database it is.
    pub place: Option<String>,
    /// The commit that added it.
    pub commit: Option<Commit>,
    /// The start of a keyed hash of the secret: equal for equal secrets, of no use without the key.
    pub hash: String,
    /// `path:rule:line`, a commit before it in a history, as a `.gitleaksignore` names it.
    pub fingerprint: String,
    /// Names it as long as its file and what stands before it on its line stay the same: for baselines.
    pub stable: String,
    /// Where to revoke or renew it.
    pub rotate: Option<String>,
    /// Whether its line says `gitleaks:allow`.
    pub allowed: bool,
    /// Other scanners that report it too, and what they know of it.
    pub also: Vec<String>,
}

/// What is told of a commit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// Its id, in hexadecimal digits.
    pub id: String,
    /// Who wrote it.
    pub author: String,
    /// And under which address.
    pub email: String,
    /// When, in RFC 3339.
    pub date: String,
    /// Its first line.
    pub subject: String,
}

impl Finding {
    /// The same in a file that goes by another path, as one that was named from a folder does from everywhere.
    #[must_use]
    pub fn renamed(self, path: String) -> Self {
        let (shape, count) = self.stable.rsplit_once('-').unwrap_or((&self.stable, "1"));
        let moved: [u8; 32] = Sha256::digest(format!("{shape}\0{path}")).into();
        let stable = format!("{}-{count}", hex(&first(&moved)));
        let commit = self.commit.as_ref().map(|commit| format!("{}:", commit.id)).unwrap_or_default();
        let fingerprint = format!("{commit}{path}:{}:{}", self.rule, self.line);
        Self { path, stable, fingerprint, ..self }
    }

    /// The column of its last byte; 0 where it stands on several lines.
    pub fn end_column(&self) -> u32 {
        let width = u32::try_from(self.length).unwrap_or(u32::MAX);
        let on_one_line = self.line > 0 && self.end_line == self.line;
        if on_one_line { self.column.saturating_add(width).saturating_sub(1) } else { 0 }
    }
}

impl From<&Finding> for crate::compat::Finding {
    /// With Gitleaks' fields, for its reports. The secret is left out.
    fn from(finding: &Finding) -> Self {
        let commit = finding.commit.clone().unwrap_or_default();
        Self {
            rule_id: finding.rule.clone(),
            description: finding.description.clone(),
            start_line: finding.line.into(),
            end_line: finding.end_line.into(),
            start_column: finding.column.into(),
            end_column: finding.end_column().into(),
            file: finding.path.clone(),
            commit: commit.id,
            entropy: finding.entropy,
            author: commit.author,
            email: commit.email,
            date: commit.date,
            message: commit.subject,
            tags: finding.encodings.iter().map(|encoding| format!("decoded:{}", encoding.name())).collect(),
            fingerprint: finding.fingerprint.clone(),
            ..Self::default()
        }
    }
}

/// Makes hashes that only its holder can compare.
#[derive(Clone)]
pub struct Key([u8; 32]);

impl Key {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The start of a keyed hash of a secret, as [`Finding::hash`] holds it.
    pub fn mark(&self, secret: &[u8]) -> String {
        hex(&first(&self.hash(secret)))
    }

    /// A keyed hash of some bytes.
    pub(crate) fn hash(&self, bytes: &[u8]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("any length will do");
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[key]")
    }
}

/// Turns the matches of one file into findings.
pub(crate) fn findings(matches: &[Match<'_>], path: &str, key: &Key) -> Vec<Finding> {
    let context = Context::of(Path::new(path));
    let mut seen: HashMap<[u8; 8], u32> = HashMap::new();
    let finding = |one: &Match<'_>| {
        let rule = one.rule;
        let mut hash = Sha256::new();
        for part in [rule.id.as_bytes(), path.as_bytes(), &one.lead] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let shape = first(&hash.finalize().into());
        let count = seen.entry(shape).or_default();
        *count += 1;
        Finding {
            rule: rule.id.clone(),
            description: rule.description.clone(),
            path: path.to_owned(),
            line: one.line,
            column: one.column,
            end_line: one.end_line,
            offset: one.start as u64,
            length: (one.end - one.start) as u64,
            entropy: one.entropy,
            confidence: one.confidence,
            encodings: one.encodings.clone(),
            context,
            place: None,
            commit: None,
            hash: key.mark(one.secret.expose()),
            fingerprint: format!("{path}:{}:{}", rule.id, one.line),
            stable: format!("{}-{count}", hex(&shape)),
            rotate: rule.rotate.clone(),
            allowed: one.allowed,
            also: Vec::new(),
        }
    };
    matches.iter().map(finding).collect()
}

/// A finding that a file's name is.
pub(crate) fn of_name(rule: &Rule, path: &str) -> Finding {
    let hash: [u8; 32] = Sha256::digest(format!("{}\0{path}", rule.id)).into();
    Finding {
        rule: rule.id.clone(),
        description: rule.description.clone(),
        path: path.to_owned(),
        line: 0,
        column: 0,
        end_line: 0,
        offset: 0,
        length: 0,
        entropy: 0.0,
        confidence: rule.confidence,
        encodings: Vec::new(),
        context: Context::of(Path::new(path)),
        place: None,
        commit: None,
        hash: String::new(),
        fingerprint: format!("{path}:{}:0", rule.id),
        stable: format!("{}-1", hex(&first(&hash))),
        rotate: rule.rotate.clone(),
        allowed: false,
        also: Vec::new(),
    }
}

fn first(hash: &[u8; 32]) -> [u8; 8] {
    *hash.first_chunk().expect("32 bytes hold eight")
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Scanner;

    fn found(text: &str, key: u8) -> Vec<Finding> {
        findings(&Scanner::embedded().scan(text.as_bytes()), "a/.env", &Key::new([key; 32]))
    }

    #[test]
    fn repeats_are_told_by_their_hash_and_names_survive_moves() {
        let token = |end: &str| format!("ghp_{}{end}", "k3Jd8sQwZ1xV7bN4mLpR6tYhG2fCa9eU");
        let (one, two) = (token("oi5T"), token("oi5U"));
        let before = found(&format!("A={one}\nB={two}\nB={one}\n"), 1);
        let after = found(&format!("# moved\n\nA={one}\nB={two}\nB={one}\n"), 1);
        assert_eq!(before.len(), 3);
        assert_eq!(before[0].hash, before[2].hash);
        assert_ne!(before[0].hash, before[1].hash);
        assert_ne!(before[0].hash, found(&format!("A={one}"), 2)[0].hash, "another key");
        let names = |all: &[Finding]| all.iter().map(|one| one.stable.clone()).collect::<Vec<_>>();
        assert_eq!(names(&before), names(&after));
        assert_eq!(before[1].fingerprint, "a/.env:github-pat:2");
        let told = format!("{before:?}{}", serde_json::to_string(&before).expect("it is data"));
        assert!(!told.contains("k3Jd8s"));
    }
}
