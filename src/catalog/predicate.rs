//! Parses the predicate tree of a check.

use regex::Regex;
use serde_json::Value as Json;
use serde_yaml::Value;

use crate::model::{Is, Mode, Op, Pattern, Predicate, Test};

/// The operators by name, for messages.
const OPERATORS: &[&str] =
    &["eq", "in", "is", "matches", "contains", "subset_of", "empty", "within", "at_least", "at_most", "mode_at_most"];

/// What is wrong, and the word of the file it is about.
pub(super) struct Wrong {
    pub(super) word: String,
    pub(super) message: String,
    pub(super) help: String,
}

impl Wrong {
    fn new(word: impl Into<String>, message: impl Into<String>) -> Self {
        Self { word: word.into(), message: message.into(), help: String::new() }
    }
}

/// A mapping is the conjunction of its entries.
pub(super) fn parse(value: &Value) -> Result<Predicate, Wrong> {
    let Value::Mapping(map) = value else {
        return Err(Wrong::new(word_of(value), "a condition is a mapping from fact paths to operators"));
    };
    let mut all = Vec::new();
    for (key, value) in map {
        let key = key.as_str().ok_or_else(|| Wrong::new(word_of(key), "a fact path is text"))?;
        match key {
            "all" => all.push(Predicate::All(parse_list(key, value)?)),
            "any" => all.push(Predicate::Any(parse_list(key, value)?)),
            "not" => all.push(Predicate::Not(Box::new(parse(value)?))),
            "every" | "some" => all.push(parse_quantifier(key, value)?),
            path => all.extend(parse_tests(path, value)?),
        }
    }
    match all.len() {
        0 => Err(Wrong::new("", "a condition says nothing")),
        1 => Ok(all.remove(0)),
        _ => Ok(Predicate::All(all)),
    }
}

fn parse_list(key: &str, value: &Value) -> Result<Vec<Predicate>, Wrong> {
    let Value::Sequence(list) = value else {
        return Err(Wrong::new(key, format!("`{key}` takes a list of conditions")));
    };
    if list.is_empty() {
        return Err(Wrong::new(key, format!("`{key}` has no conditions")));
    }
    list.iter().map(parse).collect()
}

/// `every: { in: list.path, that: condition }`.
fn parse_quantifier(key: &str, value: &Value) -> Result<Predicate, Wrong> {
    let wrong = || Wrong::new(key, format!("`{key}` takes `in: <list fact>` and `that: <condition on each>`"));
    let Value::Mapping(map) = value else { return Err(wrong()) };
    let (Some(path), Some(that), 2) = (map.get("in").and_then(Value::as_str), map.get("that"), map.len()) else {
        return Err(wrong());
    };
    let inner = Box::new(parse(that)?);
    Ok(if key == "every" { Predicate::Every(path.into(), inner) } else { Predicate::Some(path.into(), inner) })
}

/// `path: value` means equal; `path: { op: argument, … }` means all of them.
fn parse_tests(path: &str, value: &Value) -> Result<Vec<Predicate>, Wrong> {
    let test = |op| Predicate::Test(Test { path: path.to_owned(), op });
    match value {
        Value::Mapping(ops) => ops.iter().map(|(op, argument)| Ok(test(parse_op(path, op, argument)?))).collect(),
        Value::Sequence(_) => Err(Wrong::new(path, "compare a list with `in`, `subset_of` or `contains`")),
        scalar => Ok(vec![test(Op::Eq(json(path, scalar)?))]),
    }
}

fn parse_op(path: &str, op: &Value, argument: &Value) -> Result<Op, Wrong> {
    let name = op.as_str().unwrap_or_default();
    let takes = |what: &str| Wrong::new(path, format!("`{name}` takes {what}"));
    Ok(match name {
        "eq" => Op::Eq(json(path, argument)?),
        "in" => Op::In(list(path, name, argument)?),
        "subset_of" => Op::SubsetOf(list(path, name, argument)?),
        "contains" => Op::Contains(json(path, argument)?),
        "within" => Op::Within(json(path, argument)?),
        "is" => Op::Is(match argument.as_str() {
            Some("present") => Is::Present,
            Some("absent") => Is::Absent,
            _ => return Err(takes("`present` or `absent`")),
        }),
        "matches" => {
            let text = argument.as_str().ok_or_else(|| takes("a regular expression"))?;
            let regex =
                Regex::new(text).map_err(|error| Wrong::new(text, format!("not a regular expression: {error}")))?;
            Op::Matches(Box::new(Pattern(regex)))
        }
        "empty" => Op::Empty(argument.as_bool().ok_or_else(|| takes("`true` or `false`"))?),
        "at_least" => Op::AtLeast(argument.as_i64().ok_or_else(|| takes("a whole number"))?),
        "at_most" => Op::AtMost(argument.as_i64().ok_or_else(|| takes("a whole number"))?),
        "mode_at_most" => {
            let mode = argument.as_str().and_then(Mode::parse);
            Op::ModeAtMost(mode.ok_or_else(|| takes("a quoted octal mode such as \"0700\""))?)
        }
        unknown => {
            let near = super::error::nearest(unknown, OPERATORS.iter().copied());
            let help = near.map_or_else(
                || format!("operators: {}", OPERATORS.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err(Wrong { help, ..Wrong::new(unknown, format!("`{unknown}` is not an operator")) });
        }
    })
}

/// A list of literals, or the `$name` of a list parameter.
fn list(path: &str, name: &str, argument: &Value) -> Result<Json, Wrong> {
    match json(path, argument)? {
        value @ Json::Array(_) => Ok(value),
        Json::String(text) if text.starts_with('$') => Ok(Json::String(text)),
        _ => Err(Wrong::new(path, format!("`{name}` takes a list, or the `$name` of a list parameter"))),
    }
}

fn json(path: &str, value: &Value) -> Result<Json, Wrong> {
    serde_json::to_value(value).map_err(|error| Wrong::new(path, format!("not a plain value: {error}")))
}

fn word_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
