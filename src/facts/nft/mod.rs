//! Reads a loaded nftables ruleset and answers for one account: would a new connection to a place be accepted?
//!
//! The evaluator follows the chains a packet passes, in their order, and knows the expressions that rules about
//! accounts, addresses and ports are made of. What it does not know makes the answer *unknown*, with the rule named;
//! it never guesses. It starts nothing and sends nothing.

mod boot;
mod marks;
mod packet;
mod questions;
mod reach;
mod ruleset;
mod step;
mod value;
mod walk;
mod xt;

pub(super) use boot::{Boot, boot};
pub(super) use packet::Interface;
pub(super) use reach::{Declared, Group, Network, Opening, Span, literal_span, reach};
pub(super) use ruleset::Ruleset;
pub(super) use value::matches_user;
