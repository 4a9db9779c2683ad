//! From saved audits, a framework and attestations to an assessment.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;

use super::assessment::{
    ASSESSMENT_VERSION, About, Answer, Assessment, Attested, Audit, Coverage, Hold, Observed, Point, Proof, Stance,
    Task,
};
use super::saved::Saved;
use crate::model::{Attestation, Control, Finding, Framework, Reach, Status};
use crate::report::{Report, plural, printable};

/// Everything that is known of every control of `framework` on `day`. `past` are earlier audits, for the trend.
pub fn assess(
    framework: &Framework,
    audits: &[Saved],
    attestations: &[Attestation],
    past: &[Point],
    day: Date,
) -> Assessment {
    let framework = &printable(framework);
    let (audits, notes) = once(audits);
    let findings = observed(framework, &audits, day);
    let attestations: Vec<Attested> = attestations.iter().map(|given| attested(given, day)).collect();
    let ran: BTreeSet<&str> =
        audits.iter().flat_map(|audit| &audit.report.checks).map(|check| check.code.as_str()).collect();
    let mut of_task: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, observed) in findings.iter().enumerate() {
        observed.tasks.iter().for_each(|task| of_task.entry(task).or_default().push(at));
    }
    let tasks: Vec<Task> = framework
        .controls
        .iter()
        .map(|control| {
            let about = of_task.remove(control.id.as_str()).unwrap_or_default();
            task(framework, control, about, &findings, &attestations, &ran)
        })
        .collect();
    Assessment {
        version: ASSESSMENT_VERSION,
        harden: env!("CARGO_PKG_VERSION").to_owned(),
        day: day.to_string(),
        framework: About {
            framework: framework.framework.clone(),
            title: framework.title.clone(),
            source: framework.source.clone(),
            standing: framework.standing,
            note: framework.note.clone(),
            catalogue: framework.catalogue.clone(),
        },
        answers: answers(tasks.iter()),
        coverage: coverage(framework, &tasks),
        tasks,
        elsewhere: (0..findings.len()).filter(|at| findings[*at].tasks.is_empty()).collect(),
        trend: trend(&audits, past),
        audits: audits.iter().map(|saved| audit(saved)).collect(),
        findings,
        attestations,
        notes,
    }
}

/// Each saved report once, however often it was given.
fn once(audits: &[Saved]) -> (Vec<&Saved>, Vec<String>) {
    let (mut kept, mut notes): (Vec<&Saved>, Vec<String>) = (Vec::new(), Vec::new());
    for audit in audits {
        match kept.iter().find(|known| known.sha256 == audit.sha256) {
            Some(known) => {
                notes.push(format!("`{}` is the same report as `{}` and counts once", audit.name, known.name))
            }
            None => kept.push(audit),
        }
    }
    (kept, notes)
}

fn audit(saved: &Saved) -> Audit {
    let report = &saved.report;
    Audit {
        name: saved.name.clone(),
        sha256: saved.sha256.clone(),
        time: report.time.clone(),
        harden: report.harden.clone(),
        profile: report.profile.clone(),
        scope: report.scope,
        os: report.os,
        project: report.project.clone(),
        agents: report.agents.clone(),
        checks: report.checks.len(),
        findings: report.findings.len(),
        problems: report.problems.iter().map(|it| format!("{}: {}", it.check, it.problem)).collect(),
    }
}

/// Every finding of every audit, in order.
fn observed(framework: &Framework, audits: &[&Saved], day: Date) -> Vec<Observed> {
    let mut by_code: HashMap<&str, Vec<&str>> = HashMap::new();
    for control in &framework.controls {
        control.checks.iter().for_each(|code| by_code.entry(code).or_default().push(&control.id));
    }
    let place: HashMap<&str, usize> =
        framework.controls.iter().enumerate().map(|(at, control)| (control.id.as_str(), at)).collect();
    let tasks = |finding: &Finding| -> Vec<String> {
        let named = framework.keys().filter_map(|key| finding.controls.get(key)).flatten().map(String::as_str);
        let mapped = by_code.get(finding.code.as_str()).into_iter().flatten().copied();
        let places: BTreeSet<usize> = named.chain(mapped).filter_map(|id| place.get(id).copied()).collect();
        places.into_iter().map(|at| framework.controls[at].id.clone()).collect()
    };
    let all = audits.iter().enumerate().flat_map(|(at, audit)| audit.report.findings.iter().map(move |it| (at, it)));
    all.map(|(audit, finding)| Observed {
        audit,
        // Probes read, and try nothing.
        proof: Proof::Examined,
        stance: stance(finding, day),
        tasks: tasks(finding),
        finding: finding.clone(),
    })
    .collect()
}

fn stance(finding: &Finding, day: Date) -> Stance {
    // A waiver that has ended since the audit accepts nothing any more.
    let holds =
        || finding.waiver.as_ref().and_then(|waiver| waiver.expires.parse::<Date>().ok()).is_some_and(|end| end >= day);
    match finding.status {
        Status::Waived if holds() => Stance::Accepted,
        Status::Fail | Status::Known | Status::Waived => Stance::Against,
        Status::Unknown => Stance::Unknown,
        Status::Pass => Stance::For,
        Status::NotApplicable => Stance::NotApplicable,
    }
}

fn attested(given: &Attestation, day: Date) -> Attested {
    let hold = match (given.date.parse::<Date>(), given.expires.parse::<Date>()) {
        (Ok(from), Ok(to)) if from <= day && day <= to => Hold::Holds,
        (_, Ok(to)) if to < day => Hold::Expired,
        _ => Hold::NotYet,
    };
    Attested { hold, attestation: printable(given) }
}

fn task(
    framework: &Framework,
    control: &Control,
    about: Vec<usize>,
    findings: &[Observed],
    attestations: &[Attested],
    ran: &BTreeSet<&str>,
) -> Task {
    let mut counts = BTreeMap::new();
    about.iter().for_each(|at| *counts.entry(findings[*at].stance).or_default() += 1);
    let mine = |at: &usize| attestations[*at].attestation.task == control.id;
    let given: Vec<usize> = (0..attestations.len()).filter(mine).collect();
    let attested = given.iter().any(|at| attestations[*at].hold == Hold::Holds);
    let not_run: Vec<String> = control.checks.iter().filter(|code| !ran.contains(code.as_str())).cloned().collect();
    let (answer, because) = answer(control.reach, &counts, &not_run, attested);
    Task {
        task: control.id.clone(),
        group: framework.group_of(&control.id).map(|group| group.id.clone()).unwrap_or_default(),
        name: control.name.clone(),
        reach: control.reach,
        shows: control.shows.clone(),
        answer,
        because,
        findings: about,
        counts,
        attestations: given,
        checks: control.checks.clone(),
        not_run,
        verify: if control.checks.is_empty() {
            String::new()
        } else {
            format!("harden audit --only {}", control.checks.join(","))
        },
    }
}

/// The answer and why. One open defect is evidence against, whatever else passes; evidence for is only said where
/// everything that belongs to the control was looked at and nothing of it is out of sight.
fn answer(
    reach: Option<Reach>,
    counts: &BTreeMap<Stance, usize>,
    not_run: &[String],
    attested: bool,
) -> (Answer, String) {
    let count = |stance| counts.get(&stance).copied().unwrap_or(0);
    let (against, accepted, unknown, good) =
        (count(Stance::Against), count(Stance::Accepted), count(Stance::Unknown), count(Stance::For));
    if against > 0 {
        let rest = if good > 0 { format!("; {good} for") } else { String::new() };
        return (Answer::EvidenceAgainst, format!("{}{rest}", plural(against, "open defect")));
    }
    let mut short: Vec<String> = Vec::new();
    if accepted > 0 {
        short.push(plural(accepted, "waived defect"));
    }
    if unknown > 0 {
        short.push(format!("{unknown} could not be told"));
    }
    if !not_run.is_empty() && (good > 0 || accepted > 0 || unknown > 0) {
        short.push(format!("did not run: {}", not_run.join(", ")));
    }
    if attested {
        let also = if good > 0 { format!("attested, and {good} for") } else { "attested".to_owned() };
        return match short.is_empty() {
            true => (Answer::EvidenceFor, also),
            false => (Answer::Partly, format!("{also}; {}", short.join("; "))),
        };
    }
    if good == 0 {
        return match (accepted, unknown) {
            (0, 0) if reach == Some(Reach::None) => (Answer::NotObservable, "no audit of a host can show it".into()),
            (0, 0) if count(Stance::NotApplicable) > 0 => {
                (Answer::NotAssessed, "no check about it applies here".into())
            }
            (0, 0) if not_run.is_empty() => (Answer::NotAssessed, "no check of this version is about it".into()),
            (0, 0) => (Answer::NotAssessed, "no check about it ran".into()),
            (0, _) => (Answer::NotAssessed, short.join("; ")),
            _ => (Answer::EvidenceAgainst, short.join("; ")),
        };
    }
    match reach {
        Some(Reach::Partial) => short.push("an audit sees only a part of it".into()),
        Some(Reach::Indirect) => short.push("an audit sees only a trace of it".into()),
        _ => {}
    }
    match short.is_empty() {
        true => (Answer::EvidenceFor, format!("{good} for")),
        false => (Answer::Partly, format!("{good} for; {}", short.join("; "))),
    }
}

fn answers<'a>(tasks: impl Iterator<Item = &'a Task>) -> BTreeMap<Answer, usize> {
    let mut answers = BTreeMap::new();
    tasks.for_each(|task| *answers.entry(task.answer).or_default() += 1);
    answers
}

/// By the groups that have controls of their own; one without a name where a framework has none.
fn coverage(framework: &Framework, tasks: &[Task]) -> Vec<Coverage> {
    let mut groups: Vec<(&str, &str)> = framework.groups.iter().map(|it| (it.id.as_str(), it.name.as_str())).collect();
    groups.push(("", ""));
    let of = |(group, name): (&str, &str)| Coverage {
        group: group.to_owned(),
        name: name.to_owned(),
        answers: answers(tasks.iter().filter(|task| task.group == group)),
    };
    groups.into_iter().map(of).filter(|coverage| !coverage.answers.is_empty()).collect()
}

/// These audits and the past ones of the same projects, by time, each once.
fn trend(audits: &[&Saved], past: &[Point]) -> Vec<Point> {
    let mut points: BTreeSet<Point> = audits.iter().map(|audit| Point::of(&audit.report)).collect();
    let projects: BTreeSet<&str> = audits.iter().map(|audit| audit.report.project.as_str()).collect();
    points.extend(past.iter().filter(|point| projects.contains(point.project.as_str())).cloned());
    points.into_iter().collect()
}

impl Point {
    /// How this audit went.
    pub fn of(report: &Report) -> Self {
        Self {
            time: report.time.clone(),
            project: report.project.clone(),
            profile: report.profile.clone(),
            scope: report.scope.name().to_owned(),
            against: report.count(Status::Fail) + report.count(Status::Known),
            accepted: report.count(Status::Waived),
            unknown: report.count(Status::Unknown),
            passed: report.count(Status::Pass),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_for_is_only_said_where_nothing_is_missing() {
        use Answer::{EvidenceAgainst, EvidenceFor, NotAssessed, NotObservable, Partly};
        use Stance::{Accepted, Against, For, NotApplicable, Unknown};
        let direct = Some(Reach::Direct);
        for (reach, stances, missing, attested, expected) in [
            (direct, &[For, For][..], false, false, EvidenceFor),
            (direct, &[For, NotApplicable], false, false, EvidenceFor),
            (direct, &[For], true, false, Partly),
            (direct, &[For, Unknown], false, false, Partly),
            (direct, &[For, Accepted], false, false, Partly),
            (direct, &[Accepted], false, false, EvidenceAgainst),
            (direct, &[For, For, Against], false, true, EvidenceAgainst),
            (direct, &[Unknown], false, false, NotAssessed),
            (direct, &[NotApplicable], false, false, NotAssessed),
            (direct, &[], true, false, NotAssessed),
            (Some(Reach::Partial), &[For], false, false, Partly),
            (Some(Reach::Partial), &[For], false, true, EvidenceFor),
            (Some(Reach::Indirect), &[For], false, false, Partly),
            (Some(Reach::None), &[], false, false, NotObservable),
            (Some(Reach::None), &[], false, true, EvidenceFor),
            (direct, &[Unknown], false, true, Partly),
            (None, &[For], false, false, EvidenceFor),
        ] {
            let mut counts = BTreeMap::new();
            stances.iter().for_each(|stance| *counts.entry(*stance).or_default() += 1);
            let not_run = if missing { vec!["X-01".to_owned()] } else { Vec::new() };
            let (found, because) = answer(reach, &counts, &not_run, attested);
            assert_eq!(found, expected, "{reach:?} {stances:?} {missing} {attested}: {because}");
            assert!(!because.is_empty());
        }
    }
}
