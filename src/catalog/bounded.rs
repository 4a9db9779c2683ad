//! Files that somebody gives: read so far and no further.

use std::fs::File;
use std::io::Read as _;

use super::CatalogError;

/// The largest file of YAML that is read: 1 MiB.
const LIMIT: u64 = 1 << 20;

/// The text of a file; `what` names it in the error.
pub(super) fn text(file: &str, what: &str) -> Result<String, CatalogError> {
    let wrong = |why: &str| CatalogError::file(file, format!("cannot read {what}: {why}"), "give a readable YAML file");
    let mut bytes = Vec::new();
    let open = File::open(file).and_then(|open| open.take(LIMIT + 1).read_to_end(&mut bytes));
    open.map_err(|error| wrong(error.to_string().split(" (os error").next().unwrap_or_default()))?;
    if bytes.len() as u64 > LIMIT {
        return Err(wrong("it is larger than 1 MiB"));
    }
    String::from_utf8(bytes).map_err(|_| wrong("it is no UTF-8 text"))
}
