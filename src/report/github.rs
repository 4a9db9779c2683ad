//! Workflow commands that become annotations of a pull request.
//!
//! GitHub shows the first ten errors, ten warnings and ten notices of a step and leaves the rest in its log; findings
//! come worst first, so what is left out is what matters least.

use super::{Report, Unread, summary};
use crate::model::{Finding, Severity, Status};

/// One command for each failure, one for each reason why something could not be told, and the summary.
pub fn github(report: &Report) -> String {
    let report = &report.printable();
    let mut out: String = report.with(Status::Fail).map(annotation).collect();
    for text in report.unseen().iter().flat_map(Unread::sentences) {
        out += &format!("::notice title=harden::{}\n", data(&text));
    }
    for problem in &report.problems {
        let subject = problem.subject.as_ref().map(|subject| format!(" {subject}")).unwrap_or_default();
        out +=
            &format!("::notice title=harden::{}\n", data(&format!("{}{subject}: {}", problem.check, problem.problem)));
    }
    out += &format!("harden: {}\n", data(&summary(report)));
    out
}

fn annotation(finding: &Finding) -> String {
    let command = match finding.severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "notice",
    };
    let mut place = String::new();
    let at = finding.location();
    if let Some(at) = at.filter(|at| at.in_project()) {
        place = format!("file={},line={},endLine={},", property(&at.file), at.line, at.end_line.max(at.line));
        // Columns count only within one line.
        if at.end_line <= at.line {
            place += &format!("col={},endColumn={},", at.column, at.end_column);
        }
    }
    let title = property(&format!("{} {} ({})", finding.code, finding.check, finding.severity));
    let elsewhere = at.filter(|at| !at.in_project()).map(|at| format!(" ({at})")).unwrap_or_default();
    let subject = finding.subject.as_ref().map(|subject| format!("{subject}: ")).unwrap_or_default();
    let text = format!("{subject}{}{elsewhere}\nnext: {}", finding.message, finding.remediation);
    format!("::{command} {place}title={title}::{}\n", data(&text))
}

/// The text of a command: the runner undoes exactly these.
pub(super) fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A").replace("##[", "#%23[")
}

/// The value of a property.
pub(super) fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_ends_neither_its_property_nor_its_line() {
        assert_eq!(property("a,line=9::b\n::error"), "a%2Cline=9%3A%3Ab%0A%3A%3Aerror");
        assert_eq!(data("100% a:b,c\r\n"), "100%25 a:b,c%0D%0A");
    }
}
