//! From facts to a report: judged, waived, compared with a baseline, ticked.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::session::LOCAL_PROFILE;
use super::{Failure, Session};
use crate::catalog;
use crate::check;
use crate::facts::Facts;
use crate::host::Kind;
use crate::model::Subject;
use crate::report::{self, REPORT_VERSION, Report, ReportAgent};

/// Files that findings about the host are pinned to: the first that is there.
const ANCHORS: &[&str] =
    &[LOCAL_PROFILE, "README.md", "README", "README.rst", "README.txt", "readme.md", "AGENTS.md", "opencode.json"];

/// Judges the facts and lays waivers and baseline over the findings.
pub(super) fn report(session: &Session, facts: &[Facts], known: Option<&BTreeSet<String>>) -> Result<Report, Failure> {
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
        user: subject.user.known().map(|user| user.name.clone()),
        user_source: subject.user.known().map(|user| user.source),
        workspace: subject.workspace.text(),
    }
}
