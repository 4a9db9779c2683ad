//! `harden scan --import`: what other scanners have found, beside what this one finds.

use std::path::Path;

use gitleaks_rs::{Confidence, Context, Finding};
use sha2::{Digest, Sha256};

use crate::facts::opinions::Opinion;
use crate::report::{Leaks, Standing};

/// Marks what another scanner finds too, and adds what it finds alone.
pub(super) fn merge(leaks: &mut Leaks, report: &Path, opinions: &[Opinion]) {
    for opinion in opinions {
        let said = if opinion.live { format!("{}: live", opinion.tool) } else { opinion.tool.to_owned() };
        match leaks.findings.iter_mut().find(|(finding, _)| means(opinion, finding)) {
            Some((finding, _)) => {
                if !finding.also.contains(&said) {
                    finding.also.push(said);
                }
                if opinion.live {
                    finding.confidence = Confidence::High;
                }
            }
            None => leaks.findings.push((alone(opinion, report, said), Standing::Open)),
        }
    }
}

/// Whether a finding is the same secret at the same place: by its hash where it is known, else by its line.
fn means(opinion: &Opinion, finding: &Finding) -> bool {
    let commit = finding.commit.as_ref().map(|commit| commit.id.as_str());
    if !same_file(&opinion.path, &finding.path) || opinion.commit.as_deref() != commit {
        return false;
    }
    let near = opinion.line.abs_diff(finding.line) <= 1;
    match &opinion.hash {
        Some(hash) if *hash == finding.hash => true,
        // Another cut of the same secret, or another rule of this scanner at the same place.
        Some(_) => near && (opinion.rule == finding.rule || finding.line == opinion.line),
        None => near && finding.line == opinion.line,
    }
}

fn alone(opinion: &Opinion, report: &Path, said: String) -> Finding {
    let digest = Sha256::digest(format!("{}\0{}\0{}\0{}", opinion.tool, opinion.rule, opinion.path, opinion.line));
    let stable: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let path = opinion.path.strip_prefix("./").unwrap_or(&opinion.path).to_owned();
    let commit = opinion.commit.clone().map(|id| gitleaks_rs::Commit { id, ..Default::default() });
    let before = opinion.commit.as_ref().map(|id| format!("{id}:")).unwrap_or_default();
    Finding {
        fingerprint: format!("{before}{path}:{}:{}", opinion.rule, opinion.line),
        rule: opinion.rule.clone(),
        description: format!("found by {} alone, in {}", opinion.tool, report.display()),
        context: Context::of(Path::new(&path)),
        path,
        line: opinion.line,
        column: opinion.column,
        end_line: opinion.line,
        offset: 0,
        length: 0,
        entropy: 0.0,
        confidence: if opinion.live { Confidence::High } else { Confidence::Medium },
        encodings: Vec::new(),
        place: None,
        commit,
        hash: opinion.hash.clone().unwrap_or_default(),
        stable: format!("{stable}-1"),
        rotate: None,
        allowed: false,
        also: vec![said],
    }
}

/// Whether two paths mean the same file: scanners name it from where they ran, or in full.
fn same_file(a: &str, b: &str) -> bool {
    let (a, b) = (Path::new(a.strip_prefix("./").unwrap_or(a)), Path::new(b.strip_prefix("./").unwrap_or(b)));
    a == b || (a.is_absolute() && a.ends_with(b)) || (b.is_absolute() && b.ends_with(a))
}

#[cfg(test)]
mod tests {
    use gitleaks_rs::Key;

    use super::*;
    use crate::facts::opinions::opinions;

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
    fn files_are_told_by_their_path_and_not_by_its_end() {
        assert!(same_file("./a/b", "a/b") && same_file("/srv/a/b", "a/b") && same_file("a/b", "/srv/a/b"));
        assert!(!same_file("x/a/b", "a/b") && !same_file("/srv/xa/b", "a/b"));
    }
}
