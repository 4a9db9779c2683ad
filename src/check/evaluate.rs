//! Runs checks over facts.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rayon::prelude::*;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::lookup::{Scope, item_name};
use super::predicate::{Answer, Truth, decide};
use crate::facts::{Facts, PROBES, Per};
use crate::model::{Check, Empty, Evidence, Finding, Os, Parameters, Policy, Status, Template, Unseen, plain};

/// The probes that a policy's checks speak of.
pub fn needed_probes(policy: &Policy) -> BTreeSet<&'static str> {
    policy.checks.iter().flat_map(|check| probes_of(check)).collect()
}

fn probes_of(check: &Check) -> BTreeSet<&'static str> {
    let conditions = check.when.iter().chain([&check.require]).flat_map(|predicate| predicate.paths());
    let sentences = [Some(&check.message), Some(&check.remediation), check.subject.as_ref()];
    let fixes = check.fix.iter().flat_map(|proposal| proposal.paths());
    let holes = sentences.into_iter().flatten().flat_map(Template::paths);
    let heads =
        conditions.chain(holes).chain(fixes).chain(check.for_each.as_deref()).filter_map(|path| path.split('.').next());
    heads.filter_map(|head| PROBES.iter().find(|probe| probe.name == head)).map(|probe| probe.name).collect()
}

/// All findings, worst first. `facts` belong to `agents`, in order; a check that looks at no agent runs once.
pub fn findings(policy: &Policy, os: Os, agents: &[String], facts: &[Facts]) -> Vec<Finding> {
    let mut all: Vec<Finding> = policy
        .checks
        .par_iter()
        .flat_map_iter(|check| {
            let per_agent =
                probes_of(check).iter().any(|name| PROBES.iter().any(|p| p.name == *name && p.per == Per::Agent));
            let runs = if per_agent { facts.len() } else { 1.min(facts.len()) };
            let each = (0..runs).flat_map(move |at| {
                let run = Run {
                    check,
                    os,
                    agent: per_agent.then(|| agents[at].as_str()),
                    facts: &facts[at].0,
                    parameters: &policy.parameters,
                };
                run.findings()
            });
            shared(each.collect())
        })
        .collect();
    sort(&mut all);
    all
}

/// What is said of two agents in the same words, on the same evidence, is one finding: of the first, with the names of
/// all. What holds for both stays apart, so that nothing hides that it was asked of each.
fn shared(findings: Vec<Finding>) -> Vec<Finding> {
    let mut apart: Vec<Finding> = Vec::with_capacity(findings.len());
    let mut known: HashMap<(Option<String>, String), usize> = HashMap::new();
    for finding in findings {
        let bad = matches!(finding.status, Status::Fail | Status::Unknown);
        let key = (finding.subject.clone(), finding.message.clone());
        let first = known.get(&key).copied().filter(|_| bad).and_then(|at| apart.get_mut(at));
        match (first, &finding.agent) {
            (Some(first), Some(agent)) if says_the_same(first, &finding) => {
                first.agent = first.agent.take().map(|names| format!("{names}, {agent}"));
            }
            _ => {
                known.insert(key, apart.len());
                apart.push(finding);
            }
        }
    }
    apart
}

fn says_the_same(a: &Finding, b: &Finding) -> bool {
    let same = (a.status, &a.evidence, &a.unseen, &a.remediation) == (b.status, &b.evidence, &b.unseen, &b.remediation);
    // Twice of one agent is twice.
    same && a
        .agent
        .as_ref()
        .is_some_and(|names| b.agent.as_ref().is_some_and(|agent| !names.split(", ").any(|n| n == agent)))
}

/// Puts findings in the order of reports; again after waivers and a baseline changed some.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| order(a).cmp(&order(b)));
}

/// Failures before unknowns before the rest; worst first; then by name.
fn order(finding: &Finding) -> impl Ord + '_ {
    (finding.status, std::cmp::Reverse(finding.severity), &finding.check, &finding.agent, &finding.subject)
}

/// Stable across runs, lines and machines.
pub fn fingerprint(check: &str, agent: Option<&str>, subject: Option<&str>) -> String {
    let key = [check, agent.unwrap_or_default(), subject.unwrap_or_default()].join("\0");
    crate::model::hex(&Sha256::digest(key.as_bytes())[..8])
}

/// One check on the facts of one agent.
struct Run<'a> {
    check: &'a Arc<Check>,
    os: Os,
    agent: Option<&'a str>,
    facts: &'a BTreeMap<&'static str, Value>,
    parameters: &'a Parameters,
}

impl<'a> Run<'a> {
    fn findings(&self) -> Vec<Finding> {
        let scope = Scope { facts: self.facts, bound: Vec::new() };
        if !self.check.os.contains(&self.os) {
            return vec![self.finding(
                &scope,
                None,
                not_applicable(format!("does not apply to {}", self.os.name()), Vec::new()),
            )];
        }
        match &self.check.for_each {
            None => vec![self.finding(&scope, None, self.judge(&scope))],
            Some(list) => self.each(list, &scope),
        }
    }

    /// One finding for each item that fails or cannot be told; else one for all of them.
    fn each(&self, list: &str, scope: &Scope<'a>) -> Vec<Finding> {
        let found = match scope.find(list) {
            Ok(found) => found,
            Err(unseen) => return vec![self.finding(scope, None, unknown(vec![unseen], Vec::new()))],
        };
        let items = found.value.as_array().map(Vec::as_slice).unwrap_or_default();
        let mut bad = Vec::new();
        let (mut concerned, mut evidence, mut apart) = (0, Vec::new(), BTreeSet::new());
        for (at, item) in items.iter().enumerate() {
            let inside = scope.at("item", &found, at, item);
            let judged = self.judge(&inside);
            match judged.status {
                Status::Fail | Status::Unknown => {
                    // What is not known as a whole has no name either.
                    let words = self.check.subject.as_ref().filter(|_| inside.find("item").is_ok());
                    let subject = words.map(|words| fill(words, &inside, self.parameters));
                    bad.push(self.finding(&inside, subject, judged));
                }
                Status::NotApplicable => {
                    apart.insert(judged.message);
                }
                _ => {
                    concerned += 1;
                    evidence.extend(judged.evidence);
                }
            }
        }
        if !bad.is_empty() {
            return for_one_reason(bad);
        }
        let judged = match (items.len(), concerned) {
            (0, _) if found.value.is_array() && self.check.empty == Empty::Pass => Judged {
                status: Status::Pass,
                message: "nothing of the kind was found".into(),
                evidence: vec![Evidence { fact: found.shown, value: found.value.clone(), at: found.at }],
                unseen: Vec::new(),
            },
            (0, _) => not_applicable(format!("`{list}` has no items"), Vec::new()),
            // One reason for all of them is the reason.
            (_, 0) if apart.len() == 1 => not_applicable(apart.pop_first().unwrap_or_default(), Vec::new()),
            (all, 0) => not_applicable(format!("none of the {all} items of `{list}` is concerned"), Vec::new()),
            (_, good) => Judged {
                status: Status::Pass,
                message: format!("holds for all {good} of `{list}`"),
                evidence,
                unseen: Vec::new(),
            },
        };
        vec![self.finding(scope, None, judged)]
    }

    fn judge(&self, scope: &Scope<'a>) -> Judged {
        if let Some(when) = &self.check.when {
            let Answer { truth, evidence, unseen } = decide(when, scope, self.parameters);
            match truth {
                Truth::Yes => {}
                Truth::No => return not_applicable(why_not(&evidence), evidence),
                Truth::Unknown => return unknown(unseen, evidence),
            }
        }
        let Answer { truth, evidence, unseen } = decide(&self.check.require, scope, self.parameters);
        match truth {
            Truth::Yes => Judged { status: Status::Pass, message: "holds".into(), evidence, unseen },
            Truth::Unknown => unknown(unseen, evidence),
            Truth::No => {
                let message = fill(&self.check.message, scope, self.parameters);
                Judged { status: Status::Fail, message, evidence, unseen }
            }
        }
    }

    fn finding(&self, scope: &Scope<'a>, subject: Option<String>, judged: Judged) -> Finding {
        let check = self.check;
        let mut evidence = judged.evidence;
        evidence.dedup();
        Finding {
            check: check.id.clone(),
            code: check.code.clone(),
            title: check.title.clone(),
            severity: check.severity,
            confidence: check.confidence,
            scope: check.scope,
            status: judged.status,
            agent: self.agent.map(str::to_owned),
            fingerprint: fingerprint(&check.id, self.agent, subject.as_deref()),
            subject,
            message: judged.message,
            evidence,
            unseen: judged.unseen,
            remediation: fill(&check.remediation, scope, self.parameters),
            waiver: None,
            controls: check.controls.clone(),
            fix: match judged.status {
                Status::Fail | Status::Unknown => super::wish::wishes(check, scope, self.parameters),
                _ => Vec::new(),
            },
        }
    }
}

/// So many items are named where one reason keeps all of them unknown.
const NAMED: usize = 5;

/// Items that cannot be told for the same reasons are one finding, at the place of the first: a closed folder is one
/// thing that could not be told, not one for each file that could be in it.
fn for_one_reason(findings: Vec<Finding>) -> Vec<Finding> {
    let mut apart: Vec<(Finding, Vec<Option<String>>)> = Vec::with_capacity(findings.len());
    let mut known: HashMap<Vec<String>, usize> = HashMap::new();
    for finding in findings {
        let subject = finding.subject.clone();
        if finding.status == Status::Unknown {
            let reasons: Vec<String> = finding.unseen.iter().map(|unseen| unseen.why.clone()).collect();
            if let Some((first, subjects)) = known.get(&reasons).and_then(|at| apart.get_mut(*at)) {
                first.evidence.extend(finding.evidence);
                subjects.push(subject);
                continue;
            }
            known.insert(reasons, apart.len());
        }
        apart.push((finding, vec![subject]));
    }
    apart.into_iter().map(|(finding, subjects)| about_all(finding, subjects)).collect()
}

/// The same finding, about several items; they are named where all have names.
fn about_all(mut finding: Finding, subjects: Vec<Option<String>>) -> Finding {
    if subjects.len() < 2 {
        return finding;
    }
    if let Some(names) = subjects.into_iter().collect::<Option<Vec<String>>>() {
        let named = names.iter().take(NAMED).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let more = names.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        finding.message = format!("{} (about {named}{more})", finding.message);
    }
    finding.subject = None;
    finding.fingerprint = fingerprint(&finding.check, finding.agent.as_deref(), None);
    finding.evidence.dedup();
    finding
}

/// An outcome before it gets its words.
struct Judged {
    status: Status,
    message: String,
    evidence: Vec<Evidence>,
    unseen: Vec<Unseen>,
}

fn not_applicable(message: String, evidence: Vec<Evidence>) -> Judged {
    Judged { status: Status::NotApplicable, message, evidence, unseen: Vec::new() }
}

/// Why a condition does not hold, in the facts that settled it.
fn why_not(evidence: &[Evidence]) -> String {
    let facts: Vec<String> = evidence.iter().take(3).map(|e| format!("`{}` is {}", e.fact, short(&e.value))).collect();
    if facts.is_empty() {
        return "its condition does not hold here".into();
    }
    plain(&format!("does not apply: {}", facts.join(", "))).into_owned()
}

/// A value in a few words.
fn short(value: &Value) -> String {
    match said(value) {
        Some(_) if value.is_object() => "present".into(),
        None => "absent".into(),
        Some(text) if text.chars().count() > 60 => text.chars().take(59).chain(['…']).collect(),
        Some(text) => text,
    }
}

fn unknown(mut unseen: Vec<Unseen>, evidence: Vec<Evidence>) -> Judged {
    let mut known = BTreeSet::new();
    unseen.retain(|unseen| known.insert(unseen.why.clone()));
    let why: Vec<&str> = unseen.iter().map(|unseen| unseen.why.as_str()).collect();
    Judged { status: Status::Unknown, message: format!("could not tell: {}", why.join("; ")), evidence, unseen }
}

/// Fills a sentence. What has no value is said as such, or the clause around it is not said.
fn fill(template: &Template, scope: &Scope<'_>, parameters: &Parameters) -> String {
    let value = |path: &str| match path.strip_prefix('$') {
        Some(name) => parameters.0.get(name).and_then(said),
        None => scope.find(path).map_or_else(|_| Some("(unknown)".into()), |found| said(found.value)),
    };
    plain(&template.fill(&value)).into_owned()
}

/// A value in a sentence; None where it says nothing.
pub(super) fn said(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) => {
            let items: Vec<String> = items.iter().enumerate().map(|(at, item)| item_said(item, at)).collect();
            let has_comma = items.iter().any(|item| item.contains(", "));
            Some(items.join(if has_comma { "; " } else { ", " }))
        }
        other => Some(other.to_string()),
    }
}

fn item_said(item: &Value, at: usize) -> String {
    match item {
        Value::Object(_) => item_name(item, at),
        other => said(other).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Confidence, Severity};

    fn finding(agent: &str, status: Status, message: &str) -> Finding {
        Finding {
            check: "a".into(),
            code: "A-01".into(),
            title: String::new(),
            severity: Severity::Low,
            confidence: Confidence::High,
            scope: crate::model::Scope::Repo,
            status,
            agent: Some(agent.into()),
            subject: None,
            message: message.into(),
            evidence: Vec::new(),
            unseen: Vec::new(),
            remediation: String::new(),
            fingerprint: fingerprint("a", Some(agent), None),
            waiver: None,
            controls: BTreeMap::new(),
            fix: Vec::new(),
        }
    }

    #[test]
    fn items_unknown_for_one_reason_are_one_finding() {
        let unseen = |subject: Option<&str>, why: &str| {
            let status = if why.is_empty() { Status::Fail } else { Status::Unknown };
            let unseen = (!why.is_empty()).then(|| Unseen::new(why, "run with sudo")).into_iter().collect();
            Finding { subject: subject.map(str::to_owned), unseen, ..finding("opencode", status, why) }
        };
        let said = |findings: Vec<Finding>| -> Vec<(Option<String>, String)> {
            for_one_reason(findings).into_iter().map(|finding| (finding.subject, finding.message)).collect()
        };
        let apart = |items: &[(Option<&str>, &str)]| -> Vec<(Option<String>, String)> {
            items.iter().map(|(subject, message)| (subject.map(str::to_owned), (*message).to_owned())).collect()
        };
        assert_eq!(
            said(vec![unseen(None, "x"), unseen(Some("b"), "y"), unseen(None, "x"), unseen(Some("c"), "")]),
            apart(&[(None, "x"), (Some("b"), "y"), (Some("c"), "")]),
        );
        assert_eq!(said(vec![unseen(Some("b"), "x"), unseen(None, "x")]), apart(&[(None, "x")]));
        assert_eq!(said(vec![unseen(Some("a"), "x"), unseen(Some("b"), "x")]), apart(&[(None, "x (about `a`, `b`)")]),);
        assert_eq!(said(vec![unseen(Some("a"), ""), unseen(Some("b"), "")]).len(), 2, "failures stay apart");
    }

    #[test]
    fn what_two_agents_share_is_one_finding() {
        let agents = |findings: Vec<Finding>| -> Vec<String> {
            shared(findings).into_iter().filter_map(|finding| finding.agent).collect()
        };
        let [a, b] = ["opencode", "generic"].map(|agent| finding(agent, Status::Fail, "wide"));
        assert_eq!(shared(vec![a.clone(), b.clone()])[0].fingerprint, a.fingerprint);
        assert_eq!(agents(vec![a.clone(), b]), ["opencode, generic"]);
        assert_eq!(agents(vec![a.clone(), a.clone()]), ["opencode", "opencode"], "twice of one agent is twice");
        assert_eq!(agents(vec![a.clone(), finding("generic", Status::Fail, "wider")]), ["opencode", "generic"]);
        assert_eq!(agents(vec![a, finding("generic", Status::Unknown, "wide")]), ["opencode", "generic"]);
        let passes = ["opencode", "generic"].map(|agent| finding(agent, Status::Pass, "holds"));
        assert_eq!(agents(passes.into()), ["opencode", "generic"]);
    }
}
