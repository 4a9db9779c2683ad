//! Hooks of git that scan for secrets before a commit and before a push: where git takes hooks from, putting ours
//! there in front of what is there already, and taking it out so that all is as it was.
//!
//! Git is not asked, for a repository's configuration can make it run programs; its files are read. Nothing is written
//! through a link or into a work tree, and no hook that is not ours is changed: it is renamed, and ours runs it.

mod change;
mod disk;
mod manager;
mod place;
mod program;
mod pushed;
mod status;

pub use self::change::{Step, install, uninstall, uninstall_left};
pub use self::place::{Owner, Place, PlaceError, find};
pub use self::program::{ProgramError, program};
pub use self::pushed::{PushedError, pushed};
pub use self::status::{One, State, Status, left, status};
pub use crate::facts::git::own_hook::Hook;
