//! The findings of a scan as JSON: Gitleaks' fields under its names, then our own. The secret and the text around it
//! are redacted.

use std::collections::BTreeSet;

use gitleaks_rs::{Confidence, Context, Finding};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::leaks::{Leaks, Standing};

/// What stands where Gitleaks has the secret.
const REDACTED: &str = "REDACTED";

/// A secret that was found.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "PascalCase")]
#[schemars(rename = "Finding", deny_unknown_fields)]
struct Row<'r> {
    /// The rule that found it.
    #[serde(rename = "RuleID")]
    rule: &'r str,
    /// What such a token opens.
    description: &'r str,
    /// Its first line, from 1. 0 where the file's name is the finding, and in databases.
    start_line: u32,
    /// The line of its last byte.
    end_line: u32,
    /// Its column in characters, from 1.
    start_column: u32,
    /// The column of its last byte; 0 where it stands on several lines.
    end_column: u32,
    /// Always `REDACTED`.
    #[serde(rename = "Match")]
    matched: &'static str,
    /// Always `REDACTED`.
    secret: &'static str,
    /// The file, as it was named or from the folder that was scanned; a member of an archive behind a `!`.
    file: &'r str,
    /// Always empty: links are not followed.
    symlink_file: &'static str,
    /// The commit that added it, or nothing.
    commit: &'r str,
    /// Bits per byte.
    entropy: f32,
    /// Who wrote the commit.
    author: &'r str,
    /// Under which address.
    email: &'r str,
    /// When, in RFC 3339.
    date: &'r str,
    /// Its first line.
    message: &'r str,
    /// `decoded:` and how it is written, from the outside in.
    tags: Vec<String>,
    /// `path:rule:line`, a commit before it in a history, as a `.gitleaksignore` names it.
    fingerprint: &'r str,
    /// How sure it is a secret.
    #[schemars(with = "ConfidenceWord")]
    confidence: Confidence,
    /// The kind of file.
    #[schemars(with = "ContextWord")]
    context: Context,
    /// Where in a database it is.
    place: Option<&'r str>,
    /// Its first byte in the file, from 0.
    offset: u64,
    /// Its bytes as they are written.
    length: u64,
    /// The start of a keyed hash of the secret: equal for equal secrets in the reports of one account.
    hash: &'r str,
    /// Names it as long as its file and what stands before it on its line stay the same: for baselines.
    stable: &'r str,
    /// Where to revoke or renew it.
    rotate: Option<&'r str>,
    /// Other scanners that report it too, and what they know of it.
    also: &'r [String],
    /// Whether somebody has to do something about it.
    #[schemars(with = "StandingWord")]
    standing: &'static str,
    /// Why it is accepted.
    reason: Option<&'r str>,
}

/// How sure it is a secret.
#[derive(JsonSchema)]
#[schemars(rename = "Confidence", rename_all = "lowercase")]
#[expect(dead_code, reason = "the words of the schema; a test holds reports against it")]
enum ConfidenceWord {
    /// A random value that is called a secret.
    Low,
    /// A value of the right form beside the name of its issuer.
    Medium,
    /// The token itself says what it is.
    High,
}

/// The kind of file that a secret stands in.
#[derive(JsonSchema)]
#[schemars(rename = "Context", rename_all = "kebab-case")]
#[expect(dead_code, reason = "the words of the schema; a test holds reports against it")]
enum ContextWord {
    /// Code, configuration, anything else.
    Source,
    /// A test or its data.
    Test,
    /// An example or template.
    Example,
    /// Documentation.
    Docs,
    /// A list of resolved dependencies.
    LockFile,
}

/// Whether somebody has to do something about a finding.
#[derive(JsonSchema)]
#[schemars(rename = "Standing", rename_all = "lowercase")]
#[expect(dead_code, reason = "the words of the schema; a test holds reports against it")]
enum StandingWord {
    /// Yes.
    Open,
    /// It stands in the baseline.
    Known,
    /// A comment, an ignore list or a waiver accepts it.
    Accepted,
    /// It is where the agent keeps its own keys.
    Credential,
}

/// A list of findings, indented.
pub fn leaks_json(leaks: &Leaks) -> String {
    let rows: Vec<Row<'_>> = leaks.findings.iter().map(row).collect();
    let mut text = serde_json::to_string_pretty(&rows).expect("findings are plain data");
    text.push('\n');
    text
}

/// The schema of [`leaks_json`]'s output.
pub fn leaks_schema() -> Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let mut schema: Value = generator.into_root_schema_for::<Vec<Row<'static>>>().into();
    schema["title"] = "harden scan report".into();
    schema
}

fn row((finding, standing): &(Finding, Standing)) -> Row<'_> {
    let commit = finding.commit.as_ref();
    Row {
        rule: &finding.rule,
        description: &finding.description,
        start_line: finding.line,
        end_line: finding.end_line,
        start_column: finding.column,
        end_column: finding.end_column(),
        matched: REDACTED,
        secret: REDACTED,
        file: &finding.path,
        symlink_file: "",
        commit: commit.map_or("", |commit| &commit.id),
        entropy: finding.entropy,
        author: commit.map_or("", |commit| &commit.author),
        email: commit.map_or("", |commit| &commit.email),
        date: commit.map_or("", |commit| &commit.date),
        message: commit.map_or("", |commit| &commit.subject),
        tags: finding.encodings.iter().map(|encoding| format!("decoded:{}", encoding.name())).collect(),
        fingerprint: &finding.fingerprint,
        confidence: finding.confidence,
        context: finding.context,
        place: finding.place.as_deref(),
        offset: finding.offset,
        length: finding.length,
        hash: &finding.hash,
        stable: &finding.stable,
        rotate: finding.rotate.as_deref(),
        also: &finding.also,
        standing: standing.word(),
        reason: standing.reason(),
    }
}

/// What an earlier report names: stable names, and fingerprints of Gitleaks' own reports.
pub fn leaks_known(text: &str) -> Result<BTreeSet<String>, String> {
    // The error's own words may quote the text, which in a report of Gitleaks' holds secrets.
    let list: Vec<Value> = serde_json::from_str(text)
        .map_err(|error| format!("it is no list of findings, from line {} on", error.line()))?;
    let name = |one: &Value| {
        let text = |key: &str| one.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        text("Stable").or_else(|| text("Fingerprint"))
    };
    list.iter().map(|one| name(one).ok_or_else(|| "a finding in it has no `Fingerprint`".to_owned())).collect()
}
