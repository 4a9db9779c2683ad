//! Secrets as test results, in the strict form of Ant's schema as the audit's are: each finding is a case that fails,
//! what is accepted a case that was skipped, and what could not be read an error.

use std::io::Result;

use gitleaks_rs::{Confidence, Finding, Problem};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::leaks::{Leaks, Standing, next, place};
use super::printable::printable;
use crate::model::plain;

type Out = Writer<Vec<u8>>;

/// XML with one suite. `time` is when the scan ended, in RFC 3339 without a zone.
pub fn leaks_junit(leaks: &Leaks, time: &str) -> String {
    let mut out = Writer::new_with_indent(Vec::new(), b' ', 2);
    write(&mut out, leaks, time).expect("memory takes what is written");
    let mut text = String::from_utf8(out.into_inner()).expect("texts make a text");
    text.push('\n');
    text
}

fn write(out: &mut Out, leaks: &Leaks, time: &str) -> Result<()> {
    let count =
        |open: bool| leaks.findings.iter().filter(|(_, standing)| (*standing == Standing::Open) == open).count();
    let number = |number: usize| number.to_string();
    let errors = leaks.problems.len();
    let (tests, failures) = (number(leaks.findings.len() + errors), number(count(true)));
    let (errors, skipped) = (number(errors), number(count(false)));
    let attributes = [
        ("name", "secrets"),
        ("package", "harden"),
        ("id", "0"),
        ("hostname", "localhost"),
        ("timestamp", time),
        ("tests", &tests),
        ("failures", &failures),
        ("errors", &errors),
        ("skipped", &skipped),
        ("time", "0"),
    ];
    out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    out.create_element("testsuites").write_inner_content(|out| {
        out.create_element("testsuite").with_attributes(attributes).write_inner_content(|out| {
            out.create_element("properties").write_inner_content(|out| {
                for (name, value) in [("harden", env!("CARGO_PKG_VERSION")), ("scanned", &plain(&leaks.scanned))] {
                    out.create_element("property").with_attributes([("name", name), ("value", value)]).write_empty()?;
                }
                Ok(())
            })?;
            leaks.findings.iter().try_for_each(|(finding, standing)| case(out, &printable(finding), standing))?;
            leaks.problems.iter().try_for_each(|problem| unread(out, problem))?;
            out.create_element("system-out").write_empty()?;
            out.create_element("system-err").write_empty()?;
            Ok(())
        })?;
        Ok(())
    })?;
    Ok(())
}

fn case(out: &mut Out, finding: &Finding, standing: &Standing) -> Result<()> {
    let accepted = match standing {
        Standing::Open => None,
        Standing::Known => Some("known from the baseline".to_owned()),
        Standing::Accepted(None) => Some("accepted".to_owned()),
        Standing::Accepted(Some(reason)) => Some(format!("accepted: {}", plain(reason))),
        Standing::Credential => Some("in the agent's credential file, where it belongs".to_owned()),
    };
    let kind = match finding.confidence {
        Confidence::High => "sure",
        Confidence::Medium => "likely",
        Confidence::Low => "maybe",
    };
    let name = format!("{} · {}", finding.rule, place(finding));
    let body = format!("next: {}\nfingerprint: {}", next(finding), finding.fingerprint);
    let message =
        accepted.as_ref().map_or_else(|| finding.description.clone(), |why| format!("{why}: {}", finding.description));
    let (element, kind) = if accepted.is_some() { ("skipped", None) } else { ("failure", Some(kind)) };
    write_case(out, (&name, &format!("harden.secrets.{}", finding.rule)), (element, kind), (&message, &body))
}

fn unread(out: &mut Out, problem: &Problem) -> Result<()> {
    let name = plain(&problem.path.display().to_string()).into_owned();
    write_case(out, (&name, "harden.secrets.unread"), ("error", Some("unknown")), (&plain(&problem.why), ""))
}

fn write_case(
    out: &mut Out,
    (name, class): (&str, &str),
    (element, kind): (&str, Option<&str>),
    (message, body): (&str, &str),
) -> Result<()> {
    let case = [("name", name), ("classname", class), ("time", "0")];
    out.create_element("testcase").with_attributes(case).write_inner_content(|out| {
        let kind = kind.map(|kind| ("type", kind));
        let inner = out.create_element(element).with_attributes(std::iter::once(("message", message)).chain(kind));
        inner.write_text_content(BytesText::new(body))?;
        Ok(())
    })?;
    Ok(())
}
