//! The assessment as test results: a suite for each group of controls with a case for each control, and a suite for each
//! audit with a case for each finding. The form is the strict one of Ant's schema.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Answer, Assessment, Observed, Stance, Task};

type Out = Writer<Vec<u8>>;

/// A case: its name, its class, and what became of it.
struct Case {
    name: String,
    class: String,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    /// An element with its message, its kind where the form wants one, and its text.
    Not(&'static str, String, Option<&'static str>, String),
}

/// XML of all suites.
pub fn junit(assessment: &Assessment) -> String {
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(&mut out, assessment).expect("memory takes what is written");
    let mut text = String::from_utf8(out.into_inner()).expect("texts make a text");
    text.push('\n');
    text
}

fn write(out: &mut Out, assessment: &Assessment) -> std::io::Result<()> {
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let day = format!("{}T00:00:00", assessment.day);
    let mut suites: Vec<(String, String, Vec<Case>)> = Vec::new();
    for group in &assessment.coverage {
        let name = if group.group.is_empty() { &assessment.framework.framework } else { &group.group };
        let of_group = assessment.tasks.iter().filter(|it| it.group == group.group);
        let time = assessment.audits.iter().map(|audit| audit.time.trim_end_matches('Z')).max().unwrap_or(&day);
        suites.push((name.clone(), time.to_owned(), of_group.map(|it| of_task(assessment, it)).collect()));
    }
    for (at, audit) in assessment.audits.iter().enumerate() {
        let of_audit = assessment.findings.iter().filter(|it| it.audit == at);
        let time = audit.time.trim_end_matches('Z').to_owned();
        suites.push((format!("A{} {}", at + 1, audit.name), time, of_audit.map(of_finding).collect()));
    }
    out.create_element("testsuites").write_inner_content(|out| {
        suites
            .iter()
            .enumerate()
            .try_for_each(|(id, (name, time, cases))| suite(out, assessment, id, name, time, cases))
    })?;
    Ok(())
}

fn of_task(assessment: &Assessment, task: &Task) -> Case {
    let text = || {
        let counted: Vec<String> =
            task.counts.iter().map(|(stance, count)| format!("{}: {count}", stance.words())).collect();
        format!("{}\n{}", task.shows, counted.join("\n"))
    };
    let message = format!("{}: {}", task.answer.words(), task.because);
    let outcome = match task.answer {
        Answer::EvidenceFor => Outcome::Passed,
        Answer::EvidenceAgainst => Outcome::Not("failure", message, Some("evidence-against"), text()),
        Answer::Partly | Answer::NotAssessed | Answer::NotObservable => Outcome::Not("skipped", message, None, text()),
    };
    Case {
        name: format!("{} {}", task.task, task.name),
        class: format!("harden.{}", assessment.framework.framework),
        outcome,
    }
}

fn of_finding(observed: &Observed) -> Case {
    let finding = &observed.finding;
    let about = [finding.subject.as_deref(), finding.agent.as_deref()].into_iter().flatten();
    let text = || {
        let mut lines = vec![format!("next: {}", finding.remediation), format!("tasks: {}", observed.tasks.join(", "))];
        lines.extend(finding.unseen.iter().map(|unseen| format!("could not tell: {}; {}", unseen.why, unseen.how)));
        if let Some(waiver) = &finding.waiver {
            lines.push(format!("waived until {} by {}: {}", waiver.expires, waiver.owner, waiver.reason));
        }
        lines.join("\n")
    };
    let message = finding.message.clone();
    let outcome = match observed.stance {
        Stance::For => Outcome::Passed,
        Stance::Against => Outcome::Not("failure", message, Some(finding.severity.name()), text()),
        Stance::Unknown => Outcome::Not("error", message, Some("unknown"), text()),
        Stance::Accepted | Stance::NotApplicable => Outcome::Not("skipped", message, None, text()),
    };
    Case {
        name: std::iter::once(finding.check.as_str()).chain(about).collect::<Vec<_>>().join(" · "),
        class: format!("harden.{}", finding.code),
        outcome,
    }
}

fn suite(
    out: &mut Out,
    assessment: &Assessment,
    id: usize,
    name: &str,
    time: &str,
    cases: &[Case],
) -> std::io::Result<()> {
    let count = |wanted: &str| {
        cases
            .iter()
            .filter(|case| matches!(case.outcome, Outcome::Not(element, ..) if element == wanted))
            .count()
            .to_string()
    };
    let (id, tests) = (id.to_string(), cases.len().to_string());
    let (failures, errors, skipped) = (count("failure"), count("error"), count("skipped"));
    out.create_element("testsuite")
        .with_attributes([
            ("name", name),
            ("package", "harden"),
            ("id", &id),
            ("hostname", "localhost"),
            ("timestamp", time),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
            ("skipped", &skipped),
            ("time", "0"),
        ])
        .write_inner_content(|out| {
            out.create_element("properties").write_inner_content(|out| {
                for (name, value) in [("harden", &assessment.harden), ("framework", &assessment.framework.framework)] {
                    out.create_element("property").with_attributes([("name", name), ("value", value)]).write_empty()?;
                }
                Ok(())
            })?;
            cases.iter().try_for_each(|it| case(out, it))?;
            out.create_element("system-out").write_empty()?;
            out.create_element("system-err").write_empty()?;
            Ok(())
        })?;
    Ok(())
}

fn case(out: &mut Out, case: &Case) -> std::io::Result<()> {
    let element = out.create_element("testcase").with_attributes([
        ("name", case.name.as_str()),
        ("classname", case.class.as_str()),
        ("time", "0"),
    ]);
    let Outcome::Not(what, message, kind, text) = &case.outcome else {
        return element.write_empty().map(|_| ());
    };
    element.write_inner_content(|out| {
        let inner = out.create_element(*what).with_attribute(("message", message.as_str()));
        let inner = match kind {
            Some(kind) => inner.with_attribute(("type", *kind)),
            None => inner,
        };
        inner.write_text_content(BytesText::new(text))?;
        Ok(())
    })?;
    Ok(())
}
