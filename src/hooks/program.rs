//! The program that hooks run: this one, by the name that will still lead to it after an update.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Why hooks cannot name the program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// The system does not say.
    #[error("cannot tell where this program is: {0}")]
    Unknown(#[from] std::io::Error),
    /// A line of a hook cannot hold the name.
    #[error("the path of this program holds a line break")]
    Lines,
}

/// An absolute path of this program. Package managers put versions in folders and a link in front, so that the name it
/// was called by is better than what the link leads to now.
pub fn program() -> Result<Vec<u8>, ProgramError> {
    let real = std::env::current_exe()?;
    let called = std::env::args_os().next().unwrap_or_default();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = candidates(&called, &path).find(|candidate| is_same(candidate, &real)).unwrap_or(real);
    let bytes = found.into_os_string().into_vec();
    if bytes.contains(&b'\n') { Err(ProgramError::Lines) } else { Ok(bytes) }
}

/// Where a shell would have found it.
fn candidates<'a>(called: &'a OsStr, path: &'a OsString) -> impl Iterator<Item = PathBuf> + 'a {
    let direct = called.as_bytes().contains(&b'/').then(|| std::path::absolute(called).ok()).flatten();
    let searched = std::env::split_paths(path).filter(|folder| folder.is_absolute()).map(move |f| f.join(called));
    direct.into_iter().chain(searched.filter(move |_| !called.is_empty() && !called.as_bytes().contains(&b'/')))
}

fn is_same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
