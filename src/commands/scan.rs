//! `harden scan`.

use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gitleaks_rs::archive::Limits;
use gitleaks_rs::history::{Id, OpenError, Range};
use gitleaks_rs::tree::Stamp;
use gitleaks_rs::{Called, Config, Finding, Job, Key, Outcome, Progress as Count, Scanner, compat};

use super::progress::Progress;
use super::scan_settle::{baseline, ignored, opinions, settle};
use super::scan_state::{self, State};
use super::scan_waive::{Origin, policy, waive};
use super::{Failure, keep, output, scan_compat, scan_import, terminal};
use crate::catalog::nearest;
use crate::cli::{Color, Output, Scan, ScanFormat};
use crate::hooks;
use crate::model::Policy;
use crate::report::{self, Leaks, Look, Standing};

/// Scans and reports.
pub(super) fn run(args: &Scan, color: Color) -> Result<ExitCode, Failure> {
    let config = args.rules.as_deref().map(rules).transpose()?;
    if let Some(id) = &args.explain {
        return explain(config.unwrap_or_else(Config::embedded), id, color);
    }
    let outputs = match args.formats.as_slice() {
        [] => vec![Output { format: ScanFormat::Table, file: None }],
        some => some.to_vec(),
    };
    output::check(&outputs)?;
    let known = args.baseline.as_deref().map(baseline).transpose()?.unwrap_or_default();
    if args.compat {
        return scan_compat::run(args, config, &known, &outputs, color);
    }
    let own = config.map(Scanner::new).transpose().map_err(wrong_rules)?;
    let scanner = own.as_ref().unwrap_or_else(|| Scanner::embedded());
    // One for all: where none can be kept, the next one would be another.
    let key = keep::key();
    let read = |file: &PathBuf| opinions(file, &key).map(|opinions| (file.clone(), opinions));
    let opinions: Vec<_> = args.imports.iter().map(read).collect::<Result<_, _>>()?;
    let policy = (args.state || args.profile.is_some()).then(|| policy(args, scanner)).transpose()?;
    let count = Arc::new(Count::default());
    let progress = if is_shown(args, &outputs) { shown(&count) } else { Progress::none() };
    let (mut leaks, origins) = scan(args, scanner, &key, policy.as_ref(), &count)?;
    for (file, opinions) in &opinions {
        scan_import::merge(&mut leaks, file, opinions);
    }
    drop(progress);
    if let Some(policy) = &policy {
        waive(&mut leaks, args, policy, scanner, &origins);
    }
    settle(&mut leaks, &known, &ignored(args));
    let look = Look { verbose: u8::from(args.verbose), quiet: args.quiet, ..terminal::look(color) };
    output::write_each(&outputs, look, |format, look| text(&leaks, format, look))?;
    Ok(conclude(args, &leaks, &outputs))
}

/// Whether to say how far the scan is. Not while what reads the report may be a program on the same screen.
fn is_shown(args: &Scan, outputs: &[Output<ScanFormat>]) -> bool {
    !args.quiet && (io::stdout().is_terminal() || outputs.iter().all(|output| output.file.is_some()))
}

/// How far a scan is, in counts. History is gone through file by file and not commit by commit.
fn shown(count: &Arc<Count>) -> Progress {
    let count = Arc::clone(count);
    Progress::counting("scanning", move || {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let parts = [
            (of(&count.files) + of(&count.known), "files"),
            (of(&count.members), "in archives"),
            (of(&count.versions), "versions of files"),
            (of(&count.findings), "findings"),
        ];
        let counts = parts.iter().filter(|(number, _)| *number > 0).map(|(number, name)| format!("{number} {name}, "));
        format!("{}{}, ", counts.collect::<String>(), size(of(&count.bytes)))
    })
}

/// A summary where no report was printed, and what the program ends with.
pub(super) fn conclude(args: &Scan, leaks: &Leaks, outputs: &[Output<ScanFormat>]) -> ExitCode {
    if outputs.iter().all(|output| output.file.is_some()) && !args.quiet {
        terminal::error(&report::leaks_summary(leaks));
    }
    if leaks.open() > 0 {
        ExitCode::from(1)
    } else if !leaks.problems.is_empty() && !args.allow_unknown {
        ExitCode::from(3)
    } else {
        ExitCode::SUCCESS
    }
}

fn rules(file: &Path) -> Result<Config, Failure> {
    let config = Config::load(file).map_err(wrong_rules)?;
    config.warnings.iter().for_each(|warning| terminal::error(&format!("warning: {warning}")));
    Ok(config)
}

pub(super) fn wrong_rules(error: gitleaks_rs::LoadError) -> Failure {
    Failure::usage(error.to_string(), "correct the rules; nothing was scanned")
}

fn explain(mut config: Config, id: &str, color: Color) -> Result<ExitCode, Failure> {
    let near = nearest(id, config.rules.iter().map(|rule| rule.id.as_str())).map(str::to_owned);
    config.rules.retain(|rule| rule.id == id);
    let scanner = Scanner::new(config).map_err(wrong_rules)?;
    let rule = scanner.rules().first().ok_or_else(|| {
        let help = near.map_or_else(
            || "the rules are those of Gitleaks, and more".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        Failure::usage(format!("no rule is called `{id}`"), help)
    })?;
    terminal::print(&report::explain_rule(rule, terminal::look(color)))?;
    Ok(ExitCode::SUCCESS)
}

/// All that the arguments name, and where the path of each finding begins.
fn scan(
    args: &Scan,
    scanner: &Scanner,
    key: &Key,
    policy: Option<&Policy>,
    count: &Count,
) -> Result<(Leaks, Vec<Rc<Origin>>), Failure> {
    let archives = Limits::deep(args.max_archive_depth);
    let job = Job { scanner, key, cache: None, progress: count, archives, most: u64::MAX };
    let here = [PathBuf::from(".")];
    let paths = if args.paths.is_empty() { &here[..] } else { &args.paths };
    let mut all = Outcome::default();
    let mut origins = Vec::new();
    let pushed = args.pushed.then(pushed).transpose()?;
    let pushed = pushed.map(|refs| Range::Pushed { refs, remote: args.remote.clone() });
    let mut state = State::default();
    if let Some(policy) = policy.filter(|_| args.state) {
        (all, state) = scan_state::scan(args, policy, job)?;
    } else if args.stdin {
        let found =
            job.reader(io::stdin().lock(), "").map_err(|error| unreadable(Path::new("standard input"), &error))?;
        all.findings.extend(found);
    } else {
        for path in paths {
            let one = match &pushed {
                Some(range) => job.pushed(path, &called(path)?, range).map_err(no_repository)?,
                None if args.history || args.staged => repository(args, job, path)?,
                None => files(args, job, path)?,
            };
            all.findings.extend(one.findings);
            all.problems.extend(one.problems);
            origins.resize(all.findings.len(), Origin::of(path));
        }
    }
    let bytes = count.bytes.load(Ordering::Relaxed);
    let known = count.known.load(Ordering::Relaxed);
    let what = if args.history {
        format!("{} of new lines in the history", size(bytes))
    } else if args.pushed {
        format!("{} of new lines in what is pushed", size(bytes))
    } else if args.staged {
        format!("{} of staged lines", size(bytes))
    } else if args.stdin {
        "standard input".to_owned()
    } else {
        let files = count.files.load(Ordering::Relaxed) + known;
        let unchanged = if known > 0 { format!(", {known} of them unchanged") } else { String::new() };
        let members = match count.members.load(Ordering::Relaxed) {
            0 => String::new(),
            1 => ", 1 in an archive".to_owned(),
            more => format!(", {more} in archives"),
        };
        format!("{files} files{unchanged}{members}, {} read{}", size(bytes), state.said())
    };
    let stands = |finding: Finding| {
        let standing = if state.keeps(&finding) { Standing::Credential } else { Standing::Open };
        (finding, standing)
    };
    let findings = all.findings.into_iter().map(stands).collect();
    Ok((Leaks { findings, problems: all.problems, scanned: what }, origins))
}

fn repository(args: &Scan, job: Job<'_>, path: &Path) -> Result<Outcome, Failure> {
    let found = if args.staged {
        job.staged(path, &called(path)?)
    } else if args.since.is_empty() {
        job.history(path, &Range::All)
    } else {
        job.history(path, &Range::Since(args.since.clone()))
    };
    found.map_err(no_repository)
}

/// What git has told by variables, if it is about this folder.
fn called(path: &Path) -> Result<Called, Failure> {
    let said = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let is_here = || Some(path.canonicalize().ok()? == std::env::current_dir().ok()?.canonicalize().ok()?);
    if is_here() != Some(true) {
        return Ok(Called::default());
    }
    for name in ["GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"] {
        if said(name).is_some() {
            let message = format!("{name} is set: the repository's parts lie where they are not looked for");
            return Err(Failure::usage(message, "unset it, or let `objects/info/alternates` name the folder"));
        }
    }
    Ok(Called { git_dir: said("GIT_DIR"), index: said("GIT_INDEX_FILE") })
}

pub(super) fn no_repository(error: OpenError) -> Failure {
    Failure::usage(error.to_string(), "give the top folder of a work tree, or a bare repository")
}

/// What git tells of a push.
fn pushed() -> Result<Vec<(Id, Id)>, Failure> {
    hooks::pushed(io::stdin().lock()).map_err(|error| {
        Failure::usage(error.to_string(), "this is for git's pre-push hook; `harden hooks install` sets it up")
    })
}

fn files(args: &Scan, job: Job<'_>, path: &Path) -> Result<Outcome, Failure> {
    let meta = std::fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
    if meta.is_dir() {
        return folder(args, job, path, &is_object_store).map_err(|error| unreadable(path, &error));
    }
    let found = cached(args, job, path, |job| file(job, path, |path| File::open(path)));
    found.map_err(|error| unreadable(path, &error))
}

/// One file, and where it is the log of a database, with that.
pub(super) fn file(job: Job<'_>, path: &Path, open: impl Fn(&Path) -> io::Result<File>) -> io::Result<Outcome> {
    let file = open(path)?;
    let stamp = Stamp::of(&file)?;
    let name = path.to_string_lossy();
    job.file(&file, &name, &stamp, || open(Path::new(name.strip_suffix("-wal").ok_or(io::ErrorKind::NotFound)?)))
}

/// A folder, and of what has not changed only what is remembered.
pub(super) fn folder(
    args: &Scan,
    job: Job<'_>,
    path: &Path,
    skips: &(dyn Fn(&Path, bool) -> bool + Sync),
) -> io::Result<Outcome> {
    cached(args, job, path, |job| job.folder(path, skips))
}

/// Does a job with what earlier ones remember of a file, a folder or a store, and remembers it for the next.
pub(super) fn cached<T, E>(
    args: &Scan,
    job: Job<'_>,
    path: &Path,
    work: impl FnOnce(Job<'_>) -> Result<T, E>,
) -> Result<T, E> {
    let cache = (!args.no_cache).then(|| keep::cache(path, job.key, job.scanner)).flatten();
    let found = work(Job { cache: cache.as_ref(), ..job })?;
    if let Some(Err(error)) = cache.map(|cache| cache.save()) {
        terminal::error(&format!("note: the next scan reads everything again: {error}"));
    }
    Ok(found)
}

/// Git packs and deflates its objects: `--history` reads them.
fn is_object_store(path: &Path, is_folder: bool) -> bool {
    is_folder && path.ends_with(".git/objects")
}

pub(super) fn unreadable(path: &Path, error: &io::Error) -> Failure {
    let message = format!("cannot read `{}`: {}", path.display(), super::failure::cause(error));
    Failure::usage(message, "give files and folders that you may read")
}

fn text(leaks: &Leaks, format: ScanFormat, look: Look) -> String {
    let open = || -> Vec<compat::Finding> {
        let open = leaks.findings.iter().filter(|(_, standing)| *standing == Standing::Open);
        open.map(|(finding, _)| compat::Finding::from(finding)).collect()
    };
    match format {
        ScanFormat::Table => report::leaks_table(leaks, look),
        ScanFormat::Json => report::leaks_json(leaks),
        ScanFormat::Github => report::leaks_github(leaks),
        ScanFormat::Csv => compat::report::csv(&open(), compat::report::ALL),
        ScanFormat::Junit => report::leaks_junit(leaks, &now()),
        ScanFormat::Sarif => report::leaks_sarif(leaks),
    }
}

/// The time as test results tell it.
fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S").to_string()
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}
