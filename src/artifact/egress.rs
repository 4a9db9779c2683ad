//! Packet rules of our own table: what the agent's account may reach, by its number, over both families; everything
//! else is counted, logged at a bounded rate, and rejected. And what loads them at boot.

use std::net::IpAddr;

use super::{Refusal, Site, mark, path};
use crate::model::{Access, Action, Checker};

/// The name of our table, in the inet family. No other is ever touched.
pub const TABLE: &str = "harden";
const FILE: &str = "/etc/harden/egress.nft";
const UNIT: &str = "harden-egress.service";
const UNITS: &str = "/etc/systemd/system";
const REJECT: &str = "counter reject with icmpx admin-prohibited";

pub(super) fn build(site: &Site) -> Result<Vec<Action>, Refusal> {
    site.linux_only("packet rules of nftables")?;
    let account = site.account()?;
    let text = table(site, account.uid.0);
    let file =
        format!("{}table inet {TABLE}\ndelete table inet {TABLE}\n{text}", mark("What the agent's account may reach."));
    let units = path(UNITS);
    let mut actions = vec![
        Action::EnsureDir { path: path("/etc/harden"), access: Access::of_root(0o755) },
        Action::WriteFile {
            path: path(FILE),
            content: file,
            access: Access::of_root(0o644),
            check: Some(Checker::Nft),
        },
    ];
    if site.there.contains(&units) {
        let wants = units.join("multi-user.target.wants");
        actions.push(Action::EnsureDir { path: wants.clone(), access: Access::of_root(0o755) });
        actions.push(Action::WriteFile {
            path: units.join(UNIT),
            content: unit(),
            access: Access::of_root(0o644),
            check: site.has_systemd.then_some(Checker::Systemd),
        });
        actions.push(Action::EnsureLink { path: wants.join(UNIT), target: units.join(UNIT).text() });
    }
    actions.push(Action::LoadTable { table: TABLE.to_owned(), text });
    Ok(actions)
}

/// The table as `nft -s list table` prints it, so that what is loaded can be held against it.
fn table(site: &Site, uid: u32) -> String {
    let mut rules = vec!["ct direction reply accept".to_owned()];
    rules.push(format!("meta l4proto {{ tcp, udp }} th dport {{ 53, 853 }} {REJECT}"));
    let network = &site.policy.network;
    for denied in network.deny.iter().flatten() {
        if let Ok(address) = denied.parse::<IpAddr>() {
            rules.push(format!("{} {REJECT}", to(address)));
        }
    }
    rules.extend(allowed(site));
    rules.push("limit rate 10/minute burst 20 packets log prefix \"harden egress: \"".to_owned());
    rules.push(REJECT.to_owned());
    let rules: String = rules.iter().map(|rule| format!("\t\t{rule}\n")).collect();
    format!(
        "table inet {TABLE} {{\n\tchain agent {{\n{rules}\t}}\n\n\tchain output {{\n\t\ttype filter hook output priority \
         filter - 10; policy accept;\n\t\tmeta skuid {uid} jump agent\n\t}}\n}}\n"
    )
}

/// Rules for what the policy allows. A name that is no address cannot be in packet rules: its addresses move.
fn allowed(site: &Site) -> Vec<String> {
    let mut rules = Vec::new();
    let network = &site.policy.network;
    let mut loopback_ports: Vec<u16> = network.ports.clone().unwrap_or_default();
    if let Some((host, port)) = network.model.as_deref().and_then(endpoint) {
        match host.parse::<IpAddr>() {
            Ok(address) if address.is_loopback() => loopback_ports.push(port),
            Ok(address) => rules.push(format!("{} tcp dport {port} accept", to(address))),
            Err(_) if host == "localhost" => loopback_ports.push(port),
            Err(_) => {}
        }
    }
    loopback_ports.sort_unstable();
    loopback_ports.dedup();
    for port in loopback_ports {
        rules.push(format!("ip daddr 127.0.0.1 tcp dport {port} accept"));
        rules.push(format!("ip6 daddr ::1 tcp dport {port} accept"));
    }
    for host in network.allow.iter().flatten() {
        // Loopback is opened by port only, or every service of the machine would be.
        if let Ok(address) = host.parse::<IpAddr>()
            && !address.is_loopback()
        {
            rules.push(format!("{} meta l4proto tcp accept", to(address)));
        }
    }
    rules
}

fn to(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => format!("ip daddr {address}"),
        IpAddr::V6(address) => format!("ip6 daddr {address}"),
    }
}

/// Host and port of a URL.
fn endpoint(url: &str) -> Option<(&str, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let place = rest.split(['/', '?', '#']).next()?.rsplit('@').next()?;
    let usual = if scheme == "https" { 443 } else { 80 };
    let (host, port) = match place.strip_prefix('[') {
        Some(inside) => {
            let (host, after) = inside.split_once(']')?;
            (host, after.strip_prefix(':'))
        }
        None => place.split_once(':').map_or((place, None), |(host, port)| (host, Some(port))),
    };
    Some((host, port.map_or(Some(usual), |port| port.parse().ok())?))
}

/// Loads the rules before the network is up, and after what flushes all rules when it starts.
fn unit() -> String {
    format!(
        "{}[Unit]\nDescription=Packet rules for the coding agent's account\nDefaultDependencies=no\nAfter=nftables.service \
         local-fs.target\nBefore=network-pre.target\nWants=network-pre.target\nPartOf=nftables.service\n\n[Service]\nType=oneshot\n\
         RemainAfterExit=yes\nExecStart=/usr/sbin/nft -f {FILE}\n\n[Install]\nWantedBy=multi-user.target\n",
        mark("What the agent's account may reach, from boot on.")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::tests::site;

    #[test]
    fn denied_comes_before_allowed_and_names_are_left_out() {
        let text = table(&site(), 990);
        let expected = "\
table inet harden {
	chain agent {
		ct direction reply accept
		meta l4proto { tcp, udp } th dport { 53, 853 } counter reject with icmpx admin-prohibited
		ip daddr 169.254.169.254 counter reject with icmpx admin-prohibited
		ip daddr 127.0.0.1 tcp dport 8080 accept
		ip6 daddr ::1 tcp dport 8080 accept
		ip daddr 127.0.0.1 tcp dport 11434 accept
		ip6 daddr ::1 tcp dport 11434 accept
		ip daddr 10.1.2.3 meta l4proto tcp accept
		ip6 daddr 2001:db8::7 meta l4proto tcp accept
		limit rate 10/minute burst 20 packets log prefix \"harden egress: \"
		counter reject with icmpx admin-prohibited
	}

	chain output {
		type filter hook output priority filter - 10; policy accept;
		meta skuid 990 jump agent
	}
}
";
        assert_eq!(text, expected);
    }

    #[test]
    fn endpoints_are_taken_apart() {
        for (url, expected) in [
            ("http://127.0.0.1:11434/v1", Some(("127.0.0.1", 11434))),
            ("https://api.example.net/v1", Some(("api.example.net", 443))),
            ("http://[::1]:8080", Some(("::1", 8080))),
            ("https://user@10.0.0.1/", Some(("10.0.0.1", 443))),
            ("127.0.0.1", None),
            ("http://a:x", None),
        ] {
            assert_eq!(endpoint(url), expected, "{url}");
        }
    }
}
