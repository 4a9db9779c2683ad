//! JSON as Go's encoder writes it.

use std::fmt::Write as _;

use crate::compat::Finding;

/// A list of findings, indented by one space.
pub fn json(findings: &[Finding], redact: u32) -> String {
    let mut out = Writer::new(" ");
    out.list(findings, |out, finding| object(out, &finding.redacted(redact)));
    out.text.push('\n');
    out.text
}

/// One finding, indented by tabs, for JUnit.
pub(super) fn one(finding: &Finding) -> String {
    let mut out = Writer::new("\t");
    object(&mut out, finding);
    out.text
}

fn object(out: &mut Writer, finding: &Finding) {
    out.object(|out| {
        out.string("RuleID", &finding.rule_id);
        out.string("Description", &finding.description);
        out.number("StartLine", finding.start_line);
        out.number("EndLine", finding.end_line);
        out.number("StartColumn", finding.start_column);
        out.number("EndColumn", finding.end_column);
        out.bytes("Match", finding.matched.expose());
        out.bytes("Secret", finding.secret.expose());
        out.string("File", &finding.file);
        out.string("SymlinkFile", &finding.symlink_file);
        out.string("Commit", &finding.commit);
        if !finding.link.is_empty() {
            out.string("Link", &finding.link);
        }
        out.key("Entropy");
        out.text += &float(finding.entropy);
        out.string("Author", &finding.author);
        out.string("Email", &finding.email);
        out.string("Date", &finding.date);
        out.string("Message", &finding.message);
        out.strings("Tags", &finding.tags);
        out.string("Fingerprint", &finding.fingerprint);
    });
}

/// The shortest digits that are this number; very small ones with an exponent.
fn float(number: f32) -> String {
    if number != 0.0 && number.abs() < 1e-6 { format!("{number:e}") } else { number.to_string() }
}

/// Values with Go's escapes and indentation.
pub(super) struct Writer {
    pub(super) text: String,
    indent: &'static str,
    depth: usize,
    /// Whether nothing stands in the innermost object or list yet.
    empty: bool,
}

impl Writer {
    pub(super) fn new(indent: &'static str) -> Self {
        Self { text: String::new(), indent, depth: 0, empty: true }
    }

    fn next(&mut self) {
        if !self.empty {
            self.text.push(',');
        }
        self.empty = false;
        self.line();
    }

    fn line(&mut self) {
        self.text.push('\n');
        (0..self.depth).for_each(|_| self.text.push_str(self.indent));
    }

    fn within(&mut self, open: char, close: char, inner: impl FnOnce(&mut Self)) {
        self.text.push(open);
        self.depth += 1;
        let outer = std::mem::replace(&mut self.empty, true);
        inner(self);
        self.depth -= 1;
        if !std::mem::replace(&mut self.empty, outer) {
            self.line();
        }
        self.text.push(close);
    }

    pub(super) fn object(&mut self, inner: impl FnOnce(&mut Self)) {
        self.within('{', '}', inner);
    }

    pub(super) fn list<T>(&mut self, items: &[T], mut each: impl FnMut(&mut Self, &T)) {
        self.within('[', ']', |out| {
            for item in items {
                out.next();
                each(out, item);
            }
        });
    }

    pub(super) fn key(&mut self, key: &str) {
        self.next();
        self.quoted(key);
        self.text.push_str(": ");
    }

    pub(super) fn string(&mut self, key: &str, value: &str) {
        self.key(key);
        self.quoted(value);
    }

    pub(super) fn strings(&mut self, key: &str, values: &[String]) {
        self.key(key);
        self.list(values, |out, value| out.quoted(value));
    }

    pub(super) fn number(&mut self, key: &str, value: i64) {
        self.key(key);
        self.text += &value.to_string();
    }

    /// What may not be text: Go writes an escape for each stray byte, but not for a U+FFFD that was there.
    pub(super) fn bytes(&mut self, key: &str, value: &[u8]) {
        self.key(key);
        self.text.push('"');
        for chunk in value.utf8_chunks() {
            self.escaped(chunk.valid());
            chunk.invalid().iter().for_each(|_| self.text.push_str("\\ufffd"));
        }
        self.text.push('"');
    }

    fn quoted(&mut self, value: &str) {
        self.text.push('"');
        self.escaped(value);
        self.text.push('"');
    }

    fn escaped(&mut self, value: &str) {
        for letter in value.chars() {
            match letter {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\x08' => self.text.push_str("\\b"),
                '\x0c' => self.text.push_str("\\f"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                // What a browser or JavaScript would take for something else.
                '\0'..='\x1f' | '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                    let _ = write!(self.text, "\\u{:04x}", u32::from(letter));
                }
                other => self.text.push(other),
            }
        }
    }
}
