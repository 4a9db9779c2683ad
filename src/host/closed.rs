//! Names the folder that keeps the audit out, so that one closed folder is one reason and not one for each name below.

use std::io;

use super::{Kind, Stat};
use crate::model::AbsPath;

/// A folder that the account of the audit may not pass, or not list.
#[derive(Debug, thiserror::Error)]
#[error("permission denied by the folder `{0}`")]
pub struct Closed(pub AbsPath);

impl Closed {
    /// The folder behind a refusal. None where the thing itself refused, or something else went wrong.
    pub fn of(error: &io::Error) -> Option<&AbsPath> {
        error.get_ref()?.downcast_ref::<Self>().map(|closed| &closed.0)
    }

    /// The refusal of this folder.
    pub(super) fn error(folder: AbsPath) -> io::Error {
        io::Error::new(io::ErrorKind::PermissionDenied, Self(folder))
    }
}

/// The same error; a refusal names the folder that refused. `stat` looks at a path as it is.
pub(super) fn named(error: io::Error, path: &AbsPath, stat: impl Fn(&AbsPath) -> io::Result<Stat>) -> io::Error {
    if error.kind() != io::ErrorKind::PermissionDenied || Closed::of(&error).is_some() {
        return error;
    }
    // Without the number that systems add to the words.
    let error = io::Error::from(io::ErrorKind::PermissionDenied);
    let ways: Vec<AbsPath> = path.ancestors().collect();
    for way in ways.iter().rev() {
        match stat(way) {
            Err(refused) if refused.kind() == io::ErrorKind::PermissionDenied => {
                return way.parent().map_or(error, Closed::error);
            }
            Err(_) => return error,
            Ok(stat) if way == path && stat.kind == Kind::Dir => return Closed::error(way.clone()),
            Ok(_) => {}
        }
    }
    error
}
