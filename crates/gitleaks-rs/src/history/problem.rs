//! What kept a repository from being read whole. Reading goes on with the rest.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// The most problems of one kind that are told one by one.
const TOLD: usize = 20;

/// What kind of problem it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProblemKind {
    /// An object that others name is not there: it was never fetched, or it is lost.
    Missing,
    /// An object is damaged.
    Damaged,
    /// Something is too large, too deep or too much.
    Limit,
    /// Objects, or the repository itself, lie outside of it, or behind a link, and were left alone.
    Outside,
    /// The account may not read it.
    Closed,
    /// A file cannot be read, or is of a form that is not known.
    Unreadable,
    /// The history was cut off when it was cloned.
    Shallow,
}

impl ProblemKind {
    /// That of an error.
    pub(super) fn of(error: &std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::PermissionDenied { Self::Closed } else { Self::Unreadable }
    }

    /// The kind of error that it is.
    pub(crate) fn error(self) -> std::io::ErrorKind {
        use std::io::ErrorKind as Error;
        match self {
            Self::Missing => Error::NotFound,
            Self::Damaged => Error::InvalidData,
            Self::Limit => Error::FileTooLarge,
            Self::Closed => Error::PermissionDenied,
            Self::Outside | Self::Unreadable | Self::Shallow => Error::Other,
        }
    }
}

/// Something that was not read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What kind of problem it is.
    pub kind: ProblemKind,
    /// What it is about, for people.
    pub text: String,
}

/// Problems as they turn up, from several threads.
#[derive(Default)]
pub(super) struct Problems(Mutex<BTreeMap<ProblemKind, (usize, Vec<String>)>>);

impl Problems {
    /// Notes a problem; each is told once.
    pub(super) fn add(&self, kind: ProblemKind, text: impl FnOnce() -> String) {
        let mut kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (count, told) = kinds.entry(kind).or_default();
        *count += 1;
        if told.len() < TOLD {
            let text = text();
            if told.contains(&text) {
                *count -= 1;
            } else {
                told.push(text);
            }
        }
    }

    /// All problems; where there are too many of a kind the last one says how many more.
    pub(super) fn list(&self) -> Vec<Problem> {
        let kinds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut list = Vec::new();
        for (&kind, (count, told)) in kinds.iter() {
            list.extend(told.iter().map(|text| Problem { kind, text: text.clone() }));
            if *count > told.len() {
                list.push(Problem { kind, text: format!("and {} more", count - told.len()) });
            }
        }
        list
    }
}
