//! Where the time of an audit went.

use std::time::Duration;

use super::Look;
use super::console::{Sheet, Tone, heading};

/// The steps of an audit in `steps`, then each probe, slowest first. Probes run side by side: their times add up to
/// more than the step that holds them.
pub fn timings(steps: &[(&str, Duration)], probes: &[(String, Duration)], look: Look) -> String {
    let mut probes = probes.to_vec();
    probes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let section = |title: &str, rows: Vec<(&str, Duration)>| {
        let mut sheet = Sheet::new(look, 2, &[10]);
        for (name, took) in rows {
            sheet.row(&[(&millis(took), Tone::Plain), (name, Tone::Plain)]);
        }
        format!("{}{}", heading(look, title), sheet.text())
    };
    let probes = probes.iter().map(|(name, took)| (name.as_str(), *took)).collect();
    section("time by step", steps.to_vec()) + &section("time by probe", probes)
}

fn millis(took: Duration) -> String {
    format!("{:>7.2} ms", took.as_secs_f64() * 1000.0)
}
