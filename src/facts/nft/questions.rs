//! The probes: kinds of connections, by protocol, range of addresses and ports.

use super::packet::{ICMP, ICMP6, TCP, UDP};

/// Ports that the DNS probes ask about, and no other.
pub(super) const DNS_PORTS: [u16; 2] = [53, 853];

/// A question, before it is asked.
pub(super) struct Question {
    pub(super) name: &'static str,
    pub(super) v6: bool,
    pub(super) protocol: u8,
    pub(super) ranges: &'static [(u128, u128)],
    pub(super) ports: Ports,
    /// Addresses that rules name one by one are left to the openings.
    pub(super) but_named: bool,
}

#[derive(Clone, Copy)]
pub(super) enum Ports {
    None,
    /// Any but those of DNS.
    Any,
    Dns,
}

const fn ask(
    name: &'static str,
    v6: bool,
    protocol: u8,
    ranges: &'static [(u128, u128)],
    ports: Ports,
    but_named: bool,
) -> Question {
    Question { name, v6, protocol, ranges, ports, but_named }
}

const INTERNET_4: &[(u128, u128)] = &[
    (0x0100_0000, 0x09ff_ffff),
    (0x0b00_0000, 0x643f_ffff),
    (0x6480_0000, 0x7eff_ffff),
    (0x8000_0000, 0xa9fd_ffff),
    (0xa9ff_0000, 0xac0f_ffff),
    (0xac20_0000, 0xc0a7_ffff),
    (0xc0a9_0000, 0xdfff_ffff),
];
const PRIVATE_4: &[(u128, u128)] =
    &[(0x0a00_0000, 0x0aff_ffff), (0x6440_0000, 0x647f_ffff), (0xac10_0000, 0xac1f_ffff), (0xc0a8_0000, 0xc0a8_ffff)];
const METADATA_4: &[(u128, u128)] = &[(0xa9fe_a9fe, 0xa9fe_a9fe)];
const LOOPBACK_4: &[(u128, u128)] = &[(0x7f00_0001, 0x7fff_fffe)];
const INTERNET_6: &[(u128, u128)] = &[(0x2000 << 112, (0x4000 << 112) - 1)];
const PRIVATE_6: &[(u128, u128)] = &[(0xfc00 << 112, (0xfe00 << 112) - 1), (0xfe80 << 112, (0xfec0 << 112) - 1)];
const METADATA_6: &[(u128, u128)] = &[(0xfd00_0ec2 << 96 | 0x254, 0xfd00_0ec2 << 96 | 0x254)];
const LOOPBACK_6: &[(u128, u128)] = &[(1, 1)];

pub(super) const GENERAL_4: [Question; 6] = [
    ask("TCP to the internet", false, TCP, INTERNET_4, Ports::Any, true),
    ask("UDP to the internet", false, UDP, INTERNET_4, Ports::Any, true),
    ask("ICMP to the internet", false, ICMP, INTERNET_4, Ports::None, true),
    ask("TCP to private networks", false, TCP, PRIVATE_4, Ports::Any, true),
    ask("UDP to private networks", false, UDP, PRIVATE_4, Ports::Any, true),
    ask("the cloud metadata service", false, TCP, METADATA_4, Ports::Any, false),
];
pub(super) const GENERAL_6: [Question; 6] = [
    ask("TCP to the internet over IPv6", true, TCP, INTERNET_6, Ports::Any, true),
    ask("UDP to the internet over IPv6", true, UDP, INTERNET_6, Ports::Any, true),
    ask("ICMP to the internet over IPv6", true, ICMP6, INTERNET_6, Ports::None, true),
    ask("TCP to private networks over IPv6", true, TCP, PRIVATE_6, Ports::Any, true),
    ask("UDP to private networks over IPv6", true, UDP, PRIVATE_6, Ports::Any, true),
    ask("the cloud metadata service over IPv6", true, TCP, METADATA_6, Ports::Any, false),
];
pub(super) const DNS: [Question; 12] = [
    ask("DNS over UDP to the resolver on loopback", false, UDP, LOOPBACK_4, Ports::Dns, false),
    ask("DNS over TCP to the resolver on loopback", false, TCP, LOOPBACK_4, Ports::Dns, false),
    ask("DNS over UDP to private networks", false, UDP, PRIVATE_4, Ports::Dns, false),
    ask("DNS over TCP to private networks", false, TCP, PRIVATE_4, Ports::Dns, false),
    ask("DNS over UDP to the internet", false, UDP, INTERNET_4, Ports::Dns, false),
    ask("DNS over TCP to the internet", false, TCP, INTERNET_4, Ports::Dns, false),
    ask("DNS over UDP to the resolver on ::1", true, UDP, LOOPBACK_6, Ports::Dns, false),
    ask("DNS over TCP to the resolver on ::1", true, TCP, LOOPBACK_6, Ports::Dns, false),
    ask("DNS over UDP to private networks over IPv6", true, UDP, PRIVATE_6, Ports::Dns, false),
    ask("DNS over TCP to private networks over IPv6", true, TCP, PRIVATE_6, Ports::Dns, false),
    ask("DNS over UDP to the internet over IPv6", true, UDP, INTERNET_6, Ports::Dns, false),
    ask("DNS over TCP to the internet over IPv6", true, TCP, INTERNET_6, Ports::Dns, false),
];
pub(super) const LOOPBACK: [Question; 4] = [
    ask("TCP to 127.0.0.0/8", false, TCP, LOOPBACK_4, Ports::Any, false),
    ask("UDP to 127.0.0.0/8", false, UDP, LOOPBACK_4, Ports::Any, false),
    ask("TCP to ::1", true, TCP, LOOPBACK_6, Ports::Any, false),
    ask("UDP to ::1", true, UDP, LOOPBACK_6, Ports::Any, false),
];
