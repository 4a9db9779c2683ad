//! What differs between two declarations, and whether that allows more.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::leaves::{Bears, Covers, LEAVES, Leaf, values};
use super::{Answer, Declaration};

/// A difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Keys from the top, with dots: `network.allow`.
    pub at: String,
    /// The item that came or went; of a single value what it is now.
    pub item: Value,
    /// Whether more is allowed now.
    pub widens: bool,
    /// In words.
    pub says: String,
}

/// What differs from `before` to `after`. What is left out is closed.
pub fn changes(before: &Declaration, after: &Declaration) -> Vec<Change> {
    let (before, after) = (values(before), values(after));
    LEAVES.iter().flat_map(|leaf| differences(leaf, &before, &after)).collect()
}

/// What a project's own policy asks for beyond the machine's. What it leaves out is as the machine says.
pub fn widenings(machine: &Declaration, project: &Declaration) -> Vec<Change> {
    let (machine, project) = (values(machine), values(project));
    let written = LEAVES.iter().filter(|leaf| leaf.of(&project).is_some());
    let all = written.flat_map(|leaf| differences(leaf, &machine, &project));
    // What a project does not forbid once more is forbidden still: lists of that kind are joined.
    let joined = |change: &Change| LEAVES.iter().any(|leaf| leaf.at == change.at && is_joined(leaf));
    all.filter(|change| change.widens && !joined(change)).collect()
}

fn is_joined(leaf: &Leaf) -> bool {
    matches!(leaf.bears, Bears::Forbids(_))
}

fn differences(leaf: &Leaf, before: &Value, after: &Value) -> Vec<Change> {
    match leaf.bears {
        Bears::Allows(covers) => items(leaf, covers, before, after, true),
        Bears::Forbids(covers) => items(leaf, covers, before, after, false),
        Bears::Answers => {
            let (was, is) = (leaf.answer(before), leaf.answer(after));
            one(leaf, was != is, is < was, Value::from(is.name()), was.name(), Answer::name(is))
        }
        Bears::Opens | Bears::Demands => {
            let (was, is) = (leaf.flag(before), leaf.flag(after));
            let widens = is == (leaf.bears == Bears::Opens);
            one(leaf, was != is, widens, Value::from(is), word(was), word(is))
        }
    }
}

fn word(flag: bool) -> &'static str {
    if flag { "true" } else { "false" }
}

fn one(leaf: &Leaf, differs: bool, widens: bool, item: Value, was: &str, is: &str) -> Vec<Change> {
    let says = format!("{} is {is}, and was {was}", leaf.at);
    let change = Change { at: leaf.at.to_owned(), item, widens, says };
    differs.then_some(change).into_iter().collect()
}

/// Items of the second that no item of the first takes in, and the reverse.
fn items(leaf: &Leaf, covers: Covers, before: &Value, after: &Value, allows: bool) -> Vec<Change> {
    let (before, after) = (leaf.items(before), leaf.items(after));
    let beyond = |these: &[Value], those: &[Value]| -> Vec<Value> {
        these.iter().filter(|item| !those.iter().any(|other| covers.covers(other, item))).cloned().collect()
    };
    let change = |item: Value, came: bool| Change {
        says: format!("{} {} {}", leaf.at, if came { "names" } else { "names no more" }, shown(&item)),
        at: leaf.at.to_owned(),
        item,
        widens: came == allows,
    };
    let came = beyond(&after, &before).into_iter().map(|item| change(item, true));
    let went = beyond(&before, &after).into_iter().map(|item| change(item, false));
    came.chain(went).collect()
}

/// An item in words.
fn shown(item: &Value) -> String {
    let words = |value: &Value| {
        let words = value.as_array()?.iter().map(|word| word.as_str().unwrap_or_default()).collect::<Vec<_>>();
        Some(format!("`{}`", words.join(" ")))
    };
    match item {
        Value::String(text) => format!("`{text}`"),
        Value::Object(map) => map
            .get("argv")
            .and_then(words)
            .or_else(|| Some(format!("`{}`", map.get("name")?.as_str()?)))
            .unwrap_or_else(|| "an entry".to_owned()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(yaml: &str) -> Declaration {
        serde_yaml::from_str(&format!("version: 1\n{yaml}")).expect("reads")
    }

    #[test]
    fn each_difference_is_told_as_wider_or_narrower() {
        for (before, after, expected) in [
            ("", "", &[][..]),
            ("", "network: { allow: [a.example] }", &["+ network.allow names `a.example`"]),
            ("network: { allow: [a] }", "", &["- network.allow names no more `a`"]),
            ("network: { deny: [a] }", "", &["+ network.deny names no more `a`"]),
            ("network: { deny: [a.b] }", "network: { deny: ['*.b'] }", &["- network.deny names `*.b`"]),
            ("shell: { default: ask }", "shell: { default: allow }", &["+ shell.default is allow, and was ask"]),
            ("shell: { default: ask }", "", &["- shell.default is deny, and was ask"]),
            ("telemetry: false", "telemetry: true", &["+ telemetry is true, and was false"]),
            ("", "logging: { commands: false }", &["+ logging.commands is false, and was true"]),
            (
                "environment: { pass: ['LC_*'] }",
                "environment: { pass: [LC_ALL] }",
                &["- environment.pass names no more `LC_*`"],
            ),
            ("", "approvals: [{ argv: [git, status] }]", &["+ approvals names `git status`"]),
            ("", "secrets: [{ name: T, from: 'vault:T' }]", &["+ secrets names `T`"]),
        ] {
            let found: Vec<String> = changes(&read(before), &read(after))
                .iter()
                .map(|change| format!("{} {}", if change.widens { '+' } else { '-' }, change.says))
                .collect();
            assert_eq!(found, expected, "{before} / {after}");
        }
    }

    #[test]
    fn what_a_project_leaves_out_widens_nothing() {
        let machine = read("network: { allow: [a], deny: [b] }\nshell: { default: ask }\ntelemetry: false");
        assert!(widenings(&machine, &read("")).is_empty());
        assert!(widenings(&machine, &read("network: { allow: [], deny: [c] }")).is_empty());
        assert_eq!(widenings(&machine, &read("network: { allow: [a, c] }\nshell: { default: allow }")).len(), 2);
    }
}
