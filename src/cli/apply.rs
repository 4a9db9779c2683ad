//! `harden plan`, `apply`, `rollback`, `runs`, `drift`, `confirm`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Target, TextOrJson};
use crate::model::Class;

/// What is planned for whom.
#[derive(Debug, Args)]
pub struct Planning {
    /// Whom to look at.
    #[command(flatten)]
    pub target: Target,
    /// More checks, from a folder of YAML files
    #[arg(long, value_name = "DIR")]
    pub checks: Vec<PathBuf>,
    /// Fix what these checks find only: ids, codes, areas
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Leave these checks out: ids, codes, areas
    #[arg(long, value_name = "CHECK", value_delimiter = ',')]
    pub skip: Vec<String>,
    /// Only steps of these classes; safe and guarded where left out
    #[arg(long = "class", value_enum, value_name = "CLASS", value_delimiter = ',')]
    pub classes: Vec<ClassArg>,
    /// Have a timer of systemd look once a day for what was changed since
    #[arg(long)]
    pub drift_timer: bool,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
}

/// `harden plan`
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// What is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// Save it, to be given to `harden apply` instead of a folder
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `harden apply`
#[derive(Debug, Args)]
pub struct ApplyArgs {
    /// What is planned.
    #[command(flatten)]
    pub planning: Planning,
    /// Show the plan and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask; needs --class
    #[arg(short, long)]
    pub yes: bool,
    /// Take everything back after this time unless `harden confirm` is called: `5m`, `90s`
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub confirm_within: Option<Duration>,
    /// Go on with a run that was cut off
    #[arg(long, conflicts_with_all = ["dry_run", "confirm_within"])]
    pub resume: bool,
}

/// `harden rollback`
#[derive(Debug, Args)]
pub struct RollbackArgs {
    /// The run; the newest that is in place where left out
    pub run: Option<String>,
    /// Leave what was changed since as it is, and take the rest back
    #[arg(long)]
    pub keep_changed: bool,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
    /// Wait so long, and do nothing if the run was confirmed by then
    #[arg(long, value_name = "TIME", value_parser = time, hide = true)]
    pub unless_confirmed: Option<Duration>,
}

/// `harden runs` and `harden drift`
#[derive(Debug, Args)]
pub struct RunsArgs {
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
}

/// `harden confirm`
#[derive(Debug, Args)]
pub struct ConfirmArgs {
    /// The run; the newest where left out
    pub run: Option<String>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
}

/// How much consent a step needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ClassArg {
    /// Rights, ignore rules, files of our own
    Safe,
    /// Accounts, packet rules, audit, sudo
    Guarded,
    /// What people wrote for the agent is rewritten
    Unsafe,
}

impl From<ClassArg> for Class {
    fn from(arg: ClassArg) -> Self {
        match arg {
            ClassArg::Safe => Self::Safe,
            ClassArg::Guarded => Self::Guarded,
            ClassArg::Unsafe => Self::Unsafe,
        }
    }
}

/// The longest time that is waited for a confirmation: a day.
const LONGEST: u64 = 86_400;

/// `90s`, `5m`, `1h`.
fn time(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time; write `90s`, `5m` or `1h`");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let seconds = match unit {
        "s" => Some(number),
        "m" => number.checked_mul(60),
        "h" => number.checked_mul(3600),
        _ => None,
    };
    let seconds = seconds.filter(|seconds| (1..=LONGEST).contains(seconds)).ok_or_else(wrong)?;
    Ok(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_a_unit_and_a_bound() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("5m", Some(300)),
            ("1h", Some(3600)),
            ("0s", None),
            ("5", None),
            ("25h", None),
            ("m", None),
            ("", None),
            ("5ä", None),
        ] {
            assert_eq!(time(text).ok(), seconds.map(Duration::from_secs), "{text}");
        }
    }
}
