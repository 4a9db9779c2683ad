//! Holds every path and operator of a check against the shape of the facts, so that a typo is an error with a line
//! and not a quiet pass.

use serde_json::Value;

use super::error::nearest;
use super::predicate::Wrong;
use crate::facts::PROBES;
use crate::model::{Op, PARAMETERS, ParameterValue, Predicate, Test};

/// The shapes of all facts.
pub struct Types {
    schema: Value,
}

/// What a path leads to.
#[derive(Clone, Debug, PartialEq)]
enum Type {
    Flag,
    Number,
    /// With the words it may be, where they are known.
    Text(Vec<String>),
    Mode,
    List(Box<Type>),
    Record,
    Anything,
}

impl Type {
    fn name(&self) -> &'static str {
        match self {
            Self::Flag => "true or false",
            Self::Number => "a number",
            Self::Text(_) => "text",
            Self::Mode => "a file mode",
            Self::List(_) => "a list",
            Self::Record => "a record",
            Self::Anything => "anything",
        }
    }
}

impl Default for Types {
    fn default() -> Self {
        Self { schema: crate::facts::schema().into() }
    }
}

/// Names bound by `for_each` and quantifiers, with the shape of what they stand for.
type Bound<'a> = Vec<(&'a str, &'a Value)>;

impl Types {
    /// Checks the list that `for_each` names and returns the shape of its items.
    pub(super) fn items(&self, path: &str) -> Result<&Value, Wrong> {
        self.items_in(path, &Vec::new())
    }

    fn items_in<'a>(&'a self, path: &str, bound: &Bound<'a>) -> Result<&'a Value, Wrong> {
        let schema = self.field(path, bound)?;
        let items = self.variants(schema).into_iter().find_map(|s| s.get("items"));
        items.ok_or_else(|| wrong(path, format!("`{path}` is {}, not a list", self.kind(schema).name()), String::new()))
    }

    /// Checks the path of a list of texts; `$name` is a parameter.
    pub(super) fn list(&self, path: &str, item: Option<&Value>) -> Result<(), Wrong> {
        if path.starts_with('$') {
            return parameter(path, &Value::String(path.to_owned()));
        }
        let items = self.items_in(path, &item.map(|item| ("item", item)).into_iter().collect())?;
        let named = ["name", "path"].iter().any(|field| self.has(items, field));
        match self.kind(items) {
            Type::Text(_) => Ok(()),
            _ if named => Ok(()),
            kind => {
                Err(wrong(path, format!("the items of `{path}` are {}, and have no names", kind.name()), String::new()))
            }
        }
    }

    /// Checks a condition; `item` is the shape of what `for_each` gives.
    pub(super) fn predicate(&self, predicate: &Predicate, item: Option<&Value>) -> Result<(), Wrong> {
        self.condition(predicate, &item.map(|item| ("item", item)).into_iter().collect())
    }

    fn condition<'a>(&'a self, predicate: &Predicate, bound: &Bound<'a>) -> Result<(), Wrong> {
        match predicate {
            Predicate::All(list) | Predicate::Any(list) => list.iter().try_for_each(|p| self.condition(p, bound)),
            Predicate::Not(inner) => self.condition(inner, bound),
            Predicate::Every(path, inner) | Predicate::Some(path, inner) => {
                if bound.iter().any(|(name, _)| *name == "each") {
                    return Err(wrong(path, "a loop in a loop; name it as a fact instead".into(), String::new()));
                }
                let mut inside = bound.clone();
                inside.push(("each", self.items_in(path, bound)?));
                self.condition(inner, &inside)
            }
            Predicate::Test(test) => self.test(test, bound),
        }
    }

    fn test(&self, test: &Test, bound: &Bound<'_>) -> Result<(), Wrong> {
        let kind = self.kind(self.field(&test.path, bound)?);
        let suits = match (&test.op, &kind) {
            (Op::Is(_), _) | (_, Type::Anything) => true,
            (Op::Eq(value), kind) => fits(value, kind),
            (Op::In(list), kind) => each(list, |value| fits(value, kind)),
            (Op::SubsetOf(list), Type::List(item)) => each(list, |value| fits(value, item)),
            (Op::Contains(value), Type::List(item)) => fits(value, item),
            (Op::Contains(value), Type::Text(_)) => value.is_string(),
            (Op::Within(value), Type::Text(_)) => value.is_string(),
            (Op::Matches(_), Type::Text(_)) | (Op::Empty(_), Type::List(_) | Type::Text(_)) => true,
            (Op::AtLeast(_) | Op::AtMost(_), Type::Number) | (Op::ModeAtMost(_), Type::Mode) => true,
            _ => false,
        };
        if !suits {
            let help = match &kind {
                Type::Text(words) if !words.is_empty() => format!("it is one of: {}", words.join(", ")),
                _ => String::new(),
            };
            return Err(wrong(
                &test.path,
                format!("this does not suit `{}`, which is {}", test.path, kind.name()),
                help,
            ));
        }
        arguments(&test.op).try_for_each(|value| parameter(&test.path, value))
    }

    /// Checks a hole of a sentence.
    pub(super) fn hole(&self, path: &str, item: Option<&Value>) -> Result<(), Wrong> {
        if path.starts_with('$') {
            return parameter(path, &Value::String(path.to_owned()));
        }
        self.field(path, &item.map(|item| ("item", item)).into_iter().collect()).map(|_| ())
    }

    /// Whether items have this field.
    pub(super) fn has(&self, item: &Value, field: &str) -> bool {
        self.property(item, field).is_some()
    }

    fn field<'a>(&'a self, path: &str, bound: &Bound<'a>) -> Result<&'a Value, Wrong> {
        let mut words = path.split('.');
        let first = words.next().unwrap_or_default();
        let mut at = match bound.iter().find(|(name, _)| *name == first) {
            Some((_, schema)) => *schema,
            None => self.probe(path, first, bound)?,
        };
        let mut so_far = first.to_owned();
        for word in words {
            at = self.property(at, word).ok_or_else(|| self.no_field(path, at, &so_far, word))?;
            so_far = format!("{so_far}.{word}");
        }
        Ok(at)
    }

    fn probe(&self, path: &str, name: &str, bound: &Bound<'_>) -> Result<&Value, Wrong> {
        self.schema["properties"].get(name).ok_or_else(|| {
            let names = PROBES.iter().map(|probe| probe.name).chain(bound.iter().map(|(name, _)| *name));
            wrong(path, format!("no fact is called `{name}`"), offer(nearest(name, names), "see `harden list facts`"))
        })
    }

    fn no_field(&self, path: &str, at: &Value, so_far: &str, word: &str) -> Wrong {
        let names: Vec<String> = self.variants(at).iter().flat_map(|schema| property_names(schema)).collect();
        let near = nearest(word, names.iter().map(String::as_str));
        wrong(path, format!("`{so_far}` has no field `{word}`"), offer(near, &format!("it has: {}", names.join(", "))))
    }

    fn property<'a>(&'a self, schema: &'a Value, name: &str) -> Option<&'a Value> {
        self.variants(schema).into_iter().find_map(|schema| schema.get("properties")?.get(name))
    }

    /// The alternatives of a shape, references followed, without "null" and "unknown".
    fn variants<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let target = reference.rsplit('/').next().and_then(|name| self.schema["$defs"].get(name));
            return target.map(|target| self.variants(target)).unwrap_or_default();
        }
        let alternatives = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array);
        match alternatives {
            Some(list) => {
                list.iter().flat_map(|schema| self.variants(schema)).filter(|schema| is_told(schema)).collect()
            }
            None => vec![schema],
        }
    }

    fn kind(&self, schema: &Value) -> Type {
        let variants = self.variants(schema);
        let words: Vec<String> = variants.iter().flat_map(|schema| words(schema)).collect();
        let Some(first) = variants.first() else { return Type::Anything };
        match type_name(first) {
            Some("boolean") => Type::Flag,
            Some("integer" | "number") => Type::Number,
            Some("string") if first.get("format").is_some_and(|f| f == "mode") => Type::Mode,
            Some("string") => Type::Text(words),
            Some("array") => Type::List(Box::new(first.get("items").map_or(Type::Anything, |items| self.kind(items)))),
            Some("object") => Type::Record,
            _ if !words.is_empty() => Type::Text(words),
            _ => Type::Anything,
        }
    }
}

/// The type of a shape; `[T, null]` counts as T.
fn type_name(schema: &Value) -> Option<&str> {
    match schema.get("type")? {
        Value::String(name) => Some(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
        _ => None,
    }
}

/// The words a text may be, for an enumeration.
fn words(schema: &Value) -> Vec<String> {
    let listed = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
    listed.chain(schema.get("const")).filter_map(Value::as_str).map(str::to_owned).collect()
}

fn is_told(schema: &Value) -> bool {
    let unknown = schema.get("properties").is_some_and(|p| p.get("$unknown").is_some());
    !unknown && schema.get("type").is_none_or(|kind| kind != "null")
}

fn property_names(schema: &Value) -> Vec<String> {
    let properties = schema.get("properties").and_then(Value::as_object);
    properties.map(|map| map.keys().cloned().collect()).unwrap_or_default()
}

fn fits(value: &Value, kind: &Type) -> bool {
    match (value, kind) {
        (Value::String(text), _) if text.starts_with('$') => true,
        (_, Type::Anything) | (Value::Bool(_), Type::Flag) | (Value::String(_), Type::Mode) => true,
        (Value::Number(number), Type::Number) => number.is_i64() || number.is_u64(),
        (Value::String(text), Type::Text(words)) => words.is_empty() || words.contains(text),
        _ => false,
    }
}

fn each(list: &Value, fits: impl Fn(&Value) -> bool) -> bool {
    list.as_array().is_none_or(|items| items.iter().all(fits))
}

/// The literals and parameter names in an operator's argument.
fn arguments(op: &Op) -> impl Iterator<Item = &Value> {
    let argument = match op {
        Op::Eq(value) | Op::In(value) | Op::Contains(value) | Op::SubsetOf(value) | Op::Within(value) => Some(value),
        _ => None,
    };
    argument.into_iter().flat_map(|value| match value {
        Value::Array(items) => items.iter().collect(),
        single => vec![single],
    })
}

fn parameter(path: &str, value: &Value) -> Result<(), Wrong> {
    let Some(name) = value.as_str().and_then(|text| text.strip_prefix('$')) else { return Ok(()) };
    if PARAMETERS.iter().any(|parameter| parameter.name == name) {
        return Ok(());
    }
    let near = nearest(name, PARAMETERS.iter().map(|parameter| parameter.name));
    Err(wrong(path, format!("no parameter is called `{name}`"), offer(near, "see `harden list parameters`")))
}

/// Whether a value is of a parameter's type.
pub(super) fn is_of(kind: ParameterValue, value: &Value) -> bool {
    match kind {
        ParameterValue::Text => value.is_string() || value.is_null(),
        ParameterValue::List => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
        ParameterValue::Number => value.is_u64(),
        ParameterValue::Flag => value.is_boolean(),
    }
}

fn offer(near: Option<&str>, otherwise: &str) -> String {
    near.map_or_else(|| otherwise.to_owned(), |near| format!("did you mean `{near}`?"))
}

fn wrong(path: &str, message: String, help: String) -> Wrong {
    Wrong { word: path.to_owned(), message, help }
}
