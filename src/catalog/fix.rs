//! Holds the `fix:` of a check against the forms of proposals and the shapes of the facts.

use std::collections::BTreeMap;

use serde_json::Value as Json;
use serde_yaml::Value;

use super::error::nearest;
use super::predicate::{self, Wrong};
use super::typecheck::Types;
use crate::model::{FORMS, Field, FieldKind, Filling, Form, Mode, Proposal, Template};

/// Parses the list of proposals; `item` is the shape of what `for_each` gives.
pub(super) fn parse(types: &Types, value: &Value, item: Option<&Json>) -> Result<Vec<Proposal>, Wrong> {
    let Value::Sequence(list) = value else {
        return Err(wrong("fix", "`fix` takes a list of proposals", "write `fix: [{ write: launcher }]`"));
    };
    list.iter().map(|each| one(types, each, item)).collect()
}

fn one(types: &Types, value: &Value, item: Option<&Json>) -> Result<Proposal, Wrong> {
    let map =
        value.as_mapping().ok_or_else(|| wrong("fix", "a proposal is a mapping from its form to its fields", ""))?;
    let (mut when, mut found) = (None, None);
    for (key, value) in map {
        let key = key.as_str().unwrap_or_default();
        if key == "when" {
            let condition = predicate::parse(value)?;
            types.predicate(&condition, item)?;
            when = Some(condition);
        } else if found.is_some() {
            return Err(wrong(key, "a proposal has one form", "write two proposals"));
        } else {
            found = Some((form(key)?, value));
        }
    }
    let (form, given) = found.ok_or_else(|| wrong("fix", "a proposal names no form", &known()))?;
    let fields = fields(types, form, given, item)?;
    Ok(Proposal { form, when, fields, source: source(form, given) })
}

fn form(name: &str) -> Result<&'static Form, Wrong> {
    FORMS.iter().find(|form| form.name == name).ok_or_else(|| {
        let near = nearest(name, FORMS.iter().map(|form| form.name));
        let help = near.map_or_else(known, |near| format!("did you mean `{near}`?"));
        wrong(name, &format!("no proposal is called `{name}`"), &help)
    })
}

fn known() -> String {
    format!("there are: {}", FORMS.iter().map(|form| form.name).collect::<Vec<_>>().join(", "))
}

fn fields(
    types: &Types,
    form: &'static Form,
    given: &Value,
    item: Option<&Json>,
) -> Result<BTreeMap<&'static str, Filling>, Wrong> {
    let mut fields = BTreeMap::new();
    match given {
        Value::Mapping(map) => {
            for (key, value) in map {
                let key = key.as_str().unwrap_or_default();
                let field = form.fields.iter().find(|field| field.name == key).ok_or_else(|| no_field(form, key))?;
                fields.insert(field.name, filling(types, field, value, item)?);
            }
        }
        value if form.fields.len() == 1 => {
            fields.insert(form.fields[0].name, filling(types, &form.fields[0], value, item)?);
        }
        _ => return Err(wrong(form.name, &format!("`{}` takes fields", form.name), &names(form))),
    }
    match form.fields.iter().find(|field| !field.optional && !fields.contains_key(field.name)) {
        Some(missing) => Err(wrong(form.name, &format!("`{}` lacks `{}`", form.name, missing.name), &names(form))),
        None => Ok(fields),
    }
}

fn no_field(form: &Form, key: &str) -> Wrong {
    let near = nearest(key, form.fields.iter().map(|field| field.name));
    let help = near.map_or_else(|| names(form), |near| format!("did you mean `{near}`?"));
    wrong(key, &format!("`{}` has no field `{key}`", form.name), &help)
}

fn names(form: &Form) -> String {
    format!("it has: {}", form.fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", "))
}

fn filling(types: &Types, field: &Field, value: &Value, item: Option<&Json>) -> Result<Filling, Wrong> {
    if let (FieldKind::List, Value::Sequence(items)) = (field.kind, value) {
        let texts = items.iter().map(|item| item.as_str().map(Json::from)).collect::<Option<Vec<_>>>();
        let texts = texts.ok_or_else(|| wrong(field.name, &format!("`{}` takes a list of texts", field.name), ""))?;
        return Ok(Filling::Literal(Json::Array(texts)));
    }
    let text = value.as_str().ok_or_else(|| {
        let help = if field.kind == FieldKind::Mode { "write it between quotes: \"0077\"" } else { "" };
        wrong(field.name, &format!("`{}` takes text", field.name), help)
    })?;
    match field.kind {
        FieldKind::Mode if Mode::parse(text).is_none() => {
            Err(wrong(text, &format!("`{text}` is not a file mode"), "write octal digits, \"0077\""))
        }
        FieldKind::Word(words) if !words.contains(&text) => {
            let near = nearest(text, words.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let help = near.unwrap_or_else(|| format!("it is one of: {}", words.join(", ")));
            Err(wrong(text, &format!("`{text}` is not known to `{}`", field.name), &help))
        }
        FieldKind::Mode | FieldKind::Word(_) => Ok(Filling::Literal(text.into())),
        FieldKind::List => {
            let path = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text).trim();
            types.list(path, item)?;
            Ok(Filling::Whole(path.to_owned()))
        }
        FieldKind::Path | FieldKind::Text => {
            let template = Template::parse(text).map_err(|problem| wrong(text, &problem, ""))?;
            template.paths().try_for_each(|hole| types.hole(hole, item))?;
            Ok(Filling::Sentence(template))
        }
    }
}

/// As written, on one line.
fn source(form: &Form, given: &Value) -> String {
    let said = |value: &Value| match value {
        Value::Sequence(items) => items.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "),
        value => value.as_str().unwrap_or_default().to_owned(),
    };
    match given {
        Value::Mapping(map) => {
            let fields = map.iter().map(|(key, value)| format!("{} {}", key.as_str().unwrap_or_default(), said(value)));
            format!("{}: {}", form.name, fields.collect::<Vec<_>>().join(", "))
        }
        value => format!("{}: {}", form.name, said(value)),
    }
}

fn wrong(word: &str, message: &str, help: &str) -> Wrong {
    Wrong { word: word.to_owned(), message: message.to_owned(), help: help.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> String {
        let value: Value = serde_yaml::from_str(text).expect("YAML");
        match parse(&Types::default(), &value, None) {
            Ok(list) => list.iter().map(|proposal| proposal.source.as_str()).collect::<Vec<_>>().join("; "),
            Err(wrong) => format!("{} {}", wrong.message, wrong.help).trim().to_owned(),
        }
    }

    #[test]
    fn a_proposal_is_held_against_its_form_and_the_facts() {
        for (text, expected) in [
            ("[{ write: launcher }]", "write: launcher"),
            ("[{ write: lancher }]", "`lancher` is not known to `what` did you mean `launcher`?"),
            ("[{ wirte: launcher }]", "no proposal is called `wirte` did you mean `write`?"),
            ("[{ ensure_user: \"{$agent_user}\" }]", "ensure_user: {$agent_user}"),
            ("[{ ensure_user: \"{$agent_usr}\" }]", "no parameter is called `agent_usr` did you mean `agent_user`?"),
            ("[{ ensure_dir: { path: /x, mode: 750 } }]", "`mode` takes text write it between quotes: \"0077\""),
            ("[{ ensure_dir: { path: /x } }]", "`ensure_dir` lacks `mode` it has: path, mode"),
            ("[{ ensure_dir: { path: /x, mod: '0750' } }]", "`ensure_dir` has no field `mod` did you mean `mode`?"),
            (
                "[{ set_access: { path: '{user.hme}', take: '0077' } }]",
                "`user` has no field `hme` did you mean `home`?",
            ),
            ("[{ leave_groups: { user: a, groups: user.name } }]", "`user.name` is text, not a list"),
            (
                "[{ leave_groups: { user: a, groups: '{user.root_equivalent_groups}' } }]",
                "leave_groups: user a, groups {user.root_equivalent_groups}",
            ),
            ("[{ write: launcher, when: { user.exsts: true } }]", "`user` has no field `exsts` did you mean `exists`?"),
        ] {
            assert_eq!(said(text), expected, "{text}");
        }
    }
}
