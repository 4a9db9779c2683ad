//! Feeds `bodies/config.rs`, which says what has to hold.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/config.rs"]
mod body;

fuzz_target!(|input: &[u8]| body::check(input));
