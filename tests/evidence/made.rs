//! Saved audits and attestations made by hand.

use std::collections::BTreeMap;

use harden::catalog::{self, Types};
use harden::evidence::{Assessment, Saved, assess, saved};
use harden::model::{Attestation, Framework};
use harden::report::{Report, json};

pub(crate) fn framework(name: &str) -> Framework {
    let checks = catalog::checks(&Types::default()).expect("checks load");
    catalog::framework(name, &checks).unwrap_or_else(|error| panic!("{error}"))
}

/// A framework whose controls are named by findings alone, so that a test is not about our mapping.
pub(crate) fn bare(name: &str) -> Framework {
    catalog::framework(name, &BTreeMap::new()).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn kept(name: &str, report: &Report) -> Saved {
    saved(name, json(report).as_bytes()).expect("reads back")
}

pub(crate) fn attestation(task: &str, date: &str, expires: &str) -> Attestation {
    Attestation {
        task: task.into(),
        statement: "All developers were trained this year.".into(),
        owner: "security team".into(),
        date: date.into(),
        expires: expires.into(),
        evidence: "https://wiki.example/training".into(),
    }
}

/// The day of the sample's audit.
pub(crate) fn assessment(framework: &Framework, audits: &[Saved], attestations: &[Attestation]) -> Assessment {
    assess(framework, audits, attestations, &[], "2030-01-02".parse().expect("a date"))
}
