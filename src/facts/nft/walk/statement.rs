//! What one statement of a rule does to the packet that comes by.

use serde_json::Value;

use super::super::packet::{Field, Packet};
use super::super::ruleset::{Chain, jump_target};
use super::super::step::{Ends, Step, effect, fields, mangle, redirect, spoken, under_limit};
use super::super::value::{Key, flags, literal, member_of_tuple};
use super::Walk;

impl Walk<'_> {
    pub(super) fn statement(&self, chain: &Chain, statement: &Value, packet: &mut Packet, depth: usize) -> Step {
        let Some((kind, body)) = statement.as_object().and_then(|object| object.iter().next()) else {
            return Step::Maybe("an expression that is no object".into());
        };
        match kind.as_str() {
            "match" => self.compare(chain, body, packet),
            "vmap" => self.choose(chain, body, packet, depth),
            "accept" | "drop" | "reject" | "return" | "continue" | "jump" | "goto" => {
                self.verdict(chain, statement, packet, depth)
            }
            "counter" | "log" | "notrack" | "masquerade" | "snat" | "dup" | "flow" => effect(kind, packet),
            "limit" => under_limit(body),
            "mangle" => mangle(body, packet),
            "dnat" | "redirect" => redirect(kind, body, packet),
            "set" if body.get("stmt").is_none() => Step::On,
            "queue" => {
                let why = vec![format!("a program decides: `queue` in `{}`", chain.place())];
                Step::End(Ends { accepted: true, stopped: true, why, ..Ends::default() })
            }
            "xt" => {
                let name = body.get("name").and_then(Value::as_str).unwrap_or("unnamed");
                Step::Maybe(format!("the iptables module `{name}` is not understood"))
            }
            other => Step::Maybe(format!("`{other}` is not understood")),
        }
    }

    fn compare(&self, chain: &Chain, body: &Value, packet: &Packet) -> Step {
        let (Some(left), Some(right)) = (body.get("left"), body.get("right")) else {
            return Step::Maybe("a comparison of another form".into());
        };
        let Some(have) = fields(packet, left) else {
            return Step::Maybe(format!("{} is not understood", spoken(left)));
        };
        if have.iter().any(|(_, field)| *field == Field::Missing) {
            return Step::Out;
        }
        let op = body.get("op").and_then(Value::as_str).unwrap_or_default();
        match self.holds(chain, op, &have, right) {
            Some(true) => Step::On,
            Some(false) => Step::Out,
            None if have.iter().any(|(_, field)| matches!(field, Field::Untold | Field::Outside)) => {
                Step::Maybe(format!("{} cannot be told beforehand", spoken(left)))
            }
            None => Step::Maybe(format!("the value of {} is not understood", spoken(left))),
        }
    }

    fn holds(&self, chain: &Chain, op: &str, have: &[(Key, Field)], right: &Value) -> Option<bool> {
        if let ([(Key::TcpFlags, Field::Number(bits))], Some(wanted)) = (have, flags(Key::TcpFlags, right)) {
            return match op {
                "in" => Some(bits & wanted != 0),
                "==" => Some(*bits == wanted),
                "!=" => Some(*bits != wanted),
                _ => None,
            };
        }
        match op {
            "==" | "in" => member_of_tuple(self.rules, &chain.table, right, have),
            "!=" => member_of_tuple(self.rules, &chain.table, right, have).map(|is| !is),
            "<" | ">" | "<=" | ">=" => {
                let [(key, Field::Number(number))] = have else { return None };
                let bound = literal(*key, right)?;
                Some(match op {
                    "<" => *number < bound,
                    ">" => *number > bound,
                    "<=" => *number <= bound,
                    _ => *number >= bound,
                })
            }
            _ => None,
        }
    }

    /// A verdict map: the first element whose key fits decides.
    fn choose(&self, chain: &Chain, body: &Value, packet: &mut Packet, depth: usize) -> Step {
        let unclear = |what: String| {
            let why = vec![format!("{what} in a verdict map of `{}`", chain.place())];
            Step::End(Ends { accepted: true, stopped: true, passed: true, why, ..Ends::default() })
        };
        let (Some(left), Some(data)) = (body.get("key"), body.get("data")) else {
            return unclear("another form".into());
        };
        let Some(have) = fields(packet, left) else { return unclear(format!("{} is not understood", spoken(left))) };
        if have.iter().any(|(_, field)| *field == Field::Missing) {
            return Step::Out;
        }
        let Some(pairs) = self.rules.elements(&chain.table, data) else {
            return unclear("a map that is not listed".into());
        };
        for pair in pairs {
            let (Some(key), Some(verdict)) = (pair.get(0), pair.get(1)) else {
                return unclear("an element of another form".into());
            };
            let fits = if key.as_str() == Some("*") {
                Some(true)
            } else {
                member_of_tuple(self.rules, &chain.table, key, &have)
            };
            match fits {
                Some(true) => return self.verdict(chain, verdict, packet, depth),
                Some(false) => {}
                None => return unclear(format!("the value of {} is not understood", spoken(left))),
            }
        }
        Step::Out
    }

    fn verdict(&self, chain: &Chain, verdict: &Value, packet: &mut Packet, depth: usize) -> Step {
        if let Some(name) = jump_target(verdict) {
            let Some(target) = self.rules.chain(&chain.table, &name) else {
                return Step::Maybe(format!("a jump to `{name}`, which is not listed,"));
            };
            let ends = self.chain(target, packet, depth + 1);
            let undecided = ends.passed || ends.returned;
            let jumps = verdict.get("jump").is_some();
            return Step::End(Ends { passed: undecided && jumps, returned: undecided && !jumps, ..ends });
        }
        let has = |name: &str| verdict.get(name).is_some();
        Step::End(if has("accept") {
            Ends { accepted: true, ..Ends::default() }
        } else if has("drop") || has("reject") {
            Ends { stopped: true, ..Ends::default() }
        } else {
            let returned = has("return");
            Ends { passed: !returned, returned, ..Ends::default() }
        })
    }
}
