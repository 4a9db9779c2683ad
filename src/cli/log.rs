//! `harden log`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `harden log`
#[derive(Debug, Args)]
pub struct Log {
    /// Of what
    #[command(subcommand)]
    pub what: LogCommand,
}

/// What `harden log` reads back.
#[derive(Debug, Subcommand)]
pub enum LogCommand {
    /// The commands that the agent's account has started, from the kernel's audit
    Exec(LogExec),
}

/// `harden log exec`
#[derive(Debug, Args)]
pub struct LogExec {
    /// From then on: `10m`, `2h`, `7d`, a date, or a time
    #[arg(long, value_name = "TIME")]
    pub since: Option<String>,
    /// Of this account only, by real or effective user
    #[arg(long, value_name = "NAME|NUMBER")]
    pub user: Option<String>,
    /// Another log; the one that auditd writes where left out
    #[arg(long, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// How to print it
    #[arg(short, long, value_enum, default_value_t)]
    pub format: TableOrJson,
}

/// How to print rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TableOrJson {
    /// For people
    #[default]
    Table,
    /// For programs
    Json,
}
