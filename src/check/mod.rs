//! Compares a policy with facts. Pure: no host, no clock, no output.

mod evaluate;
mod lookup;
mod predicate;
mod waive;
mod wish;

pub use evaluate::{findings, fingerprint, needed_probes, sort};
pub use waive::{apply_baseline, apply_waivers, waiver_problem};
