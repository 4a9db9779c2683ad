//! The first packet of a connection, as far as rules can look at it.

use serde_json::Value;

use super::value::Key;

/// An interface, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::facts) enum Interface {
    /// This one.
    Named(String),
    /// Some interface other than `lo`.
    Outside,
    /// None: the packet is on its way in or out.
    None,
}

/// The first packet of a connection.
#[derive(Clone, Debug)]
pub(super) struct Packet {
    pub(super) v6: bool,
    /// The number of the protocol.
    pub(super) protocol: u8,
    pub(super) to: u128,
    pub(super) port: Option<u16>,
    /// The account behind the socket; none on the way in.
    pub(super) owner: Option<(u32, u32)>,
    pub(super) leaves: Interface,
    pub(super) arrives: Interface,
    /// A rule may have marked it.
    pub(super) marked: bool,
    /// A rule took it out of connection tracking.
    pub(super) untracked: bool,
}

/// What a rule finds where it looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Field {
    /// A number: an address, a port, a code.
    Number(u128),
    /// An interface name.
    Name(String),
    /// An interface that is not `lo`; which one is not known.
    Outside,
    /// The packet has no such thing: the rule does not match, whatever it compares with.
    Missing,
    /// It cannot be told beforehand.
    Untold,
}

pub(super) const TCP: u8 = 6;
pub(super) const UDP: u8 = 17;
pub(super) const ICMP: u8 = 1;
pub(super) const ICMP6: u8 = 58;
/// What a first packet is to connection tracking.
const STATE_NEW: u128 = 8;
const STATE_UNTRACKED: u128 = 64;
const FLAG_SYN: u128 = 2;

impl Packet {
    /// Whether it stays on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        if self.v6 { self.to == 1 } else { self.to >> 24 == 127 }
    }

    /// What `left` of a comparison is in this packet. None where the expression is not understood.
    pub(super) fn field(&self, left: &Value) -> Option<(Key, Field)> {
        let (kind, body) = left.as_object()?.iter().next()?;
        let word = |name: &str| body.get(name).and_then(Value::as_str);
        match kind.as_str() {
            "meta" => self.meta(word("key")?),
            "payload" => self.payload(word("protocol")?, word("field")?),
            "ct" => self.tracking(word("key")?),
            "fib" => self.route(body),
            "&" => self.masked(body),
            _ => None,
        }
    }

    fn meta(&self, key: &str) -> Option<(Key, Field)> {
        let number = |key, number: u32| Some((key, Field::Number(number.into())));
        match key {
            "skuid" => Some((Key::User, self.owner.map_or(Field::Missing, |(uid, _)| Field::Number(uid.into())))),
            "skgid" => Some((Key::Group, self.owner.map_or(Field::Missing, |(_, gid)| Field::Number(gid.into())))),
            "l4proto" => number(Key::Protocol, self.protocol.into()),
            "nfproto" => number(Key::Family, if self.v6 { 10 } else { 2 }),
            "protocol" => number(Key::EtherType, if self.v6 { 0x86dd } else { 0x0800 }),
            "oif" | "oifname" => Some((Key::Interface, interface(&self.leaves))),
            "iif" | "iifname" => Some((Key::Interface, interface(&self.arrives))),
            "mark" => Some((Key::Number, if self.marked { Field::Untold } else { Field::Number(0) })),
            _ => None,
        }
    }

    fn payload(&self, protocol: &str, field: &str) -> Option<(Key, Field)> {
        let port = |speaks: bool| match self.port {
            Some(port) if speaks => Field::Number(port.into()),
            _ => Field::Missing,
        };
        let only = |holds: bool, field: Field| if holds { field } else { Field::Missing };
        let (v4, tcp, udp) = (!self.v6, self.protocol == TCP, self.protocol == UDP);
        let own = match (self.is_loopback(), self.v6) {
            (true, false) => Field::Number(0x7f00_0001),
            (true, true) => Field::Number(1),
            _ => Field::Untold,
        };
        Some(match (protocol, field) {
            ("ip", "daddr") => (Key::Address4, only(v4, Field::Number(self.to))),
            ("ip6", "daddr") => (Key::Address6, only(self.v6, Field::Number(self.to))),
            ("ip", "saddr") => (Key::Address4, only(v4, own)),
            ("ip6", "saddr") => (Key::Address6, only(self.v6, own)),
            ("ip", "protocol") => (Key::Protocol, only(v4, Field::Number(self.protocol.into()))),
            ("ip6", "nexthdr") => (Key::Protocol, only(self.v6, Field::Number(self.protocol.into()))),
            ("tcp", "dport") => (Key::Port, port(tcp)),
            ("udp", "dport") => (Key::Port, port(udp)),
            ("th", "dport") => (Key::Port, port(tcp || udp)),
            ("udplite" | "sctp" | "dccp", _) => (Key::Port, Field::Missing),
            ("tcp", "flags") => (Key::TcpFlags, only(tcp, Field::Number(FLAG_SYN))),
            ("icmp", "type") => (Key::Icmp, only(self.protocol == ICMP, Field::Number(8))),
            ("icmpv6", "type") => (Key::Icmp6, only(self.protocol == ICMP6, Field::Number(128))),
            // Known not to be there, so that the rule is out, though the field itself is not modelled.
            ("ip", _) if self.v6 => (Key::Number, Field::Missing),
            ("ip6", _) if v4 => (Key::Number, Field::Missing),
            ("tcp", _) if !tcp => (Key::Number, Field::Missing),
            ("udp", _) if !udp => (Key::Number, Field::Missing),
            ("icmp", _) if self.protocol != ICMP => (Key::Number, Field::Missing),
            ("icmpv6", _) if self.protocol != ICMP6 => (Key::Number, Field::Missing),
            _ => return None,
        })
    }

    fn tracking(&self, key: &str) -> Option<(Key, Field)> {
        let state = if self.untracked { STATE_UNTRACKED } else { STATE_NEW };
        match key {
            "state" => Some((Key::State, Field::Number(state))),
            "direction" => Some((Key::Direction, if self.untracked { Field::Missing } else { Field::Number(0) })),
            "mark" => Some((Key::Number, if self.marked { Field::Untold } else { Field::Number(0) })),
            _ => None,
        }
    }

    /// `fib daddr type`: what kind of address it goes to.
    fn route(&self, body: &Value) -> Option<(Key, Field)> {
        let flags = body.get("flags").and_then(Value::as_array)?;
        let asks = body.get("result").and_then(Value::as_str) == Some("type") && *flags == ["daddr"];
        asks.then(|| (Key::AddressType, if self.is_loopback() { Field::Number(2) } else { Field::Untold }))
    }

    /// `tcp flags & (syn | ack)`.
    fn masked(&self, body: &Value) -> Option<(Key, Field)> {
        let [left, mask] = body.as_array()?.as_slice() else { return None };
        match self.field(left)? {
            (Key::TcpFlags, Field::Number(flags)) => {
                let mask = super::value::flags(Key::TcpFlags, mask)?;
                Some((Key::TcpFlags, Field::Number(flags & mask)))
            }
            (key, Field::Missing) => Some((key, Field::Missing)),
            _ => None,
        }
    }
}

fn interface(interface: &Interface) -> Field {
    match interface {
        Interface::Named(name) => Field::Name(name.clone()),
        Interface::Outside => Field::Outside,
        // A rule on an interface that the packet does not have compares with an empty name.
        Interface::None => Field::Name(String::new()),
    }
}
