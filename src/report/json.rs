//! The report as JSON, and the schema of it.

use serde_json::Value;

use super::Report;

/// Indented JSON with a final newline.
pub fn json(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(&report.printable()).expect("a report is plain data");
    text.push('\n');
    text
}

/// The schema of [`json`]'s output.
pub fn report_schema() -> Value {
    let generator = schemars::generate::SchemaSettings::draft2020_12().into_generator();
    let mut schema: Value = generator.into_root_schema_for::<Report>().into();
    schema["title"] = "harden audit report".into();
    schema
}
