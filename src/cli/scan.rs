//! `harden scan`.

use std::path::PathBuf;

use clap::Args;

use super::output::{Named, Output};

/// `harden scan`
#[derive(Debug, Args)]
pub struct Scan {
    /// Files and folders; the current folder where left out. With --history, --staged or --pushed: repositories
    pub paths: Vec<PathBuf>,
    /// Scan every line that the commits of a repository have added, instead of its files
    #[arg(long)]
    pub history: bool,
    /// With --history: only commits that this revision does not lead to. Repeatable
    #[arg(long, value_name = "REVISION", requires = "history")]
    pub since: Vec<String>,
    /// Scan the lines that are staged for the next commit
    #[arg(long, conflicts_with = "history")]
    pub staged: bool,
    /// Scan the lines that a push brings, as git tells its pre-push hook on standard input
    #[arg(long, conflicts_with_all = ["history", "staged"])]
    pub pushed: bool,
    /// With --pushed: the remote that is pushed to. What its refs led to when last fetched is not new
    #[arg(long, value_name = "NAME", requires = "pushed")]
    pub remote: Option<String>,
    /// Scan what comes in on standard input
    #[arg(long, conflicts_with_all = ["history", "staged", "pushed", "paths"])]
    pub stdin: bool,
    /// Find exactly what Gitleaks 8.30.1 finds, at the places that it names, with all that it misses
    ///
    /// The rules are ours unless --rules names Gitleaks' own; a .gitleaks.toml in what is scanned does not count, since
    /// whoever wrote the secret may have written it too. Reports are Gitleaks' own, redacted. With --history git writes
    /// the log, as it does for Gitleaks, and sees nothing of the repository's configuration.
    #[arg(long, conflicts_with_all = ["staged", "pushed", "state", "profile"])]
    pub compat: bool,
    /// With --compat: scan what `git log -p -U0 --full-history --all --diff-filter=tuxdb` writes, from standard input
    #[arg(long, requires = "compat", conflicts_with_all = ["history", "stdin", "paths"])]
    pub log: bool,
    /// Scan what agents have written: sessions, logs, outputs of tools, snapshots
    ///
    /// Their places are those of the agents' own settings, for the account that runs them. What they download is
    /// left out, and what stands in their credential files is counted and no finding.
    #[arg(long, conflicts_with_all = ["history", "staged", "pushed", "stdin", "paths"])]
    pub state: bool,
    /// With --state: of this agent only
    #[arg(long, value_name = "AGENT", requires = "state")]
    pub agent: Option<String>,
    /// Profile name or file, whose waivers accept findings
    #[arg(long, value_name = "NAME|FILE")]
    pub profile: Option<String>,
    /// Other rules, in Gitleaks' form
    #[arg(long, value_name = "FILE")]
    pub rules: Option<PathBuf>,
    /// Say what a rule looks for, and where to revoke what it finds
    #[arg(long, value_name = "RULE", conflicts_with_all = ["history", "staged", "pushed", "stdin", "state", "paths"])]
    pub explain: Option<String>,
    /// A report of gitleaks, trufflehog or kingfisher in JSON: what it finds too is said, what it finds alone is added
    ///
    /// What that scanner has found to be live is marked. Nothing is asked of the network here. Repeatable.
    #[arg(long = "import", value_name = "FILE", conflicts_with = "compat")]
    pub imports: Vec<PathBuf>,
    /// An earlier JSON report: what stands there is shown as known and fails no more
    #[arg(long, value_name = "FILE")]
    pub baseline: Option<PathBuf>,
    /// What to write, and where; standard output where no file is given. Repeatable
    ///
    /// table, json (Gitleaks' fields and more), csv (as Gitleaks writes it, redacted), sarif, junit or github. With
    /// --compat all but the table and github as Gitleaks writes them.
    #[arg(short, long = "format", value_name = "FORMAT[=FILE]")]
    pub formats: Vec<Output<ScanFormat>>,
    /// Read every file, also those that have not changed since the last scan
    #[arg(long)]
    pub no_cache: bool,
    /// How deep archives are read that lie in archives; 0 reads none
    ///
    /// zip (and jar, whl, docx and the like), tar, gz, bz2, xz and zst, known by their bytes. A compressed tar is one. They
    /// are read as they stream by, and nothing is unpacked to disk. What is not read is said: what is encrypted, damaged,
    /// deeper than this, or beyond 512 MiB in one member, 2 GiB or 200 times the archive's size (from 64 MiB on) in all, and
    /// more than 10000 secrets.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=16))]
    pub max_archive_depth: u32,
    /// Exit 0 though something could not be read
    #[arg(long)]
    pub allow_unknown: bool,
    /// Print the summary line only
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Show what is accepted or known too
    #[arg(short, long)]
    pub verbose: bool,
}

/// The form of a report on secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScanFormat {
    /// For people.
    Table,
    /// For programs, with Gitleaks' fields and our own behind them.
    Json,
    /// For sheets.
    Csv,
    /// For code scanning.
    Sarif,
    /// For test runners.
    Junit,
    /// Annotations by workflow commands.
    Github,
}

impl Named for ScanFormat {
    const ALL: &'static [(&'static str, Self)] = &[
        ("table", Self::Table),
        ("json", Self::Json),
        ("csv", Self::Csv),
        ("sarif", Self::Sarif),
        ("junit", Self::Junit),
        ("github", Self::Github),
    ];
}
