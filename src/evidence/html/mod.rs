//! The assessment as one page that needs nothing else: style and script are inside, and the page's own policy lets
//! nothing in from elsewhere and runs only the script whose hash it names.
//!
//! Every text that is not ours goes through [`esc`]. Without the script everything can be read: it only filters.

mod chart;
mod escape;
mod finding;
mod task;

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use self::escape::esc;
use super::{Answer, Assessment, Stance};
use crate::report::plural;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A whole page.
pub fn html(assessment: &Assessment) -> String {
    let title = format!("{}: what audits are evidence for", assessment.framework.title);
    let mut out = String::with_capacity(64 << 10);
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src '{}'; script-src '{}'; \
         base-uri 'none'; form-action 'none'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n<meta name=\"color-scheme\" content=\"light dark\">\n\
         <title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#tasks\">Skip to the tasks</a>\n",
        hash(STYLE),
        hash(SCRIPT),
        esc(&title),
    );
    head(&mut out, assessment);
    out.push_str("<main>\n");
    chart::coverage(&mut out, assessment);
    chart::trend(&mut out, &assessment.trend);
    filters(&mut out, assessment);
    task::all(&mut out, assessment);
    finding::all(&mut out, assessment);
    let _ = write!(
        out,
        "</main>\n<footer>harden {}</footer>\n<script>{SCRIPT}</script>\n</body>\n</html>\n",
        esc(&assessment.harden)
    );
    out
}

/// What a policy names a text by.
fn hash(text: &str) -> String {
    format!("sha256-{}", escape::base64(&Sha256::digest(text)))
}

fn head(out: &mut String, assessment: &Assessment) {
    let about = &assessment.framework;
    let _ = write!(
        out,
        "<header>\n<h1>{}</h1>\n<p>What audits are evidence for and against, on <time>{}</time>. Whether a control is met is \
         for people to decide.</p>\n<p class=\"quiet\">{}</p>\n",
        esc(&about.title),
        esc(&assessment.day),
        esc(&about.source),
    );
    for note in std::iter::once(&about.note).filter(|note| !note.is_empty()).chain(&assessment.notes) {
        let _ = writeln!(out, "<p class=\"note\">{}</p>", esc(note));
    }
    out.push_str(
        "<div class=\"wide\" tabindex=\"0\" role=\"region\" aria-label=\"Audits\"><table><caption>The audits it rests on</caption>\n\
         <thead><tr><th scope=\"col\">audit</th><th scope=\"col\">when</th><th scope=\"col\">harden</th>\
         <th scope=\"col\">profile</th><th scope=\"col\">scope</th><th scope=\"col\">project</th>\
         <th scope=\"col\">agents</th><th scope=\"col\" class=\"number\">findings</th></tr></thead>\n<tbody>\n",
    );
    for (at, audit) in assessment.audits.iter().enumerate() {
        let agents: Vec<String> = audit
            .agents
            .iter()
            .map(|it| format!("{} as {}", it.agent, it.user.as_deref().unwrap_or("an unknown account")))
            .collect();
        let _ = writeln!(
            out,
            "<tr id=\"a{n}\"><th scope=\"row\">A{n} {}</th><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td>\
             <td class=\"number\">{}</td></tr>",
            esc(&audit.name),
            esc(&audit.time),
            esc(&audit.harden),
            esc(&audit.profile),
            audit.scope.name(),
            esc(&audit.project),
            esc(&agents.join(", ")),
            audit.findings,
            n = at + 1,
        );
    }
    out.push_str("</tbody></table></div>\n");
    let problems: Vec<&String> = assessment.audits.iter().flat_map(|audit| &audit.problems).collect();
    if !problems.is_empty() {
        let _ =
            write!(out, "<details><summary>{} on waivers and profiles</summary><ul>", plural(problems.len(), "note"));
        problems.iter().for_each(|problem| {
            let _ = write!(out, "<li>{}</li>", esc(problem));
        });
        out.push_str("</ul></details>\n");
    }
    out.push_str("</header>\n");
}

/// Hidden until the script is there to obey them.
fn filters(out: &mut String, assessment: &Assessment) {
    out.push_str(
        "<form id=\"filters\" class=\"filters\" hidden>\n<h2>Filters</h2>\n\
         <p><label for=\"words\">Words</label> <input id=\"words\" type=\"search\" autocomplete=\"off\"></p>\n",
    );
    out.push_str("<fieldset><legend>Tasks</legend>");
    for answer in Answer::ALL {
        let count = assessment.answers.get(&answer).copied().unwrap_or(0);
        check(out, "answer", answer.name(), answer.words(), count);
    }
    out.push_str("</fieldset>\n<fieldset><legend>Findings</legend>");
    for stance in Stance::ALL {
        let count = assessment.findings.iter().filter(|it| it.stance == stance).count();
        check(out, "stance", stance.name(), stance.words(), count);
    }
    out.push_str("</fieldset>\n<fieldset><legend>Severity</legend>");
    for severity in ["critical", "high", "medium", "low", "info"] {
        let count = assessment.findings.iter().filter(|it| it.finding.severity.name() == severity).count();
        check(out, "severity", severity, severity, count);
    }
    out.push_str(
        "</fieldset>\n<p><button type=\"reset\">Show all</button> <button type=\"button\" id=\"open\">Unfold all</button> \
         <output id=\"shown\" aria-live=\"polite\"></output></p>\n</form>\n",
    );
}

fn check(out: &mut String, name: &str, value: &str, words: &str, count: usize) {
    let _ = write!(
        out,
        "<label><input type=\"checkbox\" name=\"{name}\" value=\"{value}\" checked> {words} <span class=\"quiet\">{count}</span></label> "
    );
}
