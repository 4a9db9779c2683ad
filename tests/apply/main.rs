//! `harden apply` on machines that fail, are killed and lose power at every point of it: afterwards going on or going
//! back always reaches a clean end.

mod invented;
mod properties;
mod scenario;
mod sweep;
