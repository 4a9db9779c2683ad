//! The findings as test results: an area is a suite, a finding a case. The form is the strict one of Ant's schema,
//! which every reader takes: fixed attributes, fixed order, no time zone.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::Report;
use crate::model::{Finding, Status};

type Out = Writer<Vec<u8>>;

/// XML with one suite for each area.
pub fn junit(report: &Report) -> String {
    let report = &report.printable();
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(&mut out, report).expect("memory takes what is written");
    let mut text = String::from_utf8(out.into_inner()).expect("texts make a text");
    text.push('\n');
    text
}

fn write(out: &mut Out, report: &Report) -> std::io::Result<()> {
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = suites(report);
    if suites.is_empty() {
        out.create_element("testsuites").write_empty()?;
        return Ok(());
    }
    out.create_element("testsuites").write_inner_content(|out| {
        suites.iter().enumerate().try_for_each(|(id, (area, findings))| suite(out, report, id, area, findings))
    })?;
    Ok(())
}

/// The findings by area, the area of the worst finding first.
fn suites(report: &Report) -> Vec<(&str, Vec<&Finding>)> {
    let mut suites: Vec<(&str, Vec<&Finding>)> = Vec::new();
    for finding in &report.findings {
        let area = report.checks.iter().find(|check| check.check == finding.check).map_or("", |c| c.area.as_str());
        let area = if area.is_empty() { "checks" } else { area };
        match suites.iter_mut().find(|(name, _)| *name == area) {
            Some((_, findings)) => findings.push(finding),
            None => suites.push((area, vec![finding])),
        }
    }
    suites
}

fn suite(out: &mut Out, report: &Report, id: usize, area: &str, findings: &[&Finding]) -> std::io::Result<()> {
    let count = |wanted: &[Status]| findings.iter().filter(|f| wanted.contains(&f.status)).count().to_string();
    let (id, tests) = (id.to_string(), findings.len().to_string());
    let (failures, errors) = (count(&[Status::Fail]), count(&[Status::Unknown]));
    let skipped = count(&[Status::Waived, Status::Known, Status::NotApplicable]);
    let attributes = [
        ("name", area),
        ("package", "harden"),
        ("id", &id),
        ("hostname", "localhost"),
        ("timestamp", report.time.trim_end_matches('Z')),
        ("tests", &tests),
        ("failures", &failures),
        ("errors", &errors),
        ("skipped", &skipped),
        ("time", "0"),
    ];
    out.create_element("testsuite").with_attributes(attributes).write_inner_content(|out| {
        out.create_element("properties").write_inner_content(|out| {
            for (name, value) in [
                ("harden", report.harden.as_str()),
                ("project", &report.project),
                ("profile", &report.profile),
                ("scope", report.scope.name()),
            ] {
                out.create_element("property").with_attributes([("name", name), ("value", value)]).write_empty()?;
            }
            Ok(())
        })?;
        findings.iter().try_for_each(|finding| case(out, area, finding))?;
        out.create_element("system-out").write_empty()?;
        out.create_element("system-err").write_empty()?;
        Ok(())
    })?;
    Ok(())
}

fn case(out: &mut Out, area: &str, finding: &Finding) -> std::io::Result<()> {
    let about = [finding.subject.as_deref(), finding.agent.as_deref()].into_iter().flatten();
    let name = std::iter::once(finding.check.as_str()).chain(about).collect::<Vec<_>>().join(" · ");
    let class = format!("harden.{area}.{}", finding.code);
    let case = out.create_element("testcase").with_attributes([
        ("name", name.as_str()),
        ("classname", class.as_str()),
        ("time", "0"),
    ]);
    let (element, kind) = match finding.status {
        Status::Pass => return case.write_empty().map(|_| ()),
        Status::Fail => ("failure", Some(finding.severity.name())),
        Status::Unknown => ("error", Some("unknown")),
        Status::Waived | Status::Known | Status::NotApplicable => ("skipped", None),
    };
    let (message, body) = (message(finding), body(finding));
    case.write_inner_content(|out| {
        let inner = out.create_element(element).with_attribute(("message", message.as_str()));
        let inner = match kind {
            Some(kind) => inner.with_attribute(("type", kind)),
            None => inner,
        };
        inner.write_text_content(BytesText::new(&body))?;
        Ok(())
    })?;
    Ok(())
}

fn message(finding: &Finding) -> String {
    match (&finding.waiver, finding.status) {
        (Some(waiver), _) => {
            format!("waived until {} by {}: {}: {}", waiver.expires, waiver.owner, waiver.reason, finding.message)
        }
        (None, Status::Known) => format!("known from the baseline: {}", finding.message),
        _ => finding.message.clone(),
    }
}

/// What to do, then what it rests on.
fn body(finding: &Finding) -> String {
    let mut lines = vec![format!("next: {}", finding.remediation)];
    lines.extend(finding.unseen.iter().map(|unseen| format!("could not tell: {}; {}", unseen.why, unseen.how)));
    lines.extend(finding.evidence.iter().map(|evidence| {
        let at = evidence.at.as_ref().map(|at| format!(" ({at})")).unwrap_or_default();
        format!("{} = {}{at}", evidence.fact, evidence.value)
    }));
    lines.join("\n")
}
