//! Whether what `harden scan --format json` writes is what its published schema says.

use std::sync::LazyLock;

use serde_json::Value;

static SCHEMA: LazyLock<jsonschema::Validator> =
    LazyLock::new(|| jsonschema::validator_for(&harden::report::leaks_schema()).expect("a schema"));

/// The findings of a report, which fits the schema.
pub(crate) fn findings(report: &[u8]) -> Result<Vec<Value>, serde_json::Error> {
    let value = serde_json::from_slice(report)?;
    let errors: Vec<String> = SCHEMA.iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    serde_json::from_value(value)
}
