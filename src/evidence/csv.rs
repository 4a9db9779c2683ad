//! The assessment as a sheet: a row for each control, each finding and each attestation, told apart by the first column.

use super::{Assessment, Observed};
use crate::report::inert;

const HEADER: [&str; 25] = [
    "row",
    "task",
    "group",
    "name",
    "reach",
    "answer",
    "because",
    "code",
    "check",
    "agent",
    "subject",
    "severity",
    "says",
    "proof",
    "message",
    "remediation",
    "place",
    "audit",
    "time",
    "harden",
    "profile",
    "owner",
    "until",
    "reason or statement",
    "fingerprint or evidence",
];

/// Comma-separated values with a header. Cells that a spreadsheet would run as a formula start with an apostrophe.
pub fn csv(assessment: &Assessment) -> String {
    let mut writer = ::csv::WriterBuilder::new().from_writer(Vec::new());
    let mut write = |row: [String; 25]| {
        writer.write_record(row.iter().map(|cell| inert(cell).into_owned())).expect("memory takes what is written");
    };
    write(HEADER.map(str::to_owned));
    for task in &assessment.tasks {
        let mut row = [const { String::new() }; 25];
        row[0] = "task".into();
        row[1] = task.task.clone();
        row[2] = task.group.clone();
        row[3] = task.name.clone();
        row[4] = task.reach.map(|reach| reach.name().to_owned()).unwrap_or_default();
        row[5] = task.answer.words().into();
        row[6] = task.because.clone();
        row[15] = task.verify.clone();
        row[23] = task.shows.clone();
        write(row);
    }
    assessment.findings.iter().for_each(|observed| write(finding(assessment, observed)));
    for given in &assessment.attestations {
        let (it, mut row) = (&given.attestation, [const { String::new() }; 25]);
        row[0] = "attestation".into();
        row[1] = it.task.clone();
        row[12] = given.hold.words().into();
        row[13] = super::Proof::Attested.words().into();
        row[18] = it.date.clone();
        row[21] = it.owner.clone();
        row[22] = it.expires.clone();
        row[23] = it.statement.clone();
        row[24] = it.evidence.clone();
        write(row);
    }
    let bytes = writer.into_inner().expect("memory takes what is written");
    String::from_utf8(bytes).expect("rows of text are text")
}

fn finding(assessment: &Assessment, observed: &Observed) -> [String; 25] {
    let (finding, audit) = (&observed.finding, &assessment.audits[observed.audit]);
    let waiver = finding.waiver.as_ref();
    let told = |text: Option<&String>| text.cloned().unwrap_or_default();
    [
        "finding".to_owned(),
        observed.tasks.join(" "),
        String::new(),
        finding.title.clone(),
        String::new(),
        String::new(),
        String::new(),
        finding.code.clone(),
        finding.check.clone(),
        told(finding.agent.as_ref()),
        told(finding.subject.as_ref()),
        finding.severity.name().to_owned(),
        observed.stance.words().to_owned(),
        observed.proof.words().to_owned(),
        finding.message.clone(),
        finding.remediation.clone(),
        finding.location().map(ToString::to_string).unwrap_or_default(),
        audit.name.clone(),
        audit.time.clone(),
        audit.harden.clone(),
        audit.profile.clone(),
        told(waiver.map(|waiver| &waiver.owner)),
        told(waiver.map(|waiver| &waiver.expires)),
        told(waiver.map(|waiver| &waiver.reason)),
        finding.fingerprint.clone(),
    ]
}
