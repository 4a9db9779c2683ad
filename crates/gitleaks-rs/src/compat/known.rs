//! What is known already: fingerprints in a `.gitleaksignore` and findings of an earlier report.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::finding::{Finding, text_of};

/// Why a report does not serve as a baseline.
#[derive(Debug, thiserror::Error)]
pub enum BaselineError {
    /// It is not JSON.
    #[error("not a report in JSON: {0}")]
    Json(String),
    /// It is something else.
    #[error("not a report: finding {0} is not of its form")]
    Form(usize),
}

/// What is known of findings.
#[derive(Default)]
pub(super) struct Known {
    fingerprints: HashSet<String>,
    baseline: HashSet<Earlier>,
    /// The same without the secrets.
    redacted: HashSet<Earlier>,
    baseline_path: String,
}

/// All that two findings are compared by.
#[derive(PartialEq, Eq, Hash)]
struct Earlier {
    texts: [String; 8],
    numbers: [i64; 4],
    entropy: u32,
    secret: Option<[String; 2]>,
}

impl Known {
    pub(super) fn ignore(&mut self, text: &str) -> Vec<String> {
        let mut wrong = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut parts: Vec<String> = line.split(':').map(str::to_owned).collect();
            match parts.len() {
                // The path comes first, or behind the commit.
                3 => parts[0] = parts[0].replace('\\', "/"),
                4 => parts[1] = parts[1].replace('\\', "/"),
                _ => wrong.push(line.to_owned()),
            }
            self.fingerprints.insert(parts.join(":"));
        }
        wrong
    }

    pub(super) fn baseline(&mut self, report: &[u8], path: &str) -> Result<(), BaselineError> {
        let report: Value = serde_json::from_slice(report).map_err(|error| {
            // Its own words may quote the report.
            BaselineError::Json(format!("line {}, column {}", error.line(), error.column()))
        })?;
        let findings = match report {
            Value::Array(findings) => findings,
            Value::Null => Vec::new(),
            _ => return Err(BaselineError::Form(0)),
        };
        for (at, finding) in findings.iter().enumerate() {
            let finding = finding.as_object().ok_or(BaselineError::Form(at + 1))?;
            for (set, secrets) in [(&mut self.baseline, true), (&mut self.redacted, false)] {
                set.insert(Earlier::read(finding, secrets).ok_or(BaselineError::Form(at + 1))?);
            }
        }
        self.baseline_path = path.to_owned();
        Ok(())
    }

    pub(super) fn baseline_path(&self) -> &str {
        &self.baseline_path
    }

    /// Whether a finding with its fingerprint is known.
    pub(super) fn holds(&self, finding: &Finding, redacts: bool) -> bool {
        if !self.fingerprints.is_empty()
            && (self.fingerprints.contains(&everywhere(finding)) || self.fingerprints.contains(&finding.fingerprint))
        {
            return true;
        }
        let earlier = if redacts { &self.redacted } else { &self.baseline };
        !earlier.is_empty() && earlier.contains(&Earlier::of(finding, !redacts))
    }
}

impl Earlier {
    fn of(finding: &Finding, secrets: bool) -> Self {
        let texts = [
            &finding.rule_id,
            &finding.description,
            &finding.file,
            &finding.commit,
            &finding.author,
            &finding.email,
            &finding.date,
            &finding.message,
        ];
        Self {
            texts: texts.map(Clone::clone),
            numbers: [finding.start_line, finding.end_line, finding.start_column, finding.end_column],
            entropy: finding.entropy.to_bits(),
            secret: secrets.then(|| [text_of(finding.matched.expose()), text_of(finding.secret.expose())]),
        }
    }

    fn read(finding: &Map<String, Value>, secrets: bool) -> Option<Self> {
        let text = |key: &str| match finding.get(key) {
            None | Some(Value::Null) => Some(String::new()),
            Some(value) => value.as_str().map(str::to_owned),
        };
        let number = |key: &str| match finding.get(key) {
            None | Some(Value::Null) => Some(0),
            Some(value) => value.as_i64(),
        };
        let entropy = match finding.get("Entropy") {
            None | Some(Value::Null) => 0.0,
            Some(value) => value.as_f64()? as f32,
        };
        Some(Self {
            texts: [
                text("RuleID")?,
                text("Description")?,
                text("File")?,
                text("Commit")?,
                text("Author")?,
                text("Email")?,
                text("Date")?,
                text("Message")?,
            ],
            numbers: [number("StartLine")?, number("EndLine")?, number("StartColumn")?, number("EndColumn")?],
            entropy: entropy.to_bits(),
            secret: if secrets { Some([text("Match")?, text("Secret")?]) } else { None },
        })
    }
}

/// What names a finding in every commit.
fn everywhere(finding: &Finding) -> String {
    format!("{}:{}:{}", finding.file, finding.rule_id, finding.start_line)
}

/// Gives a finding its fingerprint.
pub(super) fn name(finding: &mut Finding) {
    finding.fingerprint = match finding.commit.as_str() {
        "" => everywhere(finding),
        commit => format!("{commit}:{}", everywhere(finding)),
    };
}
