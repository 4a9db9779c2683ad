//! Every value of a declaration that allows or forbids something, and in which direction it does: the one table that
//! comparing and narrowing go by.

use std::path::Path;

use serde_json::Value;

use super::{Answer, Approval, Declaration};

/// How a value bears on what is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bears {
    /// What it names is allowed.
    Allows(Covers),
    /// What it names is forbidden or demanded.
    Forbids(Covers),
    /// It is an [`Answer`].
    Answers,
    /// True allows more.
    Opens,
    /// True demands more.
    Demands,
}

/// When an item takes in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Covers {
    /// When it is the same.
    Same,
    /// As a pattern, in which `*` stands for any text.
    Pattern,
    /// As a folder above it.
    Folder,
    /// As a name without a digest.
    Pinned,
    /// As the same command for the same project that holds as long.
    Approved,
}

/// A value and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    /// Keys from the top, with dots.
    pub(super) at: &'static str,
    pub(super) bears: Bears,
}

const fn leaf(at: &'static str, bears: Bears) -> Leaf {
    Leaf { at, bears }
}

pub(super) const LEAVES: &[Leaf] = &[
    leaf("files.workspace", Bears::Allows(Covers::Folder)),
    leaf("files.write", Bears::Allows(Covers::Folder)),
    leaf("files.hidden", Bears::Forbids(Covers::Pattern)),
    leaf("files.shown", Bears::Allows(Covers::Pattern)),
    leaf("files.edit", Bears::Answers),
    leaf("files.outside", Bears::Answers),
    leaf("shell.default", Bears::Answers),
    leaf("approvals", Bears::Allows(Covers::Approved)),
    leaf("network.model", Bears::Allows(Covers::Same)),
    leaf("network.allow", Bears::Allows(Covers::Pattern)),
    leaf("network.ports", Bears::Allows(Covers::Same)),
    leaf("network.deny", Bears::Forbids(Covers::Pattern)),
    leaf("network.fetch", Bears::Answers),
    leaf("environment.pass", Bears::Allows(Covers::Pattern)),
    leaf("secrets", Bears::Allows(Covers::Same)),
    leaf("mcp.servers", Bears::Allows(Covers::Pinned)),
    leaf("telemetry", Bears::Opens),
    leaf("logging.commands", Bears::Demands),
    leaf("logging.folder", Bears::Forbids(Covers::Same)),
    leaf("logging.ledger", Bears::Forbids(Covers::Same)),
];

/// A declaration as values, to be looked up by [`Leaf`].
pub(super) fn values(declaration: &Declaration) -> Value {
    serde_json::to_value(declaration).expect("plain data")
}

impl Leaf {
    /// Its value; None where it is left out.
    pub(super) fn of<'a>(&self, values: &'a Value) -> Option<&'a Value> {
        self.at.split('.').try_fold(values, |value, key| value.get(key)).filter(|value| !value.is_null())
    }

    /// What it names, one or more.
    pub(super) fn items(&self, values: &Value) -> Vec<Value> {
        match self.of(values) {
            None => Vec::new(),
            Some(Value::Array(items)) => items.clone(),
            Some(one) => vec![one.clone()],
        }
    }

    /// The answer it gives; the strictest where it is left out.
    pub(super) fn answer(&self, values: &Value) -> Answer {
        let answer = self.of(values).and_then(|value| serde_json::from_value(value.clone()).ok());
        answer.unwrap_or(Answer::Deny)
    }

    /// Whether it is on; as strict as can be where it is left out.
    pub(super) fn flag(&self, values: &Value) -> bool {
        self.of(values).and_then(Value::as_bool).unwrap_or(self.bears == Bears::Demands)
    }
}

impl Covers {
    /// Whether `outer` takes in `inner`. It may say no where that is so in truth.
    pub(super) fn covers(self, outer: &Value, inner: &Value) -> bool {
        if outer == inner {
            return true;
        }
        if self == Self::Approved {
            let read = |value: &Value| serde_json::from_value::<Approval>(value.clone()).ok();
            return read(outer).zip(read(inner)).is_some_and(|(outer, inner)| outer.covers(&inner));
        }
        let (Some(outer), Some(inner)) = (outer.as_str(), inner.as_str()) else { return false };
        match self {
            Self::Same | Self::Approved => false,
            Self::Pattern => pattern_covers(outer, inner),
            Self::Folder => folder_covers(outer, inner),
            Self::Pinned => inner.split_once('@').is_some_and(|(name, _)| name == outer),
        }
    }
}

/// Whether a pattern takes in a text or another pattern, whose stars only a star takes in.
pub(super) fn pattern_covers(outer: &str, inner: &str) -> bool {
    let (outer, inner): (Vec<char>, Vec<char>) = (outer.chars().collect(), inner.chars().collect());
    // Where the last star of the pattern stands, and how much of the text it has taken.
    let (mut at, mut read, mut star) = (0, 0, None);
    while read < inner.len() {
        match outer.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(letter) if *letter == inner[read] && *letter != '*' => {
                at += 1;
                read += 1;
            }
            _ => match star {
                None => return false,
                Some((star_at, taken)) => {
                    star = Some((star_at, taken + 1));
                    (at, read) = (star_at + 1, taken + 1);
                }
            },
        }
    }
    outer[at..].iter().all(|letter| *letter == '*')
}

/// Whether a folder is another, or above it. One with a step upward is taken for none.
fn folder_covers(outer: &str, inner: &str) -> bool {
    let steps = |path: &str| path.split('/').any(|part| part == "..");
    let plain = |path: &str| path.trim_start_matches("./").to_owned();
    if steps(outer) || steps(inner) {
        return false;
    }
    let (outer, inner) = (plain(outer), plain(inner));
    let relative = !inner.starts_with('/');
    (outer == "." && relative) || (!outer.is_empty() && Path::new(&inner).starts_with(&outer))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_every_value_of_the_form() {
        let schema = serde_json::to_value(schemars::schema_for!(Declaration)).expect("JSON");
        let mut found = Vec::new();
        for (key, about) in schema["properties"].as_object().expect("a map") {
            let name = about["$ref"].as_str().and_then(|name| name.strip_prefix("#/$defs/"));
            match name.map(|name| schema["$defs"][name]["properties"].as_object().expect("a map")) {
                Some(below) => found.extend(below.keys().map(|name| format!("{key}.{name}"))),
                None => found.push(key.clone()),
            }
        }
        found.retain(|at| at != "version" && at != "profile");
        assert_eq!(found, LEAVES.iter().map(|leaf| leaf.at).collect::<Vec<_>>());
    }

    #[test]
    fn an_item_takes_in_what_it_surely_takes_in() {
        for (covers, outer, inner, expected) in [
            (Covers::Pattern, "LC_*", "LC_ALL", true),
            (Covers::Pattern, "LC_*", "LC_*", true),
            (Covers::Pattern, "LC_ALL", "LC_*", false),
            (Covers::Pattern, "XDG_*_HOME", "XDG_DATA_HOME", true),
            (Covers::Pattern, "XDG_*_HOME", "XDG_DATA_DIRS", false),
            (Covers::Pattern, "*", "", true),
            (Covers::Pattern, "a*b", "a*c*b", true),
            (Covers::Pattern, "a*b*", "ab", true),
            (Covers::Folder, ".", "src", true),
            (Covers::Folder, ".", "/etc", false),
            (Covers::Folder, "src", "src/a", true),
            (Covers::Folder, "src", "srcs", false),
            (Covers::Folder, "src", "src/../..", false),
            (Covers::Folder, "/srv", "/srv/shop", true),
            (Covers::Pinned, "docs", "docs@abc", true),
            (Covers::Pinned, "docs@abc", "docs", false),
            (Covers::Same, "a", "b", false),
        ] {
            assert_eq!(covers.covers(&outer.into(), &inner.into()), expected, "{covers:?}: {outer} over {inner}");
        }
    }
}
