//! Saved reports, from files that may be anything.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::Failure;
use super::failure::cause;
use crate::evidence::{self, Saved};

/// The largest report that is read.
const LIMIT: u64 = 256 << 20;

/// A saved report by its file.
pub(super) fn read(file: &str) -> Result<Saved, Failure> {
    let wrong = |why: String| {
        Failure::usage(
            format!("cannot use the report `{file}`: {why}"),
            "give a report that `harden audit -f json=FILE` wrote",
        )
    };
    let mut bytes = Vec::new();
    let opened = File::open(Path::new(file)).map_err(|error| wrong(cause(&error)))?;
    opened.take(LIMIT + 1).read_to_end(&mut bytes).map_err(|error| wrong(cause(&error)))?;
    if bytes.len() as u64 > LIMIT {
        return Err(wrong("it is larger than 256 MiB".into()));
    }
    evidence::saved(file, &bytes).map_err(wrong)
}
