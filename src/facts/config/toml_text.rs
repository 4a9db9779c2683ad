//! TOML as a tree with places.

use toml::de::{DeTable, DeValue};

use super::jsonc::Malformed;
use super::node::{Key, Map, Node, NodeValue};
use super::source::Span;

/// Reads a document. The parser bounds its own depth.
pub(super) fn read(text: &str, source: u32) -> Result<Node, Malformed> {
    let table = DeTable::parse(text).map_err(|error| {
        let range = error.span().unwrap_or(0..1);
        Malformed { at: span(source, range), why: format!("no TOML: {}", error.message()) }
    })?;
    let at = span(source, table.span());
    Ok(Node { value: NodeValue::Map(convert_table(table.into_inner(), source)), at })
}

fn span(source: u32, range: std::ops::Range<usize>) -> Span {
    let number = |at| u32::try_from(at).unwrap_or(u32::MAX);
    Span { source, start: number(range.start), end: number(range.end) }
}

fn convert_table(table: DeTable<'_>, source: u32) -> Map {
    let mut pairs: Vec<(Key, Node)> = table
        .into_iter()
        .map(|(key, value)| {
            let at = span(source, key.span());
            let range = value.span();
            (
                Key { name: key.into_inner().into_owned(), at },
                Node { value: convert(value.into_inner(), source), at: span(source, range) },
            )
        })
        .collect();
    pairs.sort_by_key(|(key, _)| key.at.start);
    pairs.into_iter().collect()
}

fn convert(value: DeValue<'_>, source: u32) -> NodeValue {
    match value {
        DeValue::String(text) => NodeValue::Text(text.into_owned()),
        DeValue::Integer(number) => NodeValue::Number(number.to_string()),
        DeValue::Float(number) => NodeValue::Number(number.to_string()),
        DeValue::Boolean(value) => NodeValue::Bool(value),
        DeValue::Datetime(time) => NodeValue::Text(time.to_string()),
        DeValue::Array(items) => NodeValue::List(
            items
                .into_iter()
                .map(|item| {
                    let range = item.span();
                    Node { value: convert(item.into_inner(), source), at: span(source, range) }
                })
                .collect(),
        ),
        DeValue::Table(table) => NodeValue::Map(convert_table(table, source)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn tables_and_lists_keep_their_order() {
        let node = super::read("b = 1\na = [true, \"x\"]\n[t.u]\nk = 1.5\n", 0).expect("valid");
        assert_eq!(node.json().to_string(), r#"{"b":1,"a":[true,"x"],"t":{"u":{"k":1.5}}}"#);
        assert!(super::read("a = ", 0).is_err());
        assert!(super::read(&format!("a = {}", "[".repeat(100_000)), 0).is_err());
    }
}
