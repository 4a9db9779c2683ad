//! Which programs wait for connections on loopback.

use std::net::{Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::Serialize;

use super::{ProbeError, needs_running};
use crate::host::{Accounts, Host, read_text};
use crate::model::{AbsPath, Look, Os, Subject, Uid, Unseen};

/// Which programs wait for connections on loopback.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// All of them, those that wait on every address included.
    loopback: Look<Vec<Listener>>,
    /// Those that do not belong to the account and whose ports are not declared.
    foreign: Look<Vec<Listener>>,
    /// Their names, for messages; null where there are none or that is not known.
    says: Option<String>,
}

/// A waiting socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
struct Listener {
    /// Protocol, address and port.
    name: String,
    /// Its port.
    port: u16,
    /// The account it belongs to.
    owner: String,
    /// Whether that is the agent's account.
    is_own: bool,
}

/// The largest table that is read.
const LIMIT: u64 = 16 << 20;

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    needs_running(host, "open sockets")?;
    if subject.os == Os::Macos {
        let unseen = || Look::unknown("macOS lists sockets in no file", "look with `lsof -iTCP -sTCP:LISTEN`");
        return Ok(Fact { loopback: unseen(), foreign: unseen(), says: None });
    }
    let own = subject.account()?.uid;
    let at = |path: &str| AbsPath::root().join(path);
    let accounts = host.accounts().map_err(|error| ProbeError::unreadable(&at("/etc/passwd"), error))?;
    let mut loopback = Vec::new();
    for (table, protocol) in [("tcp", "tcp"), ("tcp6", "tcp"), ("udp", "udp"), ("udp6", "udp")] {
        let path = at(&format!("/proc/net/{table}"));
        let text = read_text(host, &path, None, LIMIT).map_err(|error| ProbeError::unreadable(&path, error))?;
        // Without IPv6 there is no such table; without the first one this is no Linux.
        let Some(text) = text else {
            if table == "tcp" {
                return Err(ProbeError::Unseen(Unseen::new(
                    format!("there is no `{path}` to tell what listens"),
                    "look with `lsof -iTCP -sTCP:LISTEN`",
                )));
            }
            continue;
        };
        loopback.extend(text.lines().filter_map(|line| listener(line, protocol, &accounts, own)));
    }
    loopback.sort();
    loopback.dedup();
    let ports = subject.parameters.list("allowed_ports");
    let foreign = loopback.iter().filter(|one| !one.is_own && !ports.contains(&one.port.to_string().as_str()));
    let foreign: Vec<Listener> = foreign.cloned().collect();
    let names: Vec<&str> = foreign.iter().map(|one| one.name.as_str()).collect();
    let says = Some(names.join(", ")).filter(|says| !says.is_empty());
    Ok(Fact { says, foreign: Look::Known(foreign), loopback: Look::Known(loopback) })
}

/// A line of the kernel's table: address and port in hexadecimal, state 0A for a waiting TCP socket, 07 for UDP.
fn listener(line: &str, protocol: &str, accounts: &Accounts, own: Option<Uid>) -> Option<Listener> {
    let fields: Vec<&str> = line.split_whitespace().collect();
    let (local, remote, state) = (*fields.get(1)?, *fields.get(2)?, *fields.get(3)?);
    let waits = if protocol == "tcp" { state == "0A" } else { state == "07" && remote.ends_with(":0000") };
    let (address, port) = local.split_once(':')?;
    let (address, port) = (loopback(address)?, u16::from_str_radix(port, 16).ok()?);
    let uid = Uid(fields.get(7)?.parse().ok()?);
    let owner = accounts.user_of(uid).map_or_else(|| uid.0.to_string(), |user| user.name.clone());
    let name = format!("{protocol} {address} port {port} of {owner}");
    waits.then(|| Listener { name, port, owner, is_own: Some(uid) == own })
}

/// The address as people write it, where it can be reached over loopback. The kernel writes words of four bytes in
/// its own order, which is little-endian on everything that is audited.
fn loopback(digits: &str) -> Option<String> {
    let word = |at: usize| u32::from_str_radix(digits.get(at..at + 8)?, 16).ok().map(u32::swap_bytes);
    if digits.len() == 8 {
        let address = Ipv4Addr::from(word(0)?);
        return (address.is_loopback() || address.is_unspecified()).then(|| address.to_string());
    }
    let words = [word(0)?, word(8)?, word(16)?, word(24)?];
    let address = Ipv6Addr::from(words.iter().fold(0u128, |all, word| all << 32 | u128::from(*word)));
    let mapped = address.to_ipv4_mapped().is_some_and(|v4| v4.is_loopback() || v4.is_unspecified());
    (address.is_loopback() || address.is_unspecified() || mapped).then(|| format!("[{address}]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_in_the_kernels_order() {
        for (digits, address) in [
            ("0100007F", Some("127.0.0.1")),
            ("3500007F", Some("127.0.0.53")),
            ("00000000", Some("0.0.0.0")),
            ("0A0200C0", None),
            ("00000000000000000000000001000000", Some("[::1]")),
            ("00000000000000000000000000000000", Some("[::]")),
            ("0000000000000000FFFF00000100007F", Some("[::ffff:127.0.0.1]")),
            ("short", None),
        ] {
            assert_eq!(loopback(digits).as_deref(), address, "{digits}");
        }
    }

    #[test]
    fn only_waiting_sockets_count() {
        let accounts = Accounts::parse("pg:x:70:70::/:/bin/sh\n", "");
        let line = |state: &str| {
            format!(
                "   0: 0100007F:1538 00000000:0000 {state} 00000000:00000000 00:00000000 00000000    70        0 1245 1"
            )
        };
        let found = listener(&line("0A"), "tcp", &accounts, Some(Uid(990))).expect("listens");
        assert_eq!(found.name, "tcp 127.0.0.1 port 5432 of pg");
        assert!(listener(&line("01"), "tcp", &accounts, None).is_none());
    }
}
