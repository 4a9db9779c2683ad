//! The names in a project: what one walk found, kept for every probe that asks.

use std::path::PathBuf;

/// The entries of a project that some probe may want, relative to its top, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Regular files outside folders of dependencies.
    pub files: Vec<PathBuf>,
    /// Links, those in folders of dependencies included.
    pub links: Vec<PathBuf>,
    /// Folders of dependencies and products, in which only links were looked for.
    pub skipped: Vec<PathBuf>,
    /// How many folders could not be listed.
    pub closed: u64,
}
