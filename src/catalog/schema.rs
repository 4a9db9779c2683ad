//! JSON Schemas of what people write, for editors and for validation.

use schemars::{Schema, json_schema};
use serde_json::{Value, json};

use crate::model::{
    Attestations, Declaration, FORMS, Field, FieldKind, Form, Framework, PARAMETERS, ParameterValue, Profile,
};

/// A schema that `harden schema` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A check.
    Check,
    /// A profile.
    Profile,
    /// The facts.
    Facts,
    /// A policy.
    Policy,
}

/// The facts of a host.
pub fn facts_schema() -> Value {
    crate::facts::schema().into()
}

/// A policy: `policy.yaml`.
pub fn policy_schema() -> Value {
    let settings = schemars::generate::SchemaSettings::draft2020_12();
    let mut schema: Value = settings.into_generator().into_root_schema_for::<Declaration>().into();
    schema["properties"]["version"]["const"] = 1.into();
    schema
}

/// A framework.
pub fn framework_schema() -> Value {
    of::<Framework>("harden framework")
}

/// A file of attestations.
pub fn attestations_schema() -> Value {
    of::<Attestations>("harden attestations")
}

fn of<T: schemars::JsonSchema>(title: &str) -> Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let mut schema: Value = generator.into_root_schema_for::<T>().into();
    schema["title"] = title.into();
    schema
}

/// A profile.
pub fn profile_schema() -> Value {
    let mut schema = of::<Profile>("Profile");
    let parameters: serde_json::Map<String, Value> = PARAMETERS
        .iter()
        .map(|parameter| {
            let mut shape = match parameter.kind {
                ParameterValue::Text => json!({ "type": ["string", "null"] }),
                ParameterValue::List => json!({ "type": "array", "items": { "type": "string" } }),
                ParameterValue::Number => json!({ "type": "integer", "minimum": 0 }),
                ParameterValue::Flag => json!({ "type": "boolean" }),
            };
            shape["description"] = parameter.about.into();
            (parameter.name.to_owned(), shape)
        })
        .collect();
    schema["properties"]["parameters"] =
        json!({ "type": "object", "properties": parameters, "additionalProperties": false });
    schema
}

/// A check.
pub fn check_schema() -> Value {
    let text = |about: &str| json!({ "type": "string", "minLength": 1, "description": about });
    let words = |about: &str, list: &[&str]| json!({ "enum": list, "description": about });
    let condition = json!({ "$ref": "#/$defs/condition" });
    let quantifier = json!({
        "type": "object",
        "properties": { "in": { "type": "string" }, "that": condition },
        "required": ["in", "that"],
        "additionalProperties": false,
    });
    let list = json!({ "type": "array", "items": condition, "minItems": 1 });
    let schema: Schema = json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "harden check",
        "type": "object",
        "additionalProperties": false,
        "required": ["id", "code", "title", "severity", "scope", "require", "message", "why", "remediation"],
        "properties": {
            "id": { "type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "description": "names the defect; equals the file name" },
            "code": { "type": "string", "pattern": "^[A-Z]{3}-[0-9]{2,}$", "description": "short stable code" },
            "title": text("the defect in one line"),
            "severity": words("how bad", &["info", "low", "medium", "high", "critical"]),
            "confidence": words("how sure; high where left out", &["low", "medium", "high"]),
            "scope": words("what has to be read", &["repo", "user", "host"]),
            "os": { "type": "array", "items": { "enum": ["linux", "macos"] }, "description": "where it applies; everywhere where left out" },
            "controls": { "type": "object", "additionalProperties": { "type": "array", "items": { "type": "string" } }, "description": "framework to control ids" },
            "for_each": text("list fact whose items are judged one by one, as `item`"),
            "empty": words("what a list without items means; not-applicable where left out", &["not-applicable", "pass"]),
            "subject": text("sentence that names an item; its name or path where left out"),
            "when": condition,
            "require": condition,
            "message": text("what is said of a failure; {fact.path} is filled in"),
            "why": text("why it matters"),
            "remediation": text("what to do next"),
            "fix": { "type": "array", "items": { "anyOf": proposals(&condition) }, "description": "what `harden apply` can do about it" },
        },
        "$defs": { "condition": {
            "type": "object",
            "minProperties": 1,
            "properties": { "all": list, "any": list, "not": condition, "every": quantifier, "some": quantifier },
            "additionalProperties": { "anyOf": [
                { "type": ["string", "number", "boolean"] },
                {
                    "type": "object",
                    "minProperties": 1,
                    "additionalProperties": false,
                    "properties": {
                        "eq": {}, "in": { "type": ["array", "string"] }, "subset_of": { "type": ["array", "string"] },
                        "contains": {}, "within": { "type": ["array", "string"] }, "is": { "enum": ["present", "absent"] },
                        "matches": { "type": "string" }, "empty": { "type": "boolean" },
                        "at_least": { "type": "integer" }, "at_most": { "type": "integer" },
                        "mode_at_most": { "type": "string", "pattern": "^[0-7]{3,4}$" },
                    },
                },
            ] },
        } },
    });
    schema.into()
}

/// The shape of each kind of proposal.
fn proposals(condition: &Value) -> Vec<Value> {
    FORMS.iter().map(|form| proposal(form, condition)).collect()
}

fn proposal(form: &Form, condition: &Value) -> Value {
    let kind = |field: &Field| match field.kind {
        FieldKind::Path | FieldKind::Text => json!({ "type": "string" }),
        FieldKind::Mode => json!({ "type": "string", "pattern": "^[0-7]{3,4}$" }),
        FieldKind::List => json!({ "type": ["array", "string"], "items": { "type": "string" } }),
        FieldKind::Word(words) => json!({ "enum": words }),
    };
    let fields: serde_json::Map<String, Value> =
        form.fields.iter().map(|field| (field.name.to_owned(), kind(field))).collect();
    let required: Vec<&str> = form.fields.iter().filter(|field| !field.optional).map(|field| field.name).collect();
    let long = json!({ "type": "object", "properties": fields, "required": required, "additionalProperties": false });
    let given = match form.fields {
        [only] => json!({ "anyOf": [kind(only), long] }),
        _ => long,
    };
    json!({
        "type": "object",
        "description": form.about,
        "properties": { form.name: given, "when": condition },
        "required": [form.name],
        "additionalProperties": false,
    })
}
