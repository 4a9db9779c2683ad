//! What stands where git looks for hooks, and whether it scans.

use std::io;

use serde::Serialize;

use super::disk::{Folder, Found};
use super::{Hook, Owner, Place, manager};
use crate::facts::git::own_hook::{self, Origin};
use crate::host::{self, CONFIG_LIMIT, Host, Kind};
use crate::model::AbsPath;

/// What there is.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The folder that git takes hooks from; null where hooks are turned off.
    pub folder: Option<AbsPath>,
    /// The setting that names it, as `file:line`; null where it is the usual one.
    pub from: Option<String>,
    /// Each hook.
    pub hooks: Vec<One>,
    /// Hooks of ours in the usual folder, from which git takes none since the folder was set.
    pub left: Vec<AbsPath>,
    /// What one should know.
    pub notes: Vec<String>,
}

/// A hook.
#[derive(Clone, Debug, Serialize)]
pub struct One {
    /// Which.
    pub hook: Hook,
    /// What it is.
    pub state: State,
    /// Whether it scans for secrets.
    pub scans: bool,
    /// Its file.
    pub file: AbsPath,
    /// More, in words.
    pub says: String,
}

/// What a hook is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Ours.
    Installed,
    /// Ours, and it runs the one that was there before.
    Chained,
    /// Ours, and somebody changed it.
    Edited,
    /// The project's own, in its work tree.
    Managed,
    /// Somebody else's.
    Foreign,
    /// There is none.
    None,
    /// Hooks are turned off.
    Off,
}

impl State {
    /// One word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Chained => "chained",
            Self::Edited => "edited",
            Self::Managed => "managed",
            Self::Foreign => "foreign",
            Self::None => "none",
            Self::Off => "off",
        }
    }
}

/// What stands in a place.
pub fn status(host: &dyn Host, place: &Place) -> io::Result<Status> {
    let hooks = Hook::ALL.into_iter().map(|hook| match place.owner {
        Owner::Off => Ok(off(place, hook)),
        Owner::Project => managed(host, place, hook),
        Owner::Repository | Owner::Shared => own(host, place, hook),
    });
    let folder = (place.owner != Owner::Off).then(|| place.folder.clone());
    Ok(Status {
        folder,
        from: place.from.clone(),
        hooks: hooks.collect::<io::Result<_>>()?,
        left: left(host, place)?.into_iter().map(|(folder, hook)| folder.join(hook.name())).collect(),
        notes: place.notes.clone(),
    })
}

/// Hooks of ours that git does not run any more, each with its folder.
pub fn left(host: &dyn Host, place: &Place) -> io::Result<Vec<(AbsPath, Hook)>> {
    let Some(usual) = place.usual.as_ref().filter(|usual| host.stat(usual).is_ok_and(|stat| stat.kind == Kind::Dir))
    else {
        return Ok(Vec::new());
    };
    let folder = Folder::open(usual)?;
    let mut left = Vec::new();
    for hook in Hook::ALL {
        if let Found::File { bytes, .. } = folder.look(hook.name())?
            && matches!(own_hook::origin(hook, &bytes), Origin::Ours(_))
        {
            left.push((usual.clone(), hook));
        }
    }
    Ok(left)
}

fn off(place: &Place, hook: Hook) -> One {
    let from = place.from.as_deref().unwrap_or_default();
    let says = format!("hooks are turned off: `core.hooksPath` in {from} names no folder");
    One { hook, state: State::Off, scans: false, file: place.folder.join(hook.name()), says }
}

fn managed(host: &dyn Host, place: &Place, hook: Hook) -> io::Result<One> {
    let file = place.tracked(hook);
    let text = host::read_text(host, &file, Some(&place.top), CONFIG_LIMIT);
    let text = text.map_err(|error| io::Error::new(error.kind(), format!("`{}`: {error}", place.shown(&file))))?;
    let scans = text.is_some_and(|text| hook.is_called_in(&text));
    let says = match scans {
        true => "the project's own, and it runs harden".to_owned(),
        false => format!("the project's own; add the line `{}` to `{}`", hook.line(), place.shown(&file)),
    };
    Ok(One { hook, state: State::Managed, scans, file, says })
}

fn own(host: &dyn Host, place: &Place, hook: Hook) -> io::Result<One> {
    let file = place.folder.join(hook.name());
    let one = |state, scans, says: String| One { hook, state, scans, file: file.clone(), says };
    let folder = match Folder::open(&place.folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(one(State::None, false, String::new())),
        other => other?,
    };
    let former = !matches!(folder.look(hook.former())?, Found::Nothing);
    let left = if former { format!("`{}` is there and not run", hook.former()) } else { String::new() };
    Ok(match folder.look(hook.name())? {
        Found::Nothing => one(State::None, false, left),
        Found::Other(what) => one(State::Foreign, false, format!("it is {what}")),
        Found::File { bytes, runs } => match own_hook::origin(hook, &bytes) {
            Origin::Edited => one(State::Edited, false, "was edited, or comes from a later version".to_owned()),
            Origin::Ours(program) => {
                let state = if former { State::Chained } else { State::Installed };
                let earlier = own_hook::text(hook, &program) != bytes;
                one(state, runs, ours(host, hook, &program, (former, runs, earlier)))
            }
            Origin::Foreign => {
                let text = String::from_utf8_lossy(&bytes);
                let chained = runs && manager::runs_ours(&folder, hook, &text)?;
                let scans = chained || runs && hook.is_called_in(&text);
                let says = if chained {
                    format!("pre-commit's; runs `{}.legacy`, which is harden's", hook.name())
                } else {
                    foreign(&text, hook, runs, left)
                };
                one(State::Foreign, scans, says)
            }
        },
    })
}

fn ours(host: &dyn Host, hook: Hook, program: &[u8], (former, runs, earlier): (bool, bool, bool)) -> String {
    let program = String::from_utf8_lossy(program);
    if !runs {
        return "it is not executable, so that git does not run it: `harden hooks install`".to_owned();
    }
    let there = AbsPath::new(program.as_ref()).is_some_and(|path| host::exists(host, &path).unwrap_or(false));
    if !there {
        return format!("`{program}` is gone, so that it refuses everything: `harden hooks install`");
    }
    let then = if former { format!(", then `{}`", hook.former()) } else { String::new() };
    let from = if earlier { "; an earlier version wrote it: `harden hooks install`" } else { "" };
    format!("runs `{program}`{then}{from}")
}

fn foreign(text: &str, hook: Hook, runs: bool, left: String) -> String {
    if runs && hook.is_called_in(text) {
        return "runs harden itself".to_owned();
    }
    let whose = manager::wrote(text).map(|(name, _)| format!("{name}'s"));
    let parts = [whose.unwrap_or_default(), left];
    parts.iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join("; ")
}
