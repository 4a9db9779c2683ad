//! `--baseline`: an earlier report, from a file that may be anything.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use super::Failure;
use super::failure::cause;
use crate::report;

/// The largest baseline that is read.
const LIMIT: u64 = 256 << 20;

/// What an earlier report knew.
pub(super) fn read(file: &Path) -> Result<BTreeSet<String>, Failure> {
    let wrong = |why: String| {
        Failure::usage(
            format!("cannot use the baseline `{}`: {why}", file.display()),
            "give a report that `harden audit -f json=FILE` wrote",
        )
    };
    let mut text = String::new();
    let opened = std::fs::File::open(file).map_err(|error| wrong(cause(&error)))?;
    let read = opened.take(LIMIT + 1).read_to_string(&mut text).map_err(|error| wrong(cause(&error)))?;
    if read as u64 > LIMIT {
        return Err(wrong("it is larger than 256 MiB".into()));
    }
    report::known(&text).map_err(wrong)
}
