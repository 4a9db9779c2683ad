//! The settings at the top of a Markdown file, as OpenCode reads them: with a second try after a repair, and with
//! all of them lost where that fails too. Front matter that is code is never run.

use super::jsonc::{Malformed, jsonc};
use super::node::{Map, Node, NodeValue};
use super::source::Span;
use super::yaml_text;

/// A Markdown file taken apart.
pub(super) struct FrontMatter {
    /// The settings; empty where there are none.
    pub(super) root: Node,
    /// The text below them.
    pub(super) body: String,
    /// Why there are none though there is front matter.
    pub(super) problem: Option<Malformed>,
    /// The agent passes over the file without a word.
    pub(super) skipped: bool,
    /// The front matter is a program that the agent runs.
    pub(super) code: bool,
}

/// Takes a file apart.
pub(super) fn read(text: &str, source: u32) -> FrontMatter {
    let bom = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let whole = &text[bom..];
    let empty = |body: &str| FrontMatter {
        root: empty_map(source),
        body: body.trim().to_owned(),
        problem: None,
        skipped: false,
        code: false,
    };
    let Some(rest) = whole.strip_prefix("---").filter(|rest| !rest.starts_with('-')) else { return empty(whole) };
    let line = rest.find('\n').map_or(rest, |end| &rest[..end]);
    let (language, after) = (line.trim(), if line.trim().is_empty() { 0 } else { line.len() });
    let settings_at = bom + 3 + after;
    let rest = &rest[after..];
    let (settings, body) = match rest.find("\n---") {
        Some(end) => (&rest[..end], &rest[end + 4..]),
        None => (rest, ""),
    };
    if is_blank(settings) {
        return empty(body);
    }
    let problem = |problem: Malformed, skipped: bool| {
        // The program keeps the file's whole text as the prompt, and nothing else.
        FrontMatter { body: whole.trim().to_owned(), problem: Some(problem), skipped, ..empty("") }
    };
    let first_line = Span { source, start: 0, end: u32::try_from(bom + 3 + line.len()).unwrap_or(u32::MAX) };
    let first = match language {
        "" | "yaml" | "yml" => yaml_text::read(settings, source, settings_at),
        "json" => jsonc(settings, source).map(|parsed| parsed.root),
        "js" | "javascript" => {
            let why = "its front matter is a program that the agent runs when it reads its configuration".to_owned();
            return FrontMatter { code: true, problem: Some(Malformed { at: first_line, why }), ..empty(body) };
        }
        other => {
            let why = format!("front matter in `{}`, which is not read", crate::model::plain(other));
            return problem(Malformed { at: first_line, why }, true);
        }
    };
    match first {
        Ok(root) if root.map().is_some() => FrontMatter { root, ..empty(body) },
        Ok(_) => empty(body),
        Err(error) => match repaired(settings, source, settings_at).filter(|_| language.is_empty()) {
            Some(Ok(root)) if root.map().is_some() => FrontMatter { root, ..empty(body) },
            Some(_) => problem(error, true),
            None => problem(error, false),
        },
    }
}

fn empty_map(source: u32) -> Node {
    Node { value: NodeValue::Map(Map::default()), at: Span { source, start: 0, end: 3 } }
}

/// Nothing but comments and blanks.
fn is_blank(text: &str) -> bool {
    text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#'))
}

/// The second try: values with a colon in them are taken as text. None where that changes nothing.
fn repaired(settings: &str, source: u32, offset: usize) -> Option<Result<Node, Malformed>> {
    let mut text = String::with_capacity(settings.len() + 16);
    // Where each repaired line starts, and where the line stands that it came from.
    let mut lines: Vec<(usize, usize)> = Vec::new();
    let mut changed = false;
    let mut at = 0;
    for line in settings.split_inclusive('\n') {
        lines.push((text.len(), at));
        match colon_in_value(line.trim_end_matches(['\n', '\r'])) {
            Some((key, value)) => {
                changed = true;
                text.push_str(&format!("{key}: |-\n"));
                lines.push((text.len(), at));
                text.push_str(&format!("  {value}\n"));
            }
            None => text.push_str(line),
        }
        at += line.len();
    }
    if !changed {
        return None;
    }
    let back = |byte: u32| {
        let byte = byte as usize;
        let index = lines.partition_point(|(new, _)| *new <= byte).saturating_sub(1);
        let (new, old) = lines.get(index).copied().unwrap_or((0, 0));
        u32::try_from((old + byte.saturating_sub(new)).min(settings.len()) + offset).unwrap_or(u32::MAX)
    };
    Some(yaml_text::read(&text, source, 0).map(|mut node| {
        moved(&mut node, &|span| Span { source, start: back(span.start), end: back(span.end) });
        node
    }))
}

/// Depth is bounded by the reader.
fn moved(node: &mut Node, to: &dyn Fn(Span) -> Span) {
    node.at = to(node.at);
    match &mut node.value {
        NodeValue::List(items) => items.iter_mut().for_each(|item| moved(item, to)),
        NodeValue::Map(map) => {
            let pairs = std::mem::take(map).into_pairs().into_iter().map(|(mut key, mut value)| {
                key.at = to(key.at);
                moved(&mut value, to);
                (key, value)
            });
            *map = pairs.collect();
        }
        _ => {}
    }
}

fn colon_in_value(line: &str) -> Option<(&str, &str)> {
    if line.starts_with([' ', '\t', '#']) {
        return None;
    }
    let (key, value) = line.split_once(':')?;
    let (key, value) = (key.trim_end(), value.trim());
    let word = key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let left = matches!(value, "" | ">" | "|") || value.starts_with(['"', '\'']);
    (word && !left && value.contains(':')).then_some((key, value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> (String, String, bool, bool) {
        let read = read(text, 0);
        (read.root.json().to_string(), read.body, read.problem.is_some(), read.skipped)
    }

    #[test]
    fn files_are_taken_apart_as_the_program_does() {
        let ok = |json: &str, body: &str| (json.to_owned(), body.to_owned(), false, false);
        for (text, expected) in [
            ("", ok("{}", "")),
            ("Only prose.\n", ok("{}", "Only prose.")),
            ("---\nmode: all\n---\nBody\n", ok(r#"{"mode":"all"}"#, "Body")),
            ("\u{feff}---\nmode: all\n---\nBody\n", ok(r#"{"mode":"all"}"#, "Body")),
            ("----\nmode: all\n", ok("{}", "----\nmode: all")),
            ("---\nmode: all\n", ok(r#"{"mode":"all"}"#, "")),
            ("---json\n{\"a\": 1}\n---\nB", ok(r#"{"a":1}"#, "B")),
            ("---\na: use when: x\nb: 1:30\n---\nB", ok(r#"{"a":"use when: x","b":"1:30"}"#, "B")),
        ] {
            assert_eq!(shown(text), expected, "{text}");
        }
    }

    #[test]
    fn broken_settings_are_lost_or_the_file_is() {
        let (json, body, problem, skipped) = shown("---\npermission:\n  *: deny\n---\nB");
        assert_eq!((json.as_str(), problem, skipped), ("{}", true, false));
        assert!(body.starts_with("---\npermission"));
        let (_, _, problem, skipped) = shown("---\nd: a: b\npermission:\n  *: deny\n---\nB");
        assert!(problem && skipped);
    }

    #[test]
    fn code_is_seen_and_not_run() {
        assert!(read("---js\n{ mode: 'all' }\n---\n", 0).code);
    }
}
