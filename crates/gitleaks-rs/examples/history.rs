//! Counts what a repository's history adds: `history [--staged | --blobs | --since REF] [--threads N] REPOSITORY`.
//! `--lines` prints each added line as `commit path line:text`.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks")]

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use gitleaks_rs::history::{Blob, Change, Options, Range, Repository, Summary};

struct Arguments {
    mode: String,
    since: Vec<String>,
    lines: bool,
    options: Options,
    path: PathBuf,
}

fn main() -> ExitCode {
    let started = Instant::now();
    match run(arguments()) {
        Ok(summary) => {
            eprintln!(
                "{} commits, {} changes, {} bytes of new lines, {} binary, {:.3} s",
                summary.commits,
                summary.changes,
                summary.bytes,
                summary.binaries,
                started.elapsed().as_secs_f64()
            );
            summary.problems.iter().for_each(|problem| eprintln!("{:?}: {}", problem.kind, problem.text));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments() -> Arguments {
    let mut found = Arguments {
        mode: String::new(),
        since: Vec::new(),
        lines: false,
        options: Options::default(),
        path: PathBuf::from("."),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match &*word {
            "--staged" | "--blobs" | "--names" => found.mode = word,
            "--since" => found.since.extend(words.next()),
            "--lines" => found.lines = true,
            "--logs" => found.options.logs = true,
            "--follow" => found.options.follow = true,
            "--binaries" => found.options.binaries = true,
            "--threads" => found.options.threads = words.next().and_then(|word| word.parse().ok()).unwrap_or(1),
            "--cache" => found.options.cache = words.next().and_then(|word| word.parse().ok()).unwrap_or(8) << 20,
            _ => found.path = word.into(),
        }
    }
    found
}

fn run(arguments: Arguments) -> Result<Summary, gitleaks_rs::history::OpenError> {
    let repository = Repository::open(&arguments.path, arguments.options)?;
    let out = Mutex::new(std::io::BufWriter::new(std::io::stdout()));
    let range = if arguments.since.is_empty() { Range::All } else { Range::Since(arguments.since) };
    let visitor = || {
        |change: &Change<'_>| {
            if arguments.lines {
                let mut out = out.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                let _ = print(change, &mut *out);
            }
        }
    };
    match &*arguments.mode {
        "--staged" => repository.staged(None, visitor()),
        "--blobs" => Ok(repository.every_blob(|| |_: &Blob<'_>| {})),
        "--names" => {
            let names = repository.names(&range)?;
            names.iter().for_each(|name| println!("{name}"));
            Ok(Summary { commits: names.len(), ..Summary::default() })
        }
        _ => repository.added(&range, visitor),
    }
}

/// Prints the new lines of a change for each of its commits.
fn print(change: &Change<'_>, out: &mut impl Write) -> std::io::Result<()> {
    let mut commits: Vec<String> = change.commits().map(|id| id.to_string()).collect();
    if commits.is_empty() {
        commits.push("-".into());
    }
    for piece in change.pieces() {
        let first = change.line(piece.start);
        for (at, line) in piece.bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            for commit in &commits {
                write!(out, "{commit} ")?;
                out.write_all(change.path())?;
                write!(out, " {}:", first + at)?;
                out.write_all(line.strip_suffix(b"\n").unwrap_or(line))?;
                out.write_all(b"\n")?;
            }
        }
    }
    Ok(())
}
