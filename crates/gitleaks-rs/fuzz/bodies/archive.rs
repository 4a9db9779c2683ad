//! Any bytes as an archive: reading ends, within its limits, and without a panic.
//!
//! An input is one byte that says how deep archives are read, and the archive.

use std::fs::File;
use std::io::Write;

use gitleaks_rs::archive::Limits;
use gitleaks_rs::tree::Stamp;
use gitleaks_rs::{Job, Key, Progress, Scanner};

/// Panics where that does not hold.
pub(crate) fn check(input: &[u8]) {
    let [depth, archive @ ..] = input else { return };
    let mut file = memory();
    file.write_all(archive).expect("it is memory");
    let limits = Limits {
        depth: u32::from(depth % 4),
        total: 1 << 20,
        ratio: 1000,
        member: 256 << 10,
        members: 500,
        findings: 50,
    };
    let (key, progress) = (Key::new([0; 32]), Progress::default());
    let job = Job {
        scanner: Scanner::embedded(),
        key: &key,
        cache: None,
        progress: &progress,
        archives: limits,
        most: u64::MAX,
    };
    let stamp = Stamp::of(&file).expect("it is open");
    let found = job.file(&file, "a", &stamp, || Err(std::io::ErrorKind::NotFound.into())).expect("it is memory");
    let read = progress.bytes.into_inner() - stamp.size;
    assert!(read <= limits.total, "{read} bytes read");
    assert!(found.problems.len() < 100 && found.problems.iter().all(|one| !one.why.is_empty()));
    assert!(found.findings.iter().all(|one| one.path == "a" || one.path.starts_with("a!")));
}

fn memory() -> File {
    tempfile::tempfile_in(if std::path::Path::new("/dev/shm").is_dir() { "/dev/shm" } else { "." }).expect("a file")
}
