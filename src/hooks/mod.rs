//! Hooks of git that scan for secrets before a commit and before a push.

mod pushed;

pub use self::pushed::{PushedError, pushed};
