//! CSV as Go's writer writes it.

use crate::compat::Finding;
use crate::compat::finding::text_of;

const COLUMNS: [&str; 16] = [
    "RuleID",
    "Commit",
    "File",
    "SymlinkFile",
    "Secret",
    "Match",
    "StartLine",
    "EndLine",
    "StartColumn",
    "EndColumn",
    "Author",
    "Message",
    "Date",
    "Email",
    "Fingerprint",
    "Tags",
];

/// A line of names and a line for each finding; nothing at all without findings.
pub fn csv(findings: &[Finding], redact: u32) -> String {
    let Some(first) = findings.first() else { return String::new() };
    let links = !first.link.is_empty();
    let mut out = String::new();
    row(&mut out, COLUMNS.into_iter().chain(links.then_some("Link")));
    for finding in findings {
        let finding = finding.redacted(redact);
        let (secret, matched) = (text_of(finding.secret.expose()), text_of(finding.matched.expose()));
        let numbers = [finding.start_line, finding.end_line, finding.start_column, finding.end_column];
        let [start_line, end_line, start_column, end_column] = numbers.map(|number| number.to_string());
        let tags = finding.tags.join(" ");
        let fields = [
            &finding.rule_id,
            &finding.commit,
            &finding.file,
            &finding.symlink_file,
            &secret,
            &matched,
            &start_line,
            &end_line,
            &start_column,
            &end_column,
            &finding.author,
            &finding.message,
            &finding.date,
            &finding.email,
            &finding.fingerprint,
            &tags,
        ];
        row(&mut out, fields.into_iter().map(String::as_str).chain(links.then_some(finding.link.as_str())));
    }
    out
}

fn row<'f>(out: &mut String, fields: impl Iterator<Item = &'f str>) {
    for (at, field) in fields.enumerate() {
        if at > 0 {
            out.push(',');
        }
        if needs_quotes(field) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    out.push('\n');
}

fn needs_quotes(field: &str) -> bool {
    // `\.` alone ends the input of some databases.
    field == "\\." || field.contains([',', '"', '\r', '\n']) || field.starts_with(char::is_whitespace)
}
