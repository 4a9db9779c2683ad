//! Decides conditions in three-valued logic: what could not be read makes the answer *unknown*, unless the rest has
//! settled it already.

use serde_json::Value;

use super::lookup::{Found, Scope};
use crate::model::{AbsPath, Evidence, Is, Mode, Op, Parameters, Predicate, Test, Unseen};

/// The third answer included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Truth {
    Yes,
    No,
    Unknown,
}

/// An answer with what it rests on.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) truth: Truth,
    pub(super) evidence: Vec<Evidence>,
    pub(super) unseen: Vec<Unseen>,
}

impl Answer {
    fn unknown(unseen: Unseen) -> Self {
        Self { truth: Truth::Unknown, evidence: Vec::new(), unseen: vec![unseen] }
    }
}

/// Decides `predicate` over the facts in `scope`.
pub(super) fn decide(predicate: &Predicate, scope: &Scope<'_>, parameters: &Parameters) -> Answer {
    match predicate {
        Predicate::All(list) => join(list.iter().map(|p| decide(p, scope, parameters)), Truth::No),
        Predicate::Any(list) => join(list.iter().map(|p| decide(p, scope, parameters)), Truth::Yes),
        Predicate::Not(inner) => {
            let answer = decide(inner, scope, parameters);
            let truth = match answer.truth {
                Truth::Yes => Truth::No,
                Truth::No => Truth::Yes,
                Truth::Unknown => Truth::Unknown,
            };
            Answer { truth, ..answer }
        }
        Predicate::Every(path, inner) => quantify(path, inner, scope, parameters, Truth::No),
        Predicate::Some(path, inner) => quantify(path, inner, scope, parameters, Truth::Yes),
        Predicate::Test(test) => decide_test(test, scope, parameters),
    }
}

/// `settles` is the answer of one that settles all: *no* for a conjunction, *yes* for a disjunction.
fn join(answers: impl Iterator<Item = Answer>, settles: Truth) -> Answer {
    let answers: Vec<Answer> = answers.collect();
    let otherwise = if settles == Truth::No { Truth::Yes } else { Truth::No };
    let truth = [settles, Truth::Unknown, otherwise].into_iter().find(|t| answers.iter().any(|a| a.truth == *t));
    let truth = truth.unwrap_or(otherwise);
    let mut joined = Answer { truth, evidence: Vec::new(), unseen: Vec::new() };
    for answer in answers.into_iter().filter(|answer| answer.truth == truth) {
        joined.evidence.extend(answer.evidence);
        joined.unseen.extend(answer.unseen);
    }
    joined
}

fn quantify(path: &str, inner: &Predicate, scope: &Scope<'_>, parameters: &Parameters, settles: Truth) -> Answer {
    let found = match scope.find(path) {
        Ok(found) => found,
        Err(unseen) => return Answer::unknown(unseen),
    };
    let items = found.value.as_array().map(Vec::as_slice).unwrap_or_default();
    let decide_item = |(at, item): (usize, &_)| decide(inner, &scope.at("each", &found, at, item), parameters);
    let mut answer = join(items.iter().enumerate().map(decide_item), settles);
    if answer.evidence.is_empty() && answer.truth != Truth::Unknown {
        answer.evidence.push(evidence(&found));
    }
    answer
}

fn decide_test(test: &Test, scope: &Scope<'_>, parameters: &Parameters) -> Answer {
    match scope.find(&test.path) {
        Err(unseen) => Answer::unknown(unseen),
        Ok(found) => {
            let truth = if holds(&test.op, found.value, parameters) { Truth::Yes } else { Truth::No };
            Answer { truth, evidence: vec![evidence(&found)], unseen: Vec::new() }
        }
    }
}

fn evidence(found: &Found<'_>) -> Evidence {
    Evidence { fact: found.shown.clone(), value: found.value.clone(), at: found.at.clone() }
}

/// What is known to be absent has no value that could compare.
fn holds(op: &Op, value: &Value, parameters: &Parameters) -> bool {
    let text = value.as_str();
    let number = value.as_i64();
    match op {
        Op::Is(is) => value.is_null() == (*is == Is::Absent),
        Op::Eq(wanted) => value == given(wanted, parameters),
        Op::In(list) => items(list, parameters).any(|wanted| value == wanted),
        Op::SubsetOf(list) => value
            .as_array()
            .is_some_and(|have| have.iter().all(|item| items(list, parameters).any(|wanted| item == wanted))),
        Op::Contains(wanted) => match (value, given(wanted, parameters)) {
            (Value::Array(have), wanted) => have.contains(wanted),
            (Value::String(have), Value::String(wanted)) => have.contains(wanted.as_str()),
            _ => false,
        },
        Op::Matches(pattern) => text.is_some_and(|text| pattern.0.is_match(text)),
        Op::Empty(wanted) => {
            let empty = match value {
                Value::Array(items) => items.is_empty(),
                Value::String(text) => text.is_empty(),
                other => other.is_null(),
            };
            empty == *wanted
        }
        Op::Within(folder) => text
            .and_then(AbsPath::new)
            .is_some_and(|path| folders(folder, parameters).any(|folder| path.is_within(&folder))),
        Op::AtLeast(least) => number.is_some_and(|number| number >= *least),
        Op::AtMost(most) => number.is_some_and(|number| number <= *most),
        Op::ModeAtMost(most) => text.and_then(Mode::parse).is_some_and(|mode| mode.at_most(*most)),
    }
}

/// An argument, or the parameter that it names.
fn given<'a>(argument: &'a Value, parameters: &'a Parameters) -> &'a Value {
    let name = argument.as_str().and_then(|text| text.strip_prefix('$'));
    name.map_or(argument, |name| parameters.0.get(name).unwrap_or(&Value::Null))
}

fn items<'a>(list: &'a Value, parameters: &'a Parameters) -> impl Iterator<Item = &'a Value> {
    let list = given(list, parameters).as_array().into_iter().flatten();
    list.map(|item| given(item, parameters))
}

fn folders<'a>(argument: &'a Value, parameters: &'a Parameters) -> impl Iterator<Item = AbsPath> + 'a {
    let argument = given(argument, parameters);
    let listed = argument.as_array().into_iter().flatten();
    listed.chain((!argument.is_array()).then_some(argument)).filter_map(Value::as_str).filter_map(AbsPath::new)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Truth::{No as F, Unknown as U, Yes as T};

    fn answers(truths: [Truth; 2]) -> impl Iterator<Item = Answer> {
        truths.into_iter().map(|truth| Answer { truth, evidence: Vec::new(), unseen: Vec::new() })
    }

    #[test]
    fn unknown_spreads_unless_the_answer_is_already_settled() {
        for (a, b, all, any) in [(T, T, T, T), (T, F, F, T), (T, U, U, T), (F, F, F, F), (F, U, F, U), (U, U, U, U)] {
            assert_eq!((join(answers([a, b]), F).truth, join(answers([a, b]), T).truth), (all, any), "{a:?}, {b:?}");
        }
    }

    #[test]
    fn operators_compare_by_type() {
        use serde_json::json;
        let parameters = Parameters([("hosts".to_owned(), json!(["a", "b"]))].into());
        for (op, value, expected) in [
            (Op::Eq(json!("x")), json!("x"), true),
            (Op::Eq(json!("x")), Value::Null, false),
            (Op::In(json!("$hosts")), json!("b"), true),
            (Op::In(json!(["c"])), json!("b"), false),
            (Op::SubsetOf(json!("$hosts")), json!(["a"]), true),
            (Op::SubsetOf(json!("$hosts")), json!(["a", "c"]), false),
            (Op::SubsetOf(json!("$hosts")), Value::Null, false),
            (Op::Contains(json!("a")), json!(["a"]), true),
            (Op::Contains(json!("bc")), json!("abcd"), true),
            (Op::Empty(true), json!([]), true),
            (Op::Empty(true), Value::Null, true),
            (Op::Empty(false), json!(["a"]), true),
            (Op::Within(json!("/srv/app")), json!("/srv/app/x"), true),
            (Op::Within(json!("/srv/app")), json!("/srv/apple"), false),
            (Op::AtMost(3), json!(3), true),
            (Op::AtLeast(3), json!(2), false),
            (Op::ModeAtMost(Mode::new(0o700)), json!("0600"), true),
            (Op::ModeAtMost(Mode::new(0o700)), json!("0640"), false),
            (Op::Is(Is::Absent), Value::Null, true),
            (Op::Is(Is::Present), json!(false), true),
        ] {
            assert_eq!(holds(&op, &value, &parameters), expected, "{op:?} on {value}");
        }
    }
}
