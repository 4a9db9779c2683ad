//! The offending lines of configuration, drawn by miette. The text was redacted where it was read.

use std::collections::BTreeMap;

use miette::{
    Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents,
};

use super::console::{Tone, heading, line};
use super::{Look, Report, codes};
use crate::model::{Finding, Location, Severity, Status};

/// So many are drawn where no more is asked for.
const SHOWN: usize = 6;

/// The lines behind the worst failures; behind all of them with -v.
pub(super) fn excerpts(report: &Report, look: Look) -> String {
    let least = if look.verbose > 0 { Severity::Info } else { Severity::High };
    let with_text = |finding: &&Finding| finding.location().is_some_and(|at| !at.text.is_empty());
    let all: Vec<&Finding> =
        report.with(Status::Fail).filter(|finding| finding.severity >= least).filter(with_text).collect();
    if all.is_empty() {
        return String::new();
    }
    let places = by_line(&all);
    let shown = if look.verbose > 0 { places.len() } else { SHOWN };
    let mut out = heading(look, "in the files");
    for findings in places.iter().take(shown) {
        out += &draw(findings, look);
    }
    if places.len() > shown {
        out += &line(look, 2, &format!("… and {} more; -v shows them", places.len() - shown), Tone::Dim);
    }
    out
}

/// The findings of each line together, in the order of the worst.
fn by_line<'a>(all: &[&'a Finding]) -> Vec<Vec<&'a Finding>> {
    let mut places: Vec<Vec<&Finding>> = Vec::new();
    let mut known = BTreeMap::new();
    for finding in all {
        let line = finding.location().map(|at| (at.file.as_str(), at.line));
        let at = *known.entry(line).or_insert(places.len());
        match places.get_mut(at) {
            Some(place) => place.push(finding),
            None => places.push(vec![finding]),
        }
    }
    places
}

fn draw(findings: &[&Finding], look: Look) -> String {
    let Some((finding, others)) = findings.split_first() else { return String::new() };
    let Some(at) = finding.location().map(|at| fitting(at, look)) else { return String::new() };
    let theme = if look.colour { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_links(false)
        .with_width(usize::from(look.width.max(24)))
        .with_context_lines(0)
        .without_syntax_highlighting();
    let mut text = String::new();
    match handler.render_report(&mut text, &Excerpt { finding, others: codes(others), line: Line(&at) }) {
        Ok(()) => text.lines().map(|line| format!("{}\n", line.trim_end())).collect(),
        Err(_) => format!("{at}: {}\n", at.text),
    }
}

/// The place with its line and file name cut to the terminal: miette wraps neither.
fn fitting(at: &Location, look: Look) -> Location {
    let room = usize::from(look.width.max(24)) - 8 - at.line.to_string().len();
    let mut left = room;
    // What is not ASCII may take two columns.
    let fits = |c: &char| {
        let width = if c.is_ascii() { 1 } else { 2 };
        let fits = left > width;
        left = if fits { left - width } else { 0 };
        fits
    };
    let mut text: String = at.text.chars().take_while(fits).collect();
    if text.len() < at.text.len() {
        text.push('…');
    }
    let place = format!(":{}:{}", at.line, at.column).len();
    let most = room.saturating_sub(place).max(8) / if at.file.is_ascii() { 1 } else { 2 };
    let skipped = at.file.chars().count().saturating_sub(most.saturating_sub(1));
    let file =
        if skipped > 1 { format!("…{}", at.file.chars().skip(skipped).collect::<String>()) } else { at.file.clone() };
    Location { text, file, ..at.clone() }
}

/// A finding as miette sees it.
#[derive(Debug)]
struct Excerpt<'a> {
    finding: &'a Finding,
    /// The codes of other findings about this line.
    others: String,
    line: Line<'a>,
}

impl std::fmt::Display for Excerpt<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.finding.code, self.finding.title)?;
        if self.others.is_empty() { Ok(()) } else { write!(f, " (and {})", self.others) }
    }
}

impl std::error::Error for Excerpt<'_> {}

impl Diagnostic for Excerpt<'_> {
    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.finding.severity {
            Severity::Critical | Severity::High => miette::Severity::Error,
            Severity::Medium => miette::Severity::Warning,
            Severity::Low | Severity::Info => miette::Severity::Advice,
        })
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.line)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(LabeledSpan::underline((0, self.line.0.text.len())))))
    }
}

/// The one line that is known of a file, at its place in it.
#[derive(Debug)]
struct Line<'a>(&'a Location);

impl SourceCode for Line<'_> {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        _before: usize,
        _after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let Location { file, line, column, text, .. } = self.0;
        let whole = SourceSpan::from((0, text.len()));
        if span.offset() + span.len() > text.len() {
            return Err(MietteError::OutOfBounds);
        }
        let (line, column) = (line.saturating_sub(1) as usize, column.saturating_sub(1) as usize);
        Ok(Box::new(MietteSpanContents::new_named(file.clone(), text.as_bytes(), whole, line, column, 1)))
    }
}
