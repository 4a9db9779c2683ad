//! The findings as a sheet, one row each.

use std::borrow::Cow;

use super::Report;

/// Comma-separated values with a header. Cells that a spreadsheet would run as a formula start with an apostrophe.
pub fn csv(report: &Report) -> String {
    let report = report.printable();
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let header = [
        "status",
        "severity",
        "code",
        "check",
        "agent",
        "subject",
        "message",
        "remediation",
        "file",
        "line",
        "column",
        "scope",
        "confidence",
        "waived until",
        "waived by",
        "waiver reason",
        "fingerprint",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(report.findings.iter().map(|finding| {
        let at = finding.location();
        let waiver = finding.waiver.as_ref();
        [
            finding.status.name().to_owned(),
            finding.severity.name().to_owned(),
            finding.code.clone(),
            finding.check.clone(),
            finding.agent.clone().unwrap_or_default(),
            finding.subject.clone().unwrap_or_default(),
            finding.message.clone(),
            finding.remediation.clone(),
            at.map(|at| at.file.clone()).unwrap_or_default(),
            at.map(|at| at.line.to_string()).unwrap_or_default(),
            at.map(|at| at.column.to_string()).unwrap_or_default(),
            finding.scope.name().to_owned(),
            finding.confidence.name().to_owned(),
            waiver.map(|waiver| waiver.expires.clone()).unwrap_or_default(),
            waiver.map(|waiver| waiver.owner.clone()).unwrap_or_default(),
            waiver.map(|waiver| waiver.reason.clone()).unwrap_or_default(),
            finding.fingerprint.clone(),
        ]
    }));
    for row in &rows {
        writer.write_record(row.iter().map(|cell| inert(cell).into_owned())).expect("memory takes what is written");
    }
    let bytes = writer.into_inner().expect("memory takes what is written");
    String::from_utf8(bytes).expect("rows of text are text")
}

/// A cell that no spreadsheet computes: the usual formula signs, and their full-width twins.
pub(crate) fn inert(cell: &str) -> Cow<'_, str> {
    match cell.chars().find(|c| !c.is_whitespace() && *c != '"') {
        Some('=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠') => Cow::Owned(format!("'{cell}")),
        _ => Cow::Borrowed(cell),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_formula_becomes_text() {
        for (cell, shown) in [
            ("=1+1", "'=1+1"),
            (" @SUM(A1)", "' @SUM(A1)"),
            ("\"=cmd", "'\"=cmd"),
            ("＝1", "'＝1"),
            ("-2", "'-2"),
            ("a=1", "a=1"),
            ("", ""),
        ] {
            assert_eq!(inert(cell), shown);
        }
    }
}
