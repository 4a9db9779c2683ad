//! The frameworks that checks are mapped to, and the checklist.

use serde::{Deserialize, Serialize};

use super::error::CatalogError;

/// A framework: its controls by id.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Framework {
    /// Its id, as used in a check's `controls`.
    pub framework: String,
    /// Its name.
    pub title: String,
    /// Where it is published.
    pub source: String,
    /// Its controls.
    pub controls: Vec<Control>,
}

/// A control of a framework.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// Its id.
    pub id: String,
    /// What it asks, in a few words.
    pub name: String,
    /// How far an audit of a host can show it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reach: Option<String>,
    /// Check codes that prove it together; only for the checklist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<String>,
}

/// A line of the checklist that people paste into pull requests.
pub type ChecklistLine = Control;

/// All frameworks, the checklist included.
pub fn frameworks() -> Result<Vec<Framework>, CatalogError> {
    let parse = |(file, text): &(&str, &str)| {
        serde_yaml::from_str(text).map_err(|error| CatalogError::yaml(file, text, &error))
    };
    super::embedded::FRAMEWORKS.iter().map(parse).collect()
}

/// The twelve lines.
pub fn checklist() -> Result<Vec<ChecklistLine>, CatalogError> {
    let (file, text) =
        super::embedded::FRAMEWORKS.iter().find(|(file, _)| file.ends_with("/checklist.yaml")).ok_or_else(|| {
            CatalogError::file("profiles/frameworks/checklist.yaml", "is missing", "report this as a bug")
        })?;
    let framework: Framework = serde_yaml::from_str(text).map_err(|error| CatalogError::yaml(file, text, &error))?;
    Ok(framework.controls)
}
