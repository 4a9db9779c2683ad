//! What is left to do: an item for every defect, waived or not.

use serde_json::{Value, json};

use super::super::{Assessment, Stance};
use super::document;
use super::names::{seed, uuid};
use super::parts::{assets, hosts, is_defect, metadata, observation, observation_uuid, put, risk, risk_uuid, some};
use crate::report::words;

/// JSON of an OSCAL plan of action and milestones.
pub fn plan_of_action(assessment: &Assessment) -> String {
    let defects: Vec<usize> =
        (0..assessment.findings.len()).filter(|at| is_defect(&assessment.findings[*at])).collect();
    let project = assessment.audits.first().map_or("", |audit| audit.project.trim());
    let mut plan = json!({
        "uuid": uuid(&["plan-of-action", &seed(assessment)]),
        "metadata": metadata(assessment, "Plan of action and milestones"),
        "system-id": { "identifier-type": "urn:harden:project", "id": some(project, "no-project") },
        "local-definitions": { "assessment-assets": assets(assessment) },
    });
    put(&mut plan["local-definitions"], "inventory-items", hosts(assessment));
    put(&mut plan, "observations", defects.iter().map(|at| observation(assessment, *at)).collect());
    put(&mut plan, "risks", defects.iter().map(|at| risk(assessment, *at)).collect());
    let mut items: Vec<Value> = defects.iter().map(|at| item(assessment, *at)).collect();
    if items.is_empty() {
        // The form demands an item.
        items.push(json!({
            "uuid": uuid(&["nothing-open", &seed(assessment)]),
            "title": "Nothing is open",
            "description": "No finding of these audits is a defect, so that nothing is planned.",
        }));
    }
    plan["poam-items"] = items.into();
    document("plan-of-action-and-milestones", plan)
}

fn item(assessment: &Assessment, at: usize) -> Value {
    let observed = &assessment.findings[at];
    let finding = &observed.finding;
    let subject = finding.subject.as_deref().map(|subject| format!(" ({subject})")).unwrap_or_default();
    let mut item = json!({
        "uuid": uuid(&["item", &observation_uuid(assessment, at)]),
        "title": words(&format!("{} {}{subject}", finding.code, finding.title)),
        "description": some(&finding.remediation, "look at it by hand"),
        "related-observations": [{ "observation-uuid": observation_uuid(assessment, at) }],
        "related-risks": [{ "risk-uuid": risk_uuid(assessment, at) }],
    });
    if let (Stance::Accepted, Some(waiver)) = (observed.stance, &finding.waiver) {
        let said = format!("waived until {} by {}: {}", waiver.expires, waiver.owner, waiver.reason);
        item["remarks"] = words(&said).into();
    }
    item
}
