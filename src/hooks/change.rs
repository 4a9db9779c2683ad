//! Puts our hooks in place, and takes them out. Each step says what it did, or why it did nothing.

use std::io;

use super::disk::{Folder, Found};
use super::{Hook, Place, manager};
use crate::facts::git::own_hook::{self, Origin};
use crate::model::AbsPath;

/// What became of a hook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Which.
    pub hook: Hook,
    /// Whether it is now as was asked.
    pub done: bool,
    /// What was done, or why nothing was.
    pub says: String,
}

fn done(hook: Hook, says: impl Into<String>) -> Step {
    Step { hook, done: true, says: says.into() }
}

fn left(hook: Hook, says: impl Into<String>) -> Step {
    Step { hook, done: false, says: says.into() }
}

/// Puts our hooks there, in front of what is there.
pub fn install(place: &Place, program: &[u8]) -> io::Result<Vec<Step>> {
    let folder = Folder::make(&place.folder)?;
    Hook::ALL.into_iter().map(|hook| put(&folder, hook, program)).collect()
}

/// Takes our hooks out, and puts back what was there before.
pub fn uninstall(place: &Place) -> io::Result<Vec<Step>> {
    let folder = match Folder::open(&place.folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Hook::ALL.into_iter().map(|hook| done(hook, "there is none")).collect());
        }
        other => other?,
    };
    Hook::ALL.into_iter().map(|hook| take(&folder, hook)).collect()
}

/// Takes out what was left behind in folders that git takes no hooks from.
pub fn uninstall_left(left: &[(AbsPath, Hook)]) -> io::Result<Vec<Step>> {
    let one = |(path, hook): &(AbsPath, Hook)| {
        let step = take(&Folder::open(path)?, *hook)?;
        Ok(Step { says: format!("left behind in `{path}`: {}", step.says), ..step })
    };
    left.iter().map(one).collect()
}

fn put(folder: &Folder, hook: Hook, program: &[u8]) -> io::Result<Step> {
    let (name, former) = (hook.name(), hook.former());
    let then = match folder.look(former)? {
        Found::Nothing => None,
        Found::File { .. } => Some(format!("`{former}` runs after it")),
        Found::Other(what) => return Ok(left(hook, format!("not installed: `{former}` is {what}; take it away"))),
    };
    let text = own_hook::text(hook, program);
    let and = |did: &str| then.as_ref().map_or_else(|| did.to_owned(), |then| format!("{did}; {then}"));
    match folder.look(name)? {
        Found::Nothing => {
            folder.put(name, &text)?;
            Ok(done(hook, and("installed")))
        }
        Found::Other(what) => {
            Ok(left(hook, format!("not installed: `{name}` is {what}, which is not followed or moved")))
        }
        Found::File { bytes, runs } => match own_hook::origin(hook, &bytes) {
            Origin::Ours(_) if bytes == text && runs => Ok(done(hook, and("is installed already"))),
            Origin::Ours(_) => {
                folder.put(name, &text)?;
                Ok(done(hook, and("brought up to date")))
            }
            Origin::Edited => Ok(left(hook, EDITED)),
            Origin::Foreign if hook.is_called_in(&String::from_utf8_lossy(&bytes)) => {
                Ok(done(hook, "the hook that is there runs harden itself; nothing was changed"))
            }
            // Putting ours in front once more would run in a circle.
            Origin::Foreign if manager::runs_ours(folder, hook, &String::from_utf8_lossy(&bytes))? => {
                Ok(done(hook, "pre-commit runs harden's hook already; nothing was changed"))
            }
            Origin::Foreign if then.is_some() => Ok(left(hook, both(hook))),
            Origin::Foreign => chain(folder, hook, &text, &bytes),
        },
    }
}

const EDITED: &str = "is harden's and was edited or comes from a later version; it was left as it is. Move what you \
                      added elsewhere, remove the file, and install again";

fn both(hook: Hook) -> String {
    let (name, former) = (hook.name(), hook.former());
    format!(
        "not installed: something replaced harden's `{name}`; remove or merge `{former}`, which it ran, and install again"
    )
}

/// The hook that is there keeps its bytes and rights under another name, and ours takes its place.
fn chain(folder: &Folder, hook: Hook, text: &[u8], bytes: &[u8]) -> io::Result<Step> {
    let (name, former) = (hook.name(), hook.former());
    folder.link(name, former)?;
    if let Err(error) = folder.put(name, text) {
        folder.remove(former)?;
        return Err(error);
    }
    let mut says = format!("installed; the hook that was there is now `{former}` and runs after it");
    if let Some((manager, does)) = manager::wrote(&String::from_utf8_lossy(bytes)) {
        says += &format!(". It is {manager}'s: {does}");
    }
    Ok(done(hook, says))
}

fn take(folder: &Folder, hook: Hook) -> io::Result<Step> {
    let (name, former) = (hook.name(), hook.former());
    let before = folder.look(former)?;
    let back = matches!(before, Found::File { .. });
    match folder.look(name)? {
        Found::Nothing if back => {
            folder.rename(former, name)?;
            Ok(done(hook, "harden's was gone already; the hook that was there before is back"))
        }
        Found::Nothing => Ok(done(hook, "there is none")),
        Found::Other(what) => Ok(done(hook, format!("`{name}` is {what} and not harden's; left as it is"))),
        Found::File { bytes, .. } => match (own_hook::origin(hook, &bytes), before) {
            (Origin::Ours(_), Found::File { .. }) => {
                folder.rename(former, name)?;
                Ok(done(hook, "removed; the hook that was there before is back"))
            }
            (Origin::Ours(_), Found::Nothing) => {
                folder.remove(name)?;
                Ok(done(hook, "removed"))
            }
            (Origin::Ours(_), Found::Other(what)) => {
                Ok(left(hook, format!("not removed: `{former}`, which it runs, is {what}; take it away")))
            }
            (Origin::Edited, _) => {
                Ok(left(hook, "was edited since harden wrote it, or comes from a later version; it was left as it is"))
            }
            (Origin::Foreign, Found::Nothing) => Ok(done(hook, "is not harden's; left as it is")),
            (Origin::Foreign, _) => {
                Ok(left(hook, format!("something replaced harden's; `{former}`, which it ran, is still there")))
            }
        },
    }
}
