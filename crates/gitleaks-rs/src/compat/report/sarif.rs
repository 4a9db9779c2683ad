//! SARIF 2.1.0 with all rules and the commit of each result among its fingerprints.

use std::collections::HashSet;

use super::json::Writer;
use crate::compat::Finding;

/// A run by rules of these ids and descriptions, with these findings.
pub fn sarif(rules: &[(&str, &str)], findings: &[Finding], redact: u32) -> String {
    let mut out = Writer::new(" ");
    out.object(|out| {
        out.string("$schema", "https://json.schemastore.org/sarif-2.1.0.json");
        out.string("version", "2.1.0");
        out.key("runs");
        out.list(&[()], |out, ()| {
            out.object(|out| {
                out.key("tool");
                tool(out, rules);
                out.key("results");
                out.list(findings, |out, finding| result(out, &finding.redacted(redact)));
            });
        });
    });
    out.text + "\n"
}

fn tool(out: &mut Writer, rules: &[(&str, &str)]) {
    out.object(|out| {
        out.key("driver");
        out.object(|out| {
            out.string("name", "gitleaks");
            out.string("semanticVersion", "v8.0.0");
            out.string("informationUri", "https://github.com/gitleaks/gitleaks");
            out.key("rules");
            let mut seen = HashSet::new();
            let once: Vec<_> = rules.iter().filter(|(id, _)| seen.insert(*id)).collect();
            out.list(&once, |out, (id, description)| {
                out.object(|out| {
                    out.string("id", id);
                    out.key("shortDescription");
                    out.object(|out| out.string("text", description));
                });
            });
        });
    });
}

fn result(out: &mut Writer, finding: &Finding) {
    let at = if finding.commit.is_empty() { String::new() } else { format!(" at commit {}", finding.commit) };
    let message = format!("{} has detected secret for file {}{at}.", finding.rule_id, finding.file);
    out.object(|out| {
        out.key("message");
        out.object(|out| out.string("text", &message));
        out.string("ruleId", &finding.rule_id);
        out.key("locations");
        out.list(&[()], |out, ()| out.object(|out| location(out, finding)));
        out.key("partialFingerprints");
        out.object(|out| {
            out.string("commitSha", &finding.commit);
            out.string("email", &finding.email);
            out.string("author", &finding.author);
            out.string("date", &finding.date);
            out.string("commitMessage", &finding.message);
        });
        out.key("properties");
        out.object(|out| out.strings("tags", &finding.tags));
    });
}

fn location(out: &mut Writer, finding: &Finding) {
    let file = if finding.symlink_file.is_empty() { &finding.file } else { &finding.symlink_file };
    out.key("physicalLocation");
    out.object(|out| {
        out.key("artifactLocation");
        out.object(|out| out.string("uri", file));
        out.key("region");
        out.object(|out| {
            out.number("startLine", finding.start_line);
            out.number("startColumn", finding.start_column);
            out.number("endLine", finding.end_line);
            out.number("endColumn", finding.end_column);
            out.key("snippet");
            out.object(|out| out.bytes("text", finding.secret.expose()));
        });
    });
}
