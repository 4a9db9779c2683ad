//! Which controls the checks of `harden` are about, as a component definition.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::{Assessment, Task};
use super::document;
use super::names::{control_id, uuid};
use super::parts::{metadata, put, resource};
use crate::report::words;

/// Where trestle explains how rules are named.
const RULES: &str = "https://oasis-open.github.io/compliance-trestle/schemas/oscal/cd";

/// JSON of an OSCAL component definition.
pub fn component_definition(assessment: &Assessment) -> String {
    let name = &assessment.framework.framework;
    let source = uuid(&["source", name]);
    let catalogue = assessment.framework.catalogue.as_ref();
    let href = catalogue.map_or_else(|| format!("#{source}"), |catalogue| catalogue.href.clone());
    let about: Vec<&Task> = assessment.tasks.iter().filter(|task| !task.checks.is_empty()).collect();
    let codes: BTreeSet<&String> = about.iter().flat_map(|task| &task.checks).collect();
    let mut component = json!({
        "uuid": uuid(&["component", name, &assessment.harden]),
        "type": "software",
        "title": "harden",
        "description": "Checks hosts and projects of coding agents. A check is evidence on a control, and implements none.",
    });
    put(&mut component, "props", codes.iter().map(|code| rule(code)).collect());
    if !about.is_empty() {
        let requirements: Vec<Value> = about.iter().map(|task| requirement(assessment, task)).collect();
        component["control-implementations"] = json!([{
            "uuid": uuid(&["control-implementation", name, &assessment.harden]),
            "source": href,
            "description": words(&format!("The controls of {} that checks are about", assessment.framework.title)),
            "implemented-requirements": requirements,
        }]);
    }
    let mut definition = json!({
        "uuid": uuid(&["component-definition", name, &assessment.harden]),
        "metadata": metadata(assessment, "Component definition"),
        "components": [component],
    });
    if catalogue.is_none() {
        definition["back-matter"] = resource(&source, &assessment.framework.title, &assessment.framework.source).into();
    }
    document("component-definition", definition)
}

fn rule(code: &str) -> Value {
    json!({ "name": "Rule_Id", "ns": RULES, "value": code, "remarks": format!("rule_{code}") })
}

fn requirement(assessment: &Assessment, task: &Task) -> Value {
    let reach = task.reach.map(|reach| format!("Reach {}. ", reach.name())).unwrap_or_default();
    json!({
        "uuid": uuid(&["requirement", &assessment.framework.framework, &assessment.harden, &task.task]),
        "control-id": control_id(assessment, &task.task),
        "description": words(format!("{reach}{} Look with `{}`.", task.shows, task.verify).trim()),
        "props": task.checks.iter().map(|code| json!({ "name": "Rule_Id", "ns": RULES, "value": code })).collect::<Vec<_>>(),
    })
}
