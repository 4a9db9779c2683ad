//! Any text as a configuration: an error or rules, and rules that load can scan.

use gitleaks_rs::{Config, Scanner};

/// Panics where that does not hold.
pub(crate) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    match Config::parse(text, "fuzz.toml") {
        Ok(config) => {
            if let Ok(scanner) = Scanner::new(config) {
                scanner.scan_named(input, "a/b.toml");
            }
        }
        Err(error) => assert!(error.to_string().starts_with("fuzz.toml"), "an error names its file"),
    }
}
