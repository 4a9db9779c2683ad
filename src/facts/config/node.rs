//! Values of a configuration, each with the place it stands at.
//!
//! Nothing is substituted: `{env:…}` and `{file:…}` stay as written. Maps are ordered as JavaScript orders them,
//! because the agents that read these files do.

use std::collections::HashMap;

use super::source::Span;

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The value.
    pub value: NodeValue,
    /// Its place.
    pub at: Span,
}

/// A value of a configuration.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number, as written.
    Number(String),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map.
    Map(Map),
}

/// A key and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// The key.
    pub name: String,
    /// Its place.
    pub at: Span,
}

/// An ordered map: whole-number keys first, ascending, then the others as they came.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(Vec<(Key, Node)>);

impl Node {
    /// A value that no file holds.
    pub fn made(value: NodeValue) -> Self {
        Self { value, at: Span::NOWHERE }
    }

    /// A text at a place.
    pub fn text_at(text: impl Into<String>, at: Span) -> Self {
        Self { value: NodeValue::Text(text.into()), at }
    }

    /// The text, where it is one.
    pub fn text(&self) -> Option<&str> {
        if let NodeValue::Text(text) = &self.value { Some(text) } else { None }
    }

    /// The truth value, where it is one.
    pub fn bool(&self) -> Option<bool> {
        if let NodeValue::Bool(value) = &self.value { Some(*value) } else { None }
    }

    /// The map, where it is one.
    pub fn map(&self) -> Option<&Map> {
        if let NodeValue::Map(map) = &self.value { Some(map) } else { None }
    }

    /// The map, where it is one.
    pub fn map_mut(&mut self) -> Option<&mut Map> {
        if let NodeValue::Map(map) = &mut self.value { Some(map) } else { None }
    }

    /// The list, where it is one.
    pub fn list(&self) -> Option<&[Node]> {
        if let NodeValue::List(list) = &self.value { Some(list) } else { None }
    }

    /// What kind of value it is, for messages.
    pub fn kind(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "null",
            NodeValue::Bool(_) => "true or false",
            NodeValue::Number(_) => "a number",
            NodeValue::Text(_) => "a text",
            NodeValue::List(_) => "a list",
            NodeValue::Map(_) => "a map",
        }
    }

    /// The value below dotted keys: `provider.x.options`.
    pub fn get(&self, dotted: &str) -> Option<&Node> {
        dotted.split('.').try_fold(self, |node, name| node.map()?.get(name))
    }

    /// As JSON, without places. It may hold secrets: for comparisons only.
    pub fn json(&self) -> serde_json::Value {
        use serde_json::Value;
        match &self.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(value) => Value::Bool(*value),
            NodeValue::Number(text) => number(text),
            NodeValue::Text(text) => Value::String(text.clone()),
            NodeValue::List(list) => list.iter().map(Node::json).collect(),
            NodeValue::Map(map) => Value::Object(map.iter().map(|(k, v)| (k.name.clone(), v.json())).collect()),
        }
    }
}

fn number(text: &str) -> serde_json::Value {
    if let Ok(whole) = text.parse::<i64>() {
        return whole.into();
    }
    match text.parse::<f64>() {
        Ok(real) => serde_json::Number::from_f64(real).map_or(serde_json::Value::Null, serde_json::Value::Number),
        Err(_) => serde_json::Value::String(text.to_owned()),
    }
}

impl Map {
    /// From pairs in file order. A key that repeats keeps its first position and takes its last value; each value
    /// that is lost is handed to `lost`. `__proto__` is no key, as in JavaScript.
    pub fn from_pairs(pairs: Vec<(Key, Node)>, mut lost: impl FnMut(&Key, &Key)) -> Self {
        let mut seen: HashMap<String, usize> = HashMap::with_capacity(pairs.len());
        let mut out: Vec<(Key, Node)> = Vec::with_capacity(pairs.len());
        for (key, value) in pairs {
            if key.name == "__proto__" {
                continue;
            }
            match seen.get(&key.name) {
                Some(&at) => {
                    lost(&out[at].0, &key);
                    out[at] = (key, value);
                }
                None => {
                    seen.insert(key.name.clone(), out.len());
                    out.push((key, value));
                }
            }
        }
        let mut map = Self(out);
        map.order();
        map
    }

    /// Its pairs, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &(Key, Node)> {
        self.0.iter()
    }

    /// Its pairs, in order.
    pub fn into_pairs(self) -> Vec<(Key, Node)> {
        self.0
    }

    /// The value of a key.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|(_, value)| value)
    }

    /// Key and value.
    pub fn entry(&self, name: &str) -> Option<&(Key, Node)> {
        self.0.iter().find(|(key, _)| key.name == name)
    }

    /// The value of a key.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.0.iter_mut().find(|(key, _)| key.name == name).map(|(_, value)| value)
    }

    /// Takes a key out.
    pub fn remove(&mut self, name: &str) -> Option<(Key, Node)> {
        let at = self.0.iter().position(|(key, _)| key.name == name)?;
        Some(self.0.remove(at))
    }

    /// Sets a key; one that is there keeps its position.
    pub fn set(&mut self, key: Key, value: Node) {
        match self.0.iter_mut().find(|(known, _)| known.name == key.name) {
            Some(pair) => *pair = (key, value),
            None => {
                let whole = whole_number(&key.name).is_some();
                self.0.push((key, value));
                if whole {
                    self.order();
                }
            }
        }
    }

    /// Sets a key that no file holds.
    pub fn set_made(&mut self, name: &str, value: Node) {
        let at = value.at;
        self.set(Key { name: name.to_owned(), at }, value);
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Merges `over` into it: maps key by key, everything else replaced where it stands.
    pub fn merge(&mut self, over: Self) {
        let index: HashMap<String, usize> =
            self.0.iter().enumerate().map(|(at, (key, _))| (key.name.clone(), at)).collect();
        for (key, value) in over.0 {
            let Some(&at) = index.get(&key.name) else {
                self.0.push((key, value));
                continue;
            };
            let pair = &mut self.0[at];
            match (&mut pair.1.value, value) {
                (NodeValue::Map(ours), Node { value: NodeValue::Map(theirs), .. }) => ours.merge(theirs),
                (_, value) => *pair = (key, value),
            }
        }
        self.order();
    }

    fn order(&mut self) {
        if self.0.iter().any(|(key, _)| whole_number(&key.name).is_some()) {
            self.0.sort_by_key(|(key, _)| whole_number(&key.name).map_or(u64::MAX, u64::from));
        }
    }
}

impl FromIterator<(Key, Node)> for Map {
    fn from_iter<I: IntoIterator<Item = (Key, Node)>>(pairs: I) -> Self {
        Self::from_pairs(pairs.into_iter().collect(), |_, _| {})
    }
}

/// Keys that JavaScript sorts before all others.
fn whole_number(key: &str) -> Option<u32> {
    let canonical = key == "0" || (!key.starts_with('0') && key.bytes().all(|b| b.is_ascii_digit()));
    if !canonical { None } else { key.parse().ok().filter(|number| *number < u32::MAX) }
}
