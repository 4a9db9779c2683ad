//! Every control, each a fold.

use std::fmt::Write as _;

use super::super::{Assessment, Attested, Stance, Task};
use super::escape::{esc, sentence};

/// All of them, by group.
pub(super) fn all(out: &mut String, assessment: &Assessment) {
    out.push_str("<section aria-labelledby=\"tasks\"><h2 id=\"tasks\">Tasks</h2>\n");
    let mut group = None;
    for it in &assessment.tasks {
        if group != Some(&it.group) {
            group = Some(&it.group);
            let name =
                assessment.coverage.iter().find(|known| known.group == it.group).map_or("", |it| it.name.as_str());
            if !it.group.is_empty() {
                let _ = writeln!(out, "<h3>{} {}</h3>", esc(&it.group), esc(name));
            }
        }
        task(out, assessment, it);
    }
    out.push_str("</section>\n");
}

fn task(out: &mut String, assessment: &Assessment, task: &Task) {
    let _ = write!(
        out,
        "<details class=\"task\" data-answer=\"{}\"><summary><span class=\"badge {}\">{}</span> <strong>{}</strong> {}</summary>\n\
         <p>{}</p>\n",
        task.answer.name(),
        task.answer.name(),
        task.answer.words(),
        esc(&task.task),
        esc(&task.name),
        sentence(&task.because),
    );
    if !task.shows.is_empty() {
        let reach = task.reach.map(|reach| format!("Reach {}. ", reach.name())).unwrap_or_default();
        let _ = writeln!(out, "<p class=\"quiet\">{reach}{}</p>", sentence(&task.shows));
    }
    out.push_str("<ul>\n");
    for stance in Stance::ALL {
        let some: Vec<usize> =
            task.findings.iter().copied().filter(|at| assessment.findings[*at].stance == stance).collect();
        if !some.is_empty() {
            let _ = writeln!(out, "<li>{}: {}</li>", stance.words(), links(assessment, &some));
        }
    }
    if !task.not_run.is_empty() {
        let _ = writeln!(out, "<li>did not run: {}</li>", esc(&task.not_run.join(", ")));
    }
    task.attestations.iter().for_each(|at| attestation(out, &assessment.attestations[*at]));
    if !task.verify.is_empty() {
        let _ = writeln!(out, "<li>look again: <code>{}</code></li>", esc(&task.verify));
    }
    out.push_str("</ul></details>\n");
}

/// A link to each finding, with what tells it apart.
fn links(assessment: &Assessment, places: &[usize]) -> String {
    let link = |at: &usize| {
        let finding = &assessment.findings[*at].finding;
        let subject = finding.subject.as_deref().map(|it| format!(" {}", esc(it))).unwrap_or_default();
        format!("<a href=\"#f{}\">{}{subject}</a>", at + 1, esc(&finding.code))
    };
    places.iter().map(link).collect::<Vec<_>>().join(", ")
}

fn attestation(out: &mut String, given: &Attested) {
    let it = &given.attestation;
    let evidence = if it.evidence.is_empty() { String::new() } else { format!(", see {}", esc(&it.evidence)) };
    let _ = writeln!(
        out,
        "<li>attested by {} on {} until {} ({}{evidence}): {}</li>",
        esc(&it.owner),
        esc(&it.date),
        esc(&it.expires),
        given.hold.words(),
        esc(&it.statement),
    );
}
