//! The assessment as a document: answers by group, every control, every attestation, every finding once.
//!
//! Names come from hostile places, so that whatever is not a plain word stands in a code span.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Answer, Assessment, Attested, Observed, Stance, Task};
use crate::report::{code, words};

/// Markdown of any length.
pub fn markdown(assessment: &Assessment) -> String {
    let mut out = String::new();
    head(&mut out, assessment);
    coverage(&mut out, assessment);
    let mut group = "";
    for task in &assessment.tasks {
        if task.group != group {
            group = &task.group;
            let name = assessment.coverage.iter().find(|it| it.group == group).map_or("", |it| it.name.as_str());
            let _ = write!(out, "\n## {} {}\n", words(group), words(name));
        }
        self::task(&mut out, assessment, task);
    }
    findings(&mut out, assessment);
    out
}

fn head(out: &mut String, assessment: &Assessment) {
    let about = &assessment.framework;
    let _ = write!(out, "# {}\n\n", words(&about.title));
    let _ = write!(
        out,
        "What audits are evidence for and against, on {}. Whether a control is met is for people to decide.\n\n{}\n",
        assessment.day,
        words(&about.source)
    );
    for note in std::iter::once(&about.note).filter(|note| !note.is_empty()).chain(&assessment.notes) {
        let _ = write!(out, "\n> {}\n", words(note));
    }
    out.push_str("\n| audit | when | harden | profile | scope | project | agents | findings |\n");
    out.push_str("| --- | --- | --- | --- | --- | --- | --- | ---: |\n");
    for (at, audit) in assessment.audits.iter().enumerate() {
        let agent = |it: &crate::report::ReportAgent| {
            format!("{} as {}", it.agent, it.user.as_deref().unwrap_or("an unknown account"))
        };
        let agents: Vec<String> = audit.agents.iter().map(agent).collect();
        let _ = writeln!(
            out,
            "| A{} {} | {} | {} | {} | {} | {} | {} | {} |",
            at + 1,
            cell(&audit.name),
            cell(&audit.time),
            cell(&audit.harden),
            cell(&audit.profile),
            audit.scope.name(),
            cell(&audit.project),
            cell(&agents.join(", ")),
            audit.findings,
        );
    }
    for audit in assessment.audits.iter().filter(|audit| !audit.problems.is_empty()) {
        let _ = write!(out, "\nOn waivers and profiles of {}:\n\n", code(&audit.name));
        audit.problems.iter().for_each(|problem| {
            let _ = writeln!(out, "- {}", words(problem));
        });
    }
}

/// A code span in a table, where a bar would end the cell even in code.
fn cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

fn coverage(out: &mut String, assessment: &Assessment) {
    let titles: Vec<&str> = Answer::ALL.iter().map(|answer| answer.words()).collect();
    let _ = write!(out, "\n| group | {} |\n| --- |{}\n", titles.join(" | "), " ---: |".repeat(titles.len()));
    let row = |out: &mut String, name: &str, answers: &BTreeMap<Answer, usize>| {
        let numbers: Vec<String> =
            Answer::ALL.iter().map(|answer| answers.get(answer).copied().unwrap_or(0).to_string()).collect();
        let _ = writeln!(out, "| {name} | {} |", numbers.join(" | "));
    };
    for group in assessment.coverage.iter().filter(|group| !group.group.is_empty()) {
        row(out, &format!("{} {}", cell(&group.group), words(&group.name).replace('|', "\\|")), &group.answers);
    }
    row(out, "**all**", &assessment.answers);
}

fn task(out: &mut String, assessment: &Assessment, task: &Task) {
    let _ = write!(out, "\n### {} {}\n\n", words(&task.task), words(&task.name));
    let _ = writeln!(out, "**{}**: {}.", task.answer.words(), words(&task.because));
    if !task.shows.is_empty() {
        let reach = task.reach.map(|reach| format!("Reach {}. ", reach.name())).unwrap_or_default();
        let _ = write!(out, "\n{reach}{}\n", words(&task.shows));
    }
    let mut lines = String::new();
    for stance in Stance::ALL {
        let refs = references(assessment, task, stance);
        if !refs.is_empty() {
            let _ = writeln!(lines, "- {}: {}", stance.words(), refs.join(", "));
        }
    }
    if !task.not_run.is_empty() {
        let _ = writeln!(lines, "- did not run: {}", task.not_run.join(", "));
    }
    for at in &task.attestations {
        let _ = writeln!(lines, "- {}", attestation(&assessment.attestations[*at]));
    }
    if !task.verify.is_empty() {
        let _ = writeln!(lines, "- look again: {}", code(&task.verify));
    }
    if !lines.is_empty() {
        let _ = write!(out, "\n{lines}");
    }
}

/// Codes with the numbers of their findings: `USR-01 (F3, F9)`.
fn references(assessment: &Assessment, task: &Task, stance: Stance) -> Vec<String> {
    let mut codes: Vec<(&str, Vec<String>)> = Vec::new();
    for at in task.findings.iter().filter(|at| assessment.findings[**at].stance == stance) {
        let finding = &assessment.findings[*at].finding;
        let number = format!("F{}", at + 1);
        match codes.iter_mut().find(|(known, _)| *known == finding.code) {
            Some((_, numbers)) => numbers.push(number),
            None => codes.push((&finding.code, vec![number])),
        }
    }
    codes.into_iter().map(|(name, numbers)| format!("{} ({})", words(name), numbers.join(", "))).collect()
}

fn attestation(given: &Attested) -> String {
    let it = &given.attestation;
    let evidence = if it.evidence.is_empty() { String::new() } else { format!(", see {}", code(&it.evidence)) };
    format!(
        "attested by {} on {} until {} ({}{evidence}): {}",
        words(&it.owner),
        words(&it.date),
        words(&it.expires),
        given.hold.words(),
        words(&it.statement),
    )
}

fn findings(out: &mut String, assessment: &Assessment) {
    out.push_str("\n## Findings\n");
    for stance in Stance::ALL {
        let mut some = assessment.findings.iter().enumerate().filter(|(_, it)| it.stance == stance).peekable();
        if some.peek().is_none() {
            continue;
        }
        let _ = write!(out, "\n### {}\n\n", stance.words());
        some.for_each(|(at, observed)| finding(out, at, observed));
    }
}

fn finding(out: &mut String, at: usize, observed: &Observed) {
    let finding = &observed.finding;
    let about: String =
        [&finding.subject, &finding.agent].into_iter().flatten().map(|it| format!(" · {}", code(it))).collect();
    let tasks =
        if observed.tasks.is_empty() { "no control here".to_owned() } else { words(&observed.tasks.join(", ")) };
    let _ = writeln!(
        out,
        "- F{} {} {} {}{about}: {} ({}, A{}; {tasks})",
        at + 1,
        finding.severity,
        words(&finding.code),
        code(&finding.check),
        words(&finding.message),
        observed.proof.words(),
        observed.audit + 1,
    );
    if let Some(place) = finding.location() {
        let _ = writeln!(out, "  - at {}", code(&place.to_string()));
    }
    if let Some(waiver) = &finding.waiver {
        let over = if observed.stance == Stance::Against { ", which is over" } else { "" };
        let _ = writeln!(
            out,
            "  - waived until {}{over} by {}: {}",
            words(&waiver.expires),
            words(&waiver.owner),
            words(&waiver.reason)
        );
    }
    for unseen in &finding.unseen {
        let _ = writeln!(out, "  - could not tell: {}; {}", words(&unseen.why), words(&unseen.how));
    }
    if matches!(observed.stance, Stance::Against | Stance::Accepted) {
        let _ = writeln!(out, "  - next: {}", words(&finding.remediation));
    }
}
