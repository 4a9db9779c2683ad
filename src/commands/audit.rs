//! `harden audit`.

use std::process::ExitCode;

use jiff::Timestamp;

use super::{Failure, Session, gather, terminal};
use crate::catalog::{self, Request};
use crate::check;
use crate::cli::Audit;
use crate::model::{Severity, Status, Subject};
use crate::report::{self, REPORT_VERSION, Report, ReportAgent};

/// Audits and reports.
pub(super) fn run(args: &Audit) -> Result<ExitCode, Failure> {
    let request = Request { only: args.only.clone(), skip: args.skip.clone(), ..Request::default() };
    let session = Session::open(&args.target, &args.checks, request)?;
    let (facts, _timings) = gather(&session);
    let report = build(&session, &facts)?;
    let look = report::Look { width: terminal::width(), colour: terminal::colour(), verbose: false };
    terminal::print(&report::table(&report, look))?;
    Ok(exit_code(&report, Severity::Medium, false))
}

/// Judges the facts and lays waivers and baseline over the findings.
fn build(session: &Session, facts: &[crate::facts::Facts]) -> Result<Report, Failure> {
    let agents: Vec<String> = session.subjects.iter().map(|subject| subject.agent.agent.clone()).collect();
    let mut findings = check::findings(&session.policy, session.host.os(), &agents, facts);
    let mut problems = session.policy.problems.clone();
    problems.extend(check::apply_waivers(&session.policy, &mut findings, catalog::today()));
    let lines = catalog::checklist()?;
    Ok(Report {
        version: REPORT_VERSION,
        harden: env!("CARGO_PKG_VERSION").to_owned(),
        time: Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        profile: session.policy.profile.clone(),
        scope: session.policy.scope,
        os: session.host.os(),
        project: session.subjects.first().map(|s| s.project.text()).unwrap_or_default(),
        agents: session.subjects.iter().map(agent).collect(),
        counts: report::counts(&findings),
        checklist: lines.iter().map(|line| report::tick(&line.id, &line.name, &line.checks, &findings)).collect(),
        findings,
        problems,
    })
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
