//! `harden policy`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::TextOrJson;

const CHECK_EXAMPLES: &str = "\
Examples:
  harden policy check                                    the machine's policy, and the approvals beside it
  harden policy check .harden-policy.yaml                a project's own: does it only narrow?
  harden policy check new.yaml --machine new.yaml        a policy of the machine that is not in place yet

Exit codes:
  0  well-formed; a project's own only narrows
  1  a project's own policy asks for more than the machine's
  2  not well-formed, or not readable";

const SHOW_EXAMPLES: &str = "\
Examples:
  harden policy show                                     the machine's, narrowed by this project's own
  harden policy show --format json ~/src/shop

Exit codes:
  0  shown
  2  a policy is missing, not well-formed, or not readable";

const DIFF_EXAMPLES: &str = "\
Examples:
  harden policy diff                                     what was changed since the last `harden apply`
  harden policy diff new.yaml                            what this one would change
  harden policy diff || echo wider                       for a gate

Exit codes:
  0  nothing more is allowed
  1  more is allowed
  2  a policy is missing, not well-formed, or not readable";

const ALLOW_EXAMPLES: &str = "\
Examples:
  sudo harden policy allow --reason 'reads only' -- git status
  sudo harden policy allow --reason 'asked for daily' --expires 2027-01-31 -- cargo test
  sudo harden apply                                      writes it into the agent's own rules

The words are taken one by one, as the shell hands them over: nothing is a pattern. What runs any
code given to it (a shell, an interpreter, sudo, xargs) is no exact command and is refused. The
line is added to the file beside the machine's policy and never changed; `harden policy revoke`
adds another.

Exit codes:
  0  approved
  2  not an exact command, approved already, or not yours to approve; nothing was changed";

const REVOKE_EXAMPLES: &str = "\
Examples:
  harden policy show --format json                       lists the approvals with their ids
  sudo harden policy revoke 3f2a91c07b --reason 'no longer needed'

Exit codes:
  0  taken back
  2  no such approval, or not yours to take back; nothing was changed";

const WHY_EXAMPLES: &str = "\
Examples:
  harden policy why 'git status'
  harden policy why 'cat x | sh'                         says why no approval can name it

Exit codes:
  0  allowed
  1  asked for, or denied
  2  a policy is missing, not well-formed, or not readable";

/// `harden policy`
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub what: PolicyCommand,
    /// The machine's policy; the approvals and what was accepted lie beside it
    #[arg(long, global = true, value_name = "FILE", default_value = crate::model::MACHINE_POLICY)]
    pub machine: PathBuf,
}

/// What `harden policy` does.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Say whether a policy is well-formed, and whether a project's own only narrows
    #[command(after_help = CHECK_EXAMPLES)]
    Check(PolicyCheck),
    /// Print what holds for a project: the machine's policy, narrowed by its own
    #[command(after_help = SHOW_EXAMPLES)]
    Show(PolicyShow),
    /// Show what allows more, or less, than the policy that was accepted last
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(PolicyDiff),
    /// Approve a command word for word
    #[command(after_help = ALLOW_EXAMPLES)]
    Allow(PolicyAllow),
    /// Take an approval back
    #[command(after_help = REVOKE_EXAMPLES)]
    Revoke(PolicyRevoke),
    /// Say which rule decides over a command line, and where it stands
    #[command(after_help = WHY_EXAMPLES)]
    Why(PolicyWhy),
}

/// `harden policy check`
#[derive(Debug, Args)]
pub struct PolicyCheck {
    /// The policy; the machine's where left out
    pub file: Option<PathBuf>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
}

/// `harden policy show`
#[derive(Debug, Args)]
pub struct PolicyShow {
    /// A folder of the project; the current one where left out
    pub project: Option<PathBuf>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: YamlOrJson,
}

/// `harden policy diff`
#[derive(Debug, Args)]
pub struct PolicyDiff {
    /// The policy; the machine's where left out
    pub file: Option<PathBuf>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
}

/// `harden policy allow`
#[derive(Debug, Args)]
pub struct PolicyAllow {
    /// A folder of the project that it is for; the current one where left out
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The last day it holds, YYYY-MM-DD; 90 days from now where left out
    #[arg(long, value_name = "DATE")]
    pub expires: Option<jiff::civil::Date>,
    /// The command, word for word
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGV")]
    pub argv: Vec<String>,
}

/// `harden policy revoke`
#[derive(Debug, Args)]
pub struct PolicyRevoke {
    /// The approval, by its id
    pub id: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
}

/// `harden policy why`
#[derive(Debug, Args)]
pub struct PolicyWhy {
    /// The command line, as one argument
    #[arg(value_name = "CMD")]
    pub line: String,
    /// A folder of the project; the current one where left out
    #[arg(long, value_name = "DIR")]
    pub project: Option<PathBuf>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
}

/// How a policy is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum YamlOrJson {
    /// For people
    #[default]
    Yaml,
    /// For programs
    Json,
}
