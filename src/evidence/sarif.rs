//! The audits' findings for code scanning, a run for each audit, with the controls as a taxonomy.

use serde_json::{Value, json};

use super::{Assessment, Saved};
use crate::report::{sarif_log, sarif_run};

/// The most runs that code scanning takes of one file.
const MOST_RUNS: usize = 20;

/// The runs of the audits that the assessment rests on; `audits` are what it was made of.
pub fn sarif(assessment: &Assessment, audits: &[Saved]) -> String {
    let runs = assessment.audits.iter().enumerate().take(MOST_RUNS).filter_map(|(at, audit)| {
        let saved = audits.iter().find(|saved| saved.sha256 == audit.sha256)?;
        let mut run = sarif_run(&saved.report);
        // Two runs of one category would replace each other.
        run["automationDetails"]["id"] =
            format!("harden-report/{}/{}/A{}/", audit.profile, audit.scope.name(), at + 1).into();
        classify(&mut run, assessment, at);
        if at + 1 == MOST_RUNS && assessment.audits.len() > MOST_RUNS {
            let text =
                format!("{} audits are left out: a file holds {MOST_RUNS} runs", assessment.audits.len() - MOST_RUNS);
            let note = json!({ "level": "warning", "message": { "text": text } });
            run["invocations"][0]["toolExecutionNotifications"].as_array_mut()?.push(note);
        }
        Some(run)
    });
    sarif_log(runs.collect())
}

/// Names the controls, and in each result those that it is about.
fn classify(run: &mut Value, assessment: &Assessment, audit: usize) {
    let name = &assessment.framework.framework;
    let taxa: Vec<Value> = assessment
        .tasks
        .iter()
        .map(|task| json!({ "id": task.task, "shortDescription": { "text": task.name } }))
        .collect();
    run["taxonomies"] =
        json!([{ "name": name, "fullName": assessment.framework.title, "isComprehensive": true, "taxa": taxa }]);
    run["tool"]["driver"]["supportedTaxonomies"] = json!([{ "name": name, "index": 0 }]);
    let mut about = std::collections::HashMap::new();
    for observed in assessment.findings.iter().filter(|observed| observed.audit == audit) {
        about.insert(format!("{}:1", observed.finding.fingerprint), &observed.tasks);
    }
    for result in run["results"].as_array_mut().into_iter().flatten() {
        let print = result["partialFingerprints"]["primaryLocationLineHash"].as_str().unwrap_or_default();
        if let Some(tasks) = about.get(print).filter(|tasks| !tasks.is_empty()) {
            let taxa: Vec<Value> =
                tasks.iter().map(|id| json!({ "id": id, "toolComponent": { "name": name, "index": 0 } })).collect();
            result["taxa"] = taxa.into();
        }
    }
}
