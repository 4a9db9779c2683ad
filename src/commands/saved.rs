//! Saved reports, from files that may be anything.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::failure::cause;
use super::{Failure, history};
use crate::evidence::{self, Saved};

/// The largest report that is read.
const LIMIT: u64 = 256 << 20;

/// A saved report by its file, or by its number in the history.
pub(super) fn read(name: &str) -> Result<Saved, Failure> {
    match name.parse::<i64>() {
        Ok(id) if !Path::new(name).exists() => from_history(name, id),
        _ => from_file(name),
    }
}

fn from_history(name: &str, id: i64) -> Result<Saved, Failure> {
    let help = "`harden history` lists what is kept";
    let kept = history::open()?.report(id).map_err(|error| Failure::usage(error.to_string(), help))?;
    let bytes = kept.ok_or_else(|| Failure::usage(format!("no audit in the history has the number {id}"), help))?;
    evidence::saved(&format!("audit {name}"), &bytes)
        .map_err(|why| Failure::usage(format!("cannot use audit {id} of the history: {why}"), help))
}

fn from_file(file: &str) -> Result<Saved, Failure> {
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
