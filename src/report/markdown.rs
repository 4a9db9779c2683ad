//! The report as a comment of a pull request: the checklist ticked by evidence, what failed, and the rest folded.
//!
//! GitHub takes 65,536 characters. Names come from the repository under review, so that a name must not become a
//! link, a mention, an image or the end of a folded part: whatever is not a plain word stands in a code span.

use super::checklist::Tick;
use super::{Report, codes, plural, summary};
use crate::model::{Finding, Status, WaiverProblem};

/// The most characters that GitHub takes in a comment, with room for the words about what was left out.
const LIMIT: usize = 65_536 - 512;
/// So much evidence for a line of the checklist.
const SHOWN_PER_LINE: usize = 3;

/// Markdown of at most 65,536 characters.
pub fn markdown(report: &Report) -> String {
    let report = &report.printable();
    let mut page = Page { text: String::new(), characters: 0 };
    page.add("<!-- harden audit -->\n");
    page.add(&format!("### harden audit: {}\n\n", words(&summary(report))));
    page.add(&about(report));
    page.add(&checklist(report));
    page.list("\n#### What failed\n\n", "", report.with(Status::Fail), failure);
    let unknown = fold("What could not be told", report.count(Status::Unknown));
    page.list(&unknown, END, unknowns(report), |line| line);
    let accepted = report.findings.iter().filter(|f| matches!(f.status, Status::Waived | Status::Known));
    let count = report.count(Status::Waived) + report.count(Status::Known);
    page.list(&fold("Waived, or known from the baseline", count), END, accepted, accepted_line);
    let problem = |problem: &WaiverProblem| {
        let subject = problem.subject.as_ref().map(|subject| format!(" {}", code(subject))).unwrap_or_default();
        format!("- {}{subject}: {}\n", code(&problem.check), words(&problem.problem))
    };
    page.list(&fold("Waivers and profiles", report.problems.len()), END, report.problems.iter(), problem);
    let passed = |finding: &Finding| format!("- {} {}{}\n", finding.code, code(&finding.check), subject(finding));
    page.list(&fold("What passed", report.count(Status::Pass)), END, report.with(Status::Pass), passed);
    page.text
}

const END: &str = "\n</details>\n";

fn fold(title: &str, count: usize) -> String {
    format!("\n<details><summary>{title} ({count})</summary>\n\n")
}

/// Text that stops short of the limit.
struct Page {
    text: String,
    characters: usize,
}

impl Page {
    fn add(&mut self, text: &str) {
        self.characters += text.chars().count();
        self.text.push_str(text);
    }

    /// A part with its lines, as far as there is room; says how many there was none for.
    fn list<T>(&mut self, start: &str, end: &str, items: impl Iterator<Item = T>, said: impl Fn(T) -> String) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        let frame = start.chars().count() + end.chars().count();
        let (mut started, mut left_out) = (false, 0);
        for item in items {
            // What follows the first that has no room is only counted.
            if left_out > 0 {
                left_out += 1;
                continue;
            }
            let line = said(item);
            let size = line.chars().count() + if started { 0 } else { frame };
            if self.characters + size > LIMIT {
                left_out += 1;
                continue;
            }
            if !started {
                self.text.push_str(start);
                started = true;
            }
            self.characters += size;
            self.text.push_str(&line);
        }
        let note = "left out: a comment has no more room; the other formats have them all";
        match (started, left_out) {
            (true, 0) => self.text.push_str(end),
            (true, _) => {
                self.text.push_str(&format!("- … {left_out} more {note}\n{end}"));
                self.characters += note.len() + 20;
            }
            (false, 0) => {}
            // Without room for one line there is room for this one, once.
            (false, _) if self.characters < LIMIT => self.add(&format!("\n… {left_out} more {note}\n")),
            (false, _) => {}
        }
    }
}

fn about(report: &Report) -> String {
    let agents: Vec<String> = report
        .agents
        .iter()
        .map(|agent| {
            format!("{} as {}", code(&agent.agent), agent.user.as_deref().map_or("an unknown account".to_owned(), code))
        })
        .collect();
    format!(
        "{} in {} · profile {} · scope {} · {}\n",
        if agents.is_empty() { "no agent".to_owned() } else { agents.join(", ") },
        code(&report.project),
        code(&report.profile),
        report.scope.name(),
        plural(report.checks.len(), "check"),
    )
}

fn checklist(report: &Report) -> String {
    if report.checklist.is_empty() {
        return String::new();
    }
    let mut out = String::from("\n#### Checklist\n\n");
    for entry in &report.checklist {
        let unanswered = format!(" — {}", entry.unanswered());
        let (mark, note) = match entry.tick {
            Tick::Yes => ("x", ""),
            Tick::Partly => (" ", " — what ran passes, but not all of it ran"),
            Tick::No => (" ", ""),
            Tick::Unknown => (" ", " — could not be told"),
            Tick::NotApplicable => (" ", unanswered.as_str()),
        };
        out += &format!("- [{mark}] {}{note}\n", words(&entry.text));
        if entry.tick == Tick::NotApplicable {
            continue;
        }
        for text in entry.evidence.iter().take(SHOWN_PER_LINE) {
            out += &format!("  - {}\n", words(&short(text)));
        }
        if entry.evidence.len() > SHOWN_PER_LINE {
            out += &format!("  - … and {} more\n", entry.evidence.len() - SHOWN_PER_LINE);
        }
    }
    out
}

fn failure(finding: &Finding) -> String {
    let at = finding.location().map(|at| format!(" ({})", code(&at.to_string()))).unwrap_or_default();
    format!(
        "- **{}** {} {}{}: {}{at}<br>next: {}\n",
        finding.severity,
        words(&finding.code),
        code(&finding.check),
        subject(finding),
        words(&short(&finding.message)),
        words(&short(&finding.remediation)),
    )
}

fn unknowns(report: &Report) -> impl Iterator<Item = String> {
    report.unseen().into_iter().flat_map(|group| {
        let reason = |(why, findings): &(String, Vec<&Finding>)| {
            format!("  - {}: {}\n", words(&short(&codes(findings))), words(&short(why)))
        };
        let reasons: Vec<String> = group.reasons.iter().map(reason).collect();
        std::iter::once(format!("- {}\n", words(group.remedy))).chain(reasons)
    })
}

fn accepted_line(finding: &Finding) -> String {
    let why = match &finding.waiver {
        Some(waiver) => {
            format!("until {} by {}: {}", words(&waiver.expires), words(&waiver.owner), words(&short(&waiver.reason)))
        }
        None => "known from the baseline".to_owned(),
    };
    format!("- {} {} {}{} — {why}\n", finding.severity, words(&finding.code), code(&finding.check), subject(finding))
}

fn subject(finding: &Finding) -> String {
    let about = [finding.subject.as_ref(), finding.agent.as_ref()];
    about.into_iter().flatten().map(|text| format!(" · {}", code(&short(text)))).collect()
}

/// At most 600 characters.
fn short(text: &str) -> String {
    match text.char_indices().nth(600) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A sentence: its own code spans stay, and every other word that could mean something to Markdown, HTML or GitHub
/// becomes one.
pub(crate) fn words(text: &str) -> String {
    let pieces: Vec<&str> = text.split('`').collect();
    let mut out = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        // Behind the last odd backtick nothing is open.
        let spans = at % 2 == 1 && at + 1 < pieces.len();
        if spans {
            out += &code(piece);
        } else {
            let sentence: Vec<String> =
                piece.split(' ').map(|word| if is_plain(word) { word.to_owned() } else { code(word) }).collect();
            out += &sentence.join(" ");
        }
    }
    out
}

fn is_plain(word: &str) -> bool {
    let harmless = |c: char| c.is_alphanumeric() || ",.;:'\"()/-+=?%·—–…×".contains(c);
    word.chars().all(harmless) && !word.contains("://") && !word.to_ascii_lowercase().contains("www.")
}

/// A code span around any text.
pub(crate) fn code(text: &str) -> String {
    let text = text.replace('`', "'");
    if text.trim().is_empty() { "` `".to_owned() } else { format!("`{text}`") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_become_markup() {
        for (text, shown) in [
            ("runs as `dev`, a person", "runs as `dev`, a person"),
            ("`a` @octocat` b", "`a` `@octocat` b"),
            ("see https://evil.example now", "see `https://evil.example` now"),
            ("see www.evil.example", "see `www.evil.example`"),
            ("<img src=x>", "`<img` `src=x>`"),
            ("![x](y) **b** #12 ~~s~~ a|b", "`![x](y)` `**b**` `#12` `~~s~~` `a|b`"),
            ("agent_user", "`agent_user`"),
            ("``x``", "` `x` `"),
            ("</details>", "`</details>`"),
        ] {
            assert_eq!(words(text), shown, "{text}");
        }
    }
}
