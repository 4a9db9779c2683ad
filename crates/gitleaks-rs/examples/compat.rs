//! Compares Gitleaks' report of a source with what the library finds there. Shows no secret, only whether it is the same:
//! the rest of a table's row on standard output, each difference on standard error.
//!
//! `compat CONFIG REPORT SECONDS dir|git PATH`, `compat CONFIG REPORT SECONDS stdin|log < FILE`, with the seconds that
//! Gitleaks took.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use gitleaks_rs::compat::{Detector, Finding, Options, report};
use gitleaks_rs::config::Config;
use serde_json::Value;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (config, theirs, seconds, kind, source) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [config, report, seconds, kind] => (config, report, seconds, kind, "."),
        [config, report, seconds, kind, source] => (config, report, seconds, kind, source),
        _ => return Err("usage: compat CONFIG REPORT SECONDS dir|git|stdin|log [PATH]".into()),
    };
    let seconds: f64 = seconds.parse()?;
    let start = Instant::now();
    let options = Options { config_path: config.to_owned(), ..Options::default() };
    let mut detector = Detector::with(&Config::load(Path::new(config))?, options)?;
    // Where Gitleaks looks: here, and in the source.
    for folder in [".", source] {
        if let Ok(known) = std::fs::read_to_string(Path::new(folder).join(".gitleaksignore")) {
            detector.ignore(&known);
        }
    }
    let findings = scan(&detector, kind, source)?;
    let took = start.elapsed();
    let ours = counted(&serde_json::from_str(&report::json(&findings, 0))?);
    let theirs = counted(&serde_json::from_slice(&std::fs::read(theirs)?)?);
    let mut told = io::stderr().lock();
    let total = |counts: &BTreeMap<String, usize>| counts.values().sum::<usize>();
    let missed = missing(&mut told, "only gitleaks", &theirs, &ours)?;
    let added = missing(&mut told, "only ours", &ours, &theirs)?;
    let (theirs, ours, took) = (total(&theirs), total(&ours), took.as_secs_f64());
    writeln!(io::stdout(), "{theirs} | {ours} | {missed} | {added} | {seconds:.1} | {took:.1} |")?;
    if missed + added > 0 { Err("there are differences".into()) } else { Ok(()) }
}

fn scan(detector: &Detector, kind: &str, source: &str) -> Result<Vec<Finding>, Box<dyn std::error::Error>> {
    Ok(match kind {
        "stdin" => detector.scan_reader("", "", io::stdin())?,
        "log" => {
            let mut all = Vec::new();
            detector.scan_log(io::BufReader::with_capacity(1 << 18, io::stdin()), |found| all.extend(found))?;
            all
        }
        #[cfg(all(unix, feature = "git"))]
        "git" => {
            let mut all = Vec::new();
            let range = gitleaks_rs::history::Range::All;
            for problem in detector.scan_history(Path::new(source), &range, |found| all.extend(found))? {
                writeln!(io::stderr(), "{}", problem.text)?;
            }
            all
        }
        _ => folder(detector, Path::new(source)),
    })
}

/// The findings below a folder, by two threads.
fn folder(detector: &Detector, root: &Path) -> Vec<Finding> {
    let (targets, all) = (Mutex::new(detector.targets(root)), Mutex::new(Vec::new()));
    let next = || targets.lock().ok().and_then(|mut targets| targets.next());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(target) = next() {
                    match target.and_then(|target| detector.scan_target(&target)) {
                        Ok(found) => all.lock().map(|mut all| all.extend(found)).unwrap_or_default(),
                        Err(skipped) => drop(writeln!(io::stderr(), "{}: {}", skipped.path.display(), skipped.why)),
                    }
                }
            });
        }
    });
    all.into_inner().unwrap_or_default()
}

/// How often each finding is in a report, every field counting, with hashes in the place of what is secret.
fn counted(report: &Value) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for finding in report.as_array().into_iter().flatten() {
        let mut finding = finding.clone();
        for key in ["Match", "Secret"] {
            let hash = finding[key].as_str().map(hash);
            finding[key] = hash.into();
        }
        // A message may quote a secret too.
        finding["Message"] = finding["Message"].as_str().map(hash).into();
        *counts.entry(finding.to_string()).or_insert(0) += 1;
    }
    counts
}

/// FNV-1a: enough to tell texts apart.
fn hash(text: &str) -> String {
    let mixed = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
    format!("{mixed:016x}")
}

/// Prints what one report has more than the other, and counts it.
fn missing(
    out: &mut impl Write,
    title: &str,
    from: &BTreeMap<String, usize>,
    other: &BTreeMap<String, usize>,
) -> io::Result<usize> {
    let (mut count, mut shown) = (0, 0);
    for (finding, times) in from {
        let more = times.saturating_sub(other.get(finding).copied().unwrap_or(0));
        count += more;
        if more > 0 && shown < 20 {
            shown += 1;
            writeln!(out, "{title}: {more} x {finding}")?;
        }
    }
    Ok(count)
}
