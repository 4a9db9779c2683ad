//! The assessment as OSCAL 1.2.1: results, the plan they follow, what the checks are about, and what is left to do.
//!
//! Ids of controls are those of the framework's own catalogue where it has one. Every UUID derives from what it names, so
//! that the same audits make the same documents; `last-modified` is the time of the newest audit for the same reason.

mod component;
mod names;
mod parts;
mod plan;
mod poam;
mod results;

pub use component::component_definition;
pub use plan::assessment_plan;
pub use poam::plan_of_action;
pub use results::assessment_results;

/// Indented JSON with a final newline.
fn document(name: &str, value: serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(&serde_json::json!({ name: value })).expect("plain data");
    text.push('\n');
    text
}
