//! A report whose every text may be printed: names come from a hostile repository, and saved reports from anywhere.

use serde_json::Value;

use super::Report;
use crate::model::plain;

impl Report {
    /// The same report with control, bidirectional and invisible characters spelled out. Every format starts here,
    /// and by way of JSON, so that no field can be forgotten.
    pub(super) fn printable(&self) -> Report {
        let mut value = serde_json::to_value(self).expect("a report is plain data");
        spell_out(&mut value);
        serde_json::from_value(value).expect("a report reads what it writes")
    }
}

fn spell_out(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let std::borrow::Cow::Owned(spelled) = plain(text) {
                *text = spelled;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(spell_out),
        Value::Object(map) => {
            if map.keys().any(|key| matches!(plain(key), std::borrow::Cow::Owned(_))) {
                *map = std::mem::take(map).into_iter().map(|(key, value)| (plain(&key).into_owned(), value)).collect();
            }
            map.values_mut().for_each(spell_out);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Text for a console whose lines may be read as commands: GitHub's runner obeys lines that start with `::` and
/// anything behind `##[`, also in the log of a step that prints a table.
pub(super) fn without_commands(text: &str) -> String {
    let text = text.replace("##[", "#\\u{23}[");
    if !text.contains("::") {
        return text;
    }
    let tame = |line: &str| match line.find(|c: char| !c.is_whitespace()) {
        Some(at) if line[at..].starts_with("::") => format!("{}\\u{{3a}}{}", &line[..at], &line[at + 1..]),
        _ => line.to_owned(),
    };
    text.split('\n').map(tame).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_table_is_no_command_to_a_runner() {
        for (text, shown) in [
            ("  ::error::x", "  \\u{3a}:error::x"),
            ("a ::error::x", "a ::error::x"),
            ("x ##[group]", "x #\\u{23}[group]"),
            ("a\n::add-mask::b", "a\n\\u{3a}:add-mask::b"),
        ] {
            assert_eq!(without_commands(text), shown);
        }
    }
}
