//! Fills the proposals of a check with the facts of a finding.

use std::collections::BTreeMap;

use serde_json::Value;

use super::evaluate::said;
use super::lookup::{Scope, item_name};
use super::predicate::{Truth, decide};
use crate::model::{Check, Filling, Parameters, Proposal, Wish};

/// What the check proposes here. A proposal with a hole that has no value, or whose condition does not hold, is none.
pub(super) fn wishes(check: &Check, scope: &Scope<'_>, parameters: &Parameters) -> Vec<Wish> {
    check.fix.iter().filter_map(|proposal| wish(proposal, scope, parameters)).collect()
}

fn wish(proposal: &Proposal, scope: &Scope<'_>, parameters: &Parameters) -> Option<Wish> {
    if let Some(when) = &proposal.when
        && decide(when, scope, parameters).truth != Truth::Yes
    {
        return None;
    }
    let mut fields = BTreeMap::new();
    for (name, filling) in &proposal.fields {
        let value = match filling {
            Filling::Literal(value) => value.clone(),
            Filling::Whole(path) => names(&value(path, scope, parameters)?)?,
            Filling::Sentence(template) => {
                let known = |path: &str| value(path, scope, parameters).as_ref().and_then(said);
                if !template.paths().all(|path| known(path).is_some()) {
                    return None;
                }
                Value::String(template.fill(&known))
            }
        };
        fields.insert(*name, value);
    }
    Some(Wish { form: proposal.form.name, fields })
}

/// A list as the names of its items.
fn names(list: &Value) -> Option<Value> {
    let items = list.as_array().filter(|items| !items.is_empty())?;
    let name = |(at, item): (usize, &Value)| Value::String(item_name(item, at));
    Some(items.iter().enumerate().map(name).collect())
}

/// What stands at a path; None where it is null or not known.
fn value(path: &str, scope: &Scope<'_>, parameters: &Parameters) -> Option<Value> {
    let value = match path.strip_prefix('$') {
        Some(name) => parameters.0.get(name)?.clone(),
        None => scope.find(path).ok()?.value.clone(),
    };
    (!value.is_null()).then_some(value)
}
