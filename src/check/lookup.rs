//! Finds the value of a fact path.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::model::{Location, Look, Unseen};

/// The values that paths start from: the facts by probe name, and what loops bind.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    pub(super) facts: &'a BTreeMap<&'static str, Value>,
    pub(super) bound: Vec<Bound<'a>>,
}

/// A loop's variable, its value, and how the item is called in evidence.
#[derive(Clone)]
pub(super) struct Bound<'a> {
    pub(super) name: &'static str,
    pub(super) value: &'a Value,
    pub(super) shown: String,
}

/// What a path led to.
pub(super) struct Found<'a> {
    /// The value; null where it is known to be absent.
    pub(super) value: &'a Value,
    /// The path with item names in it.
    pub(super) shown: String,
    /// The nearest place in a file.
    pub(super) at: Option<Location>,
}

/// What an item is called in evidence.
pub(super) fn item_name(item: &Value, at: usize) -> String {
    let name = ["name", "path"].into_iter().find_map(|key| item.get(key)?.as_str());
    name.or(item.as_str()).map_or_else(|| at.to_string(), str::to_owned)
}

impl<'a> Scope<'a> {
    /// The scope inside a loop over what was found, at one item.
    pub(super) fn at(&self, name: &'static str, found: &Found<'_>, at: usize, item: &'a Value) -> Self {
        let shown = format!("{}[{}]", found.shown, item_name(item, at));
        let mut inside = self.clone();
        inside.bound.push(Bound { name, value: item, shown });
        inside
    }

    /// Err where something on the way is unknown.
    pub(super) fn find(&self, path: &str) -> Result<Found<'a>, Unseen> {
        let mut words = path.split('.');
        let first = words.next().unwrap_or_default();
        let (mut value, mut shown) = match self.bound.iter().find(|bound| bound.name == first) {
            Some(bound) => (bound.value, bound.shown.clone()),
            None => (self.facts.get(first).unwrap_or(&Value::Null), first.to_owned()),
        };
        let mut at = place(value);
        told(value)?;
        for word in words {
            value = value.get(word).unwrap_or(&Value::Null);
            shown = format!("{shown}.{word}");
            told(value)?;
            at = place(value).or(at);
        }
        Ok(Found { value, shown, at })
    }
}

fn told(value: &Value) -> Result<(), Unseen> {
    let Some(unseen) = value.get(Look::<()>::MARKER) else { return Ok(()) };
    Err(serde_json::from_value(unseen.clone()).unwrap_or_else(|_| Unseen::new("it could not be read", "look by hand")))
}

/// The `at` of a record, where it says where it was read.
fn place(value: &Value) -> Option<Location> {
    serde_json::from_value(value.get("at")?.clone()).ok()
}
