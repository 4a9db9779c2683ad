//! A fact that may not have been readable: the third answer, carried in the type.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

/// Why something could not be told, and what would make it readable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Unseen {
    /// What was tried and what went wrong, lowercase, no full stop.
    pub why: String,
    /// The next move of the reader: "run with sudo".
    pub how: String,
}

impl Unseen {
    /// A reason with its remedy.
    pub fn new(why: impl Into<String>, how: impl Into<String>) -> Self {
        Self { why: why.into(), how: how.into() }
    }
}

/// Either a value or the reason why there is none. Serialized as the bare value, or as `{"$unknown": {why, how}}`,
/// which the evaluator turns into the verdict *unknown*.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look<T> {
    /// The value was read.
    Known(T),
    /// It was not.
    Unknown(Unseen),
}

impl<T> Look<T> {
    /// The key that marks an unknown value in serialized facts.
    pub const MARKER: &'static str = "$unknown";

    /// Shorthand for [`Look::Unknown`].
    pub fn unknown(why: impl Into<String>, how: impl Into<String>) -> Self {
        Self::Unknown(Unseen::new(why, how))
    }

    /// The value, where it is known.
    pub fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Unknown(_) => None,
        }
    }

    /// Applies `f` to a known value.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Look<U> {
        match self {
            Self::Known(value) => Look::Known(f(value)),
            Self::Unknown(unseen) => Look::Unknown(unseen),
        }
    }
}

impl<T, E: Into<Unseen>> From<Result<T, E>> for Look<T> {
    fn from(result: Result<T, E>) -> Self {
        result.map_or_else(|error| Self::Unknown(error.into()), Self::Known)
    }
}

impl<T: Serialize> Serialize for Look<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(value) => value.serialize(serializer),
            Self::Unknown(unseen) => serializer.collect_map([(Look::<()>::MARKER, unseen)]),
        }
    }
}

impl<T: JsonSchema> JsonSchema for Look<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("Look_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let known = generator.subschema_for::<T>();
        let unseen = generator.subschema_for::<Unseen>();
        json_schema!({
            "anyOf": [
                known,
                { "type": "object", "properties": { "$unknown": unseen }, "required": ["$unknown"] },
            ]
        })
    }
}
