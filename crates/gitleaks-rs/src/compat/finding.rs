//! What Gitleaks reports of a secret, in Gitleaks' numbers.

use crate::Secret;

/// A finding with Gitleaks' fields and Gitleaks' numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// Its rule.
    pub rule_id: String,
    /// What the rule says of it.
    pub description: String,
    /// The line of the match's first byte.
    pub start_line: i64,
    /// The line of the match's last byte.
    pub end_line: i64,
    /// The column of the first byte: from 1 on the first line of a fragment, from 2 on all others.
    pub start_column: i64,
    /// The column of the last byte, counted likewise.
    pub end_column: i64,
    /// The line or lines around it; in no report.
    pub line: Secret,
    /// All that the rule matched.
    pub matched: Secret,
    /// The secret in it.
    pub secret: Secret,
    /// The file.
    pub file: String,
    /// The link that led to the file.
    pub symlink_file: String,
    /// The commit that added it.
    pub commit: String,
    /// Where to see it on the web.
    pub link: String,
    /// The entropy of the secret.
    pub entropy: f32,
    /// Who wrote the commit.
    pub author: String,
    /// And under which address.
    pub email: String,
    /// And when, in RFC 3339.
    pub date: String,
    /// And what it says.
    pub message: String,
    /// Labels of the rule, and how the text was decoded.
    pub tags: Vec<String>,
    /// What names it in a `.gitleaksignore`.
    pub fingerprint: String,
}

impl Finding {
    /// Without the text around the secret, which may hold another one. What remains is hidden by a report.
    pub fn without_text(mut self) -> Self {
        self.line = Secret::default();
        self.matched = self.secret.clone();
        self
    }

    /// As `--redact=PERCENT` shows it: all of it from 100, nothing at 0.
    pub fn redacted(&self, percent: u32) -> Self {
        if percent == 0 {
            return self.clone();
        }
        let secret = self.secret.expose();
        let shown = if percent >= 100 { b"REDACTED".to_vec() } else { masked(secret, percent) };
        Self {
            line: Secret::new(replace_all(self.line.expose(), secret, &shown)),
            matched: Secret::new(replace_all(self.matched.expose(), secret, &shown)),
            secret: Secret::new(shown),
            ..self.clone()
        }
    }
}

/// The start of a secret, and three dots.
fn masked(secret: &[u8], percent: u32) -> Vec<u8> {
    if secret.is_empty() {
        return Vec::new();
    }
    let keep = (secret.len() as f64 * f64::from(100 - percent) / 100.0).round_ties_even() as usize;
    let mut shown = secret[..keep.min(secret.len())].to_vec();
    shown.extend_from_slice(b"...");
    shown
}

/// Go's `strings.ReplaceAll`, which puts the new text around every letter where the old one is empty.
fn replace_all(text: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    if old.is_empty() {
        out.extend_from_slice(new);
        for chunk in text.utf8_chunks() {
            for letter in chunk.valid().chars() {
                out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
                out.extend_from_slice(new);
            }
            for byte in chunk.invalid() {
                out.push(*byte);
                out.extend_from_slice(new);
            }
        }
        return out;
    }
    let mut from = 0;
    for at in memchr::memmem::find_iter(text, old) {
        out.extend_from_slice(&text[from..at]);
        out.extend_from_slice(new);
        from = at + old.len();
    }
    out.extend_from_slice(&text[from..]);
    out
}

/// Text as Go writes bytes that should be text: each stray byte is one U+FFFD.
pub(super) fn text_of(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|_| text.push(char::REPLACEMENT_CHARACTER));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(matched: &str, secret: &str) -> Finding {
        Finding {
            matched: Secret::new(matched.as_bytes()),
            secret: Secret::new(secret.as_bytes()),
            ..Finding::default()
        }
    }

    #[test]
    fn a_secret_is_never_in_debug() {
        assert!(!format!("{:?}", finding("key=hunter2", "hunter2")).contains("hunter"));
    }

    #[test]
    fn redaction_keeps_as_much_as_gitleaks_keeps() {
        for (percent, matched, secret) in [
            (100, "key=REDACTED", "REDACTED"),
            (250, "key=REDACTED", "REDACTED"),
            (80, "key=se...", "se..."),
            (50, "key=secr...", "secr..."),
            // Half a byte goes to the even neighbour.
            (95, "key=...", "..."),
            (0, "key=secret789", "secret789"),
        ] {
            let secret_in = if percent == 50 { "secret78" } else { "secret789" };
            let shown = finding(&format!("key={secret_in}"), secret_in).redacted(percent);
            assert_eq!((shown.matched.expose(), shown.secret.expose()), (matched.as_bytes(), secret.as_bytes()));
        }
        assert_eq!(finding("ab", "").redacted(100).matched.expose(), b"REDACTEDaREDACTEDbREDACTED");
    }
}
