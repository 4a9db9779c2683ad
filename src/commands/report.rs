//! `harden report`.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use super::progress::Progress;
use super::{Failure, Session, gather, history, output, saved, terminal, verdict};
use crate::catalog::{self, Request, Types};
use crate::cli::{Output, Report, ReportFormat, Target};
use crate::evidence::{self, Assessment, Saved};
use crate::model::Check;
use crate::report;

/// Holds audits against a framework and writes what they are evidence for.
pub(super) fn run(args: &Report) -> Result<ExitCode, Failure> {
    let outputs = outputs(args)?;
    output::check(&outputs)?;
    let checks = checks(args)?;
    let framework = catalog::framework(&args.framework, &checks)?;
    let attestations = match &args.attestations {
        Some(file) => catalog::attestations(file, &framework)?,
        None => Vec::new(),
    };
    let audits = match args.reports.as_slice() {
        [] => vec![fresh(args)?],
        some => given(args, some)?,
    };
    let past = if args.no_history { Vec::new() } else { history::past() };
    let assessment = evidence::assess(&framework, &audits, &attestations, &past, catalog::today());
    output::write_each(&outputs, terminal::file_look(), |format, _| text(&assessment, &audits, format))?;
    Ok(ExitCode::SUCCESS)
}

/// Markdown where nothing is said; `--output` is the file of the one format that names none.
fn outputs(args: &Report) -> Result<Vec<Output<ReportFormat>>, Failure> {
    let mut outputs = match args.formats.as_slice() {
        [] => vec![Output { format: ReportFormat::Markdown, file: None }],
        some => some.to_vec(),
    };
    if let Some(file) = &args.output {
        let mut without: Vec<&mut Output<ReportFormat>> = outputs.iter_mut().filter(|it| it.file.is_none()).collect();
        match without.as_mut_slice() {
            [one] => one.file = (file.as_os_str() != "-").then(|| file.clone()),
            _ => {
                let message = format!("--output `{}` fits no single format", file.display());
                return Err(Failure::usage(message, "write `-f FORMAT=FILE` for each"));
            }
        }
    }
    Ok(outputs)
}

fn checks(args: &Report) -> Result<BTreeMap<String, Arc<Check>>, Failure> {
    let types = Types::default();
    let mut checks = catalog::checks(&types)?;
    for folder in &args.checks {
        checks = catalog::add_dir(&types, checks, folder)?;
    }
    Ok(checks)
}

/// The saved reports. What only a fresh audit goes by would be ignored, and is refused.
fn given(args: &Report, files: &[String]) -> Result<Vec<Saved>, Failure> {
    let aim = &args.aim;
    let flags = [
        ("--project", args.project.is_some()),
        ("--agent", aim.agent.is_some()),
        ("--profile", aim.profile.is_some()),
        ("--scope", aim.scope.is_some()),
        ("--root", aim.root.is_some()),
        ("--only", !args.only.is_empty()),
        ("--skip", !args.skip.is_empty()),
        ("--allow-local-waivers", args.allow_local_waivers),
    ];
    if let Some((flag, _)) = flags.iter().find(|(_, set)| *set) {
        let message = format!("`{flag}` is about a fresh audit, and saved reports are given");
        return Err(Failure::usage(message, format!("leave out either `{flag}` or the reports")));
    }
    files.iter().map(|file| saved::read(file)).collect()
}

/// An audit made now, as it would have been saved.
fn fresh(args: &Report) -> Result<Saved, Failure> {
    let request = Request {
        only: args.only.clone(),
        skip: args.skip.clone(),
        allow_local_waivers: args.allow_local_waivers,
        ..Request::default()
    };
    let target = Target { path: args.project.clone(), aim: args.aim.clone() };
    let session = Session::open(&target, &args.checks, request)?;
    let progress = Progress::start("looking");
    let (facts, _) = gather(&session);
    let audit = verdict::report(&session, &facts, None)?;
    drop(progress);
    if !args.no_history {
        history::keep(&audit, false);
    }
    evidence::saved("this audit", report::json(&audit).as_bytes())
        .map_err(|why| Failure::usage(format!("cannot read back the audit: {why}"), "report this as a bug"))
}

fn text(assessment: &Assessment, audits: &[Saved], format: ReportFormat) -> String {
    match format {
        ReportFormat::Markdown => evidence::markdown(assessment),
        ReportFormat::Csv => evidence::csv(assessment),
        ReportFormat::Json => evidence::json(assessment),
        ReportFormat::Html => evidence::html(assessment),
        ReportFormat::AssessmentResults => evidence::assessment_results(assessment),
        ReportFormat::AssessmentPlan => evidence::assessment_plan(assessment),
        ReportFormat::ComponentDefinition => evidence::component_definition(assessment),
        ReportFormat::PlanOfAction => evidence::plan_of_action(assessment),
        ReportFormat::Junit => evidence::junit(assessment),
        ReportFormat::Sarif => evidence::sarif(assessment, audits),
    }
}
