//! What `harden scan` says: where secrets are and what to do, never what they are.

use std::fmt::Write as _;

use gitleaks_rs::{Confidence, Finding, Problem, Rule};

use super::Look;
use super::console::{Sheet, Tone, heading, line};
use super::printable::without_commands;
use crate::model::{Severity, plain};

/// So many findings of one rule are shown unless all are asked for.
const SHOWN: usize = 8;

/// Whether somebody has to do something about a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Yes.
    Open,
    /// It stands in the baseline.
    Known,
    /// A comment on its line, a `.gitleaksignore` or a waiver accepts it: the waiver with its reason.
    Accepted(Option<String>),
    /// It is where the agent keeps its own keys, which is what that file is for.
    Credential,
}

impl Standing {
    /// In one word, for programs.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Known => "known",
            Self::Accepted(_) => "accepted",
            Self::Credential => "credential",
        }
    }

    pub(super) fn reason(&self) -> Option<&str> {
        match self {
            Self::Accepted(reason) => reason.as_deref(),
            _ => None,
        }
    }
}

/// What a scan found.
#[derive(Debug, Default)]
pub struct Leaks {
    /// Surest first.
    pub findings: Vec<(Finding, Standing)>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// What was scanned, in words.
    pub scanned: String,
}

impl Leaks {
    /// How many need something.
    pub fn open(&self) -> usize {
        self.count("open")
    }

    fn count(&self, word: &str) -> usize {
        self.findings.iter().filter(|(_, standing)| standing.word() == word).count()
    }
}

/// For people.
pub fn leaks_table(leaks: &Leaks, look: Look) -> String {
    let summary = format!("{}\n", leaks_summary(leaks));
    if look.quiet {
        return without_commands(&summary);
    }
    let mut out = String::new();
    let shown = |standing: &Standing| *standing == Standing::Open || look.verbose > 0;
    let shown: Vec<_> = leaks.findings.iter().filter(|(_, standing)| shown(standing)).collect();
    if !shown.is_empty() {
        out += &rows(&shown, look);
    }
    if !leaks.problems.is_empty() {
        out += &heading(look, "Could not be read");
        for problem in leaks.problems.iter().take(SHOWN) {
            let text = format!("{}: {}", plain(&problem.path.display().to_string()), plain(&problem.why));
            out += &line(look, 2, &text, Tone::Doubt);
        }
        if leaks.problems.len() > SHOWN {
            out += &line(look, 2, &format!("… and {} more", leaks.problems.len() - SHOWN), Tone::Doubt);
        }
    }
    if !out.is_empty() {
        out.push('\n');
    }
    without_commands(&(out + &summary))
}

fn rows(findings: &[&(Finding, Standing)], look: Look) -> String {
    let widest = findings.iter().map(|(finding, _)| finding.rule.chars().count()).max().unwrap_or(0);
    let narrow = look.width < 60;
    let mut sheet = if narrow { Sheet::new(look, 0, &[]) } else { Sheet::new(look, 0, &[6, widest.min(28)]) };
    for group in findings.chunk_by(|(a, _), (b, _)| a.rule == b.rule) {
        let count = if look.verbose > 0 || group.len() <= SHOWN + 1 { group.len() } else { SHOWN };
        for (finding, standing) in &group[..count] {
            let (sure, tone) = sureness(finding.confidence);
            let text = sentence(finding, standing);
            if narrow {
                sheet.row(&[(&format!("{sure} {}", plain(&finding.rule)), tone)]);
                sheet.row(&[(&text, Tone::Plain)]);
            } else {
                sheet.row(&[(sure, tone), (&plain(&finding.rule), Tone::Bold), (&text, Tone::Plain)]);
            }
        }
        let mut detail = |text: &str| match narrow {
            true => sheet.row(&[(text, Tone::Dim)]),
            false => sheet.row(&[("", Tone::Dim), ("", Tone::Dim), (text, Tone::Dim)]),
        };
        if count < group.len() {
            detail(&format!("… and {} more of these; -v shows them", group.len() - count));
        }
        detail(&format!("next: {}", next(&group[0].0)));
    }
    sheet.text()
}

fn sureness(confidence: Confidence) -> (&'static str, Tone) {
    match confidence {
        Confidence::High => ("sure", Tone::Bad(Severity::High)),
        Confidence::Medium => ("likely", Tone::Bad(Severity::Medium)),
        Confidence::Low => ("maybe", Tone::Bad(Severity::Low)),
    }
}

/// Where it is, what it opens, and what helps to judge it.
fn sentence(finding: &Finding, standing: &Standing) -> String {
    let mut text = format!("{} · {}", place(finding), plain(&finding.description));
    let encodings: Vec<&str> = finding.encodings.iter().map(|encoding| encoding.name()).collect();
    if !encodings.is_empty() {
        let _ = write!(text, " · written as {}", encodings.join(" in "));
    }
    if let Some(place) = &finding.place {
        let _ = write!(text, " · {}", plain(place));
    }
    if let Some(commit) = &finding.commit {
        let id: String = commit.id.chars().take(12).collect();
        let _ = write!(text, " · added by {id} of {}", plain(commit.date.get(..10).unwrap_or_default()));
    }
    if !finding.also.is_empty() {
        let _ = write!(text, " · also {}", plain(&finding.also.join(", ")));
    }
    text.extend(finding.context.note().map(|note| format!(" · {note}")));
    if !finding.hash.is_empty() {
        let _ = write!(text, " · #{}", finding.hash.get(..8).unwrap_or(&finding.hash));
    }
    match standing {
        Standing::Open => {}
        Standing::Known => text += " · known",
        Standing::Accepted(None) => text += " · accepted",
        Standing::Accepted(Some(reason)) => text.push_str(&format!(" · accepted: {}", plain(reason))),
        Standing::Credential => text += " · in the agent's credential file, where it belongs",
    }
    text
}

pub(super) fn place(finding: &Finding) -> String {
    let path = plain(&finding.path);
    if finding.line > 0 { format!("{path}:{}:{}", finding.line, finding.column) } else { path.into_owned() }
}

/// What to do about a finding.
pub(super) fn next(finding: &Finding) -> String {
    let revoke = match finding.rotate.as_deref() {
        Some(address) if address.starts_with("https://") => format!("revoke it at {address}"),
        Some(words) => words.to_owned(),
        None => "revoke it where it was issued".to_owned(),
    };
    let purge = match &finding.commit {
        Some(_) => "; it stays in every clone of the history, so revoke it first",
        None => "; then take it out of the file",
    };
    let revoke = revoke.trim_end_matches('.');
    format!("{}{purge}", plain(revoke))
}

/// One line.
pub fn leaks_summary(leaks: &Leaks) -> String {
    let open = leaks.open();
    let mut text = match open {
        0 => "no secrets".to_owned(),
        1 => "1 secret".to_owned(),
        more => format!("{more} secrets"),
    };
    for (count, word) in [
        (leaks.count("known"), "known"),
        (leaks.count("accepted"), "accepted"),
        (leaks.count("credential"), "in the agent's credential files"),
        (leaks.problems.len(), "could not be read"),
    ] {
        if count > 0 {
            let _ = write!(text, ", {count} {word}");
        }
    }
    format!("{text} · {}", plain(&leaks.scanned))
}

/// One workflow command for each open finding, and the summary.
pub fn leaks_github(leaks: &Leaks) -> String {
    let open = leaks.findings.iter().filter(|(_, standing)| *standing == Standing::Open);
    let mut out: String = open
        .map(|(finding, _)| {
            let command = if finding.confidence == Confidence::Low { "warning" } else { "error" };
            let path = super::github::property(&plain(&finding.path));
            let title = super::github::property(&format!("secret: {}", plain(&finding.rule)));
            let text = super::github::data(&format!("{}; next: {}", plain(&finding.description), next(finding)));
            format!("::{command} file={path},line={},title={title}::{text}\n", finding.line.max(1))
        })
        .collect();
    out += &format!("harden: {}\n", super::github::data(&leaks_summary(leaks)));
    out
}

/// What a rule looks for.
pub fn explain_rule(rule: &Rule, look: Look) -> String {
    let mut out = line(look, 0, &rule.id, Tone::Bold);
    out += &line(look, 0, &rule.description, Tone::Plain);
    let (sure, _) = sureness(rule.confidence);
    let rotate = rule.rotate.as_deref().unwrap_or("not known: where it was issued");
    for (name, text) in [
        ("A match is", sure),
        ("Where to revoke it", rotate),
        ("Form", rule.regex.as_deref().unwrap_or("a file of this name")),
        ("Near it stands one of", &rule.keywords.join(", ")),
    ] {
        if !text.is_empty() {
            out += &heading(look, name);
            out += &line(look, 2, &plain(text), Tone::Plain);
        }
    }
    for (name, texts) in [("Finds, for example", &rule.examples), ("Leaves alone", &rule.negatives)] {
        if !texts.is_empty() {
            out += &heading(look, name);
            for text in texts {
                out += &line(look, 2, &plain(text.trim()), Tone::Dim);
            }
        }
    }
    out
}
