//! Waivers and baselines, laid over findings.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::model::{Finding, Policy, Status, Waiver, WaiverNote, WaiverProblem};

/// A waiver that ends within so many days is announced.
const WARN_DAYS: i64 = 14;

/// Marks waived failures, and returns what is to be done about waivers: those that end soon, and those that cover
/// nothing although their check ran and could tell.
pub fn apply_waivers(policy: &Policy, findings: &mut [Finding], today: Date) -> Vec<WaiverProblem> {
    let mut used = vec![false; policy.waivers.len()];
    for finding in findings.iter_mut().filter(|finding| finding.status == Status::Fail) {
        let cover = policy.waivers.iter().position(|waiver| {
            waiver.names(&finding.check, &finding.code)
                && waiver.subject.as_ref().is_none_or(|subject| finding.subject.as_ref() == Some(subject))
        });
        let Some(at) = cover else { continue };
        used[at] = true;
        let waiver = &policy.waivers[at];
        finding.status = Status::Waived;
        finding.waiver = Some(WaiverNote {
            reason: waiver.reason.clone(),
            owner: waiver.owner.clone(),
            expires: waiver.expires.clone(),
            days_left: waiver.days_left(today).unwrap_or(0),
        });
    }
    let told = |waiver: &Waiver| {
        let mut about = findings.iter().filter(|finding| waiver.names(&finding.check, &finding.code)).peekable();
        about.peek().is_some() && about.all(|finding| finding.status != Status::Unknown)
    };
    let problem = |(waiver, used)| waiver_problem(waiver, used, told(waiver), today);
    policy.waivers.iter().zip(used).filter_map(problem).collect()
}

/// What is to be done about a waiver: it ends soon, or it covers nothing although all that it could cover was `told`.
pub fn waiver_problem(waiver: &Waiver, used: bool, told: bool, today: Date) -> Option<WaiverProblem> {
    let days = waiver.days_left(today).unwrap_or(0);
    let problem = match used {
        true if days <= WARN_DAYS => {
            format!("ends on {} ({days} days left); renew it with its owner, {}", waiver.expires, waiver.owner)
        }
        false if told => "covers no failing finding; remove it".to_owned(),
        _ => return None,
    };
    Some(WaiverProblem { check: waiver.check.clone(), subject: waiver.subject.clone(), problem })
}

/// Marks failures that the baseline had already.
pub fn apply_baseline(known: &BTreeSet<String>, findings: &mut [Finding]) {
    for finding in findings.iter_mut().filter(|finding| finding.status == Status::Fail) {
        if known.contains(&finding.fingerprint) {
            finding.status = Status::Known;
        }
    }
}
