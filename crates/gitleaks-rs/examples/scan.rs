//! Scans a folder and prints how many secrets of each rule it holds, and how long that took.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use gitleaks_rs::tree::{Entry, Visitor, walk};
use gitleaks_rs::{Buffer, Scanner};

struct Count<'s> {
    scanner: &'s Scanner,
    rules: Mutex<BTreeMap<String, usize>>,
    bytes: AtomicU64,
    verbose: bool,
}

thread_local! {
    static BUFFER: RefCell<Buffer> = RefCell::default();
}

impl Visitor for Count<'_> {
    fn skips(&self, path: &Path, _: bool) -> bool {
        path.ends_with(".git")
    }

    fn file(&self, entry: &Entry<'_>) {
        self.bytes.fetch_add(entry.stamp.size, Ordering::Relaxed);
        let path = entry.path.to_string_lossy();
        let scan = |buffer: &RefCell<Buffer>| self.scanner.scan_read(entry.open()?, &path, &mut buffer.borrow_mut());
        match BUFFER.with(scan) {
            Ok(found) => {
                for one in found {
                    if self.verbose {
                        eprintln!("{path}:{}:{} {} {:?}", one.line, one.column, one.rule.id, one.encodings);
                    }
                    *self.rules.lock().expect("no panic").entry(one.rule.id.clone()).or_default() += 1;
                }
            }
            Err(problem) => self.problem(entry.path, &problem),
        }
    }

    fn problem(&self, path: &Path, problem: &io::Error) {
        eprintln!("{}: {problem}", path.display());
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = std::env::args().nth(1).ok_or("usage: scan FOLDER [RULES]")?;
    let own;
    let start = std::time::Instant::now();
    let scanner = match std::env::args().nth(2).filter(|name| name != "-v") {
        Some(rules) => {
            own = Scanner::new(gitleaks_rs::Config::load(Path::new(&rules))?)?;
            &own
        }
        None => Scanner::embedded(),
    };
    scanner.scan(b"");
    let ready = start.elapsed();
    let verbose = std::env::args().any(|name| name == "-v");
    let count = Count { scanner, rules: Mutex::default(), bytes: AtomicU64::new(0), verbose };
    walk(Path::new(&root), &count)?;
    let (taken, bytes) = (start.elapsed() - ready, count.bytes.into_inner());
    let rules = count.rules.into_inner()?;
    eprintln!("{rules:?}");
    eprintln!(
        "ready in {ready:?}, {bytes} bytes in {taken:?}, {:.0} MB/s, {} found",
        bytes as f64 / 1e6 / taken.as_secs_f64(),
        rules.values().sum::<usize>()
    );
    Ok(())
}
