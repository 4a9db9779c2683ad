//! `harden hooks`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::TextOrJson;

const INSTALL_EXAMPLES: &str = "\
Examples:
  harden hooks install              in the repository of this folder
  harden hooks install ~/src/shop
  harden hooks install --shared     where one folder of hooks serves all repositories

A hook that is there already stays as it is under another name, and runs after ours.";

/// `harden hooks`
#[derive(Debug, Args)]
pub struct Hooks {
    /// What to do with them.
    #[command(subcommand)]
    pub what: HooksCommand,
}

/// What `harden hooks` does.
#[derive(Debug, Subcommand)]
pub enum HooksCommand {
    /// Scan before every commit, merge and push of a repository
    #[command(after_help = INSTALL_EXAMPLES)]
    Install(HooksChange),
    /// Take the hooks out, and put back what was there before
    Uninstall(HooksChange),
    /// Say of each hook what it is, and whether it scans
    Status(HooksStatus),
}

/// `harden hooks install` and `uninstall`
#[derive(Debug, Args)]
pub struct HooksChange {
    /// A folder of the work tree; the current one where left out
    pub path: Option<PathBuf>,
    /// Also where core.hooksPath names a folder outside of this repository, which others use too
    #[arg(long)]
    pub shared: bool,
}

/// `harden hooks status`
#[derive(Debug, Args)]
pub struct HooksStatus {
    /// A folder of the work tree; the current one where left out
    pub path: Option<PathBuf>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TextOrJson,
}
