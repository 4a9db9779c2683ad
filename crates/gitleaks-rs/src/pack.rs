//! The embedded rules as a start needs them: without the texts that only tests and people read, and with the literals
//! that were found in their expressions. Made of `rules.toml`, and held against it by a test.

use serde::{Deserialize, Serialize};

use crate::Config;
use crate::anchor::{Anchor, Literal};
use crate::config::{AllowlistConfig, RuleConfig};

/// One line a rule.
const PACK: &str = include_str!("../pack.jsonl");

/// A line of the pack: first what holds for all rules, then each rule.
#[derive(Serialize, Deserialize)]
enum Line {
    Allowlist(AllowlistConfig),
    Rule(Box<RuleConfig>, Option<Known>),
}

/// What the expression of a rule was found to hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// Each as its bytes, and a bit for each byte that may also be in upper case.
    literals: Vec<(String, u16)>,
    before: Option<usize>,
    behind: Option<usize>,
}

impl From<&Anchor> for Known {
    fn from(anchor: &Anchor) -> Self {
        let written = |literal: &Literal| {
            let bits = literal.folded.iter().enumerate().map(|(at, folded)| u16::from(*folded) << at);
            (literal.bytes.iter().map(|byte| char::from(*byte)).collect(), bits.sum())
        };
        let Anchor { literals, before, behind } = anchor;
        Self { literals: literals.iter().map(written).collect(), before: *before, behind: *behind }
    }
}

impl From<Known> for Anchor {
    fn from(known: Known) -> Self {
        let literal = |(text, bits): (String, u16)| Literal {
            folded: (0..text.chars().count()).map(|at| bits >> at & 1 == 1).collect(),
            bytes: text.chars().map(|letter| u8::try_from(letter).unwrap_or(b'?')).collect(),
        };
        Self { literals: known.literals.into_iter().map(literal).collect(), before: known.before, behind: known.behind }
    }
}

/// The allowlists of all rules, and the rules with what is known of them.
pub(crate) fn read() -> (Vec<AllowlistConfig>, Vec<(RuleConfig, Option<Anchor>)>) {
    let (mut lists, mut rules) = (Vec::new(), Vec::new());
    for line in PACK.lines() {
        match serde_json::from_str(line).expect("a test reads the pack") {
            Line::Allowlist(list) => lists.push(list),
            Line::Rule(rule, known) => rules.push((*rule, known.map(Anchor::from))),
        }
    }
    (lists, rules)
}

/// The pack of a configuration.
fn text(config: Config) -> String {
    let lists = config.allowlists.into_iter().map(Line::Allowlist);
    let rules = config.rules.into_iter().map(|mut rule| {
        (rule.examples, rule.negatives) = (Vec::new(), Vec::new());
        let known = crate::rule::anchor(&rule).as_ref().map(Known::from);
        Line::Rule(Box::new(rule), known)
    });
    let lines = lists.chain(rules).map(|line| serde_json::to_string(&line).expect("plain values") + "\n");
    lines.collect()
}

/// The embedded pack as it should be; what the test and `examples/pack.rs` compare it with.
#[doc(hidden)]
pub fn current() -> (String, bool) {
    let text = text(Config::embedded());
    let same = text == PACK;
    (text, same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pack_is_what_the_rules_say() {
        assert!(current().1, "write it anew: cargo run -p gitleaks-rs --example pack");
        let (lists, rules) = read();
        let config = Config::embedded();
        assert_eq!(lists, config.allowlists);
        assert_eq!(rules.len(), config.rules.len());
        for ((packed, anchor), mut rule) in rules.into_iter().zip(config.rules) {
            assert_eq!(anchor, crate::rule::anchor(&rule), "{}", rule.id);
            (rule.examples, rule.negatives) = (Vec::new(), Vec::new());
            assert_eq!(packed, rule);
        }
    }
}
