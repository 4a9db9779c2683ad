//! A plan, and what became of one, for people.

use super::Look;
use super::console::{Tone, heading, line};
use crate::model::{Class, LeftToPerson, Plan, Reason, Severity, Step};

/// What became of a finding that a run was to fix.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "outcome", rename_all = "kebab-case")]
pub enum Outcome {
    /// The check passes now.
    Fixed,
    /// It does not.
    StillFailing {
        /// What the audit says.
        why: String,
    },
    /// It cannot be told.
    Untold {
        /// Why.
        why: String,
    },
}

/// A plan as text; `diff` gives the lines of a step.
pub fn plan(plan: &Plan, diff: &dyn Fn(&Step) -> String, look: Look) -> String {
    let count = plan.steps.len();
    let mut out = line(
        look,
        0,
        &format!("profile {} · {count} {}", plan.profile, if count == 1 { "step" } else { "steps" }),
        Tone::Bold,
    );
    for (at, step) in plan.steps.iter().enumerate() {
        out += &heading(look, &format!("{}  {}  {}", at + 1, step.class.name(), step.action.says()));
        out += &line(look, 3, &format!("for {}", reasons(&step.wanted_by)), Tone::Dim);
        let root = if step.needs_root { "needs root · " } else { "" };
        out += &line(look, 3, &format!("{root}undo: {}", step.undo), Tone::Dim);
        out.extend(diff(step).lines().map(|line| format!("   {}\n", tinted(line, look))));
    }
    out += &person(&plan.person, look);
    if count > 0 {
        let classes = Class::ALL.iter().filter_map(|(name, class)| {
            let number = plan.steps.iter().filter(|step| step.class == *class).count();
            (number > 0).then(|| format!("{number} {name}"))
        });
        out += &format!("\n{} · {} for a person\n", classes.collect::<Vec<_>>().join(" · "), plan.person.len());
    } else {
        out += &line(look, 0, "nothing would be changed", Tone::Good);
    }
    out
}

fn reasons(reasons: &[Reason]) -> String {
    let said = |reason: &Reason| match &reason.subject {
        Some(subject) => format!("{} {} · {subject}", reason.code, reason.check),
        None => format!("{} {}", reason.code, reason.check),
    };
    reasons.iter().map(said).collect::<Vec<_>>().join(", ")
}

/// A line of a diff in its colour.
fn tinted(text: &str, look: Look) -> String {
    let colour = match text.as_bytes().first() {
        Some(b'+') => "32",
        Some(b'-') => "31",
        Some(b'@') => "36",
        _ => return text.to_owned(),
    };
    if look.colour { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
}

/// What is left to a person, as text.
pub fn person(left: &[LeftToPerson], look: Look) -> String {
    if left.is_empty() {
        return String::new();
    }
    let mut out = heading(look, "needs a person");
    for each in left {
        let subject = each.subject.as_ref().map(|subject| format!(" · {subject}")).unwrap_or_default();
        out += &line(look, 2, &format!("{} {}{subject}: {}", each.code, each.check, each.why), Tone::Doubt);
        out += &line(look, 4, &format!("next: {}", each.next), Tone::Plain);
    }
    out
}

/// What became of findings, as text.
pub fn outcomes(outcomes: &[(Reason, Outcome)], look: Look) -> String {
    let mut out = heading(look, "audited again");
    for (reason, outcome) in outcomes {
        let subject = reason.subject.as_ref().map(|subject| format!(" · {subject}")).unwrap_or_default();
        let (word, tone, why) = match outcome {
            Outcome::Fixed => ("fixed", Tone::Good, String::new()),
            Outcome::StillFailing { why } => ("still failing", Tone::Bad(Severity::High), format!(": {why}")),
            Outcome::Untold { why } => ("could not be told", Tone::Doubt, format!(": {why}")),
        };
        out += &line(look, 2, &format!("{word}  {} {}{subject}{why}", reason.code, reason.check), tone);
    }
    out
}
