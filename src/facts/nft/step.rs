//! What single statements do to a packet's way.

use serde_json::Value;

use super::packet::{Field, Packet};
use super::value::{Key, literal};

/// Where a packet can leave a chain.
#[derive(Debug, Default)]
pub(super) struct Ends {
    pub(super) accepted: bool,
    pub(super) stopped: bool,
    /// The next rule is looked at.
    pub(super) passed: bool,
    /// The chain is left without a decision.
    pub(super) returned: bool,
    /// What was not understood on the way.
    pub(super) why: Vec<String>,
    /// The rule that accepts.
    pub(super) accepts: Option<String>,
    /// The rule that stops.
    pub(super) stops: Option<String>,
    /// Where a rule sends it instead.
    pub(super) sent: Option<(u128, Option<u16>)>,
}

/// How a statement deals with the packet.
pub(super) enum Step {
    /// The next statement is looked at.
    On,
    /// The rule does not match.
    Out,
    /// The rule may match.
    Maybe(String),
    /// The packet's way in this chain ends here, or forks.
    End(Ends),
}

/// What `left` of a comparison finds: one field, or several in a row.
pub(super) fn fields(packet: &Packet, left: &Value) -> Option<Vec<(Key, Field)>> {
    match left.get("concat").and_then(Value::as_array) {
        Some(parts) => parts.iter().map(|part| packet.field(part)).collect(),
        None => Some(vec![packet.field(left)?]),
    }
}

/// Statements that decide nothing about acceptance.
pub(super) fn effect(kind: &str, packet: &mut Packet) -> Step {
    match kind {
        "notrack" => packet.untracked = true,
        "masquerade" | "snat" => return Step::End(Ends { accepted: true, ..Ends::default() }),
        _ => {}
    }
    Step::On
}

/// The first packet after a while is always under a limit.
pub(super) fn under_limit(body: &Value) -> Step {
    if body.get("inv").and_then(Value::as_bool) == Some(true) { Step::Out } else { Step::On }
}

pub(super) fn mangle(body: &Value, packet: &mut Packet) -> Step {
    let key = body.get("key");
    let part = |kind: &str| key.and_then(|key| key.get(kind)?.get("key")?.as_str());
    match (part("meta"), part("ct")) {
        (Some("mark"), _) | (_, Some("mark")) => packet.marked = true,
        (Some("priority" | "nftrace" | "pkttype"), _) | (_, Some("label" | "zone")) => {}
        _ => return Step::Maybe("`mangle` is not understood".into()),
    }
    Step::On
}

/// A rule of a nat chain that sends the packet elsewhere.
pub(super) fn redirect(kind: &str, body: &Value, packet: &Packet) -> Step {
    let key = if packet.v6 { Key::Address6 } else { Key::Address4 };
    let here = if packet.v6 { 1 } else { 0x7f00_0001 };
    let to = if kind == "redirect" { Some(here) } else { body.get("addr").and_then(|addr| literal(key, addr)) };
    let port = body.get("port").map(|port| literal(Key::Port, port).and_then(|port| u16::try_from(port).ok()));
    match (to, port) {
        (Some(to), None) => Step::End(Ends { accepted: true, sent: Some((to, None)), ..Ends::default() }),
        (Some(to), Some(Some(port))) => {
            Step::End(Ends { accepted: true, sent: Some((to, Some(port))), ..Ends::default() })
        }
        _ => {
            let why = vec![format!("the target of `{kind}` is not understood")];
            Step::End(Ends { accepted: true, stopped: true, why, ..Ends::default() })
        }
    }
}

/// An expression by the word it starts with: `numgen`, `meta cgroup`.
pub(super) fn spoken(left: &Value) -> String {
    let Some((kind, body)) = left.as_object().and_then(|object| object.iter().next()) else {
        return "an expression".into();
    };
    let word = |name: &str| body.get(name).and_then(Value::as_str);
    match (word("protocol"), word("field"), word("key")) {
        (Some(protocol), Some(field), _) => format!("`{protocol} {field}`"),
        (_, _, Some(key)) => format!("`{kind} {key}`"),
        _ => format!("`{kind}`"),
    }
}

/// `192.0.2.1 port 443`.
pub(super) fn place(v6: bool, to: u128, port: Option<u16>) -> String {
    let address = address(v6, to);
    port.map_or_else(|| address.clone(), |port| format!("{address} port {port}"))
}

/// An address as people write it.
pub(super) fn address(v6: bool, to: u128) -> String {
    if v6 {
        std::net::Ipv6Addr::from(to).to_string()
    } else {
        u32::try_from(to).map(|to| std::net::Ipv4Addr::from(to).to_string()).unwrap_or_default()
    }
}
