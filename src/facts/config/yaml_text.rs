//! YAML as a tree with places, read as js-yaml 3 reads it: the agents that take YAML are JavaScript programs.
//!
//! The parser hands out events, so that depth and the copies that aliases make are counted before they exist.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle};

use super::jsonc::{DEPTH_LIMIT, Malformed};
use super::node::{Key, Map, Node, NodeValue};
use super::source::Span;

/// Most values of one document, copies made by aliases counted.
const VALUE_LIMIT: usize = 100_000;

/// Reads one document. `offset` is where the text starts in its source.
pub fn read(text: &str, source: u32, offset: usize) -> Result<Node, Malformed> {
    let mut builder = Builder { places: Places::new(text, source, offset), ..Builder::new(text, source) };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Malformed {
            at: builder.places.span(error.marker(), error.marker()),
            why: format!("no YAML: {}", error.info()),
        })?;
        let at = builder.places.span(&span.start, &span.end);
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                return Err(Malformed { at, why: "more than one YAML document".to_owned() });
            }
        }
        builder.event(event, at)?;
    }
    Ok(builder.root.unwrap_or(Node { value: NodeValue::Null, at: Span { source, start: 0, end: 1 } }))
}

/// Turns the parser's character numbers into bytes.
struct Places {
    source: u32,
    offset: usize,
    bytes: Option<Vec<u32>>,
}

impl Places {
    fn new(text: &str, source: u32, offset: usize) -> Self {
        let bytes =
            (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).chain([text.len()]).map(as_u32).collect());
        Self { source, offset, bytes }
    }

    fn span(&self, start: &Marker, end: &Marker) -> Span {
        let byte = |marker: &Marker| {
            let at = marker.index();
            let at =
                self.bytes.as_ref().map_or(as_u32(at), |bytes| bytes.get(at).or(bytes.last()).copied().unwrap_or(0));
            at.saturating_add(as_u32(self.offset))
        };
        Span { source: self.source, start: byte(start), end: byte(end) }
    }
}

fn as_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What an anchor names, with its number of values and its depth.
struct Anchored {
    node: Node,
    values: usize,
    depth: usize,
}

struct Frame {
    at: Span,
    anchor: usize,
    content: Content,
    values: usize,
    depth: usize,
}

enum Content {
    List(Vec<Node>),
    Map { pairs: Vec<(Key, Node)>, key: Option<Key> },
}

struct Builder {
    places: Places,
    stack: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    values: usize,
    root: Option<Node>,
}

impl Builder {
    fn new(text: &str, source: u32) -> Self {
        Self { places: Places::new(text, source, 0), stack: vec![], anchors: HashMap::new(), values: 0, root: None }
    }

    fn event(&mut self, event: Event<'_>, at: Span) -> Result<(), Malformed> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let value = if plain { plain_value(&text) } else { NodeValue::Text(text.into_owned()) };
                self.add(Anchored { node: Node { value, at }, values: 1, depth: 0 }, anchor)
            }
            Event::Alias(anchor) => {
                let named = self.anchors.get(&anchor);
                let named = named.ok_or_else(|| malformed(at, "an alias without an anchor"))?;
                if self.values + named.values > VALUE_LIMIT {
                    return Err(malformed(at, "aliases make it larger than 100000 values"));
                }
                let copy = Anchored { node: named.node.clone(), values: named.values, depth: named.depth };
                self.add(copy, 0)
            }
            Event::SequenceStart(anchor, _) => self.open(at, anchor, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => self.open(at, anchor, Content::Map { pairs: Vec::new(), key: None }),
            Event::SequenceEnd | Event::MappingEnd => self.close(at),
            _ => Ok(()),
        }
    }

    fn open(&mut self, at: Span, anchor: usize, content: Content) -> Result<(), Malformed> {
        if self.stack.len() >= DEPTH_LIMIT {
            return Err(malformed(at, "nested more than 128 levels deep"));
        }
        self.stack.push(Frame { at, anchor, content, values: 1, depth: 0 });
        Ok(())
    }

    fn close(&mut self, end: Span) -> Result<(), Malformed> {
        let Some(frame) = self.stack.pop() else { return Ok(()) };
        let value = match frame.content {
            Content::List(items) => NodeValue::List(items),
            Content::Map { pairs, .. } => NodeValue::Map(merged(pairs)?),
        };
        let at = Span { end: end.start.max(frame.at.end), ..frame.at };
        self.add(Anchored { node: Node { value, at }, values: frame.values, depth: frame.depth + 1 }, frame.anchor)
    }

    fn add(&mut self, new: Anchored, anchor: usize) -> Result<(), Malformed> {
        let at = new.node.at;
        self.values += new.values;
        if self.values > VALUE_LIMIT * 2 {
            return Err(malformed(at, "more than 100000 values"));
        }
        if self.stack.len() + new.depth > DEPTH_LIMIT {
            return Err(malformed(at, "nested more than 128 levels deep"));
        }
        if anchor != 0 {
            let copy = Anchored { node: new.node.clone(), values: new.values, depth: new.depth };
            self.anchors.insert(anchor, copy);
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(new.node);
            return Ok(());
        };
        frame.values += new.values;
        frame.depth = frame.depth.max(new.depth);
        match &mut frame.content {
            Content::List(items) => items.push(new.node),
            Content::Map { pairs, key } => match key.take() {
                Some(key) => pairs.push((key, new.node)),
                None => *key = Some(Key { name: key_name(&new.node)?, at }),
            },
        }
        Ok(())
    }
}

fn malformed(at: Span, why: &str) -> Malformed {
    Malformed { at, why: why.to_owned() }
}

fn key_name(node: &Node) -> Result<String, Malformed> {
    match &node.value {
        NodeValue::Text(text) | NodeValue::Number(text) => Ok(text.clone()),
        NodeValue::Bool(value) => Ok(value.to_string()),
        NodeValue::Null => Ok("null".to_owned()),
        NodeValue::List(_) | NodeValue::Map(_) => Err(malformed(node.at, "a key that is no text")),
    }
}

/// A key that stands twice is an error; `<<` fills in what is not there.
fn merged(pairs: Vec<(Key, Node)>) -> Result<Map, Malformed> {
    let mut twice = None;
    let (fills, own): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(key, _)| key.name == "<<");
    let first_fill = fills.is_empty();
    let mut map = Map::from_pairs(own, |_, again| twice = Some(again.at));
    if let Some(at) = twice {
        return Err(malformed(at, "a key that stands twice"));
    }
    if first_fill {
        return Ok(map);
    }
    let mut base = Map::default();
    for (key, fill) in fills {
        let maps = match fill.value {
            NodeValue::Map(_) => vec![fill],
            NodeValue::List(list) => list,
            _ => return Err(malformed(key.at, "`<<` without a map")),
        };
        for (key, value) in maps.into_iter().flat_map(|node| match node.value {
            NodeValue::Map(map) => map.into_pairs(),
            _ => Vec::new(),
        }) {
            if base.get(&key.name).is_none() {
                base.set(key, value);
            }
        }
    }
    for (key, value) in std::mem::take(&mut map).into_pairs() {
        base.set(key, value);
    }
    Ok(base)
}

/// A word without quotes. `yes`, `no`, `on` and `off` are texts; `0755` and `1:30` are numbers.
fn plain_value(text: &str) -> NodeValue {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => NodeValue::Null,
        "true" | "True" | "TRUE" => NodeValue::Bool(true),
        "false" | "False" | "FALSE" => NodeValue::Bool(false),
        _ => number(text).map_or_else(|| NodeValue::Text(text.to_owned()), NodeValue::Number),
    }
}

fn number(text: &str) -> Option<String> {
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(digits) => (if text.starts_with('-') { "-" } else { "" }, digits),
        None => ("", text),
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') || digits.ends_with('_') {
        return None;
    }
    let digits = digits.replace('_', "");
    let radix = |prefix: &str, radix| {
        let rest = digits.strip_prefix(prefix)?;
        i64::from_str_radix(rest, radix).ok()
    };
    let whole = if digits == "0" {
        Some(0)
    } else if digits.starts_with("0b") {
        Some(radix("0b", 2)?)
    } else if digits.starts_with("0x") {
        Some(radix("0x", 16)?)
    } else if digits.contains(':') {
        Some(sexagesimal(&digits)?)
    } else if digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit()) {
        Some(radix("0", 8)?)
    } else {
        digits.parse::<i64>().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit()))
    };
    if let Some(whole) = whole {
        return Some(format!("{sign}{whole}"));
    }
    let real = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    (real && digits.contains(['.', 'e', 'E']) && digits.parse::<f64>().is_ok()).then(|| format!("{sign}{digits}"))
}

fn sexagesimal(text: &str) -> Option<i64> {
    text.split(':').try_fold(0_i64, |sum, part| {
        let digit: i64 = part.parse().ok().filter(|_| part.len() <= 2)?;
        sum.checked_mul(60)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> Result<String, String> {
        read(text, 0, 0).map(|node| node.json().to_string()).map_err(|error| error.why)
    }

    #[test]
    fn words_are_read_as_js_yaml_reads_them() {
        for (text, value) in [
            ("a: yes\nb: true\nc: ~", r#"{"a":"yes","b":true,"c":null}"#),
            ("a: 0755\nb: 0x1F\nc: 1:30\nd: 1_000", r#"{"a":493,"b":31,"c":90,"d":1000}"#),
            ("a: '1'\nb: \"*\"\n\"*\": deny", r#"{"a":"1","b":"*","*":"deny"}"#),
            ("base: &b {x: 1}\nover: {<<: *b, y: 2}", r#"{"base":{"x":1},"over":{"x":1,"y":2}}"#),
        ] {
            assert_eq!(json(text).as_deref(), Ok(value), "{text}");
        }
    }

    #[test]
    fn what_js_yaml_refuses_is_refused() {
        for text in ["a: 1\na: 2", "*: deny", "a: b: c", "a: [", "a: 1\n---\nb: 2\n"] {
            assert!(json(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bombs_are_errors() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..30 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert_eq!(json(&text), Err("aliases make it larger than 100000 values".into()));
        assert!(json(&"[".repeat(100_000)).is_err());
    }
}
