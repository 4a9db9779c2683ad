//! `harden scan --import`: what other scanners have found, beside what this one finds. Their reports hold secrets; here
//! they become hashes at once.

use std::path::Path;

use gitleaks_rs::{Confidence, Context, Finding, Key};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::report::{Leaks, Standing};

/// A finding of another scanner.
#[derive(Debug, PartialEq)]
pub(super) struct Opinion {
    tool: &'static str,
    rule: String,
    path: String,
    line: u32,
    column: u32,
    commit: Option<String>,
    /// The keyed hash of the secret, where the report shows it.
    hash: Option<String>,
    /// Whether the scanner has used the secret and it worked.
    live: bool,
}

/// The findings of a report, which is one JSON value or one on each line.
pub(super) fn opinions(text: &str, key: &Key) -> Result<Vec<Opinion>, String> {
    let mut all = Vec::new();
    let mut known = text.trim().is_empty();
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let value = value.map_err(|error| match error.classify() {
            serde_json::error::Category::Io | serde_json::error::Category::Eof => "it ends too early".to_owned(),
            // The error's own words may quote the text.
            _ => format!("line {} is no JSON", error.line()),
        })?;
        let list = match &value {
            Value::Array(list) => list.as_slice(),
            Value::Object(_) => {
                value.get("findings").and_then(Value::as_array).map_or(std::slice::from_ref(&value), Vec::as_slice)
            }
            _ => return Err("it holds something else than findings".to_owned()),
        };
        known |= list.is_empty();
        for one in list {
            match opinion(one, key) {
                Some(opinion) => all.push(opinion),
                // Summaries stand between and behind findings.
                None if one.get("audit").is_some() || one.get("findings").is_some() => {}
                None => return Err("a finding in it has no file that could be read".to_owned()),
            }
            known = true;
        }
    }
    if known { Ok(all) } else { Err("it holds no findings".to_owned()) }
}

fn opinion(one: &Value, key: &Key) -> Option<Opinion> {
    let text =
        |path: &str| one.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    let number =
        |path: &str| one.pointer(path).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
    let hash = |path: &str| {
        let secret = text(path).filter(|secret| !secret.starts_with("REDACTED") && !secret.ends_with("..."))?;
        Some(key.mark(secret.as_bytes()))
    };
    if let Some(rule) = text("/RuleID") {
        return Some(Opinion {
            tool: "gitleaks",
            rule,
            path: text("/File")?,
            line: number("/StartLine"),
            column: 0,
            commit: text("/Commit"),
            hash: hash("/Secret"),
            live: false,
        });
    }
    if let Some(rule) = text("/DetectorName") {
        let data = one.pointer("/SourceMetadata/Data")?.as_object()?;
        let source = data.values().find(|source| source.get("file").is_some())?;
        let source_text = |name: &str| source.get(name).and_then(Value::as_str).map(str::to_owned);
        return Some(Opinion {
            tool: "trufflehog",
            rule,
            path: source_text("file")?,
            line: source.get("line").and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(0),
            column: 0,
            commit: source_text("commit"),
            hash: hash("/Raw"),
            live: one.get("Verified").and_then(Value::as_bool).unwrap_or(false),
        });
    }
    let path = text("/finding/git_metadata/file/path").or_else(|| text("/finding/path"))?;
    Some(Opinion {
        tool: "kingfisher",
        rule: text("/rule/id")?,
        path,
        line: number("/finding/line"),
        column: number("/finding/column_start"),
        commit: text("/finding/git_metadata/commit/id"),
        hash: hash("/finding/snippet"),
        live: text("/finding/validation/status").is_some_and(|status| status == "Active Credential"),
    })
}

/// Marks what another scanner finds too, and adds what it finds alone.
pub(super) fn merge(leaks: &mut Leaks, report: &Path, opinions: &[Opinion]) {
    for opinion in opinions {
        let said = if opinion.live { format!("{}: live", opinion.tool) } else { opinion.tool.to_owned() };
        match leaks.findings.iter_mut().find(|(finding, _)| opinion.means(finding)) {
            Some((finding, _)) => {
                if !finding.also.contains(&said) {
                    finding.also.push(said);
                }
                if opinion.live {
                    finding.confidence = Confidence::High;
                }
            }
            None => leaks.findings.push((opinion.finding(report, said), Standing::Open)),
        }
    }
}

impl Opinion {
    /// Whether a finding is the same secret at the same place: by its hash where it is known, else by its line.
    fn means(&self, finding: &Finding) -> bool {
        let commit = finding.commit.as_ref().map(|commit| commit.id.as_str());
        if !same_file(&self.path, &finding.path) || self.commit.as_deref() != commit {
            return false;
        }
        let near = self.line.abs_diff(finding.line) <= 1;
        match &self.hash {
            Some(hash) if *hash == finding.hash => true,
            // Another cut of the same secret, or another rule of this scanner at the same place.
            Some(_) => near && (self.rule == finding.rule || finding.line == self.line),
            None => near && finding.line == self.line,
        }
    }

    fn finding(&self, report: &Path, said: String) -> Finding {
        let digest = Sha256::digest(format!("{}\0{}\0{}\0{}", self.tool, self.rule, self.path, self.line));
        let stable: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        let path = self.path.strip_prefix("./").unwrap_or(&self.path).to_owned();
        let commit = self.commit.clone().map(|id| gitleaks_rs::Commit { id, ..Default::default() });
        let before = self.commit.as_ref().map(|id| format!("{id}:")).unwrap_or_default();
        Finding {
            fingerprint: format!("{before}{path}:{}:{}", self.rule, self.line),
            rule: self.rule.clone(),
            description: format!("found by {} alone, in {}", self.tool, report.display()),
            context: Context::of(Path::new(&path)),
            path,
            line: self.line,
            column: self.column,
            end_line: self.line,
            offset: 0,
            length: 0,
            entropy: 0.0,
            confidence: if self.live { Confidence::High } else { Confidence::Medium },
            encodings: Vec::new(),
            place: None,
            commit,
            hash: self.hash.clone().unwrap_or_default(),
            stable: format!("{stable}-1"),
            rotate: None,
            allowed: false,
            also: vec![said],
        }
    }
}

/// Whether two paths mean the same file: scanners name it from where they ran, or in full.
fn same_file(a: &str, b: &str) -> bool {
    let (a, b) = (Path::new(a.strip_prefix("./").unwrap_or(a)), Path::new(b.strip_prefix("./").unwrap_or(b)));
    a == b || (a.is_absolute() && a.ends_with(b)) || (b.is_absolute() && b.ends_with(a))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Opinion>, String> {
        opinions(text, &Key::new([7; 32]))
    }

    #[test]
    fn three_scanners_say_the_same_of_one_secret() {
        let reports = [
            r#"[{"RuleID":"github-pat","File":"a.env","StartLine":2,"StartColumn":8,"Secret":"s3cr3t","Commit":""}]"#,
            r#"{"SourceMetadata":{"Data":{"Filesystem":{"file":"a.env","line":2}}},"DetectorName":"Github","Verified":true,"Raw":"s3cr3t"}"#,
            r#"{"findings":[{"rule":{"id":"github-pat"},"finding":{"snippet":"s3cr3t","line":2,"column_start":6,"path":"./a.env",
                "validation":{"status":"Not Attempted"}}}],"audit":{}}
               {"findings":1,"rules_applied":488}"#,
        ];
        let mut leaks = Leaks::default();
        for report in reports {
            let found = read(report).unwrap_or_else(|why| panic!("{why}: {report}"));
            assert_eq!(found.len(), 1, "{report}");
            merge(&mut leaks, Path::new("report.json"), &found);
        }
        assert_eq!(leaks.findings.len(), 1, "{:?}", leaks.findings);
        let finding = &leaks.findings[0].0;
        assert_eq!(finding.also, ["gitleaks", "trufflehog: live", "kingfisher"]);
        assert_eq!(finding.confidence, Confidence::High);
        assert!(!format!("{leaks:?}").contains("s3cr3t"));
    }

    #[test]
    fn what_is_no_report_is_said_without_being_quoted() {
        for (text, why) in [
            ("{\"RuleID\": s3cr3t}", "line 1 is no JSON"),
            ("[", "it ends too early"),
            ("3", "it holds something else than findings"),
            ("[{\"a\":1}]", "a finding in it has no file that could be read"),
        ] {
            assert_eq!(read(text), Err(why.to_owned()), "{text}");
        }
        assert_eq!(read("[]"), Ok(Vec::new()));
        assert_eq!(read(""), Ok(Vec::new()));
    }

    #[test]
    fn files_are_told_by_their_path_and_not_by_its_end() {
        assert!(same_file("./a/b", "a/b") && same_file("/srv/a/b", "a/b") && same_file("a/b", "/srv/a/b"));
        assert!(!same_file("x/a/b", "a/b") && !same_file("/srv/xa/b", "a/b"));
    }
}
