//! The table of probes: to which places would a new connection be accepted?
//!
//! Rules cut addresses and ports into stretches that are treated alike, so it is enough to try the edges of every
//! stretch the ruleset names. An answer of "blocked" therefore holds for the whole range of a probe.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::marks::Marks;
use super::packet::{Interface, Packet, TCP, UDP};
use super::questions::{DNS, DNS_PORTS, GENERAL_4, GENERAL_6, LOOPBACK, Ports, Question};
use super::ruleset::Ruleset;
use super::step::{address, place};
use super::value::{Key, span};
use super::walk::{Fate, Walk};
use crate::model::Look;

/// Combinations of address, port, group and interface tried for one probe.
const POINTS: usize = 4_000;
/// Openings listed.
const OPENINGS: usize = 100;

/// Whether the account gets through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(in crate::facts) enum Word {
    /// A new connection would be accepted, to at least one undeclared place of the range.
    Open,
    /// None would.
    Blocked,
}

/// Probes that are judged together.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::facts) struct Group {
    /// Open where one of them is.
    pub(in crate::facts) verdict: Look<Word>,
    /// The open ones, with the rule or policy that lets them through.
    pub(in crate::facts) open: Vec<String>,
    /// All of them.
    pub(in crate::facts) probes: Vec<Probe>,
}

impl Group {
    /// What another filter than nftables lets through.
    pub(in crate::facts) fn of(open: Look<Vec<String>>) -> Self {
        let verdict = open.clone().map(|open| if open.is_empty() { Word::Blocked } else { Word::Open });
        Self { verdict, open: open.known().cloned().unwrap_or_default(), probes: Vec::new() }
    }
}

/// A question about one kind of connection.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::facts) struct Probe {
    /// What is tried.
    pub(in crate::facts) name: String,
    /// The answer.
    pub(in crate::facts) verdict: Look<Word>,
    /// A place that was tried first, where it is open.
    pub(in crate::facts) to: Option<String>,
    /// What decided.
    pub(in crate::facts) by: String,
}

/// An address that the rules name one by one, or that the profile declares.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::facts) struct Opening {
    /// The address, range or host name.
    pub(in crate::facts) name: String,
    /// Whether the profile declares it, in `allowed_hosts` or as `model_endpoint`.
    pub(in crate::facts) declared: Look<bool>,
    /// Whether the rules let the account reach it.
    pub(in crate::facts) reachable: Look<bool>,
}

/// Addresses of one family, lowest and highest, with the port they are meant for where one is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::facts) struct Span {
    pub(in crate::facts) v6: bool,
    pub(in crate::facts) low: u128,
    pub(in crate::facts) high: u128,
    pub(in crate::facts) port: Option<u16>,
    /// As the profile writes it.
    pub(in crate::facts) name: String,
}

/// What the profile says the account may reach.
#[derive(Clone, Debug, Default)]
pub(in crate::facts) struct Declared {
    pub(in crate::facts) spans: Vec<Span>,
    pub(in crate::facts) loopback_ports: Vec<u16>,
    /// Host names whose addresses only a name server knows.
    pub(in crate::facts) names: Vec<String>,
}

/// Where packets for other machines leave.
#[derive(Clone, Debug)]
pub(in crate::facts) struct Network {
    pub(in crate::facts) out4: Vec<Interface>,
    pub(in crate::facts) out6: Vec<Interface>,
}

/// All answers.
#[derive(Debug)]
pub(in crate::facts) struct Reach {
    pub(in crate::facts) ipv4: Group,
    pub(in crate::facts) ipv6: Group,
    pub(in crate::facts) dns: Group,
    pub(in crate::facts) loopback: Group,
    pub(in crate::facts) allowed: Vec<Opening>,
}

/// Asks every question for the account with this number and these groups.
pub(in crate::facts) fn reach(
    rules: &Ruleset,
    uid: u32,
    groups: &[u32],
    network: &Network,
    declared: &Declared,
    v6_on: bool,
) -> Reach {
    let asker = Asker { walk: Walk::new(rules), uid, groups, network, declared, marks: Marks::of(rules) };
    let ipv4 = asker.group(&GENERAL_4);
    let ipv6 = asker.group(&GENERAL_6);
    let dns = asker.group(if v6_on { &DNS } else { &DNS[..6] });
    let loopback = asker.group(if v6_on { &LOOPBACK } else { &LOOPBACK[..2] });
    let shut = |group: &Group| group.verdict != Look::Known(Word::Open);
    let allowed = asker.openings([(false, shut(&ipv4)), (true, shut(&ipv6))]);
    Reach { ipv4, ipv6, dns, loopback, allowed }
}

struct Asker<'a> {
    walk: Walk<'a>,
    uid: u32,
    groups: &'a [u32],
    network: &'a Network,
    declared: &'a Declared,
    marks: Marks,
}

impl Asker<'_> {
    fn group(&self, questions: &[Question]) -> Group {
        let probes: Vec<Probe> = questions.iter().map(|question| self.probe(question)).collect();
        let dns = questions.iter().all(|question| matches!(question.ports, Ports::Dns));
        let open = open(&probes, if dns { resolvers } else { by_destination });
        let untold = probes.iter().find_map(|probe| match &probe.verdict {
            Look::Unknown(unseen) => Some(Look::Unknown(unseen.clone())),
            Look::Known(_) => None,
        });
        let verdict = match (open.is_empty(), untold) {
            (false, _) => Look::Known(Word::Open),
            (true, Some(untold)) => untold,
            (true, None) => Look::Known(Word::Blocked),
        };
        Group { verdict, open, probes }
    }

    fn probe(&self, question: &Question) -> Probe {
        let named = if question.but_named { self.marks.narrow(question.v6) } else { Vec::new() };
        let free = |to: u128| !named.iter().any(|(low, high)| *low <= to && to <= *high);
        let places = self.marks.addresses(question.v6, question.ranges).into_iter().filter(|to| free(*to));
        let ports = self.ports(question);
        let name = question.name.to_owned();
        let answer = self.try_all(question.v6, question.protocol, places, &ports);
        let (verdict, to, by) = match answer {
            Answer::Open(at, by) => (Look::Known(Word::Open), Some(at), by),
            Answer::Blocked(by) => (Look::Known(Word::Blocked), None, by),
            Answer::Untold(why) => (untold(&name, &why), None, why),
        };
        Probe { name, verdict, to, by }
    }

    fn ports(&self, question: &Question) -> Vec<Option<u16>> {
        match question.ports {
            Ports::None => vec![None],
            Ports::Dns => DNS_PORTS.iter().map(|port| Some(*port)).collect(),
            Ports::Any => self.marks.ports.iter().filter(|port| !DNS_PORTS.contains(port)).map(|p| Some(*p)).collect(),
        }
    }

    /// Tries every combination until one gets through.
    fn try_all(&self, v6: bool, protocol: u8, places: impl Iterator<Item = u128>, ports: &[Option<u16>]) -> Answer {
        let (mut tried, mut untold, mut by) = (0, None, String::new());
        for to in places {
            for port in ports.iter().filter(|port| !self.is_declared(v6, to, **port)) {
                for packet in self.packets(v6, protocol, to, *port) {
                    tried += 1;
                    if tried > POINTS {
                        return Answer::Untold("the rules name too many addresses and ports to try them all".into());
                    }
                    match self.walk.fate(&packet) {
                        Fate::Through(by) => return Answer::Open(place(v6, to, *port), self.by(&packet, by)),
                        Fate::Stopped(rule) => by = rule,
                        Fate::Untold(why) => untold = untold.or(Some(why)),
                        Fate::Sent(to, port) if self.is_declared(v6, to, port) => {
                            by = format!("the rules send it to {}, which is declared", place(v6, to, port));
                        }
                        Fate::Sent(to, port) => {
                            let to = place(v6, to, port);
                            untold =
                                untold.or(Some(format!("the rules send it to {to}, and what that does is not seen")));
                        }
                    }
                }
            }
        }
        untold.map_or(Answer::Blocked(by), Answer::Untold)
    }

    fn packets(&self, v6: bool, protocol: u8, to: u128, port: Option<u16>) -> Vec<Packet> {
        let lo = [Interface::Named("lo".into())];
        let packet = |leaves: &Interface, group: u32| Packet {
            v6,
            protocol,
            to,
            port,
            owner: Some((self.uid, group)),
            leaves: leaves.clone(),
            arrives: Interface::None,
            marked: false,
            untracked: false,
        };
        let ways: &[Interface] = match (packet(&lo[0], 0).is_loopback(), v6) {
            (true, _) => &lo,
            (_, true) => &self.network.out6,
            (_, false) => &self.network.out4,
        };
        ways.iter().flat_map(|way| self.groups.iter().map(move |group| packet(way, *group))).collect()
    }

    /// What decided, with the group that it takes where that is not the main one.
    fn by(&self, packet: &Packet, by: String) -> String {
        let other = packet.owner.map(|(_, group)| group).filter(|group| self.groups.first() != Some(group));
        other.map_or(by.clone(), |group| format!("{by}, in group {group}"))
    }

    fn is_declared(&self, v6: bool, to: u128, port: Option<u16>) -> bool {
        let loopback = if v6 { to == 1 } else { to >> 24 == 127 };
        if loopback && port.is_some_and(|port| self.declared.loopback_ports.contains(&port)) {
            return true;
        }
        self.declared.spans.iter().any(|span| {
            let here = span.v6 == v6 && span.low <= to && to <= span.high;
            // "127.0.0.1" without a port would declare every service of the machine.
            here && if loopback {
                span.port.is_some() && span.port == port
            } else {
                span.port.is_none() || span.port == port
            }
        })
    }

    /// Addresses that rules name one by one and let through, then those that are declared.
    fn openings(&self, families: [(bool, bool); 2]) -> Vec<Opening> {
        let mut found = Vec::new();
        for (v6, _) in families.iter().filter(|(_, shut)| *shut) {
            let loopback = |low: u128| if *v6 { low == 1 } else { low >> 24 == 127 };
            let narrow = self.marks.narrow(*v6).into_iter().filter(|(low, _)| !loopback(*low) && *low != 0);
            for (low, high) in narrow {
                let declared = self.declared.spans.iter().any(|s| s.v6 == *v6 && s.low <= low && high <= s.high);
                if declared {
                    continue;
                }
                let name = if low == high {
                    address(*v6, low)
                } else {
                    format!("{}-{}", address(*v6, low), address(*v6, high))
                };
                let reachable = self.reaches(*v6, low, None);
                if reachable != Look::Known(false) {
                    found.push(Opening { declared: self.undeclared(&name), name, reachable });
                }
            }
        }
        found.truncate(OPENINGS);
        let spans = self.declared.spans.iter().filter(|span| families.contains(&(span.v6, true)));
        found.extend(spans.map(|span| Opening {
            name: span.name.clone(),
            declared: Look::Known(true),
            reachable: self.reaches(span.v6, span.low, span.port),
        }));
        found.extend(self.declared.names.iter().map(|name| Opening {
            name: name.clone(),
            declared: Look::Known(true),
            reachable: Look::unknown(
                format!("the addresses of `{name}` are known to name servers only, and an audit asks nobody"),
                "declare the addresses that the rules hold, or pin the name in /etc/hosts",
            ),
        }));
        found
    }

    /// An address that no literal declares could still belong to a declared name.
    fn undeclared(&self, address: &str) -> Look<bool> {
        if self.declared.names.is_empty() {
            return Look::Known(false);
        }
        let names = self.declared.names.join(", ");
        Look::unknown(
            format!("whether {address} belongs to {names} only a name server knows, and an audit asks nobody"),
            "declare the addresses that the rules hold, or pin the name in /etc/hosts",
        )
    }

    /// Whether anything at an address can be reached, on any port or on this one.
    fn reaches(&self, v6: bool, to: u128, port: Option<u16>) -> Look<bool> {
        let all: Vec<Option<u16>> = self.marks.ports.iter().map(|port| Some(*port)).collect();
        let ports = port.map_or(all, |port| vec![Some(port)]);
        let mut untold = None;
        for protocol in [TCP, UDP] {
            for packet in ports.iter().flat_map(|port| self.packets(v6, protocol, to, *port)).take(POINTS) {
                match self.walk.fate(&packet) {
                    Fate::Through(_) | Fate::Sent(..) => return Look::Known(true),
                    Fate::Untold(why) => untold = untold.or(Some(why)),
                    Fate::Stopped(_) => {}
                }
            }
        }
        untold.map_or(Look::Known(false), |why| Look::unknown(why, "look at the rule by hand"))
    }
}

/// The open ones in words; those that the same rule lets through together.
fn open(probes: &[Probe], words: fn(&[&Probe]) -> String) -> Vec<String> {
    let mut by_rule: Vec<(&str, Vec<&Probe>)> = Vec::new();
    for probe in probes.iter().filter(|probe| probe.to.is_some()) {
        match by_rule.iter_mut().find(|(by, ..)| *by == probe.by) {
            Some((_, open)) => open.push(probe),
            None => by_rule.push((&probe.by, vec![probe])),
        }
    }
    by_rule.into_iter().map(|(by, open)| format!("{}: {by}", words(&open))).collect()
}

/// `TCP, UDP to the internet (203.0.113.7 port 443), private networks (10.0.0.1 port 443)`: what is tried the same way
/// stands together.
fn by_destination(open: &[&Probe]) -> String {
    let mut all: Vec<(&str, Vec<&str>, &str)> = Vec::new();
    for probe in open {
        let (protocol, place) = probe.name.split_once(" to ").unwrap_or(("", &probe.name));
        match all.iter_mut().find(|(known, ..)| *known == place) {
            Some((_, protocols, _)) => protocols.push(protocol.trim_start_matches("DNS over ")),
            None => all.push((place, vec![protocol], probe.to.as_deref().unwrap_or_default())),
        }
    }
    let mut told: Vec<String> = Vec::new();
    let mut before = String::new();
    for (place, protocols, to) in all {
        let protocols = protocols.join(", ");
        let lead = if protocols.is_empty() || protocols == before { "" } else { &format!("{protocols} to ") };
        told.push(format!("{lead}{place} ({to})"));
        before = protocols;
    }
    told.join(", ")
}

/// `DNS over UDP to loopback, private networks (IPv4 and IPv6, port 53)`: the same few places each time, so that an
/// address is told only where it is the one.
fn resolvers(open: &[&Probe]) -> String {
    let (mut protocols, mut places, mut ports) = (Vec::new(), Vec::new(), Vec::new());
    let (mut v4, mut v6) = (false, false);
    let add = |list: &mut Vec<String>, word: &str| {
        if !list.iter().any(|known| known == word) {
            list.push(word.to_owned());
        }
    };
    for probe in open {
        let (protocol, place) = probe.name.split_once(" to ").unwrap_or(("", &probe.name));
        let (address, port) = probe.to.as_deref().and_then(|to| to.split_once(" port ")).unwrap_or_default();
        add(&mut protocols, protocol.trim_start_matches("DNS over "));
        add(&mut places, if place.contains("resolver") { "loopback" } else { place.trim_end_matches(" over IPv6") });
        add(&mut ports, port);
        v6 |= address.contains(':');
        v4 |= !address.contains(':');
    }
    let protocols = protocols.join(", ");
    if let [only] = open {
        return format!("DNS over {protocols} to {}", only.to.as_deref().unwrap_or_default());
    }
    let families = match (v4, v6) {
        (true, true) => "IPv4 and IPv6",
        (false, true) => "IPv6",
        _ => "IPv4",
    };
    format!("DNS over {protocols} to {} ({families}, port {})", places.join(", "), ports.join(", "))
}

enum Answer {
    Open(String, String),
    Blocked(String),
    Untold(String),
}

fn untold(name: &str, why: &str) -> Look<Word> {
    Look::unknown(format!("whether {name} is open: {why}"), "look at the rule by hand, or write it more plainly")
}

/// The literal address or prefix a text is.
pub(in crate::facts) fn literal_span(text: &str) -> Option<(bool, u128, u128)> {
    let (host, length) = match text.split_once('/') {
        Some((host, length)) => (host, Some(length.parse::<u64>().ok()?)),
        None => (text, None),
    };
    let v6 = host.contains(':');
    let key = if v6 { Key::Address6 } else { Key::Address4 };
    let value = match length {
        Some(len) => serde_json::json!({ "prefix": { "addr": host, "len": len } }),
        None => Value::String(host.to_owned()),
    };
    span(key, &value).map(|(low, high)| (v6, low, high))
}
