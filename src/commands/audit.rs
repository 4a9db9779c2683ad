//! `harden audit`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::progress::Progress;
use super::{Failure, Session, baseline, gather, history, output, terminal, verdict};
use crate::catalog::Request;
use crate::cli::{Audit, Color, Format, Output};
use crate::facts::Timing;
use crate::model::{Severity, Status};
use crate::report::{self, Look, Report};

/// Audits and reports.
pub(super) fn run(args: &Audit, color: Color, started: Instant) -> Result<ExitCode, Failure> {
    let outputs = match args.formats.as_slice() {
        [] => vec![Output { format: Format::Table, file: None }],
        some => some.to_vec(),
    };
    output::check(&outputs)?;
    let known = args.baseline.as_deref().map(baseline::read).transpose()?;
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
    let (judging, report) = timed(|| verdict::report(&session, &facts, known.as_ref()));
    let report = report?;
    drop(progress);
    let look = Look { verbose: args.verbose, quiet: args.quiet, ..terminal::look(color) };
    let (writing, written) = timed(|| output::write(&report, &outputs, look));
    written?;
    if !args.no_history {
        history::keep(&report, args.quiet);
    }
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
