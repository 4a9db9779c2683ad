//! The assessment as JSON, and the schema of it.

use serde_json::Value;

use super::Assessment;

/// Indented JSON with a final newline.
pub fn json(assessment: &Assessment) -> String {
    let mut text = serde_json::to_string_pretty(assessment).expect("an assessment is plain data");
    text.push('\n');
    text
}

/// The schema of [`json`]'s output.
pub fn assessment_schema() -> Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let mut schema: Value = generator.into_root_schema_for::<Assessment>().into();
    schema["title"] = "harden report on controls".into();
    schema
}
