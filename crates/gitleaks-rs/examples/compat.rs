//! Gitleaks' report of a source as the library makes it, with hashes in the place of secrets: for comparison.
//!
//! `compat CONFIG dir PATH`, `compat CONFIG stdin < FILE`, `compat CONFIG log < LOG`; the source's own
//! `.gitleaksignore` counts.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Mutex;

use gitleaks_rs::compat::{Detector, Finding, Options, report};
use gitleaks_rs::config::Config;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (config, kind, source) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [config, kind] => (config, kind, "."),
        [config, kind, source] => (config, kind, source),
        _ => return Err("usage: compat CONFIG dir|stdin|log|sarif|csv|junit [PATH]".into()),
    };
    let rules = Config::load(Path::new(config))?;
    let options = Options { config_path: config.to_owned(), ..Options::default() };
    let mut detector = Detector::with(&rules, options)?;
    if let Ok(known) = std::fs::read_to_string(Path::new(source).join(".gitleaksignore")) {
        detector.ignore(&known);
    }
    let mut findings = Vec::new();
    match kind {
        "stdin" => findings = detector.scan_reader("", "", io::stdin())?,
        "log" => detector.scan_log(io::stdin().lock(), |found| findings.extend(found))?,
        _ => findings = folder(&detector, Path::new(source)),
    }
    let text = match kind {
        "sarif" => report::sarif(&detector, &findings, report::ALL),
        "csv" => report::csv(&findings, report::ALL),
        "junit" => report::junit(&findings, report::ALL),
        _ => lines(&findings),
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
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

/// One line for each finding, in the order of their text, secrets as hashes.
fn lines(findings: &[Finding]) -> String {
    let mut all: Vec<String> = findings.iter().map(line).collect();
    all.sort_unstable();
    all.concat()
}

fn line(finding: &Finding) -> String {
    let mut shown = finding.clone();
    let hashes = [hash(finding.matched.expose()), hash(finding.secret.expose())];
    // The report's own writer says the rest, with its escapes; what it would say of the secret is cut out.
    shown = shown.redacted(report::ALL);
    shown.matched = Default::default();
    let text = report::json(&[shown], 0);
    let text = text.lines().map(str::trim).collect::<Vec<_>>().join(" ");
    format!("{text} match={} secret={}\n", hashes[0], hashes[1])
}

fn hash(bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}
