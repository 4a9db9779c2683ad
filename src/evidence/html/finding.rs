//! Every finding once, each a fold with its evidence and what to do.

use std::fmt::Write as _;

use super::super::{Assessment, Observed, Stance};
use super::escape::{esc, sentence};

/// All of them, worst first.
pub(super) fn all(out: &mut String, assessment: &Assessment) {
    out.push_str("<section aria-labelledby=\"findings\"><h2 id=\"findings\">Findings</h2>\n");
    for stance in Stance::ALL {
        let mut some = assessment.findings.iter().enumerate().filter(|(_, it)| it.stance == stance).peekable();
        if some.peek().is_some() {
            let _ = writeln!(out, "<h3>{}</h3>", stance.words());
            some.for_each(|(at, observed)| finding(out, assessment, at, observed));
        }
    }
    out.push_str("</section>\n");
}

fn finding(out: &mut String, assessment: &Assessment, at: usize, observed: &Observed) {
    let (it, audit) = (&observed.finding, &assessment.audits[observed.audit]);
    let about = [&it.subject, &it.agent].into_iter().flatten().map(|text| format!(" · {}", esc(text)));
    let _ = write!(
        out,
        "<details class=\"finding\" id=\"f{}\" data-stance=\"{}\" data-severity=\"{severity}\"><summary>\
         <span class=\"badge s-{severity}\">{severity}</span> <strong>{}</strong> {}{}</summary>\n<p>{}</p>\n<dl>\n",
        at + 1,
        observed.stance.name(),
        esc(&it.code),
        esc(&it.title),
        about.collect::<String>(),
        sentence(&it.message),
        severity = it.severity.name(),
    );
    let mut row = |name: &str, value: String| {
        let _ = writeln!(out, "<dt>{name}</dt><dd>{value}</dd>");
    };
    if !matches!(observed.stance, Stance::For | Stance::NotApplicable) {
        row("next", sentence(&it.remediation));
    }
    for unseen in &it.unseen {
        row("could not tell", format!("{}; {}", sentence(&unseen.why), sentence(&unseen.how)));
    }
    for evidence in &it.evidence {
        let place = evidence.at.as_ref().map(|at| format!(" ({})", esc(&at.to_string()))).unwrap_or_default();
        let line = evidence.at.as_ref().map(|at| at.text.as_str()).filter(|text| !text.is_empty());
        let line = line.map(|text| format!("<pre>{}</pre>", esc(text))).unwrap_or_default();
        row(
            "evidence",
            format!("<code>{} = {}</code>{place}{line}", esc(&evidence.fact), esc(&evidence.value.to_string())),
        );
    }
    if let Some(waiver) = &it.waiver {
        let over = if observed.stance == Stance::Against { ", which is over" } else { "" };
        let said = format!("until {}{over} by {}: {}", esc(&waiver.expires), esc(&waiver.owner), esc(&waiver.reason));
        row("waived", said);
    }
    let tasks =
        if observed.tasks.is_empty() { "no control here".into() } else { esc(&observed.tasks.join(", ")).into_owned() };
    row("tasks", tasks);
    row("check", format!("<code>{}</code>, confidence {}", esc(&it.check), it.confidence.name()));
    row(
        "known",
        format!(
            "{} in <a href=\"#a{n}\">A{n}</a> on {} by harden {}, profile {}",
            observed.proof.words(),
            esc(&audit.time),
            esc(&audit.harden),
            esc(&audit.profile),
            n = observed.audit + 1,
        ),
    );
    row("fingerprint", format!("<code>{}</code>", esc(&it.fingerprint)));
    out.push_str("</dl></details>\n");
}
