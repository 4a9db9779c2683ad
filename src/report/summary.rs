//! The report in one line.

use super::{Report, plural};
use crate::model::{Severity, Status};

/// The severities, worst first.
pub(super) const SEVERITIES: [Severity; 5] =
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

/// `3 failing (1 critical, 2 high) · 2 could not be told · 40 pass`, without a newline.
pub fn summary(report: &Report) -> String {
    let failing = report.count(Status::Fail);
    let worst: Vec<String> = SEVERITIES
        .iter()
        .map(|severity| (report.with(Status::Fail).filter(|f| f.severity == *severity).count(), severity))
        .filter(|(count, _)| *count > 0)
        .map(|(count, severity)| format!("{count} {severity}"))
        .collect();
    if report.findings.is_empty() {
        return "no check ran: nothing in this scope was selected".into();
    }
    let mut parts = vec![match failing {
        0 => "nothing failing".to_owned(),
        _ => format!("{failing} failing ({})", worst.join(", ")),
    }];
    for (status, words) in [
        (Status::Unknown, "could not be told"),
        (Status::Waived, "waived"),
        (Status::Known, "known from the baseline"),
        (Status::Pass, "pass"),
        (Status::NotApplicable, "not applicable"),
    ] {
        let count = report.count(status);
        if count > 0 {
            parts.push(format!("{count} {words}"));
        }
    }
    if !report.problems.is_empty() {
        parts.push(format!("{} on waivers and profiles", plural(report.problems.len(), "note")));
    }
    parts.join(" · ")
}
