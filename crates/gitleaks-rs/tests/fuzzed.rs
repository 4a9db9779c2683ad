//! What fuzzing came upon, tried again: each input of `tests/fuzzed` through the body of its fuzz target. Every byte of
//! them is kept inverted, so that no scanner takes what looks like a token there for one.

use std::path::Path;

#[path = "../fuzz/bodies/archive.rs"]
mod archive;
#[path = "../fuzz/bodies/config.rs"]
mod config;
#[path = "../fuzz/bodies/diff.rs"]
mod diff;
#[path = "../fuzz/bodies/views.rs"]
mod views;

fn each(corpus: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzzed").join(corpus);
    let mut tried = 0;
    for entry in std::fs::read_dir(folder).expect("it is there") {
        let kept = std::fs::read(entry.expect("listed").path()).expect("readable");
        check(&kept.iter().map(|byte| !byte).collect::<Vec<u8>>());
        tried += 1;
    }
    assert!(tried >= 100, "{tried} inputs");
}

#[test]
fn archives_end_within_their_limits() {
    each("archive", archive::check);
}

#[test]
fn configurations_load_or_say_why_not() {
    each("config", config::check);
}

#[test]
fn logs_of_git_are_read_whatever_they_say() {
    each("diff", diff::check);
}

#[test]
fn texts_are_read_alike_in_blocks() {
    each("views", views::check);
}
