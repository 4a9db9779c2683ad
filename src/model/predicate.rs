//! What a check may say: a small tree over facts. [`crate::catalog`] parses and types it, [`crate::check`] decides it.

use serde_json::Value;

use super::Mode;

/// A tree of conditions.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// Every one holds.
    All(Vec<Predicate>),
    /// At least one holds.
    Any(Vec<Predicate>),
    /// It does not hold.
    Not(Box<Predicate>),
    /// It holds for every item of a list fact; the item is `each`.
    Every(String, Box<Predicate>),
    /// It holds for at least one item of a list fact.
    Some(String, Box<Predicate>),
    /// One operator on one fact.
    Test(Test),
}

/// One operator on one fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Test {
    /// Dotted path: `mcp.servers`, `item.version`.
    pub path: String,
    /// What is asked of it.
    pub op: Op,
}

/// The operators. `$name` in an argument stands for a profile parameter.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// Equal.
    Eq(Value),
    /// One of these.
    In(Value),
    /// Present or absent.
    Is(Is),
    /// A regular expression finds a match in the text.
    Matches(Box<Pattern>),
    /// A list holds this item; a text holds this text.
    Contains(Value),
    /// Every item of the list is one of these.
    SubsetOf(Value),
    /// A list or text has nothing in it, or has something.
    Empty(bool),
    /// A path is this folder, or lies below it; a list of folders: below one of them.
    Within(Value),
    /// A number is at least this.
    AtLeast(i64),
    /// A number is at most this.
    AtMost(i64),
    /// A mode has no bit beyond these.
    ModeAtMost(Mode),
}

/// Whether a fact has a value at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Is {
    /// It has one.
    Present,
    /// It is known to have none.
    Absent,
}

/// A compiled regular expression that compares by its text.
#[derive(Clone, Debug)]
pub struct Pattern(pub regex::Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Predicate {
    /// Every fact path named in the tree, list facts of quantifiers included.
    pub fn paths(&self) -> Vec<&str> {
        match self {
            Self::All(list) | Self::Any(list) => list.iter().flat_map(Self::paths).collect(),
            Self::Not(inner) => inner.paths(),
            Self::Every(path, inner) | Self::Some(path, inner) => {
                std::iter::once(path.as_str()).chain(inner.paths()).collect()
            }
            Self::Test(test) => vec![&test.path],
        }
    }
}
