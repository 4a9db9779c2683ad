//! A project's own policy below the machine's: what both allow is allowed, what either forbids is forbidden.

use serde_json::Value;

use super::leaves::{Bears, Covers, LEAVES, Leaf, values};
use super::{Answer, Declaration};

/// The machine's policy, narrowed by a project's own. What that asks for beyond the machine's is passed over.
pub fn narrowed(machine: &Declaration, project: &Declaration) -> Declaration {
    let (mine, theirs) = (values(machine), values(project));
    let mut out = mine.clone();
    for leaf in LEAVES.iter().filter(|leaf| leaf.of(&theirs).is_some()) {
        put(&mut out, leaf, joined(leaf, &mine, &theirs));
    }
    serde_json::from_value(out).expect("of the same form")
}

fn joined(leaf: &Leaf, machine: &Value, project: &Value) -> Value {
    match leaf.bears {
        Bears::Allows(covers) => shape(leaf, machine, project, both(covers, leaf.items(machine), leaf.items(project))),
        Bears::Forbids(covers) => {
            let (mine, theirs) = (leaf.items(machine), leaf.items(project));
            let more = theirs.into_iter().filter(|item| !mine.iter().any(|other| covers.covers(other, item)));
            let all = mine.iter().cloned().chain(more.collect::<Vec<_>>()).collect();
            shape(leaf, machine, project, all)
        }
        Bears::Answers => Value::from(Answer::name(leaf.answer(machine).max(leaf.answer(project)))),
        Bears::Opens => Value::from(leaf.flag(machine) && leaf.flag(project)),
        Bears::Demands => Value::from(leaf.flag(machine) || leaf.flag(project)),
    }
}

/// What an item of each takes in. Patterns that only overlap have nothing in common that could be written.
fn both(covers: Covers, mine: Vec<Value>, theirs: Vec<Value>) -> Vec<Value> {
    let within = |these: &[Value], those: &[Value]| -> Vec<Value> {
        these.iter().filter(|item| those.iter().any(|other| covers.covers(other, item))).cloned().collect()
    };
    let mut out = within(&theirs, &mine);
    for item in within(&mine, &theirs) {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}

/// A list, or the first where it is a single value.
fn shape(leaf: &Leaf, machine: &Value, project: &Value, items: Vec<Value>) -> Value {
    match leaf.of(machine).or_else(|| leaf.of(project)) {
        Some(Value::Array(_)) | None => Value::Array(items),
        Some(_) => items.into_iter().next().unwrap_or(Value::Null),
    }
}

fn put(values: &mut Value, leaf: &Leaf, value: Value) {
    let place = leaf.at.split('.').fold(values, |values, key| &mut values[key]);
    *place = value;
}
