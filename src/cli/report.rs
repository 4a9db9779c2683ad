//! `harden report`.

use std::path::PathBuf;

use clap::Args;

use super::Aim;
use super::output::{Named, Output};

/// `harden report`
#[derive(Debug, Args)]
pub struct Report {
    /// Reports that `harden audit -f json=FILE` saved, or numbers of `harden history`; a fresh audit where none is given
    #[arg(value_name = "REPORT.json")]
    pub reports: Vec<String>,
    /// A framework by name (`harden list frameworks`), or a YAML file of your own
    #[arg(long, value_name = "NAME|FILE", default_value = "ssdf-1.1")]
    pub framework: String,
    /// What people answer for: task, statement, owner, date, expires (`harden schema attestations`)
    #[arg(long, value_name = "FILE")]
    pub attestations: Option<String>,
    /// What to write, and where; standard output where no file is given. Repeatable
    ///
    /// md, html, csv, json, junit, sarif, or OSCAL: oscal-ar (assessment results), oscal-ap (assessment plan),
    /// oscal-component (component definition), oscal-poam (plan of action and milestones).
    #[arg(short, long = "format", value_name = "FORMAT[=FILE]")]
    pub formats: Vec<Output<ReportFormat>>,
    /// The file for the one format that names none
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Neither read past audits for the trend, nor keep a fresh one
    #[arg(long)]
    pub no_history: bool,
    /// More checks, from a folder of YAML files
    #[arg(long, value_name = "DIR")]
    pub checks: Vec<PathBuf>,
    /// The project that a fresh audit looks at; the current folder where left out
    #[arg(long, value_name = "DIR", help_heading = "Fresh audit")]
    pub project: Option<PathBuf>,
    /// By what a fresh audit goes, and how wide.
    #[command(flatten, next_help_heading = "Fresh audit")]
    pub aim: Aim,
    /// Run these checks only: ids, codes, areas
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these checks out: ids, codes, areas
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Let the project's own .harden.yaml waive findings
    #[arg(long)]
    pub allow_local_waivers: bool,
}

/// The form of a report on controls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// For people, in a repository or a wiki.
    Markdown,
    /// For sheets.
    Csv,
    /// For programs, with a published schema.
    Json,
    /// One page for a browser, and for paper.
    Html,
    /// OSCAL: what was found.
    AssessmentResults,
    /// OSCAL: what was looked at, and how.
    AssessmentPlan,
    /// OSCAL: which controls the checks are about.
    ComponentDefinition,
    /// OSCAL: what is left to do.
    PlanOfAction,
    /// For test runners.
    Junit,
    /// For code scanning.
    Sarif,
}

impl Named for ReportFormat {
    const ALL: &'static [(&'static str, Self)] = &[
        ("md", Self::Markdown),
        ("csv", Self::Csv),
        ("json", Self::Json),
        ("html", Self::Html),
        ("oscal-ar", Self::AssessmentResults),
        ("oscal-ap", Self::AssessmentPlan),
        ("oscal-component", Self::ComponentDefinition),
        ("oscal-poam", Self::PlanOfAction),
        ("junit", Self::Junit),
        ("sarif", Self::Sarif),
    ];
}
