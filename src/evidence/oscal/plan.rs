//! The assessment plan that the results follow.

use serde_json::json;

use super::super::Assessment;
use super::document;
use super::names::{seed, uuid};
use super::parts::{assets, hosts, metadata, resource, reviewed};

/// The UUID of the plan of an assessment.
pub(super) fn plan_uuid(assessment: &Assessment) -> String {
    uuid(&["assessment-plan", &seed(assessment)])
}

/// JSON of an OSCAL assessment plan.
pub fn assessment_plan(assessment: &Assessment) -> String {
    let system = uuid(&["system", &seed(assessment)]);
    let subjects: Vec<_> = hosts(assessment)
        .iter()
        .map(|host| json!({ "subject-uuid": host["uuid"], "type": "inventory-item" }))
        .collect();
    let subjects = if subjects.is_empty() {
        json!([{ "type": "inventory-item", "include-all": {} }])
    } else {
        json!([{ "type": "inventory-item", "include-subjects": subjects }])
    };
    let mut plan = json!({
        "uuid": plan_uuid(assessment),
        "metadata": metadata(assessment, "Assessment plan"),
        "import-ssp": { "href": format!("#{system}") },
    });
    let hosts = hosts(assessment);
    if !hosts.is_empty() {
        // A plan may define items of its own only beside the system that it is about.
        plan["local-definitions"] = json!({ "inventory-items": hosts });
    }
    plan["reviewed-controls"] = reviewed(assessment);
    plan["assessment-subjects"] = subjects;
    plan["assessment-assets"] = assets(assessment);
    plan["tasks"] = json!([{
        "uuid": uuid(&["task", &seed(assessment)]),
        "type": "action",
        "title": "Audit each host and project",
        "description": "Run `harden audit -f json=FILE` on each, then `harden report FILE…`; every check reads and changes nothing.",
    }]);
    plan["back-matter"] = resource(
        &system,
        "The hosts and projects of coding agents",
        "There is no system security plan in OSCAL for them; the items under local definitions say what was looked at.",
    )
    .into();
    document("assessment-plan", plan)
}
