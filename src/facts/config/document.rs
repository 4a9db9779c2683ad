//! Text of a configuration file as a tree that remembers where each key and value stands.
//!
//! Nothing is substituted: `{env:…}` and `{file:…}` stay as written. Maps are ordered as JavaScript orders them,
//! because the agents that read these files do. Depth and size are bounded before any recursion starts.

use std::collections::HashMap;
use std::sync::Arc;

use jsonc_parser::ast;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::model::{AbsPath, Location};

/// Deepest nesting that is read; real configurations stay below ten.
pub const DEPTH_LIMIT: usize = 128;
/// Most values of one file.
const VALUE_LIMIT: usize = 20_000;

/// A place in one of the [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Span {
    /// Number of the source; [`Span::NOWHERE`] has none.
    pub source: u32,
    /// First byte.
    pub start: u32,
    /// Byte behind the last.
    pub end: u32,
}

impl Span {
    /// For values that no file holds.
    pub const NOWHERE: Self = Self { source: u32::MAX, start: 0, end: 0 };
}

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

/// A text that nodes point into.
#[derive(Clone, Debug)]
pub struct Source {
    /// How it is shown: a path relative to the project, an absolute one, or `$NAME` for a variable.
    pub shown: String,
    /// The file; none for a variable.
    pub path: Option<AbsPath>,
    /// Its number among the layers.
    pub layer: usize,
    text: Arc<str>,
    lines: Arc<[u32]>,
}

/// All texts that a tree came from.
#[derive(Clone, Debug, Default)]
pub struct Sources(Vec<Source>);

impl Sources {
    /// Adds a text and returns its number.
    pub fn add(&mut self, shown: String, path: Option<AbsPath>, layer: usize, text: &str) -> u32 {
        let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(breaks.map(|(at, _)| as_u32(at + 1))).collect();
        self.0.push(Source { shown, path, layer, text: text.into(), lines });
        as_u32(self.0.len() - 1)
    }

    /// The source that a place lies in.
    pub fn of(&self, at: Span) -> Option<&Source> {
        self.0.get(at.source as usize)
    }

    /// File, line and column. None for what no file holds.
    pub fn location(&self, at: Span) -> Option<Location> {
        let source = self.of(at)?;
        source.path.as_ref()?;
        let (line, column, text) = source.place(at.start);
        let (end_line, end_column, _) = source.place(at.end.max(at.start + 1));
        let shown = Location::line(source.shown.clone(), line, text);
        Some(Location {
            column,
            end_line,
            end_column: end_column.max(if line == end_line { column + 1 } else { 1 }),
            ..shown
        })
    }

    /// The location, or the name of the variable.
    pub fn origin(&self, at: Span) -> Option<String> {
        let source = self.of(at)?;
        Some(self.location(at).map_or_else(|| source.shown.clone(), |at| at.to_string()))
    }
}

impl Source {
    /// The text itself. It may hold secrets.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn place(&self, byte: u32) -> (u32, u32, &str) {
        let line = self.lines.partition_point(|start| *start <= byte).max(1);
        let start = self.lines.get(line - 1).copied().unwrap_or(0) as usize;
        let rest = self.text.get(start..).unwrap_or("");
        let text = rest.lines().next().unwrap_or("");
        let before = self.text.get(start..byte as usize).unwrap_or("");
        let column = before.trim_start_matches('\u{feff}').chars().count();
        (as_u32(line), as_u32(column).saturating_add(1), text)
    }
}

fn as_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// Why a text is no document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// Where.
    pub at: Span,
    /// What is wrong, lowercase.
    pub why: String,
}

/// Why a text is not read though the program might.
pub(super) const TOO_DEEP: &str = "nested more than 128 levels deep";
/// The same.
pub(super) const TOO_MANY: &str = "more than 20000 values";

/// A parsed text.
#[derive(Debug)]
pub struct Parsed {
    /// Its tree.
    pub root: Node,
    /// Keys that stand twice in one map: the one that lost, the one that holds.
    pub repeated: Vec<(Key, Key)>,
}

/// Reads JSON with comments and trailing commas.
pub fn jsonc(text: &str, source: u32) -> Result<Parsed, Malformed> {
    let skip = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let body = &text[skip..];
    let span = |start: usize, end: usize| Span { source, start: as_u32(start + skip), end: as_u32(end + skip) };
    if let Some((at, why)) = unreadable(body) {
        return Err(Malformed { at: span(at, at + 1), why: why.to_owned() });
    }
    let parsed = parse_to_ast(body, &CollectOptions::default(), &STRICT).map_err(|error| Malformed {
        at: span(error.range().start, error.range().end),
        why: lowercase_first(&error.kind().to_string()),
    })?;
    let value = parsed.value.ok_or_else(|| Malformed { at: span(0, 1), why: "a file without a value".to_owned() })?;
    let mut repeated = Vec::new();
    let root = convert(value, &span, &mut repeated);
    Ok(Parsed { root, repeated })
}

const STRICT: ParseOptions = ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// What must not reach a recursive parser: NUL bytes, nesting beyond [`DEPTH_LIMIT`], more than [`VALUE_LIMIT`].
fn unreadable(text: &str) -> Option<(usize, &'static str)> {
    let bytes = text.as_bytes();
    let (mut depth, mut values, mut at) = (0_usize, 0_usize, 0);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            0 => return Some((at, "a NUL byte")),
            b'"' => at = behind_string(bytes, at),
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += bytes[at..].iter().position(|b| *b == b'\n').unwrap_or(bytes.len() - at);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                let end = bytes[at + 2..].windows(2).position(|pair| pair == b"*/");
                at = end.map_or(bytes.len(), |end| at + end + 4);
                continue;
            }
            b'{' | b'[' => depth += 1,
            b',' => values += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH_LIMIT {
            return Some((at, TOO_DEEP));
        }
        if values > VALUE_LIMIT {
            return Some((at, TOO_MANY));
        }
        at += 1;
    }
    None
}

/// The closing quote of the string that opens at `at`; the end of the text where there is none.
fn behind_string(bytes: &[u8], at: usize) -> usize {
    let mut at = at + 1;
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            // NUL is left to the caller, a line break ends what is no string.
            b'"' | b'\n' => return at,
            0 => return at - 1,
            _ => {}
        }
        at += 1;
    }
    at
}

fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Recursion is bounded by [`unreadable`].
fn convert(value: ast::Value, span: &impl Fn(usize, usize) -> Span, repeated: &mut Vec<(Key, Key)>) -> Node {
    let (value, range) = match value {
        ast::Value::NullKeyword(node) => (NodeValue::Null, node.range),
        ast::Value::BooleanLit(node) => (NodeValue::Bool(node.value), node.range),
        ast::Value::NumberLit(node) => (NodeValue::Number(node.value.to_owned()), node.range),
        ast::Value::StringLit(node) => (NodeValue::Text(node.value.into_owned()), node.range),
        ast::Value::Array(node) => {
            let items = node.elements.into_iter().map(|item| convert(item, span, repeated)).collect();
            (NodeValue::List(items), node.range)
        }
        ast::Value::Object(node) => {
            let mut pairs = Vec::with_capacity(node.properties.len());
            for property in node.properties {
                let range = jsonc_parser::common::Ranged::range(&property.name);
                let key = Key { name: property.name.into_string(), at: span(range.start, range.end) };
                pairs.push((key, convert(property.value, span, repeated)));
            }
            let map = Map::from_pairs(pairs, |lost, kept| repeated.push((lost.clone(), kept.clone())));
            (NodeValue::Map(map), node.range)
        }
    };
    Node { value, at: span(range.start, range.end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<serde_json::Value, String> {
        jsonc(text, 0).map(|parsed| parsed.root.json()).map_err(|error| error.why)
    }

    #[test]
    fn comments_and_trailing_commas_are_json_here_and_nothing_else_is() {
        use serde_json::json;
        for (text, value) in [
            ("{\"a\": [1, 2,], // x\n /* y */ \"b\": null,}", json!({"a": [1, 2], "b": null})),
            ("\u{feff}{\"a\": true}", json!({"a": true})),
            (r#"{"b": 1, "10": 2, "2": 3}"#, json!({"2": 3, "10": 2, "b": 1})),
            (r#"{"__proto__": {"x": 1}, "a": 1.5}"#, json!({"a": 1.5})),
        ] {
            assert_eq!(read(text), Ok(value), "{text}");
        }
        for text in ["", "  ", "{a: 1}", "{'a': 1}", "{\"a\": 1} x", "{\"a\": 1 \"b\": 2}", "`{}`", "{\"a\": \u{0}}"] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_hundred_thousand_levels_are_an_error_and_no_overflow() {
        for open in ["[", "{\"a\":"] {
            assert_eq!(read(&open.repeat(100_000)), Err("nested more than 128 levels deep".into()));
        }
        assert!(read(&format!("{}1{}", "[".repeat(100), "]".repeat(100))).is_ok());
        assert!(read(&format!("[\"{}\"]", "[".repeat(1000))).is_ok());
    }

    #[test]
    fn the_last_of_two_equal_keys_holds_and_the_other_is_reported() {
        let parsed = jsonc("{\"a\": 1,\n \"b\": 2, \"a\": 3}", 0).expect("valid");
        assert_eq!(parsed.root.json().to_string(), r#"{"a":3,"b":2}"#);
        assert_eq!(parsed.repeated.len(), 1);
    }

    #[test]
    fn places_count_lines_and_characters() {
        let text = "{\n  \"ä\": \"x\", \"b\": 1 }";
        let mut sources = Sources::default();
        let id = sources.add("f.json".into(), AbsPath::new("/f.json"), 0, text);
        let parsed = jsonc(text, id).expect("valid");
        let (key, _) = parsed.root.map().and_then(|map| map.entry("b")).expect("there");
        let at = sources.location(key.at).expect("in a file");
        assert_eq!((at.line, at.column, at.end_line, at.end_column), (2, 13, 2, 16));
    }

    #[test]
    fn merging_replaces_in_place_and_goes_into_maps() {
        let map = |text: &str| match jsonc(text, 0).expect("valid").root.value {
            NodeValue::Map(map) => map,
            _ => Map::default(),
        };
        let mut base = map(r#"{"p": {"x": "ask", "*": "deny"}, "l": [1], "s": "a"}"#);
        base.merge(map(r#"{"s": {"k": 1}, "p": {"*": "allow", "y": 1}, "l": [2], "0": 1}"#));
        let merged = Node::made(NodeValue::Map(base)).json().to_string();
        assert_eq!(merged, r#"{"0":1,"p":{"x":"ask","*":"allow","y":1},"l":[2],"s":{"k":1}}"#);
    }
}
