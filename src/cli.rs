//! The command line: structures only.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Audits how hardened the coding agents of this machine and project are.
#[derive(Debug, Parser)]
#[command(name = "harden", version, about, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  clean
  1  findings at or above --fail-on
  2  usage, check or profile error; nothing was audited
  3  a selected check could not be told (--allow-unknown accepts that)";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a project, the account and the host of an agent
    Audit(Audit),
    /// Say what a check looks for, why, and what to do
    Explain(Explain),
    /// List what there is
    List(List),
    /// Print the redacted facts as JSON: what a check can speak of
    Facts(Facts),
}

/// Whom to look at.
#[derive(Debug, Default, Args)]
pub struct Target {
    /// The project; the current folder where left out
    pub path: Option<PathBuf>,
    /// Look at this agent only; detected where left out
    #[arg(long, value_name = "AGENT")]
    pub agent: Option<String>,
    /// Profile name or file
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// How wide to look
    #[arg(long, value_enum)]
    pub scope: Option<ScopeArg>,
    /// A mounted image or container root instead of this machine
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

/// `harden audit`
#[derive(Debug, Args)]
pub struct Audit {
    /// Whom to look at.
    #[command(flatten)]
    pub target: Target,
    /// More checks, from a folder of YAML files
    #[arg(long, value_name = "DIR")]
    pub checks: Vec<PathBuf>,
    /// Run these checks only: ids, codes, areas
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these checks out: ids, codes, areas
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub skip: Vec<String>,
}

/// `harden explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// Check id or code
    pub check: String,
}

/// `harden list`
#[derive(Debug, Args)]
pub struct List {
    /// What to list
    #[arg(value_enum)]
    pub what: ListWhat,
}

/// What `harden list` lists.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ListWhat {
    /// Checks
    Checks,
    /// Profiles
    Profiles,
    /// Agents
    Agents,
    /// Facts
    Facts,
    /// Parameters of profiles
    Parameters,
}

/// `harden facts`
#[derive(Debug, Args)]
pub struct Facts {
    /// Whom to look at.
    #[command(flatten)]
    pub target: Target,
}

/// How wide to look.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ScopeArg {
    /// Files of the project alone
    Repo,
    /// And the account that runs the agent
    User,
    /// And the machine
    Host,
}
