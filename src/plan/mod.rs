//! From findings to a plan. Pure: what the machine looks like is handed in, and what is to be written is handed out.
//!
//! Two halves, since only the caller may look at the machine: [`wanted`] says which things matter, [`build`] is given
//! what stands there and keeps the changes that would change something.

mod acl;
mod block;
mod build;
mod config;
mod diff;
mod keys;
mod settle;
mod wanted;

pub use build::{Of, Seen, build};
pub use diff::diff;
pub use settle::settle;
pub use wanted::{Want, Wanted, wanted};
