//! The right side of comparisons: numbers, names, ranges, prefixes, sets.

use std::net::{Ipv4Addr, Ipv6Addr};

use serde_json::Value;

use super::packet::Field;
use super::ruleset::{Ruleset, Table};
use crate::facts::three;

/// What a comparison is about; it decides how names are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    User,
    Group,
    Protocol,
    Family,
    EtherType,
    Interface,
    Address4,
    Address6,
    Port,
    Icmp,
    Icmp6,
    State,
    Direction,
    TcpFlags,
    AddressType,
    Number,
}

/// Whether `have` is what `right` says. None where that is not understood.
pub(super) fn member(rules: &Ruleset, table: &Table, key: Key, right: &Value, have: &Field) -> Option<bool> {
    let any = |list: &[Value]| three::any(list.iter().map(|item| member(rules, table, key, item, have)));
    match right {
        Value::String(name) if name.starts_with('@') => any(rules.elements(table, right)?),
        Value::Array(list) => any(list),
        Value::Object(object) => {
            let (kind, body) = object.iter().next()?;
            match (kind.as_str(), body) {
                ("set", Value::Array(list)) => any(list),
                ("elem", body) => member(rules, table, key, body.get("val")?, have),
                ("range", _) | ("prefix", _) => {
                    let (low, high) = span(key, right)?;
                    number(have).map(|n| low <= n && n <= high)
                }
                _ => None,
            }
        }
        single => match have {
            Field::Outside => (single.as_str() == Some("lo")).then_some(false),
            Field::Name(name) => single.as_str().map(|pattern| named(pattern, name)),
            _ => Some(literal(key, single)? == number(have)?),
        },
    }
}

/// Whether a tuple of fields is what `right` says.
pub(super) fn member_of_tuple(rules: &Ruleset, table: &Table, right: &Value, have: &[(Key, Field)]) -> Option<bool> {
    if let [(key, field)] = have {
        return member(rules, table, *key, right, field);
    }
    if let Some(list) = rules.elements(table, right) {
        return three::any(list.iter().map(|item| member_of_tuple(rules, table, item, have)));
    }
    if let Some(inner) = right.get("elem").and_then(|elem| elem.get("val")) {
        return member_of_tuple(rules, table, inner, have);
    }
    let parts = right.get("concat").and_then(Value::as_array)?;
    if parts.len() != have.len() {
        return None;
    }
    three::all(parts.iter().zip(have).map(|(part, (key, field))| member(rules, table, *key, part, field)))
}

/// An interface name; `*` at the end of the pattern stands for any rest.
fn named(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

fn number(field: &Field) -> Option<u128> {
    match field {
        Field::Number(number) => Some(*number),
        _ => None,
    }
}

/// The lowest and highest number of a range or prefix, or a single one twice.
pub(super) fn span(key: Key, value: &Value) -> Option<(u128, u128)> {
    if let Some(prefix) = value.get("prefix") {
        let low = literal(key, prefix.get("addr")?)?;
        let bits = if key == Key::Address6 { 128 } else { 32 };
        let length = u32::try_from(prefix.get("len")?.as_u64()?).ok().filter(|length| *length <= bits)?;
        let rest = if length == 0 && bits == 128 { u128::MAX } else { (1u128 << (bits - length)) - 1 };
        return Some((low & !rest, low | rest));
    }
    match value.get("range").and_then(Value::as_array).map(Vec::as_slice) {
        Some([low, high]) => Some((literal(key, low)?, literal(key, high)?)),
        Some(_) => None,
        None => literal(key, value).map(|n| (n, n)),
    }
}

/// A number, or a name that stands for one.
pub(super) fn literal(key: Key, value: &Value) -> Option<u128> {
    if let Some(number) = value.as_u64() {
        return Some(number.into());
    }
    let text = value.as_str()?;
    match key {
        Key::Address4 => text.parse::<Ipv4Addr>().ok().map(|a| u128::from(u32::from(a))),
        Key::Address6 => text.parse::<Ipv6Addr>().ok().map(u128::from),
        _ => {
            let named = names(key).iter().find(|(name, _)| *name == text).map(|(_, number)| *number);
            named.or_else(|| text.parse().ok())
        }
    }
}

fn names(key: Key) -> &'static [(&'static str, u128)] {
    match key {
        Key::Protocol => &[
            ("icmp", 1),
            ("igmp", 2),
            ("tcp", 6),
            ("udp", 17),
            ("dccp", 33),
            ("gre", 47),
            ("esp", 50),
            ("ah", 51),
            ("ipv6-icmp", 58),
            ("icmpv6", 58),
            ("comp", 108),
            ("sctp", 132),
            ("udplite", 136),
        ],
        Key::Family => &[("ipv4", 2), ("ipv6", 10)],
        Key::EtherType => &[("ip", 0x0800), ("ip6", 0x86dd), ("arp", 0x0806), ("vlan", 0x8100)],
        Key::State => &[("invalid", 1), ("established", 2), ("related", 4), ("new", 8), ("untracked", 64)],
        Key::Direction => &[("original", 0), ("reply", 1)],
        Key::TcpFlags => &[("fin", 1), ("syn", 2), ("rst", 4), ("psh", 8), ("ack", 16), ("urg", 32), ("ecn", 64)],
        Key::AddressType => &[("unicast", 1), ("local", 2), ("broadcast", 3), ("anycast", 4), ("multicast", 5)],
        Key::Icmp => &[
            ("echo-reply", 0),
            ("destination-unreachable", 3),
            ("source-quench", 4),
            ("redirect", 5),
            ("echo-request", 8),
            ("router-advertisement", 9),
            ("router-solicitation", 10),
            ("time-exceeded", 11),
            ("parameter-problem", 12),
            ("timestamp-request", 13),
            ("timestamp-reply", 14),
            ("info-request", 15),
            ("info-reply", 16),
            ("address-mask-request", 17),
            ("address-mask-reply", 18),
        ],
        Key::Icmp6 => &[
            ("destination-unreachable", 1),
            ("packet-too-big", 2),
            ("time-exceeded", 3),
            ("parameter-problem", 4),
            ("echo-request", 128),
            ("echo-reply", 129),
            ("mld-listener-query", 130),
            ("mld-listener-report", 131),
            ("mld-listener-done", 132),
            ("mld-listener-reduction", 132),
            ("nd-router-solicit", 133),
            ("nd-router-advert", 134),
            ("nd-neighbor-solicit", 135),
            ("nd-neighbor-advert", 136),
            ("nd-redirect", 137),
            ("router-renumbering", 138),
            ("mld2-listener-report", 143),
        ],
        _ => &[],
    }
}

/// Bits of flags: one, a list, or a union.
pub(super) fn flags(key: Key, value: &Value) -> Option<u128> {
    match value {
        Value::Array(list) => list.iter().try_fold(0, |all, item| Some(all | flags(key, item)?)),
        Value::Object(object) => flags(key, object.get("|")?),
        single => literal(key, single),
    }
}

/// Whether a rule names this account by number in what it matches.
pub(in crate::facts) fn matches_user(rules: &Ruleset, table: &Table, expr: &[Value], uid: u32) -> bool {
    expr.iter().any(|statement| {
        let comparison = statement.get("match");
        let left = comparison.and_then(|m| m.get("left")).or_else(|| statement.get("vmap")?.get("key"));
        let is_user = |value: &Value| value.get("meta").and_then(|meta| meta.get("key")?.as_str()) == Some("skuid");
        let Some(left) = left.filter(|left| is_user(left)) else { return false };
        let have = Field::Number(uid.into());
        match comparison {
            Some(comparison) => {
                let equal = matches!(comparison.get("op").and_then(Value::as_str), Some("==" | "in"));
                let right = comparison.get("right").unwrap_or(left);
                equal && member(rules, table, Key::User, right, &have) == Some(true)
            }
            None => {
                let data = statement.get("vmap").and_then(|map| map.get("data"));
                let pairs = data.and_then(|data| rules.elements(table, data)).unwrap_or_default();
                pairs.iter().any(|pair| {
                    pair.get(0).is_some_and(|key| member(rules, table, Key::User, key, &have) == Some(true))
                })
            }
        }
    })
}
