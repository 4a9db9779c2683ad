//! The addresses and ports at which a ruleset changes its mind: between two of them everything is treated alike.

use std::collections::BTreeSet;

use serde_json::Value;

use super::ruleset::Ruleset;
use super::value::{Key, span};

/// The addresses and ports at which rules change their mind.
pub(super) struct Marks {
    v4: BTreeSet<(u128, u128)>,
    v6: BTreeSet<(u128, u128)>,
    pub(super) ports: Vec<u16>,
}

impl Marks {
    pub(super) fn of(rules: &Ruleset) -> Self {
        let mut marks = Self { v4: BTreeSet::new(), v6: BTreeSet::new(), ports: Vec::new() };
        let mut ports: BTreeSet<u16> = BTreeSet::new();
        let exprs = rules.chains.iter().flat_map(|chain| &chain.rules).flat_map(|rule| &rule.expr);
        for value in exprs.chain(rules.sets.values().flatten()) {
            marks.collect(value, &mut ports);
        }
        // Well-known first, so that an answer names a place that people recognise.
        marks.ports = vec![443, 80, 1, 1024, 65535];
        marks.ports.extend(ports.into_iter().filter(|port| ![443, 80, 1, 1024, 65535].contains(port)));
        marks
    }

    fn collect(&mut self, value: &Value, ports: &mut BTreeSet<u16>) {
        let numbers =
            value.get("range").and_then(Value::as_array).is_some_and(|list| list.iter().any(Value::is_number));
        if !numbers && !value.is_number() {
            let ordered = |key| span(key, value).filter(|(low, high)| low <= high);
            let (v4, v6) = (ordered(Key::Address4), ordered(Key::Address6));
            self.v4.extend(v4);
            self.v6.extend(v6);
            if v4.or(v6).is_some() {
                return;
            }
        }
        match value {
            Value::Number(number) => {
                let near = number.as_u64().and_then(|n| u16::try_from(n).ok()).into_iter();
                ports.extend(near.flat_map(|n| [n.saturating_sub(1).max(1), n.max(1), n.saturating_add(1)]));
            }
            Value::Array(list) => list.iter().for_each(|item| self.collect(item, ports)),
            Value::Object(object) => object
                .iter()
                .filter(|(key, _)| !NO_PLACE.contains(&key.as_str()))
                .for_each(|(_, item)| self.collect(item, ports)),
            _ => {}
        }
    }

    fn spans(&self, v6: bool) -> &BTreeSet<(u128, u128)> {
        if v6 { &self.v6 } else { &self.v4 }
    }

    /// What is named one by one: at most a /24, or a /64.
    pub(super) fn narrow(&self, v6: bool) -> Vec<(u128, u128)> {
        let most = if v6 { u128::from(u64::MAX) } else { 255 };
        self.spans(v6).iter().copied().filter(|(low, high)| high - low <= most).collect()
    }

    /// One address of every stretch that lies in the ranges, an ordinary one first.
    pub(super) fn addresses(&self, v6: bool, ranges: &[(u128, u128)]) -> Vec<u128> {
        let usual = if v6 { 0x2001_0db8 << 96 | 7 } else { 0xcb00_7107 };
        let edges = ranges.iter().flat_map(|(low, high)| [low | 1, *low, *high]);
        let marks =
            self.spans(v6).iter().flat_map(|(low, high)| [low.saturating_sub(1), *low, *high, high.saturating_add(1)]);
        let mut found: Vec<u128> = Vec::new();
        let mut seen = BTreeSet::new();
        for to in std::iter::once(usual).chain(edges).chain(marks) {
            if ranges.iter().any(|(low, high)| *low <= to && to <= *high) && seen.insert(to) {
                found.push(to);
            }
        }
        found
    }
}

/// Numbers under these keys count packets or name things.
const NO_PLACE: [&str; 6] = ["counter", "limit", "log", "quota", "meta", "mangle"];
