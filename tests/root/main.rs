//! What only a kernel can say. These tests change the machine they run on and put it back; they run where
//! `HARDEN_ROOT_TESTS=disposable` says that nobody minds, as root.

mod accounts;

use std::io::Write as _;

/// Whether the tests may touch the machine. Where not, a line says so, past the capture of the test harness.
fn disposable(test: &str) -> bool {
    let allowed = std::env::var("HARDEN_ROOT_TESTS").is_ok_and(|value| value == "disposable");
    let yes = allowed && rustix::process::geteuid().is_root();
    if !yes {
        let line = format!("skipped: {test} needs root and HARDEN_ROOT_TESTS=disposable\n");
        std::io::stdout().write_all(line.as_bytes()).expect("standard output");
    }
    yes
}
