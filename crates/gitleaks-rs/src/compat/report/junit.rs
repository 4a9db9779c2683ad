//! JUnit as Go's encoder writes it: each finding is a test that failed.

use super::json::one;
use crate::compat::Finding;

/// One suite with a case for each finding.
pub fn junit(findings: &[Finding], redact: u32) -> String {
    let count = findings.len();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    out += &format!("\t<testsuite failures=\"{count}\" name=\"gitleaks\" tests=\"{count}\" time=\"\">");
    for finding in findings {
        let finding = finding.redacted(redact);
        let (description, file, message) = (escaped(&finding.description), escaped(&finding.file), message(&finding));
        out += &format!("\n\t\t<testcase classname=\"{description}\" file=\"{file}\" name=\"{message}\" time=\"\">");
        out += &format!(
            "\n\t\t\t<failure message=\"{message}\" type=\"{description}\">{}</failure>",
            escaped(&one(&finding))
        );
        out += "\n\t\t</testcase>";
    }
    if count > 0 {
        out += "\n\t";
    }
    out + "</testsuite>\n</testsuites>"
}

fn message(finding: &Finding) -> String {
    let (rule, file, line) = (&finding.rule_id, &finding.file, finding.start_line);
    let commit = if finding.commit.is_empty() { String::new() } else { format!(", at commit {}", finding.commit) };
    escaped(&format!("{rule} has detected a secret in file {file}, line {line}{commit}."))
}

/// What XML would take for something else, and what it cannot hold at all.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            other => out.push(other),
        }
    }
    out
}
