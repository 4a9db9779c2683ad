//! Waivers and baselines, laid over findings.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::model::{Finding, Policy, Status, WaiverNote, WaiverProblem};

/// Marks waived failures, and returns the waivers that covered none.
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
    let unused = policy.waivers.iter().zip(used).filter(|(_, used)| !used);
    unused
        .map(|(waiver, _)| WaiverProblem {
            check: waiver.check.clone(),
            subject: waiver.subject.clone(),
            problem: "covers no failing finding; remove it".into(),
        })
        .collect()
}

/// Marks failures that the baseline had already.
pub fn apply_baseline(known: &BTreeSet<String>, findings: &mut [Finding]) {
    for finding in findings.iter_mut().filter(|finding| finding.status == Status::Fail) {
        if known.contains(&finding.fingerprint) {
            finding.status = Status::Known;
        }
    }
}
