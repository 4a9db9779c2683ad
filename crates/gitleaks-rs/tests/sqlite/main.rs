//! Databases made by SQLite itself, read as pages.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod damage;
mod deleted;
mod log;
mod made;
mod places;
mod rows;
