//! `harden` audits how hardened the coding agents of a host and a project are.
//!
//! Data flows one way: [`catalog`] turns YAML into a [`model::Policy`], [`facts`] asks a [`host::Host`] what is
//! true, [`check`] compares the two, [`report`] prints. See ARCHITECTURE.md.

pub mod apply;
pub mod artifact;
pub mod catalog;
pub mod check;
pub mod cli;
pub mod commands;
pub mod evidence;
pub mod facts;
pub mod history;
pub mod hooks;
pub mod host;
pub mod model;
pub mod plan;
pub mod report;
