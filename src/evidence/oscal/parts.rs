//! The parts that several documents have.

use serde_json::{Map, Value, json};

use super::super::{Assessment, Audit, Observed, Proof, Stance};
use super::names::{control_id, uuid};
use crate::report::words;

/// Where names of ours are explained.
pub(super) const NS: &str = "urn:harden";

/// Title, version and time of a document.
pub(super) fn metadata(assessment: &Assessment, title: &str) -> Value {
    let newest = assessment.audits.iter().map(|audit| audit.time.as_str()).max();
    let time = newest.map_or_else(|| format!("{}T00:00:00Z", assessment.day), str::to_owned);
    let mut metadata = json!({
        "title": words(&format!("{title}: {}", assessment.framework.title)),
        "last-modified": time,
        "version": assessment.harden,
        "oscal-version": "1.2.1",
        "remarks": "Evidence for and against, as audits of hosts see it. Whether a control is met is for people to decide.",
    });
    let mut notes = vec![assessment.framework.note.as_str()];
    notes.extend(assessment.notes.iter().map(String::as_str));
    let props: Vec<Value> = notes.iter().filter_map(|note| prop("note", note)).collect();
    put(&mut metadata, "props", props);
    metadata
}

/// A property; none where OSCAL takes no such value.
pub(super) fn prop(name: &str, value: &str) -> Option<Value> {
    let value = value.trim();
    (!value.is_empty()).then(|| json!({ "name": name, "ns": NS, "value": value }))
}

/// A list, which OSCAL wants left out where it is empty.
pub(super) fn put(object: &mut Value, name: &str, list: Vec<Value>) {
    if !list.is_empty() {
        object[name] = list.into();
    }
}

/// Text where there has to be some. It is markup, so that whatever is not a plain word stands in a code span.
pub(super) fn some(text: &str, otherwise: &str) -> String {
    words(if text.trim().is_empty() { otherwise } else { text }.trim())
}

/// All controls of the framework.
pub(super) fn reviewed(assessment: &Assessment) -> Value {
    let ids: Vec<Value> =
        assessment.tasks.iter().map(|task| json!({ "control-id": control_id(assessment, &task.task) })).collect();
    json!({
        "description": words(&format!("Every control of {}", assessment.framework.title)),
        "control-selections": [{ "include-controls": ids }],
    })
}

/// The program of a version, as the tool that looked.
fn tool_uuid(version: &str) -> String {
    uuid(&["tool", version])
}

/// What was used to look: each version of `harden` that made one of the audits.
pub(super) fn assets(assessment: &Assessment) -> Value {
    let mut versions: Vec<&str> = assessment.audits.iter().map(|audit| audit.harden.as_str()).collect();
    versions.push(&assessment.harden);
    versions.sort_unstable();
    versions.dedup();
    let components: Vec<Value> = versions
        .iter()
        .map(|version| {
            let mut component = json!({
                "uuid": tool_uuid(version),
                "type": "software",
                "title": "harden",
                "description": "Audits hosts and projects of coding agents; it reads and changes nothing.",
                "status": { "state": "operational" },
            });
            put(&mut component, "props", prop("version", version).into_iter().collect());
            component
        })
        .collect();
    let uses: Vec<Value> = versions.iter().map(|version| json!({ "component-uuid": tool_uuid(version) })).collect();
    json!({
        "components": components,
        "assessment-platforms": [{ "uuid": uuid(&["platform", &versions.join(" ")]), "title": "harden", "uses-components": uses }],
    })
}

fn host_uuid(audit: &Audit) -> String {
    uuid(&["host", &audit.sha256])
}

/// What was looked at: an item for each audit.
pub(super) fn hosts(assessment: &Assessment) -> Vec<Value> {
    let host = |audit: &Audit| {
        let described = format!("project {} on {}, as {} found it", audit.project, system(audit), audit.name);
        let mut item = json!({ "uuid": host_uuid(audit), "description": words(&described) });
        let facts = [
            ("project", audit.project.as_str()),
            ("report", &audit.name),
            ("sha256", &audit.sha256),
            ("profile", &audit.profile),
            ("scope", audit.scope.name()),
        ];
        put(&mut item, "props", facts.iter().filter_map(|(name, value)| prop(name, value)).collect());
        item
    };
    assessment.audits.iter().map(host).collect()
}

fn system(audit: &Audit) -> &'static str {
    match audit.os {
        crate::model::Os::Linux => "Linux",
        crate::model::Os::Macos => "macOS",
    }
}

/// The UUID of the observation that a finding is.
pub(super) fn observation_uuid(assessment: &Assessment, at: usize) -> String {
    let observed = &assessment.findings[at];
    let audit = &assessment.audits[observed.audit].sha256;
    uuid(&["observation", audit, &observed.finding.fingerprint, &at.to_string()])
}

/// The UUID of the risk that a defect is.
pub(super) fn risk_uuid(assessment: &Assessment, at: usize) -> String {
    uuid(&["risk", &observation_uuid(assessment, at)])
}

/// Whether a finding is a defect, waived or not.
pub(super) fn is_defect(observed: &Observed) -> bool {
    matches!(observed.stance, Stance::Against | Stance::Accepted)
}

/// A finding of an audit as an observation.
pub(super) fn observation(assessment: &Assessment, at: usize) -> Value {
    let observed = &assessment.findings[at];
    let (finding, audit) = (&observed.finding, &assessment.audits[observed.audit]);
    let method = match observed.proof {
        Proof::Examined => "EXAMINE",
        Proof::Tested => "TEST",
        Proof::Attested => "INTERVIEW",
    };
    let evidence = finding.evidence.iter().map(|evidence| {
        let place = evidence.at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
        json!({ "description": words(&format!("{} = {}{place}", evidence.fact, evidence.value)) })
    });
    let unseen = finding.unseen.iter().map(|it| words(&format!("could not tell: {}; {}", it.why, it.how)));
    let facts = [
        ("says", observed.stance.name()),
        ("check", &finding.check),
        ("code", &finding.code),
        ("severity", finding.severity.name()),
        ("subject", finding.subject.as_deref().unwrap_or_default()),
        ("agent", finding.agent.as_deref().unwrap_or_default()),
        ("fingerprint", &finding.fingerprint),
        ("profile", &audit.profile),
    ];
    let mut observation = json!({
        "uuid": observation_uuid(assessment, at),
        "title": some(&finding.title, &finding.check),
        "description": some(&finding.message, "nothing is said of it"),
        "methods": [method],
        "types": ["finding"],
        "origins": [{ "actors": [{ "type": "tool", "actor-uuid": tool_uuid(&audit.harden) }] }],
        "subjects": [{ "subject-uuid": host_uuid(audit), "type": "inventory-item" }],
        "collected": audit.time,
    });
    put(&mut observation, "props", facts.iter().filter_map(|(name, value)| prop(name, value)).collect());
    put(&mut observation, "relevant-evidence", evidence.collect());
    let unseen: Vec<String> = unseen.collect();
    if !unseen.is_empty() {
        observation["remarks"] = unseen.join("\n\n").into();
    }
    observation
}

/// A defect as a risk: open, or accepted until the last day of its waiver.
pub(super) fn risk(assessment: &Assessment, at: usize) -> Value {
    let observed = &assessment.findings[at];
    let finding = &observed.finding;
    let mut risk = json!({
        "uuid": risk_uuid(assessment, at),
        "title": some(&finding.title, &finding.check),
        "description": some(&finding.message, "nothing is said of it"),
        "statement": format!("{} severity, confidence {}", finding.severity, finding.confidence.name()),
        "status": if observed.stance == Stance::Accepted { "deviation-approved" } else { "open" },
        "remediations": [{
            "uuid": uuid(&["remediation", &risk_uuid(assessment, at)]),
            "lifecycle": "recommendation",
            "title": "What to do",
            "description": some(&finding.remediation, "look at it by hand"),
        }],
        "related-observations": [{ "observation-uuid": observation_uuid(assessment, at) }],
    });
    if let Some(waiver) = &finding.waiver {
        let facts =
            [("waived-by", &waiver.owner), ("waived-because", &waiver.reason), ("waived-until", &waiver.expires)];
        put(&mut risk, "props", facts.iter().filter_map(|(name, value)| prop(name, value)).collect());
        // The form takes no year of another length.
        let last = waiver.expires.parse::<jiff::civil::Date>().ok().filter(|last| (2000..3000).contains(&last.year()));
        if let Some(last) = last {
            risk["deadline"] = format!("{last}T23:59:59Z").into();
        }
    }
    risk
}

/// A document that is not in OSCAL, or not here: named in the back matter.
pub(super) fn resource(uuid: &str, title: &str, description: &str) -> Map<String, Value> {
    let resource = json!({ "resources": [{ "uuid": uuid, "title": words(title), "description": words(description) }] });
    match resource {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
