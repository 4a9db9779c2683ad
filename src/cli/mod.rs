//! The command line: structures only.

mod apply;
mod history;
mod hooks;
mod log;
mod output;
mod policy;
mod report;
mod scan;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub use self::apply::{ApplyArgs, ClassArg, ConfirmArgs, PlanArgs, Planning, RollbackArgs, RunsArgs};
pub use self::history::{Diff, History};
pub use self::hooks::{Hooks, HooksChange, HooksCommand, HooksStatus};
pub use self::log::{Log, LogCommand, LogExec, TableOrJson};
pub use self::output::{Format, Named, Output};
pub use self::policy::{
    PolicyAllow, PolicyArgs, PolicyCheck, PolicyCommand, PolicyDiff, PolicyRevoke, PolicyShow, PolicyWhy, YamlOrJson,
};
pub use self::report::{Report, ReportFormat};
pub use self::scan::{Scan, ScanFormat};
use crate::model::{Scope, Severity};

/// Audits how hardened the coding agents of this machine and project are.
#[derive(Debug, Parser)]
#[command(name = "harden", version, max_term_width = 100, after_help = AFTER)]
pub struct Cli {
    /// When to use colours
    #[arg(long, value_enum, default_value_t, global = true, value_name = "WHEN")]
    pub color: Color,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// `concat!` joins literals only, and a macro is how a literal gets a name.
macro_rules! exit_codes {
    () => {
        "
Exit codes:
  0  clean
  1  findings at or above --fail-on
  2  usage, check, profile or output error; unless it says otherwise, nothing was audited
  3  a selected check could not be told (1 wins over 3; --allow-unknown accepts it)"
    };
}

const AFTER: &str = concat!(
    "\
Examples:
  harden audit                      this folder, this account, this machine
  harden audit --scope repo         only the files of this project, as in a pull request
  harden explain USR-01             why a check matters, and what to do
  sudo harden apply                 make what fails pass, after showing it; `harden rollback` takes it back
",
    exit_codes!()
);

const AUDIT_EXAMPLES: &str = concat!(
    "\
Examples:
  harden audit
  sudo harden audit ~/src/shop                      as root: firewall and audit rules can be read
  harden audit --scope repo -f github -f sarif=harden.sarif
  harden audit --profile production --fail-on high
  harden audit -f json=before.json; harden audit --baseline before.json
  harden audit --root /mnt/image /srv/app           a mounted image instead of this machine
  harden audit --only mcp,SEC-01 --skip MCP-09 -v
",
    exit_codes!()
);

const PLAN_EXAMPLES: &str = "\
Examples:
  sudo harden plan --profile harden.yaml                 everything that can be fixed, as a diff
  harden plan --only SEC-06                              one check, without root
  sudo harden plan --class safe,guarded,unsafe -o plan.json; sudo harden apply plan.json

Each step names the finding that wants it, its class, whether only root can do it, and how it is undone.

Exit codes:
  0  nothing would be changed
  1  there are steps
  2  usage, check, profile or output error";

const APPLY_EXAMPLES: &str = "\
Examples:
  sudo harden apply --profile harden.yaml                shows the plan and asks
  sudo harden apply --class safe --yes                   without asking: the classes are named
  sudo harden apply plan.json                            a saved plan, if nothing has changed since
  sudo harden apply --confirm-within 5m; harden confirm  undone by itself unless confirmed
  sudo harden apply --resume                             go on after a crash

Every run is written down before it is done, and `harden rollback` takes it back.

Exit codes:
  0  everything that was found is fixed
  1  applied; some findings still fail or need a person
  2  usage, check or profile error, or a stale plan; nothing was changed
  4  a step failed and everything was undone
  5  a step failed, and a person has to look at what is left";

const ROLLBACK_EXAMPLES: &str = "\
Examples:
  sudo harden rollback                                   the newest run that is in place
  sudo harden rollback 20261127T221500Z-402-3f2a
  sudo harden rollback --keep-changed                    what was changed since stays as it is

Exit codes:
  0  taken back
  1  something was changed since; nothing was taken back
  2  usage error, no such run, or another run is at work
  5  a part could not be taken back, and a person has to look at it";

const RUNS_EXAMPLES: &str = "\
Examples:
  sudo harden runs
  sudo harden runs --format json";

const DRIFT_EXAMPLES: &str = "\
Examples:
  sudo harden drift || echo changed                      for a timer

Exit codes:
  0  everything is as `apply` left it
  1  something is not
  2  the runs cannot be read";

const CONFIRM_EXAMPLES: &str = "\
Examples:
  sudo harden confirm";

const POLICY_EXAMPLES: &str = "\
Examples:
  harden policy check .harden-policy.yaml      does a project's own policy only narrow?
  harden policy diff                           what allows more than the one accepted last
  sudo harden policy allow --reason 'reads only' -- git status
  harden policy why 'git status'               which rule decides, and where it stands

The machine's policy is written by `harden apply` from the profile. Approvals lie beside it, in a
file that is only added to.

Exit codes:
  0  well-formed, nothing wider, allowed
  1  wider; not allowed
  2  usage error, or a policy that is missing or not understood; nothing was changed";

const REPORT_EXAMPLES: &str = "\
Examples:
  harden audit -f json=host.json; harden report host.json      NIST SSDF 1.1, as Markdown
  harden report -f csv=tasks.csv -f json=report.json           of a fresh audit of this folder
  harden report a.json b.json --framework checklist            two hosts, the twelve lines
  harden report host.json --attestations attestations.yaml     with what people answer for
  harden list frameworks                                       what --framework knows

It says what is evidence for and against each control, and never that something complies.

Exit codes:
  0  written
  2  usage, file or output error";

const HISTORY_EXAMPLES: &str = "\
Examples:
  harden history                    every audit of this account, oldest first
  harden history --project /srv/shop --format json
  harden history --prune 90d        forget what is older

The audits lie in XDG_STATE_HOME, or ~/.local/state, in harden/history.sqlite, which only you can read.";

const DIFF_EXAMPLES: &str = "\
Examples:
  harden diff 12 15                 two audits of `harden history`
  harden diff before.json after.json --format json

Exit codes:
  0  nothing new
  1  a defect is new
  2  usage or file error";

const LOG_EXAMPLES: &str = "\
Examples:
  sudo harden log exec --since 2h                        what the agent's account started
  sudo harden log exec --user agent --since 2026-11-27 -f json

Secrets in arguments are masked, and so are some words that only look like one.

Exit codes:
  0  read
  2  usage error, or the log cannot be read";

const SCAN_EXAMPLES: &str = "\
Examples:
  harden scan                       all files below this folder, databases and encoded text included
  harden scan --history             every line that the commits of this repository have added
  harden scan --staged              what the next commit would add
  harden scan -f json=secrets.json; harden scan --baseline secrets.json
  harden scan --pushed --remote origin       in a pre-push hook; `harden hooks install` sets it up
  git diff | harden scan --stdin
  harden scan --rules gitleaks.toml ~/src
  harden scan --explain github-pat

No report holds a secret: equal ones are told by the same few digits behind `#`.

Exit codes:
  0  clean
  1  secrets that are neither accepted nor known
  2  usage, rule or output error
  3  something could not be read (1 wins over 3; --allow-unknown accepts it)";

const HOOKS_EXAMPLES: &str = "\
Examples:
  harden hooks install              scan before every commit and push of this repository
  harden hooks status               what stands there now, and whether it scans
  harden hooks uninstall            as it was before

Exit codes:
  0  done; status: both hooks scan
  1  a hook was left as it is, and it is said why; status: a hook does not scan
  2  usage or file error";

const EXPLAIN_EXAMPLES: &str = "\
Examples:
  harden explain USR-01
  harden explain agent-user-shared-with-person --format json
  harden explain my-check --checks ./checks";

const LIST_EXAMPLES: &str = "\
Examples:
  harden list checks
  harden list parameters
  harden list facts --format json";

const FACTS_EXAMPLES: &str = "\
Examples:
  harden facts                      everything; values that could be secret are left out or masked
  harden facts --only user          one fact
  harden schema facts               the same, described";

const INIT_EXAMPLES: &str = "\
Examples:
  harden init --print               look first
  harden init                       writes .harden.yaml
  harden audit --profile .harden.yaml";

const SCHEMA_EXAMPLES: &str = "\
Examples:
  harden schema report > report.schema.json
  harden schema check > check.schema.json    for an editor, while writing checks";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  harden completions bash > ~/.local/share/bash-completion/completions/harden
  harden completions zsh > ~/.zfunc/_harden
  harden completions fish > ~/.config/fish/completions/harden.fish";

const MAN_EXAMPLES: &str = "\
Examples:
  harden man | man -l -
  harden man --out ~/.local/share/man/man1";

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check a project, the account and the host of an agent
    #[command(after_help = AUDIT_EXAMPLES)]
    Audit(Box<Audit>),
    /// Show what would be changed to make failing checks pass
    #[command(after_help = PLAN_EXAMPLES)]
    Plan(Box<PlanArgs>),
    /// Change it: plan, ask, do, and audit again
    #[command(after_help = APPLY_EXAMPLES)]
    Apply(Box<ApplyArgs>),
    /// Take a run of `apply` back
    #[command(after_help = ROLLBACK_EXAMPLES)]
    Rollback(RollbackArgs),
    /// List the runs of `apply`
    #[command(after_help = RUNS_EXAMPLES)]
    Runs(RunsArgs),
    /// Say what was changed since `apply`
    #[command(after_help = DRIFT_EXAMPLES)]
    Drift(RunsArgs),
    /// Keep what `apply --confirm-within` would take back
    #[command(after_help = CONFIRM_EXAMPLES)]
    Confirm(ConfirmArgs),
    /// Look at what is declared for the agent, and approve commands
    #[command(after_help = POLICY_EXAMPLES)]
    Policy(Box<PolicyArgs>),
    /// Say what audits are evidence for and against, control by control
    #[command(after_help = REPORT_EXAMPLES)]
    Report(Box<Report>),
    /// List the audits that are kept, and forget old ones
    #[command(after_help = HISTORY_EXAMPLES)]
    History(History),
    /// Say what changed between two audits: new, fixed, changed
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(Diff),
    /// Read back what was recorded
    #[command(after_help = LOG_EXAMPLES)]
    Log(Log),
    /// Find leaked secrets in files, histories, and what is staged or pushed
    #[command(after_help = SCAN_EXAMPLES)]
    Scan(Box<Scan>),
    /// Let git scan for secrets before it commits and pushes
    #[command(after_help = HOOKS_EXAMPLES)]
    Hooks(Hooks),
    /// Say what a check looks for, why, and what to do
    #[command(after_help = EXPLAIN_EXAMPLES)]
    Explain(Explain),
    /// List what there is
    #[command(after_help = LIST_EXAMPLES)]
    List(List),
    /// Print the redacted facts as JSON: what a check can speak of
    #[command(after_help = FACTS_EXAMPLES)]
    Facts(Facts),
    /// Write a commented profile that fits what is found here
    #[command(after_help = INIT_EXAMPLES)]
    Init(Init),
    /// Print the JSON Schema of a file format
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema(Schema),
    /// Print a completion script
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Print the manual page, or write all of them
    #[command(after_help = MAN_EXAMPLES)]
    Man(Man),
}

/// Whom to look at.
#[derive(Debug, Default, Args)]
pub struct Target {
    /// The project; the current folder where left out
    pub path: Option<PathBuf>,
    /// By what, and how wide.
    #[command(flatten)]
    pub aim: Aim,
}

/// By what to look, and how wide.
#[derive(Clone, Debug, Default, Args)]
pub struct Aim {
    /// Look at this agent only; detected where left out
    #[arg(long, value_name = "AGENT")]
    pub agent: Option<String>,
    /// Profile name or file
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// How wide to look; the profile says where left out
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
    /// An earlier JSON report: what fails there is shown as known and fails no more
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// The least severity that makes the exit code 1
    #[arg(long, value_enum, value_name = "SEVERITY", default_value_t = SeverityArg::Medium)]
    pub fail_on: SeverityArg,
    /// Exit 0 though some checks could not be told
    #[arg(long)]
    pub allow_unknown: bool,
    /// Let the project's own .harden.yaml waive findings
    #[arg(long)]
    pub allow_local_waivers: bool,
    /// Do not keep this audit for `harden history`
    #[arg(long)]
    pub no_history: bool,
    /// What to write, and where; standard output where no file is given. Repeatable
    ///
    /// table, json, sarif, junit, csv, github (workflow annotations) or markdown (a comment for a pull request).
    #[arg(short, long = "format", value_name = "FORMAT[=FILE]")]
    pub formats: Vec<Output>,
    /// Print the summary line only
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show what passes too; twice: the evidence of every finding
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say on standard error where the time went
    #[arg(long)]
    pub timings: bool,
}

/// `harden explain`
#[derive(Debug, Args)]
pub struct Explain {
    /// Check id or code
    pub check: String,
    /// More checks, from a folder of YAML files
    #[arg(long, value_name = "DIR")]
    pub checks: Vec<PathBuf>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
}

/// `harden list`
#[derive(Debug, Args)]
pub struct List {
    /// What to list
    #[arg(value_enum, value_name = "checks|profiles|agents|facts|parameters|frameworks")]
    pub what: ListWhat,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
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
    /// Frameworks that `harden report` knows
    Frameworks,
}

/// `harden facts`
#[derive(Debug, Args)]
pub struct Facts {
    /// Whom to look at.
    #[command(flatten)]
    pub target: Target,
    /// These facts only
    #[arg(long, value_name = "FACT", value_delimiter = ',')]
    pub only: Vec<String>,
    /// How to print them
    #[arg(short, long, value_enum, default_value_t)]
    pub format: JsonOnly,
}

/// `harden init`
#[derive(Debug, Args)]
pub struct Init {
    /// Whom to look at.
    #[command(flatten)]
    pub target: Target,
    /// Print it instead of writing it
    #[arg(long)]
    pub print: bool,
}

/// `harden schema`
#[derive(Debug, Args)]
pub struct Schema {
    /// Of what
    #[arg(value_enum)]
    pub what: SchemaWhat,
}

/// What `harden schema` describes.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SchemaWhat {
    /// The JSON report
    Report,
    /// The JSON report of a scan for secrets
    Scan,
    /// A check
    Check,
    /// A profile
    Profile,
    /// The facts
    Facts,
    /// A policy
    Policy,
    /// A framework of controls
    Framework,
    /// A file of attestations
    Attestations,
    /// What `harden report -f json` writes
    Assessment,
    /// What `harden diff --format json` writes
    Diff,
}

/// `harden completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// For which shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

/// `harden man`
#[derive(Debug, Args)]
pub struct Man {
    /// Write the page of every command into this folder
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// When to use colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On terminals, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// How to print what a program may want to read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TextOrJson {
    /// For people
    #[default]
    Text,
    /// For programs
    Json,
}

/// How facts are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum JsonOnly {
    /// JSON
    #[default]
    Json,
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

impl From<ScopeArg> for Scope {
    fn from(arg: ScopeArg) -> Self {
        match arg {
            ScopeArg::Repo => Self::Repo,
            ScopeArg::User => Self::User,
            ScopeArg::Host => Self::Host,
        }
    }
}

/// How bad.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum SeverityArg {
    /// Worth knowing
    Info,
    /// Defence in depth
    Low,
    /// A step of an attack
    Medium,
    /// An attack with one more condition
    High,
    /// An attack as it stands
    Critical,
}

impl From<SeverityArg> for Severity {
    fn from(arg: SeverityArg) -> Self {
        match arg {
            SeverityArg::Info => Self::Info,
            SeverityArg::Low => Self::Low,
            SeverityArg::Medium => Self::Medium,
            SeverityArg::High => Self::High,
            SeverityArg::Critical => Self::Critical,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
