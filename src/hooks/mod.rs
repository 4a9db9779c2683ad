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
mod script;
mod settings;
mod status;

use serde::Serialize;

pub use self::change::{Step, install, uninstall};
pub use self::place::{Owner, Place, PlaceError, find};
pub use self::program::{ProgramError, program};
pub use self::pushed::{PushedError, pushed};
pub use self::status::{One, State, Status, status};

/// A hook that we write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hook {
    /// Before a commit: scans what is staged.
    PreCommit,
    /// Before a push: scans the commits that the remote does not have.
    PrePush,
}

impl Hook {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::PreCommit, Self::PrePush];

    /// What git calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::PrePush => "pre-push",
        }
    }

    /// What a hook that was there before ours is called while ours is there.
    pub fn former(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit.before-harden",
            Self::PrePush => "pre-push.before-harden",
        }
    }

    /// The line that does the same in a hook which somebody else looks after.
    pub fn line(self) -> &'static str {
        match self {
            Self::PreCommit => "harden scan --staged",
            Self::PrePush => r#"harden scan --pushed --remote="$1""#,
        }
    }

    /// What that line holds in any case.
    fn call(self) -> &'static str {
        match self {
            Self::PreCommit => "harden scan --staged",
            Self::PrePush => "harden scan --pushed",
        }
    }

    /// Whether a hook's text runs us by itself.
    fn is_called_in(self, text: &str) -> bool {
        text.lines().any(|line| !line.trim_start().starts_with('#') && line.contains(self.call()))
    }
}
