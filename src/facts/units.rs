//! What starts at boot, by the files of systemd. No unit is asked.

use std::io;

use super::ProbeError;
use crate::host::{Host, Kind, is_absent, read_text, resolve};
use crate::model::AbsPath;

/// The largest unit, script or rules file that is read.
const LIMIT: u64 = 1 << 20;

/// Units that the machine's owner wrote or linked.
pub(super) const ETC_UNITS: &str = "/etc/systemd/system";
/// Folders of units, the owner's first.
pub(super) const UNIT_FOLDERS: &[&str] = &[ETC_UNITS, "/usr/lib/systemd/system", "/lib/systemd/system"];

/// Whether a unit is wanted by something: links in `*.wants` and `*.requires`.
pub(super) fn is_enabled(host: &dyn Host, unit: &str) -> Result<bool, ProbeError> {
    for folder in UNIT_FOLDERS.iter().filter_map(AbsPath::new) {
        // `/lib` is a link on most systems, and a link on the way is not followed below.
        let folder = match resolve(host, &folder, None) {
            Ok(folder) => folder,
            Err(error) if is_absent(&error) => continue,
            Err(error) => return Err(ProbeError::unreadable(&folder, error)),
        };
        for name in names(host, &folder)?.iter().filter(|n| n.ends_with(".wants") || n.ends_with(".requires")) {
            let link = folder.join(name).join(unit);
            match host.stat(&link) {
                Ok(_) => return Ok(true),
                Err(error) if is_absent(&error) => {}
                Err(error) => return Err(ProbeError::unreadable(&link, error)),
            }
        }
    }
    Ok(false)
}

/// The names in a folder; none where there is no such folder.
pub(super) fn names(host: &dyn Host, folder: &AbsPath) -> Result<Vec<String>, ProbeError> {
    let entries = resolve(host, folder, None).and_then(|folder| match host.stat(&folder)?.kind {
        Kind::Dir => host.list(&folder),
        _ => Ok(Vec::new()),
    });
    match entries {
        Ok(entries) => Ok(entries.into_iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect()),
        Err(error) if is_absent(&error) => Ok(Vec::new()),
        Err(error) => Err(ProbeError::unreadable(folder, error)),
    }
}

/// The text of a file; None for what is no file, like the target of a masked unit.
pub(super) fn read(host: &dyn Host, path: &AbsPath) -> Result<Option<String>, ProbeError> {
    match read_text(host, path, None, LIMIT) {
        Ok(text) => Ok(text),
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData) => Ok(None),
        Err(error) => Err(ProbeError::unreadable(path, error)),
    }
}
