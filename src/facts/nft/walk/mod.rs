//! Follows a packet through the chains in its way.
//!
//! A rule that may or may not match leaves both outcomes open, so the result is a set: could it be accepted, could it
//! be stopped. Only a set of one is an answer.

mod statement;

use std::cell::Cell;

use super::packet::{Interface, Packet};
use super::ruleset::{Chain, Rule, Ruleset};
use super::step::{Ends, Step};

/// As deep as the kernel lets chains call each other.
const DEPTH: usize = 16;
/// Rules looked at for one packet, and for all of them; beyond it the answer is unknown.
const STEPS: u32 = 100_000;
const ALL_STEPS: u32 = 2_000_000;
/// Reasons kept for an unknown answer.
const REASONS: usize = 3;

/// What becomes of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It gets through; by which rule or policy.
    Through(String),
    /// It does not; by which rule or policy.
    Stopped(String),
    /// It goes somewhere else, and gets through there.
    Sent(u128, Option<u16>),
    /// It cannot be told; why.
    Untold(String),
}

pub(super) struct Walk<'a> {
    rules: &'a Ruleset,
    steps: Cell<u32>,
    all_steps: Cell<u32>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(rules: &'a Ruleset) -> Self {
        Self { rules, steps: Cell::new(0), all_steps: Cell::new(0) }
    }

    /// What becomes of the first packet of a connection on its way out, and in again where it stays here.
    pub(super) fn fate(&self, packet: &Packet) -> Fate {
        self.all_steps.set(self.all_steps.get().saturating_add(self.steps.replace(0)));
        if self.all_steps.get() > ALL_STEPS {
            return Fate::Untold("the ruleset is too large to follow for every place".into());
        }
        let mut packet = packet.clone();
        let (mut why, mut by, mut sent) = (Vec::new(), None, None);
        let mut hooks = vec!["output", "postrouting"];
        let mut next = 0;
        while let Some(hook) = hooks.get(next).copied() {
            next += 1;
            if hook == "prerouting" {
                let came = std::mem::replace(&mut packet.leaves, Interface::None);
                packet.arrives = came;
                packet.owner = None;
            }
            for chain in self.chains(hook, &packet) {
                let mut ends = self.base(chain, &mut packet);
                if ends.stopped && !ends.accepted {
                    return Fate::Stopped(ends.stops.unwrap_or_default());
                }
                if ends.stopped {
                    why.append(&mut ends.why);
                }
                by = better(by, ends.accepts);
                if let Some((to, port)) = ends.sent {
                    packet.to = to;
                    packet.port = port.or(packet.port);
                    packet.leaves =
                        if packet.is_loopback() { Interface::Named("lo".into()) } else { Interface::Outside };
                    sent = Some((to, packet.port));
                }
            }
            if hook == "postrouting" {
                hooks.extend(if packet.is_loopback() { &["prerouting", "input"][..] } else { &["egress"] });
            }
        }
        why.extend(self.rules.unseen.iter().map(|what| format!("{what} may stop it")));
        if !why.is_empty() {
            why.dedup();
            why.truncate(REASONS);
            return Fate::Untold(why.join("; "));
        }
        match sent {
            Some((to, port)) => Fate::Sent(to, port),
            None => Fate::Through(by.unwrap_or_else(|| "no chain stands in its way".into())),
        }
    }

    fn chains(&self, hook: &str, packet: &Packet) -> Vec<&'a Chain> {
        let families: &[&str] = match (hook, packet.v6) {
            ("egress", _) => &["netdev", "inet"],
            (_, true) => &["inet", "ip6"],
            (_, false) => &["inet", "ip"],
        };
        let mut chains = self.rules.on_hook(hook, families);
        if let (true, Interface::Named(name)) = (hook == "egress", &packet.leaves) {
            let on = |c: &&Chain| c.hook.as_ref().is_some_and(|h| h.devices.is_empty() || h.devices.contains(name));
            chains.retain(on);
        }
        chains
    }

    fn base(&self, chain: &Chain, packet: &mut Packet) -> Ends {
        let Some(hook) = &chain.hook else { return Ends::default() };
        if hook.nat && packet.untracked {
            return Ends { accepted: true, ..Ends::default() };
        }
        let mut ends = self.chain(chain, packet, 0);
        if ends.passed || ends.returned {
            let policy = |does: &str| Some(format!("no rule of `{}` {does} it, and its policy", chain.place()));
            if hook.drops {
                ends.stopped = true;
                ends.stops = ends.stops.or(Some(format!("the drop policy of `{}`", chain.place())));
            } else {
                ends.accepted = true;
                ends.accepts = ends.accepts.or_else(|| policy("stops").map(|text| format!("{text} is accept")));
            }
        }
        if hook.name == "egress" && ends.stopped && packet.leaves == Interface::Outside {
            ends.accepted = true;
            ends.why.push(format!("`{}` stands on some interfaces only", chain.place()));
        }
        ends
    }

    fn chain(&self, chain: &Chain, packet: &mut Packet, depth: usize) -> Ends {
        let mut all = Ends::default();
        for rule in &chain.rules {
            self.steps.set(self.steps.get() + 1);
            if depth > DEPTH || self.steps.get() > STEPS {
                all.why.push("the chains call each other too deeply to follow".into());
                return Ends { accepted: true, stopped: true, passed: true, ..all };
            }
            let Some((ends, sure)) = self.rule(chain, rule, packet, depth) else { continue };
            let goes_on = ends.passed;
            all.returned |= ends.returned;
            all.accepted |= ends.accepted;
            all.stopped |= ends.stopped;
            all.why.extend(ends.why);
            all.accepts = all.accepts.or(ends.accepts);
            all.stops = all.stops.or(ends.stops);
            all.sent = all.sent.or(ends.sent);
            if sure && !goes_on {
                return all;
            }
        }
        Ends { passed: true, ..all }
    }

    /// The ends a rule can lead to, and whether it matches for sure. None where it has no say.
    fn rule(&self, chain: &Chain, rule: &Rule, packet: &mut Packet, depth: usize) -> Option<(Ends, bool)> {
        let mut maybe: Option<String> = None;
        for statement in &rule.expr {
            if let (Some(why), true) = (&maybe, statement.get("notrack").is_some()) {
                let why = vec![why.clone()];
                return Some((Ends { accepted: true, stopped: true, passed: true, why, ..Ends::default() }, false));
            }
            match self.statement(chain, statement, packet, depth) {
                Step::On => {}
                Step::Out => return None,
                Step::Maybe(what) => {
                    maybe.get_or_insert_with(|| format!("{what} in rule `{}` of `{}`", rule.text, chain.place()));
                }
                Step::End(mut ends) => {
                    let named = || Some(format!("`{}` in `{}`", rule.text, chain.place()));
                    if ends.accepted && ends.accepts.is_none() {
                        ends.accepts = named();
                    }
                    if ends.stopped && ends.stops.is_none() {
                        ends.stops = named();
                    }
                    let sure = maybe.is_none();
                    if let Some(why) = maybe.filter(|_| ends.accepted || ends.stopped || ends.returned) {
                        ends.why.push(why);
                    }
                    if !sure && ends.sent.take().is_some() {
                        (ends.accepted, ends.stopped) = (true, true);
                    }
                    return Some((ends, sure));
                }
            }
        }
        None
    }
}

/// An explicit rule says more than a policy.
fn better(old: Option<String>, new: Option<String>) -> Option<String> {
    match (old, new) {
        (Some(old), Some(new)) => Some(if new.starts_with('`') { new } else { old }),
        (old, new) => old.or(new),
    }
}

#[cfg(test)]
mod tests {
    use super::super::packet::{TCP, UDP};
    use super::*;

    /// A base chain on output and a chain `sub`, from the expressions of their rules.
    fn ruleset(output: &[&str], sub: &[&str], policy: &str) -> Ruleset {
        let rules = |chain: &str, list: &[&str]| -> String {
            let rule = |expr: &&str| {
                format!(r#",{{"rule":{{"family":"inet","table":"t","chain":"{chain}","handle":1,"expr":[{expr}]}}}}"#)
            };
            list.iter().map(rule).collect()
        };
        let json = format!(
            r#"{{"nftables":[{{"chain":{{"family":"inet","table":"t","name":"o","type":"filter","hook":"output","prio":0,"policy":"{policy}"}}}},
            {{"chain":{{"family":"inet","table":"t","name":"sub"}}}}{}{}]}}"#,
            rules("o", output),
            rules("sub", sub)
        );
        Ruleset::parse(&json, "").expect("parses")
    }

    fn fate(rules: &Ruleset, protocol: u8) -> &'static str {
        let packet = Packet {
            v6: false,
            protocol,
            to: 0xcb00_7107,
            port: Some(443),
            owner: Some((990, 990)),
            leaves: Interface::Outside,
            arrives: Interface::None,
            marked: false,
            untracked: false,
        };
        match Walk::new(rules).fate(&packet) {
            Fate::Through(_) => "through",
            Fate::Stopped(_) => "stopped",
            Fate::Sent(..) => "sent",
            Fate::Untold(_) => "untold",
        }
    }

    const USER: &str = r#"{"match":{"op":"==","left":{"meta":{"key":"skuid"}},"right":990}}"#;
    const ODD: &str = r#"{"match":{"op":"==","left":{"socket":{"key":"mark"}},"right":1}}"#;
    const ACCEPT: &str = r#"{"accept":null}"#;
    const DROP: &str = r#"{"drop":null}"#;
    const JUMP: &str = r#"{"jump":{"target":"sub"}}"#;
    const GOTO: &str = r#"{"goto":{"target":"sub"}}"#;
    const RETURN: &str = r#"{"return":null}"#;

    #[test]
    fn chains_end_where_the_kernel_ends_them() {
        let both = |a: &str, b: &str| format!("{a},{b}");
        let (user_drop, odd_accept, odd_drop) = (both(USER, DROP), both(ODD, ACCEPT), both(ODD, DROP));
        let odd_jump = both(ODD, JUMP);
        for (output, sub, policy, expected) in [
            (vec![], vec![], "accept", "through"),
            (vec![], vec![], "drop", "stopped"),
            (vec![user_drop.as_str()], vec![], "accept", "stopped"),
            (vec![ACCEPT, &user_drop], vec![], "accept", "through"),
            (vec![JUMP, DROP], vec![RETURN, ACCEPT], "accept", "stopped"),
            (vec![GOTO, DROP], vec![RETURN], "accept", "through"),
            (vec![GOTO, ACCEPT], vec![], "drop", "stopped"),
            (vec![RETURN, DROP], vec![], "accept", "through"),
            (vec![&odd_accept, DROP], vec![], "accept", "untold"),
            (vec![&odd_drop, DROP], vec![], "accept", "stopped"),
            (vec![&odd_accept], vec![], "accept", "through"),
            (vec![&odd_jump, DROP], vec![ACCEPT], "accept", "untold"),
            (vec![&odd_jump, DROP], vec![RETURN], "accept", "stopped"),
            (vec![r#"{"queue":null}"#], vec![], "accept", "untold"),
            (vec![r#"{"xt":null},{"drop":null}"#], vec![], "accept", "untold"),
        ] {
            assert_eq!(fate(&ruleset(&output, &sub, policy), TCP), expected, "{output:?} {sub:?} {policy}");
        }
    }

    #[test]
    fn a_rule_about_another_protocol_is_out_even_when_it_says_not() {
        let not_443 =
            r#"{"match":{"op":"!=","left":{"payload":{"protocol":"tcp","field":"dport"}},"right":443}},{"drop":null}"#;
        let rules = ruleset(&[not_443], &[], "accept");
        assert_eq!(fate(&rules, UDP), "through");
    }

    #[test]
    fn chains_in_a_circle_end_unknown() {
        let rules = ruleset(&[JUMP], &[JUMP, JUMP], "accept");
        assert_eq!(fate(&rules, TCP), "untold");
    }
}
