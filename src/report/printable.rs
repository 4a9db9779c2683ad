//! A report whose every text may be printed: names come from a hostile repository, and saved reports from anywhere.

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Report;
use crate::model::plain;

impl Report {
    /// The same report with control, bidirectional and invisible characters spelled out. Every format starts here.
    pub(crate) fn printable(&self) -> Report {
        Report {
            version: self.version,
            harden: printable(&self.harden),
            time: printable(&self.time),
            profile: printable(&self.profile),
            scope: self.scope,
            os: self.os,
            project: printable(&self.project),
            anchor: printable(&self.anchor),
            agents: self.agents.iter().map(printable).collect(),
            counts: printable(&self.counts),
            findings: self.findings.iter().map(printable).collect(),
            checklist: self.checklist.iter().map(printable).collect(),
            problems: self.problems.iter().map(printable).collect(),
            checks: self.checks.iter().map(printable).collect(),
        }
    }
}

/// By way of JSON, so that no field of a record can be forgotten; what needs nothing, which is nearly all, is not read
/// back.
pub(crate) fn printable<T: Serialize + DeserializeOwned + Clone>(item: &T) -> T {
    let text = serde_json::to_string(item).expect("a report is plain data");
    if needs_nothing(&text) {
        return item.clone();
    }
    let mut value = serde_json::from_str(&text).expect("JSON reads what it writes");
    spell_out(&mut value);
    serde_json::from_value(value).expect("a report reads what it writes")
}

/// Whether no text in this JSON has to be spelled out. Control characters stand in it as escapes; a backslash before
/// such a letter only looks like one, and costs time alone.
fn needs_nothing(json: &str) -> bool {
    let escaped = |part: &str| part.starts_with(['u', 'n', 'r', 't', 'b', 'f']);
    let printed =
        || json.is_ascii() && !json.contains('\u{7f}') || matches!(plain(json), std::borrow::Cow::Borrowed(_));
    !json.split('\\').skip(1).any(escaped) && printed()
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
    fn texts_are_spelled_out_where_they_have_to_be() {
        for (text, shown) in [
            ("plain `\"text\"`", "plain `\"text\"`"),
            ("a\u{1b}[2Jb", "a\\u{1b}[2Jb"),
            ("two\nlines", "two\\u{a}lines"),
            ("del\u{7f}", "del\\u{7f}"),
            ("bidi\u{202e}", "bidi\\u{202e}"),
            ("naïve 漢字", "naïve 漢字"),
            ("c:\\new", "c:\\new"),
        ] {
            assert_eq!(printable(&text.to_owned()), shown);
            assert_eq!(
                needs_nothing(&serde_json::to_string(text).expect("JSON")),
                text == shown && !text.contains("\\n")
            );
        }
    }

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
