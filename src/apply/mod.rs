//! The only module that changes the machine.
//!
//! [`Machine`] is what can be done to it, in primitives; `things` says how each kind of thing is put; `journal` holds
//! what was intended and done; `executor` and `undo` go forth and back along it.

mod account;
mod executor;
mod journal;
mod machine;
mod real;
mod rules;
mod service;
mod store;
mod things;
mod tool;
mod undo;

pub use executor::{Failed, apply, resume};
pub use journal::{Entry, Journal, Line, Progress, Record};
pub use machine::{Machine, New};
pub use real::RealMachine;
pub use service::hinders;
pub use store::{Kept, ROOT_STORE, Store};
pub use things::{Trouble, look};
pub use tool::{Changer, ToolFailure};
pub use undo::{Stuck, drift, obstacles, rollback};

use std::io;

/// Writes down that the changes of a run may stay.
pub fn confirm(machine: &mut dyn Machine, journal: &Journal) -> io::Result<()> {
    journal.write(machine, &Line::Confirmed)
}
