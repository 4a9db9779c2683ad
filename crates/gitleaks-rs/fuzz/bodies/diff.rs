//! Any bytes as what `git log -p` writes: no panic, and findings with a secret that ends behind its start. Lines may be
//! negative or wrap, since Gitleaks takes any number that a hunk begins with.
//!
//! Give it logs of git to start from: from nothing it does not get past the first head.

use std::sync::LazyLock;

use gitleaks_rs::Config;
use gitleaks_rs::compat::Detector;

static DETECTOR: LazyLock<Detector> = LazyLock::new(|| {
    let rules = "[[rules]]\nid = 'word'\nregex = '''secret=([a-z]{4,})'''\nkeywords = ['secret']\n";
    Detector::new(&Config::parse(rules, "fuzz.toml").expect("it loads")).expect("it compiles")
});

/// Panics where that does not hold.
pub(crate) fn check(input: &[u8]) {
    let _ = DETECTOR.scan_log(input, |found| {
        for one in found {
            assert!(one.end_line.wrapping_sub(one.start_line) >= 0 && !one.secret.expose().is_empty());
        }
    });
}
