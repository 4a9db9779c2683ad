//! A check in words.

use schemars::JsonSchema;
use serde::Serialize;

use super::console::{Sheet, Tone, heading, line};
use super::{Look, ReportCheck};
use crate::model::{Check, Is, Op, Os, Predicate, Proposal, Test};

/// Everything there is to say about a check.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Explanation {
    /// The check.
    #[serde(flatten)]
    pub check: ReportCheck,
    /// Where it applies.
    pub os: Vec<Os>,
    /// What is said of a failure.
    pub message: String,
    /// The fact whose items are judged one by one.
    pub for_each: Option<String>,
    /// When it applies, in words; empty for always.
    pub when: Vec<String>,
    /// What has to hold, in words.
    pub require: Vec<String>,
    /// The facts it rests on, with what they tell.
    pub facts: Vec<(String, String)>,
    /// What `harden apply` can do about it; empty where only a person can.
    pub fix: Vec<String>,
    /// Its controls by name.
    pub controls_named: Vec<NamedControl>,
    /// The file it was read from.
    pub file: String,
}

/// A control with its name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct NamedControl {
    /// The framework's id.
    pub framework: String,
    /// The framework's name.
    pub title: String,
    /// The control.
    pub id: String,
    /// What it asks.
    pub name: String,
}

impl Explanation {
    /// Of a check, with the facts and controls that it names.
    pub fn new(check: &Check, facts: Vec<(String, String)>, controls_named: Vec<NamedControl>) -> Self {
        Self {
            check: check.into(),
            os: check.os.clone(),
            message: check.message.source(),
            for_each: check.for_each.clone(),
            when: check.when.as_ref().map(said).unwrap_or_default(),
            require: said(&check.require),
            facts,
            fix: check.fix.iter().map(fixed_by).collect(),
            controls_named,
            file: check.file.clone(),
        }
    }
}

/// The explanation as text.
pub fn explain(explanation: &Explanation, look: Look) -> String {
    let check = &explanation.check;
    let mut out = line(look, 0, &format!("{} {}", check.code, check.check), Tone::Bold);
    out += &line(look, 0, &check.title, Tone::Plain);
    let os: Vec<&str> = explanation.os.iter().map(|os| os.name()).collect();
    let facts = format!(
        "{} severity · {} confidence · {} scope · {}",
        check.severity.name(),
        check.confidence.name(),
        check.scope.name(),
        os.join(" and ")
    );
    out += &line(look, 0, &facts, Tone::Bad(check.severity));
    for (title, text) in [("Why", &check.why), ("What to do", &check.remediation)] {
        out += &heading(look, title);
        out += &line(look, 2, text, Tone::Plain);
    }
    if !explanation.fix.is_empty() {
        out += &heading(look, "Fixed by `harden apply`");
        out.extend(explanation.fix.iter().map(|text| line(look, 2, text, Tone::Plain)));
    }
    if let Some(list) = &explanation.for_each {
        out += &heading(look, "Looks at");
        out += &line(look, 2, &format!("each of `{list}`, one finding for each that fails"), Tone::Plain);
    }
    for (title, lines) in [("Applies when", &explanation.when), ("Passes when", &explanation.require)] {
        if !lines.is_empty() {
            out += &heading(look, title);
            out.extend(lines.iter().map(|text| indented(look, text)));
        }
    }
    out += &heading(look, "Says of a failure");
    out += &line(look, 2, &explanation.message, Tone::Plain);
    out +=
        &pairs(look, "Rests on the facts", explanation.facts.iter().map(|(name, about)| (name.clone(), about.clone())));
    let controls = explanation.controls_named.iter().map(|c| (format!("{} {}", c.framework, c.id), c.name.clone()));
    out += &pairs(look, "Evidence for", controls);
    out += &heading(look, "To accept it for a while, in a profile given with --profile");
    let subject =
        if explanation.for_each.is_some() { "\n    subject: <the item it names; leave out for all>" } else { "" };
    let waiver = format!(
        "waivers:\n  - check: {}{subject}\n    reason: <why it is accepted>\n    owner: <who answers for it>\n    expires: <YYYY-MM-DD>",
        check.check
    );
    out.extend(waiver.lines().map(|text| format!("  {text}\n")));
    out
}

/// A proposal in words, with its condition.
fn fixed_by(proposal: &Proposal) -> String {
    let when = proposal.when.as_ref().map(|when| format!(", when {}", said(when).join("; "))).unwrap_or_default();
    format!("{} ({}{when})", proposal.source, proposal.form.about)
}

fn pairs(look: Look, title: &str, rows: impl Iterator<Item = (String, String)>) -> String {
    let rows: Vec<(String, String)> = rows.collect();
    let Some(widest) = rows.iter().map(|(name, _)| name.chars().count()).max() else { return String::new() };
    let mut sheet = Sheet::new(look, 2, &[widest.min(usize::from(look.width) / 2)]);
    for (name, about) in &rows {
        sheet.row(&[(name, Tone::Plain), (about, Tone::Dim)]);
    }
    heading(look, title) + &sheet.text()
}

/// A line whose depth is written as leading spaces.
fn indented(look: Look, text: &str) -> String {
    let depth = text.len() - text.trim_start().len();
    line(look, u16::try_from(depth).unwrap_or(0).min(20) + 2, text.trim_start(), Tone::Plain)
}

/// A condition as lines, two spaces deeper for each level.
fn said(predicate: &Predicate) -> Vec<String> {
    let mut lines = Vec::new();
    match predicate {
        Predicate::All(list) => list.iter().for_each(|each| said_into(each, 0, &mut lines)),
        other => said_into(other, 0, &mut lines),
    }
    lines
}

fn said_into(predicate: &Predicate, depth: usize, lines: &mut Vec<String>) {
    let mut say = |text: String| lines.push(format!("{}{text}", "  ".repeat(depth)));
    match predicate {
        Predicate::All(list) => {
            say("all of these:".into());
            list.iter().for_each(|each| said_into(each, depth + 1, lines));
        }
        Predicate::Any(list) => {
            say("at least one of these:".into());
            list.iter().for_each(|each| said_into(each, depth + 1, lines));
        }
        Predicate::Not(inner) => {
            say("not:".into());
            said_into(inner, depth + 1, lines);
        }
        Predicate::Every(list, inner) => {
            say(format!("for each of `{list}`:"));
            said_into(inner, depth + 1, lines);
        }
        Predicate::Some(list, inner) => {
            say(format!("for at least one of `{list}`:"));
            said_into(inner, depth + 1, lines);
        }
        Predicate::Test(Test { path, op }) => say(format!("`{path}` {}", said_op(op))),
    }
}

fn said_op(op: &Op) -> String {
    match op {
        Op::Eq(value) => format!("is {value}"),
        Op::In(value) => format!("is one of {value}"),
        Op::Is(Is::Present) => "is there".into(),
        Op::Is(Is::Absent) => "is not there".into(),
        Op::Matches(pattern) => format!("matches /{}/", pattern.0.as_str()),
        Op::Contains(value) => format!("contains {value}"),
        Op::SubsetOf(value) => format!("has nothing but {value}"),
        Op::Empty(true) => "is empty".into(),
        Op::Empty(false) => "is not empty".into(),
        Op::Within(value) => format!("lies within {value}"),
        Op::AtLeast(number) => format!("is at least {number}"),
        Op::AtMost(number) => format!("is at most {number}"),
        Op::ModeAtMost(mode) => format!("has no mode bit beyond {mode}"),
    }
}
