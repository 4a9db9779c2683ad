//! `harden audit`.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::progress::Progress;
use super::session::LOCAL_PROFILE;
use super::{Failure, Session, gather, output, terminal};
use crate::catalog::{self, Request};
use crate::check;
use crate::cli::{Audit, Color, Format, Output};
use crate::facts::{Facts, Timing};
use crate::host::Kind;
use crate::model::{Severity, Status, Subject};
use crate::report::{self, Look, REPORT_VERSION, Report, ReportAgent};

/// The largest baseline that is read.
const BASELINE_LIMIT: u64 = 256 << 20;

/// Files that findings about the host are pinned to: the first that is there.
const ANCHORS: &[&str] =
    &[LOCAL_PROFILE, "README.md", "README", "README.rst", "README.txt", "readme.md", "AGENTS.md", "opencode.json"];

/// Audits and reports.
pub(super) fn run(args: &Audit, color: Color, started: Instant) -> Result<ExitCode, Failure> {
    let outputs = match args.formats.as_slice() {
        [] => vec![Output { format: Format::Table, file: None }],
        some => some.to_vec(),
    };
    output::check(&outputs)?;
    let known = args.baseline.as_deref().map(baseline).transpose()?;
    let request = Request {
        only: args.only.clone(),
        skip: args.skip.clone(),
        allow_local_waivers: args.allow_local_waivers,
        ..Request::default()
    };
    let session = Session::open(&args.target, &args.checks, request)?;
    let start_up = started.elapsed();
    let progress = Progress::start("looking");
    let (looking, (facts, timings)) = timed(|| gather(&session));
    let (judging, report) = timed(|| build(&session, &facts, known.as_ref()));
    let report = report?;
    drop(progress);
    let look = Look { verbose: args.verbose, quiet: args.quiet, ..terminal::look(color) };
    let (writing, written) = timed(|| output::write(&report, &outputs, look));
    written?;
    if outputs.iter().all(|output| output.file.is_some()) && !args.quiet {
        terminal::error(&report::summary(&report));
    }
    if args.timings {
        let steps = [("start-up", start_up), ("facts", looking), ("checks", judging), ("report", writing)];
        terminal::error(&report::timings(&steps, &named(timings), terminal::error_look(color)));
    }
    Ok(exit_code(&report, args.fail_on.into(), args.allow_unknown))
}

fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let done = work();
    (start.elapsed(), done)
}

fn named(timings: Vec<Timing>) -> Vec<(String, Duration)> {
    let name = |timing: &Timing| match &timing.agent {
        Some(agent) => format!("{} ({agent})", timing.probe),
        None => timing.probe.to_owned(),
    };
    timings.iter().map(|timing| (name(timing), timing.took)).collect()
}

/// What an earlier report knew.
fn baseline(file: &Path) -> Result<BTreeSet<String>, Failure> {
    let wrong = |why: String| {
        Failure::usage(
            format!("cannot use the baseline `{}`: {why}", file.display()),
            "give a report that `harden audit -f json=FILE` wrote",
        )
    };
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| wrong(error.to_string()))?;
    let read = opened.take(BASELINE_LIMIT + 1).read_to_string(&mut text).map_err(|error| wrong(error.to_string()))?;
    if read as u64 > BASELINE_LIMIT {
        return Err(wrong("it is larger than 256 MiB".into()));
    }
    report::known(&text).map_err(wrong)
}

/// Judges the facts and lays waivers and baseline over the findings.
fn build(session: &Session, facts: &[Facts], known: Option<&BTreeSet<String>>) -> Result<Report, Failure> {
    let agents: Vec<String> = session.subjects.iter().map(|subject| subject.agent.agent.clone()).collect();
    let mut findings = check::findings(&session.policy, session.host.os(), &agents, facts);
    let mut problems = session.policy.problems.clone();
    problems.extend(check::apply_waivers(&session.policy, &mut findings, catalog::today()));
    if let Some(known) = known {
        check::apply_baseline(known, &mut findings);
    }
    check::sort(&mut findings);
    let lines = catalog::checklist()?;
    Ok(Report {
        version: REPORT_VERSION,
        harden: env!("CARGO_PKG_VERSION").to_owned(),
        time: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        profile: session.policy.profile.clone(),
        scope: session.policy.scope,
        os: session.host.os(),
        project: session.subjects.first().map(|s| s.project.text()).unwrap_or_default(),
        anchor: anchor(session),
        agents: session.subjects.iter().map(agent).collect(),
        counts: report::counts(&findings),
        checklist: lines.iter().map(|line| report::tick(&line.id, &line.name, &line.checks, &findings)).collect(),
        findings,
        problems,
        checks: session.policy.checks.iter().map(|check| check.as_ref().into()).collect(),
    })
}

fn anchor(session: &Session) -> String {
    let is_file = |name: &&&str| {
        let stat = session.subjects.first().map(|subject| session.host.stat(&subject.project.join(name)));
        matches!(stat, Some(Ok(stat)) if stat.kind == Kind::File)
    };
    ANCHORS.iter().find(is_file).unwrap_or(&LOCAL_PROFILE).to_string()
}

fn agent(subject: &Subject) -> ReportAgent {
    ReportAgent {
        agent: subject.agent.agent.clone(),
        user: subject.user.name.clone(),
        user_source: subject.user.source,
        workspace: subject.workspace.text(),
    }
}

/// 1 wins over 3.
fn exit_code(report: &Report, fail_on: Severity, allow_unknown: bool) -> ExitCode {
    if report.fails_at(fail_on) {
        ExitCode::from(1)
    } else if !allow_unknown && report.count(Status::Unknown) > 0 {
        ExitCode::from(3)
    } else {
        ExitCode::SUCCESS
    }
}
