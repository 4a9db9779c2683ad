//! Rules of pf as `pfctl -sr` prints them, and what they do to what an account sends. Pure.
//!
//! pf asks all rules in order and the last that matches decides, unless one says `quick`. A word that is not known
//! makes a rule one that may match.

/// What becomes of a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum PfFate {
    Passed,
    Blocked,
    /// It cannot be told; because of which rule.
    Untold(String),
}

/// A packet on its way out.
#[derive(Clone, Copy, Debug)]
pub(super) struct PfPacket<'a> {
    pub(super) v6: bool,
    pub(super) protocol: &'a str,
    pub(super) to: &'a str,
    pub(super) port: u16,
    pub(super) uid: u32,
    pub(super) on_loopback: bool,
}

/// The rules of `pfctl -a '*' -sr` in their order: an anchor's own rules stand in braces behind it. The condition that
/// an anchor may have itself is left out, so its rules count for more than they may; in practice it is `all`.
pub(super) fn flat(text: &str) -> Vec<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && *line != "}");
    let rules = lines.filter(|line| line.starts_with("pass") || line.starts_with("block"));
    rules.map(str::to_owned).collect()
}

/// What the rules do with a packet.
pub(super) fn fate(rules: &[String], packet: PfPacket<'_>, number: &dyn Fn(&str) -> Option<u32>) -> PfFate {
    let mut last = PfFate::Passed;
    let mut maybe: Vec<(PfFate, String)> = Vec::new();
    for rule in rules {
        let words: Vec<&str> = rule.split_whitespace().collect();
        let fate = if words.first() == Some(&"block") { PfFate::Blocked } else { PfFate::Passed };
        match (matches(&words, packet, number), words.contains(&"quick")) {
            (Some(false), _) => {}
            (Some(true), true) => return settle(fate, maybe),
            (Some(true), false) => last = fate,
            (None, true) => maybe.push((fate, rule.clone())),
            (None, false) if last != fate => last = PfFate::Untold(rule.clone()),
            (None, false) => {}
        }
    }
    settle(last, maybe)
}

/// The outcome, unless a rule that may have decided before says otherwise.
fn settle(fate: PfFate, maybe: Vec<(PfFate, String)>) -> PfFate {
    let other = maybe.into_iter().find(|(other, _)| *other != fate);
    other.map_or(fate, |(_, rule)| PfFate::Untold(rule))
}

/// Whether a rule is about a packet. None where a word is not understood.
fn matches(words: &[&str], packet: PfPacket<'_>, number: &dyn Fn(&str) -> Option<u32>) -> Option<bool> {
    let mut unclear = false;
    let mut at = 1;
    while let Some(word) = words.get(at).copied() {
        at += 1;
        let next = words.get(at).copied().unwrap_or_default();
        let answer = match word {
            "in" => Some(false),
            "out" | "quick" | "drop" | "return" | "return-rst" | "return-icmp" | "log" | "all" | "any" => Some(true),
            "inet" => Some(!packet.v6),
            "inet6" => Some(packet.v6),
            "from" => {
                at += 1;
                (next == "any").then_some(true)
            }
            "on" => {
                at += 1;
                on(next, packet)
            }
            "proto" => {
                at += 1;
                Some(next == packet.protocol)
            }
            "to" => {
                let (answer, taken) = destination(words.get(at..).unwrap_or_default(), packet);
                at += taken;
                answer
            }
            "port" => {
                let (answer, taken) =
                    compared(words.get(at..).unwrap_or_default(), packet.port.into(), &|name| service(name));
                at += taken;
                answer
            }
            "user" => {
                let (answer, taken) = compared(words.get(at..).unwrap_or_default(), packet.uid, number);
                at += taken;
                answer
            }
            // How a passed connection is followed and called, not what it is.
            "flags" | "label" | "tag" => {
                at += 1;
                Some(true)
            }
            "keep" | "modulate" | "synproxy" | "no" if next == "state" => {
                at += 1;
                Some(true)
            }
            _ => None,
        };
        match answer {
            Some(false) => return Some(false),
            Some(true) => {}
            None => unclear = true,
        }
    }
    (!unclear).then_some(true)
}

fn on(interface: &str, packet: PfPacket<'_>) -> Option<bool> {
    match (interface, packet.on_loopback) {
        ("lo0" | "lo", here) => Some(here),
        (_, true) => Some(false),
        _ => None,
    }
}

/// An address behind `to`, and how many words it takes.
fn destination(words: &[&str], packet: PfPacket<'_>) -> (Option<bool>, usize) {
    let negated = words.first() == Some(&"!");
    let taken = usize::from(negated) + 1;
    let Some(word) = words.get(taken - 1) else { return (None, taken) };
    let answer = match *word {
        "any" => Some(true),
        literal => within(literal, packet),
    };
    (answer.map(|is| is != negated), taken)
}

fn within(literal: &str, packet: PfPacket<'_>) -> Option<bool> {
    let (v6, low, high) = super::nft::literal_span(literal)?;
    let (_, to, _) = super::nft::literal_span(packet.to)?;
    Some(v6 == packet.v6 && low <= to && to <= high)
}

/// `= 502`, `502`, `>= 500`, `500 >< 600`, and how many words it takes.
fn compared(words: &[&str], have: u32, number: &dyn Fn(&str) -> Option<u32>) -> (Option<bool>, usize) {
    let value = |at: usize| words.get(at).and_then(|word| word.parse().ok().or_else(|| number(word)));
    match words.first().copied().unwrap_or_default() {
        op @ ("=" | "!=" | "<" | ">" | "<=" | ">=") => {
            let answer = value(1).map(|wanted: u32| match op {
                "=" => have == wanted,
                "!=" => have != wanted,
                "<" => have < wanted,
                ">" => have > wanted,
                "<=" => have <= wanted,
                _ => have >= wanted,
            });
            (answer, 2)
        }
        first => match first.split_once(':') {
            Some((low, high)) => {
                (low.parse().ok().zip(high.parse().ok()).map(|(l, h): (u32, u32)| l <= have && have <= h), 1)
            }
            None if matches!(words.get(1), Some(&("><" | "<>"))) => (None, 3),
            None => (value(0).map(|wanted: u32| have == wanted), 1),
        },
    }
}

/// Names of services that pfctl prints instead of numbers.
fn service(name: &str) -> Option<u32> {
    [("domain", 53), ("http", 80), ("https", 443), ("ssh", 22), ("domain-s", 853)]
        .into_iter()
        .find(|(known, _)| *known == name)
        .map(|(_, port)| port)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(rules: &str, to: &str, port: u16) -> PfFate {
        let packet =
            PfPacket { v6: to.contains(':'), protocol: "tcp", to, port, uid: 502, on_loopback: to.starts_with("127.") };
        fate(&flat(rules), packet, &|name| (name == "agent").then_some(502))
    }

    #[test]
    fn the_last_rule_decides_unless_one_is_quick() {
        let (b, p) = (PfFate::Blocked, PfFate::Passed);
        for (rules, to, expected) in [
            ("", "203.0.113.7", p.clone()),
            ("block drop out quick proto tcp all user = 502", "203.0.113.7", b.clone()),
            ("block drop out proto tcp all user = 502\npass out all flags S/SA keep state", "203.0.113.7", p.clone()),
            ("block drop out quick proto tcp all user = 502\npass out all flags S/SA", "203.0.113.7", b.clone()),
            ("pass out quick all\nblock drop out quick proto tcp all user = 502", "203.0.113.7", p.clone()),
            ("block drop in quick proto tcp all user = 502", "203.0.113.7", p.clone()),
            ("block drop out quick inet proto tcp all user = 502", "2001:db8::7", p.clone()),
            ("block drop out quick proto udp all user = 502", "203.0.113.7", p.clone()),
            ("block drop out quick proto tcp all user = 503", "203.0.113.7", p.clone()),
            ("block drop out quick proto tcp all user agent", "203.0.113.7", b.clone()),
            (
                "anchor \"harden\" all {\n  pass out quick on lo0 proto tcp from any to 127.0.0.1 port = 11434 user = 502\n  block return out quick proto tcp all user = 502\n}",
                "127.0.0.1",
                b.clone(),
            ),
            ("block drop out quick inet from any to ! 192.0.2.10 user = 502", "192.0.2.10", p),
            (
                "block drop out quick proto tcp from any to <bad> user = 502",
                "203.0.113.7",
                PfFate::Untold("block drop out quick proto tcp from any to <bad> user = 502".into()),
            ),
            (
                "pass out quick on en0 all\nblock drop out quick proto tcp all user = 502",
                "203.0.113.7",
                PfFate::Untold("pass out quick on en0 all".into()),
            ),
        ] {
            assert_eq!(told(rules, to, 443), expected, "{rules}");
        }
    }
}
