//! JSON with comments and trailing commas as a tree. Depth and size are bounded before any recursion starts.

use jsonc_parser::ast;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use super::node::{Key, Map, Node, NodeValue};
use super::source::{Span, as_u32};

/// Deepest nesting that is read; real configurations stay below ten.
pub const DEPTH_LIMIT: usize = 128;
/// Most values of one file.
const VALUE_LIMIT: usize = 20_000;

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
    use super::super::source::Sources;
    use super::*;
    use crate::model::AbsPath;

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
