//! `harden scan --compat`: what Gitleaks finds, as Gitleaks reports it.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use gitleaks_rs::compat::{Detector, Finding as Theirs, HistoryError, Options, log_command, report as theirs};
use gitleaks_rs::config::{AllowlistConfig, RuleConfig};
use gitleaks_rs::history::Range;
use gitleaks_rs::{Confidence, Config, Context, Finding, Key, Problem, Scanner};
use rayon::prelude::*;

use super::progress::Progress;
use super::scan::{conclude, no_repository, unreadable, wrong_rules};
use super::scan_settle::{ignored, settle};
use super::{Failure, keep, output, terminal};
use crate::cli::{Color, Output, Scan, ScanFormat};
use crate::report::{self, Leaks, Look, Standing};

/// Scans and reports.
pub(super) fn run(
    args: &Scan,
    config: Option<Config>,
    known: &BTreeSet<String>,
    outputs: &[Output<ScanFormat>],
    color: Color,
) -> Result<ExitCode, Failure> {
    let config_path = args.rules.as_deref().map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let config = config.unwrap_or_else(embedded);
    let detector = Detector::with(&config, Options { config_path, ..Options::default() }).map_err(wrong_rules)?;
    let progress = Progress::start("scanning");
    let (found, problems, scanned) = scan(args, &detector)?;
    drop(progress);
    let rules: HashMap<&str, &RuleConfig> = config.rules.iter().map(|rule| (rule.id.as_str(), rule)).collect();
    let key = keep::key();
    let told = found.iter().map(|one| (told(one, rules.get(one.rule_id.as_str()).copied(), &key), Standing::Open));
    let mut leaks = Leaks { findings: told.collect(), problems, scanned };
    settle(&mut leaks, known, &ignored(args));
    let settled: BTreeSet<&str> = leaks
        .findings
        .iter()
        .filter(|(_, standing)| *standing != Standing::Open)
        .map(|(finding, _)| finding.fingerprint.as_str())
        .collect();
    let open: Vec<Theirs> = found.into_iter().filter(|one| !settled.contains(one.fingerprint.as_str())).collect();
    let look = Look { verbose: u8::from(args.verbose), quiet: args.quiet, ..terminal::look(color) };
    output::write_each(outputs, look, |format, look| match format {
        ScanFormat::Table => report::leaks_table(&leaks, look),
        ScanFormat::Github => report::leaks_github(&leaks),
        ScanFormat::Json => theirs::json(&open, theirs::ALL),
        ScanFormat::Csv => theirs::csv(&open, theirs::ALL),
        ScanFormat::Junit => theirs::junit(&open, theirs::ALL),
        ScanFormat::Sarif => theirs::sarif(&detector.rules(), &open, theirs::ALL),
    })?;
    Ok(conclude(args, &leaks, outputs))
}

/// Our rules, leaving out what Gitleaks' own leave out: what git keeps for itself.
fn embedded() -> Config {
    let mut config = Config::embedded();
    config.allowlists.push(AllowlistConfig { paths: vec![r"(?:^|/)\.git$".to_owned()], ..AllowlistConfig::default() });
    config
}

/// All that the arguments name, in the order of places; what could not be read; and what it was, in words.
fn scan(args: &Scan, detector: &Detector) -> Result<(Vec<Theirs>, Vec<Problem>, String), Failure> {
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let input = |error: io::Error| unreadable(Path::new("standard input"), &error);
    let here = [PathBuf::from(".")];
    let paths = if args.paths.is_empty() { &here[..] } else { &args.paths };
    let scanned = if args.history {
        for path in paths {
            problems.extend(history(args, detector, path, &mut found)?);
        }
        "a history, as Gitleaks does".to_owned()
    } else if args.log {
        let log = BufReader::with_capacity(1 << 18, io::stdin().lock());
        detector.scan_log(log, |more| found.extend(more)).map_err(|error| {
            Failure::usage(
                format!("cannot read the log: {error}"),
                "pipe in what `git log -p -U0 --full-history --all --diff-filter=tuxdb` writes",
            )
        })?;
        "a log, as Gitleaks does".to_owned()
    } else if args.stdin {
        found = detector.scan_reader("", "", io::stdin().lock()).map_err(input)?;
        "standard input, as Gitleaks does".to_owned()
    } else {
        let mut files = 0;
        for path in paths {
            std::fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
            let each: Vec<_> = detector
                .targets(path)
                .par_bridge()
                .map(|target| target.and_then(|target| detector.scan_target(&target)))
                .collect();
            files += each.len();
            for one in each {
                match one {
                    Ok(more) => found.extend(more),
                    Err(skipped) => problems.push(Problem::new(skipped.path, &skipped.why)),
                }
            }
        }
        format!("{files} files, as Gitleaks does")
    };
    let message = |one: &Theirs| !Scanner::embedded().scan(one.message.as_bytes()).is_empty();
    let mut found: Vec<Theirs> = found.into_iter().map(Theirs::without_text).collect();
    // What somebody wrote of a commit may quote the secret.
    found.iter_mut().filter(|one| message(one)).for_each(|one| one.message = "REDACTED".to_owned());
    found.sort_by(|a, b| place(a).cmp(&place(b)));
    problems.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((found, problems, scanned))
}

/// The history of a repository, and what of it could not be read.
fn history(args: &Scan, detector: &Detector, path: &Path, found: &mut Vec<Theirs>) -> Result<Vec<Problem>, Failure> {
    let range = if args.since.is_empty() { Range::All } else { Range::Since(args.since.clone()) };
    let problem = |why: String| Problem { path: path.to_owned(), why, kind: std::io::ErrorKind::Other };
    match detector.scan_history(path, &range, |more| found.extend(more)) {
        Ok(problems) => Ok(problems.into_iter().map(|one| problem(one.text)).collect()),
        // What was found until then counts.
        Err(error @ (HistoryError::Ended(_) | HistoryError::Log(_))) => Ok(vec![problem(error.to_string())]),
        Err(HistoryError::Open(error)) => Err(no_repository(error)),
        Err(error) => {
            let pipe = format!("{} | harden scan --compat --log", log_command(path.as_os_str()));
            Err(Failure::usage(error.to_string(), format!("if you trust the repository's configuration: {pipe}")))
        }
    }
}

fn place(one: &Theirs) -> (&str, &str, i64, i64, &str) {
    (&one.commit, &one.file, one.start_line, one.start_column, &one.rule_id)
}

/// A finding of theirs as the table tells of it.
fn told(one: &Theirs, rule: Option<&RuleConfig>, key: &Key) -> Finding {
    let number = |number: i64| u32::try_from(number).unwrap_or(0);
    let commit = gitleaks_rs::Commit {
        id: one.commit.clone(),
        author: one.author.clone(),
        email: one.email.clone(),
        date: one.date.clone(),
        subject: one.message.lines().next().unwrap_or_default().to_owned(),
    };
    Finding {
        rule: one.rule_id.clone(),
        description: one.description.clone(),
        path: one.file.clone(),
        line: number(one.start_line),
        column: number(one.start_column),
        end_line: number(one.end_line),
        offset: 0,
        length: one.secret.expose().len() as u64,
        entropy: one.entropy,
        confidence: rule.map_or(Confidence::Low, Confidence::of),
        encodings: Vec::new(),
        context: Context::of(Path::new(&one.file)),
        place: None,
        commit: (!one.commit.is_empty()).then_some(commit),
        hash: if one.secret.expose().is_empty() { String::new() } else { key.mark(one.secret.expose()) },
        fingerprint: one.fingerprint.clone(),
        stable: String::new(),
        rotate: rule.and_then(|rule| rule.rotate.clone()),
        allowed: false,
        also: Vec::new(),
    }
}
