//! The assessment results: an observation for every finding and attestation, a finding for every control with evidence.

use serde_json::{Value, json};

use super::super::{Answer, Assessment, Attested, Hold, Task};
use super::document;
use super::names::{control_id, seed, statement_id, uuid};
use super::parts::{
    assets, hosts, is_defect, metadata, observation, observation_uuid, prop, put, resource, reviewed, risk, risk_uuid,
    some,
};
use super::plan::plan_uuid;
use crate::report::words;

/// JSON of OSCAL assessment results.
pub fn assessment_results(assessment: &Assessment) -> String {
    let plan = uuid(&["import-ap", &seed(assessment)]);
    let mut about = json!({
        "uuid": uuid(&["assessment-results", &seed(assessment)]),
        "metadata": metadata(assessment, "Assessment results"),
        "import-ap": { "href": format!("#{plan}") },
        "results": [result(assessment)],
    });
    let described =
        format!("What `harden report -f oscal-ap` writes of the same audits; its UUID is {}.", plan_uuid(assessment));
    about["back-matter"] = resource(&plan, "Assessment plan", &described).into();
    document("assessment-results", about)
}

fn result(assessment: &Assessment) -> Value {
    let times = || assessment.audits.iter().map(|audit| audit.time.as_str());
    let day = format!("{}T00:00:00Z", assessment.day);
    let mut result = json!({
        "uuid": uuid(&["result", &seed(assessment)]),
        "title": "What audits are evidence for and against",
        "description": words(&format!("{} audits held against {}", assessment.audits.len(), assessment.framework.title)),
        "start": times().min().unwrap_or(&day),
        "end": times().max().unwrap_or(&day),
        "local-definitions": { "assessment-assets": assets(assessment) },
        "reviewed-controls": reviewed(assessment),
    });
    put(&mut result["local-definitions"], "inventory-items", hosts(assessment));
    let mut observations: Vec<Value> = (0..assessment.findings.len()).map(|at| observation(assessment, at)).collect();
    observations.extend(assessment.attestations.iter().enumerate().map(|(at, it)| attested(assessment, at, it)));
    put(&mut result, "observations", observations);
    let defects = (0..assessment.findings.len()).filter(|at| is_defect(&assessment.findings[*at]));
    put(&mut result, "risks", defects.map(|at| risk(assessment, at)).collect());
    put(&mut result, "findings", assessment.tasks.iter().filter_map(|task| finding(assessment, task)).collect());
    let without = [Answer::NotAssessed, Answer::NotObservable].map(|answer| {
        let ids: Vec<String> = assessment
            .tasks
            .iter()
            .filter(|task| task.answer == answer)
            .map(|task| control_id(assessment, &task.task))
            .collect();
        format!("{}: {}", answer.words(), if ids.is_empty() { "none".to_owned() } else { ids.join(", ") })
    });
    result["remarks"] = without.join(". ").into();
    result
}

fn attestation_uuid(assessment: &Assessment, at: usize) -> String {
    uuid(&["attestation", &seed(assessment), &at.to_string()])
}

fn attested(assessment: &Assessment, at: usize, given: &Attested) -> Value {
    let it = &given.attestation;
    let facts = [("owner", it.owner.as_str()), ("control", &it.task), ("holds", given.hold.words())];
    let mut observation = json!({
        "uuid": attestation_uuid(assessment, at),
        "title": words(&format!("Attested: {}", it.task)),
        "description": some(&it.statement, "nothing is said"),
        "methods": ["INTERVIEW"],
        "types": ["control-objective"],
        "collected": format!("{}T00:00:00Z", it.date),
        "expires": format!("{}T23:59:59Z", it.expires),
    });
    put(&mut observation, "props", facts.iter().filter_map(|(name, value)| prop(name, value)).collect());
    if !it.evidence.trim().is_empty() {
        observation["relevant-evidence"] = json!([{ "description": words(&it.evidence) }]);
    }
    observation
}

/// None for a control of which nothing is known: OSCAL has two states, and neither would be true.
fn finding(assessment: &Assessment, task: &Task) -> Option<Value> {
    let (state, reason) = match task.answer {
        Answer::EvidenceFor => ("satisfied", "pass"),
        Answer::EvidenceAgainst => ("not-satisfied", "fail"),
        Answer::Partly => ("not-satisfied", "other"),
        Answer::NotAssessed | Answer::NotObservable => return None,
    };
    let said = words(&format!("{}: {}", task.answer.words(), task.because));
    let mut finding = json!({
        "uuid": uuid(&["finding", &seed(assessment), &task.task]),
        "title": words(&format!("{} {}", task.task, task.name)),
        "description": said,
        "target": {
            "type": "statement-id",
            "target-id": statement_id(assessment, &task.task),
            "status": { "state": state, "reason": reason, "remarks": said },
        },
    });
    let facts = [("control-id", control_id(assessment, &task.task)), ("answer", task.answer.name().to_owned())];
    put(&mut finding, "props", facts.iter().filter_map(|(name, value)| prop(name, value)).collect());
    let holding = task.attestations.iter().filter(|at| assessment.attestations[**at].hold == Hold::Holds);
    let observed = task.findings.iter().map(|at| observation_uuid(assessment, *at));
    let observed = observed.chain(holding.map(|at| attestation_uuid(assessment, *at)));
    put(&mut finding, "related-observations", observed.map(|it| json!({ "observation-uuid": it })).collect());
    let risks = task.findings.iter().filter(|at| is_defect(&assessment.findings[**at]));
    put(&mut finding, "related-risks", risks.map(|at| json!({ "risk-uuid": risk_uuid(assessment, *at) })).collect());
    if !task.shows.is_empty() {
        finding["remarks"] = words(&task.shows).into();
    }
    Some(finding)
}
