//! The file: ours, private, and no link.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::HistoryError;

/// The real path of the file, made with 0600 where it is not there. One that others own or may look into is refused.
pub(super) fn private(file: &Path) -> Result<PathBuf, HistoryError> {
    let shown = crate::model::plain(&file.display().to_string()).into_owned();
    let wrong = |why: &str, next: &str| HistoryError::File(format!("the history `{shown}` {why}; {next}"));
    let unusable = |error: std::io::Error| {
        let said = error.to_string();
        wrong(&format!("cannot be opened: {}", said.split(" (os error").next().unwrap_or_default()), "move it away")
    };
    let open = open(file).map_err(unusable)?;
    let meta = open.metadata().map_err(unusable)?;
    if !meta.is_file() {
        return Err(wrong("is no file", "move it away"));
    }
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(wrong("belongs to somebody else", "move it away"));
    }
    if meta.mode() & 0o077 != 0 {
        return Err(wrong("may be read by others", "take their rights away with `chmod 600`"));
    }
    file.canonicalize().map_err(unusable)
}

fn open(file: &Path) -> std::io::Result<File> {
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits() | rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    match OpenOptions::new().read(true).custom_flags(flags).open(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(file)
        }
        other => other,
    }
}
