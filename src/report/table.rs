//! The report as a person reads it in a terminal: what failed, worst first, and what to do; what could not be told and
//! why; the checklist.

use super::checklist::Tick;
use super::console::{Sheet, Tone, heading, line};
use super::printable::without_commands;
use super::{Report, codes, excerpt, plural, summary};
use crate::model::{Evidence, Finding, Severity, Status, UserSource};

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Columns of the terminal.
    pub width: u16,
    /// Whether colours are wanted.
    pub colour: bool,
    /// 0: what needs a hand; 1: passes and every reason too; 2: and the evidence of each finding.
    pub verbose: u8,
    /// Only the summary.
    pub quiet: bool,
}

/// So many findings of one check are shown where no more is asked for.
const SHOWN_PER_CHECK: usize = 8;
/// So much evidence is shown for a line of the checklist.
const SHOWN_PER_LINE: usize = 2;
/// So many reasons for what could not be told are shown for each remedy.
const SHOWN_REASONS: usize = 8;
/// So many characters of a message are shown where no more is asked for.
const MESSAGE: usize = 320;
/// From this width on, a finding's name and message share a line.
const WIDE: u16 = 140;
/// Below this width, severity and code take a line of their own.
const NARROW: u16 = 60;

/// The whole report.
pub fn table(report: &Report, look: Look) -> String {
    let report = &report.printable();
    if look.quiet {
        return without_commands(&format!("{}\n", summary(report)));
    }
    let sections = [
        header(report, look),
        failures(report, look),
        excerpt::excerpts(report, look),
        unknowns(report, look),
        accepted(report, look),
        problems(report, look),
        if look.verbose > 0 { passes(report, look) } else { String::new() },
        checklist(report, look),
        closing(report, look),
    ];
    without_commands(&sections.concat())
}

/// What was audited, and as whom.
fn header(report: &Report, look: Look) -> String {
    let mut out = line(look, 0, &format!("harden {} · {}", report.harden, report.project), Tone::Bold);
    for agent in &report.agents {
        let how = agent.user_source.map_or("the image does not say", |source| match source {
            UserSource::Profile => "named by the profile",
            UserSource::Launcher => "named by its launcher",
            UserSource::Process => "it runs now; `agent_user` in a profile names another",
            UserSource::Invoker => "who ran this audit",
        });
        let user = agent.user.as_deref().unwrap_or("an unknown account");
        let place = if agent.workspace == report.project { String::new() } else { format!(", in {}", agent.workspace) };
        out += &line(look, 0, &format!("{} as {} ({how}){place}", agent.agent, user), Tone::Plain);
    }
    let checks = plural(report.checks.len(), "check");
    let words = format!("{checks} · profile {} · scope {} · {}", report.profile, report.scope.name(), report.os.name());
    out + &line(look, 0, &words, Tone::Dim)
}

fn failures(report: &Report, look: Look) -> String {
    let failing: Vec<&Finding> = report.with(Status::Fail).collect();
    if failing.is_empty() {
        return String::new();
    }
    let mut out = String::new();
    for severity in summary::SEVERITIES {
        let group: Vec<&Finding> = failing.iter().filter(|f| f.severity == severity).copied().collect();
        if !group.is_empty() {
            out.push('\n');
            out += &rows(report, &group, look);
        }
    }
    out
}

/// Findings of one severity; those of one check stay together.
fn rows(report: &Report, findings: &[&Finding], look: Look) -> String {
    let code = findings.iter().map(|f| f.code.chars().count()).max().unwrap_or(0).min(12);
    let severity = findings.iter().map(|f| f.severity.name().len()).max().unwrap_or(0);
    let mut sheet = if look.width < NARROW {
        Sheet::new(look, 0, &[])
    } else if look.width < WIDE {
        Sheet::new(look, 0, &[severity, code])
    } else {
        let widest = findings.iter().map(|f| name(report, f).chars().count()).max().unwrap_or(0);
        Sheet::new(look, 0, &[severity, code, widest.min(usize::from(look.width) / 3)])
    };
    for (at, group) in findings.chunk_by(|a, b| a.check == b.check).enumerate() {
        if at > 0 && look.width < WIDE {
            detail(&mut sheet, look, "");
        }
        let shown = if look.verbose > 0 || group.len() <= SHOWN_PER_CHECK + 1 { group.len() } else { SHOWN_PER_CHECK };
        let one_step = group.iter().all(|finding| finding.remediation == group[0].remediation);
        for (at, finding) in group[..shown].iter().enumerate() {
            let last = at + 1 == shown;
            row(&mut sheet, report, finding, look);
            for evidence in finding.evidence.iter().filter(|_| look.verbose > 1) {
                detail(&mut sheet, look, &said(evidence));
            }
            if last && shown < group.len() {
                detail(&mut sheet, look, &format!("… and {} more of these; -v shows them", group.len() - shown));
            }
            if last || !one_step {
                detail(&mut sheet, look, &format!("next: {}", finding.remediation));
            }
        }
    }
    sheet.text()
}

fn row(sheet: &mut Sheet, report: &Report, finding: &Finding, look: Look) {
    let bad = Tone::Bad(finding.severity);
    let (severity, code) = (finding.severity.name(), finding.code.as_str());
    let name = name(report, finding);
    let message = match finding.location() {
        // A file without a line, and named already.
        Some(at) if at.text.is_empty() && finding.message.contains(&at.file) => message(finding, look),
        Some(at) => format!("{} ({at})", message(finding, look)),
        None => message(finding, look),
    };
    if look.width < NARROW {
        sheet.row(&[(&format!("{severity} {code}"), bad)]);
        sheet.row(&[(&name, Tone::Bold)]);
        sheet.row(&[(&message, Tone::Plain)]);
    } else if look.width < WIDE {
        sheet.row(&[(severity, bad), (code, Tone::Plain), (&name, Tone::Bold)]);
        sheet.row(&[("", bad), ("", bad), (&message, Tone::Plain)]);
    } else {
        let fits = name.chars().count() <= usize::from(look.width) / 3;
        let name = if fits { name } else { name.replacen(" · ", "\n", 1) };
        sheet.row(&[(severity, bad), (code, Tone::Plain), (&name, Tone::Bold), (&message, Tone::Plain)]);
    }
}

fn message(finding: &Finding, look: Look) -> String {
    clip(&finding.message, if look.verbose > 0 { usize::MAX } else { MESSAGE })
}

/// The first characters of a text, with an ellipsis where there are more.
fn clip(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
        None => text.to_owned(),
    }
}

/// A line below a finding, in the column of its message.
fn detail(sheet: &mut Sheet, look: Look, text: &str) {
    let blank = ("", Tone::Plain);
    match look.width {
        width if width < NARROW => sheet.row(&[(text, Tone::Dim)]),
        width if width < WIDE => sheet.row(&[blank, blank, (text, Tone::Dim)]),
        _ => sheet.row(&[blank, blank, blank, (text, Tone::Dim)]),
    }
}

/// The check, what it is about, and the agent where there are several.
fn name(report: &Report, finding: &Finding) -> String {
    let agent = finding.agent.as_ref().filter(|_| report.agents.len() > 1);
    [Some(&finding.check), finding.subject.as_ref(), agent]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(" · ")
}

fn said(evidence: &Evidence) -> String {
    let at = evidence.at.as_ref().map(|at| format!("  ({at})")).unwrap_or_default();
    format!("{} = {}{at}", evidence.fact, evidence.value)
}

fn unknowns(report: &Report, look: Look) -> String {
    let groups = report.unseen();
    if groups.is_empty() {
        return String::new();
    }
    let mut out = heading(look, &format!("could not tell: {}", report.count(Status::Unknown)));
    let mut sheet = Sheet::new(look, 2, &[groups[0].count().to_string().len()]);
    for group in &groups {
        sheet.row(&[(&group.count().to_string(), Tone::Doubt), (group.remedy, Tone::Plain)]);
        let shown = if look.verbose > 0 { group.reasons.len() } else { SHOWN_REASONS };
        for (why, findings) in group.reasons.iter().take(shown) {
            sheet.row(&[("", Tone::Plain), (&format!("{}: {why}", codes(findings)), Tone::Dim)]);
            let named = findings.iter().filter(|f| look.verbose > 0 && (f.subject.is_some() || f.agent.is_some()));
            for finding in named {
                sheet.row(&[("", Tone::Plain), (&format!("  {} {}", finding.code, name(report, finding)), Tone::Dim)]);
            }
        }
        if group.reasons.len() > shown {
            let more = format!("… and {} more; -v shows them", plural(group.reasons.len() - shown, "reason"));
            sheet.row(&[("", Tone::Plain), (&more, Tone::Dim)]);
        }
    }
    out += &sheet.text();
    out
}

/// What is bad and accepted: waived, or known from a baseline.
fn accepted(report: &Report, look: Look) -> String {
    let waived: Vec<&Finding> = report.with(Status::Waived).collect();
    let known: Vec<&Finding> = report.with(Status::Known).collect();
    let mut out = String::new();
    if !waived.is_empty() {
        out += &heading(look, &format!("waived: {}", waived.len()));
        let shown = if look.verbose > 0 { waived.len() } else { SHOWN_PER_CHECK };
        for finding in waived.iter().take(shown) {
            let until = finding.waiver.as_ref().map_or_else(String::new, |waiver| {
                format!(" — until {} by {}: {}", waiver.expires, waiver.owner, waiver.reason)
            });
            let text = format!("{} {} {}{until}", finding.severity, finding.code, name(report, finding));
            out += &line(look, 2, &text, Tone::Dim);
        }
        if waived.len() > shown {
            out += &line(look, 2, &format!("… and {} more; -v shows them", waived.len() - shown), Tone::Dim);
        }
    }
    if !known.is_empty() {
        out += &heading(look, &format!("known from the baseline: {}", known.len()));
        if look.verbose > 0 {
            for finding in &known {
                let text = format!("{} {} {}", finding.severity, finding.code, name(report, finding));
                out += &line(look, 2, &text, Tone::Dim);
            }
        } else {
            out += &line(look, 2, &codes(&known), Tone::Dim);
        }
    }
    out
}

fn problems(report: &Report, look: Look) -> String {
    if report.problems.is_empty() {
        return String::new();
    }
    let mut out = heading(look, "waivers and profiles");
    for problem in &report.problems {
        let subject = problem.subject.as_ref().map(|subject| format!(" · {subject}")).unwrap_or_default();
        out += &line(look, 2, &format!("{}{subject}: {}", problem.check, problem.problem), Tone::Doubt);
    }
    out
}

fn passes(report: &Report, look: Look) -> String {
    let mut out = String::new();
    for (status, title, tone) in
        [(Status::Pass, "pass", Tone::Good), (Status::NotApplicable, "not applicable", Tone::Dim)]
    {
        let findings: Vec<&Finding> = report.with(status).collect();
        if findings.is_empty() {
            continue;
        }
        out += &heading(look, &format!("{title}: {}", findings.len()));
        let code = findings.iter().map(|f| f.code.chars().count()).max().unwrap_or(0).min(12);
        let mut sheet = Sheet::new(look, 2, &[code]);
        for finding in findings {
            sheet.row(&[(&finding.code, tone), (&name(report, finding), Tone::Plain)]);
            let shown = if look.verbose > 1 { finding.evidence.len() } else { 3 };
            for evidence in finding.evidence.iter().take(shown).filter(|_| status == Status::Pass || look.verbose > 1) {
                sheet.row(&[("", tone), (&said(evidence), Tone::Dim)]);
            }
            if finding.evidence.is_empty() || status == Status::NotApplicable {
                sheet.row(&[("", tone), (&finding.message, Tone::Dim)]);
            }
        }
        out += &sheet.text();
    }
    out
}

fn checklist(report: &Report, look: Look) -> String {
    if report.checklist.is_empty() {
        return String::new();
    }
    let mut out = heading(look, "checklist");
    let mut sheet = Sheet::new(look, 2, &[1, 2]);
    for entry in &report.checklist {
        let (mark, tone) = match entry.tick {
            Tick::Yes => ("✓", Tone::Good),
            Tick::Partly => ("~", Tone::Doubt),
            Tick::No => ("✗", Tone::Bad(Severity::High)),
            Tick::Unknown => ("?", Tone::Doubt),
            Tick::NotApplicable => ("–", Tone::Dim),
        };
        let (text, text_tone) = match entry.tick {
            Tick::NotApplicable => (format!("{} — {}", entry.text, entry.unanswered()), Tone::Dim),
            _ => (entry.text.clone(), Tone::Plain),
        };
        sheet.row(&[(mark, tone), (&entry.line, Tone::Dim), (&text, text_tone)]);
        for text in shown_evidence(&entry.evidence, entry.tick, look) {
            sheet.row(&[("", tone), ("", tone), (&text, Tone::Dim)]);
        }
    }
    out += &sheet.text();
    out
}

/// One line for what passes; the first of what does not, a line each, because it stands in full above; all with -v.
fn shown_evidence(evidence: &[String], tick: Tick, look: Look) -> Vec<String> {
    let room = usize::from(look.width.max(24)) - 9;
    match tick {
        _ if look.verbose > 0 => evidence.to_vec(),
        Tick::NotApplicable => Vec::new(),
        Tick::Yes => vec![format!("by {}", first_words(evidence).join(", "))],
        Tick::Partly => {
            let (missing, ran) = evidence.split_last().map_or(("", evidence), |(last, ran)| (last.as_str(), ran));
            vec![format!("only in part, by {}; {missing}", first_words(ran).join(", "))]
        }
        Tick::No | Tick::Unknown if evidence.len() > SHOWN_PER_LINE + 1 => {
            let rest = evidence.len() - SHOWN_PER_LINE;
            let shown = evidence.iter().take(SHOWN_PER_LINE).map(|text| clip(text, room));
            shown.chain([format!("… and {rest} more")]).collect()
        }
        Tick::No | Tick::Unknown => evidence.iter().map(|text| clip(text, room)).collect(),
    }
}

/// The codes in front of evidence, each once.
fn first_words(evidence: &[String]) -> Vec<&str> {
    let mut words: Vec<&str> = evidence.iter().filter_map(|text| text.split([' ', ':']).next()).collect();
    words.dedup();
    words
}

fn closing(report: &Report, look: Look) -> String {
    let tone = match report.with(Status::Fail).map(|finding| finding.severity).max() {
        Some(severity) => Tone::Bad(severity),
        None if report.count(Status::Unknown) > 0 => Tone::Doubt,
        None => Tone::Good,
    };
    let mut out = format!("\n{}", line(look, 0, &summary(report), tone));
    let mut more = Vec::new();
    if let Some(worst) = report.with(Status::Fail).next() {
        more.push(format!("`harden explain {}` says why and how", worst.code));
    }
    if look.verbose == 0 && !report.findings.is_empty() {
        more.push("-v shows what passes".into());
    }
    if !more.is_empty() {
        out += &line(look, 0, &format!("more: {}", more.join(" · ")), Tone::Dim);
    }
    out
}
