//! The report as a table for a terminal.

use super::Report;

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns of the terminal.
    pub width: u16,
    /// Whether colours are wanted.
    pub colour: bool,
    /// Whether passes are shown too.
    pub verbose: bool,
}

/// The whole report.
pub fn table(report: &Report, _look: Look) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        out.push_str(&format!(
            "{} {} {} {}\n",
            finding.status.name(),
            finding.severity,
            finding.check,
            finding.message
        ));
    }
    out
}
