//! Where the account that runs the agent can open connections to, by the packet rules that are loaded.
//!
//! Rules are read, never tried: nothing is sent.

use schemars::JsonSchema;
use serde::Serialize;

use super::nft::{
    Boot, Declared, Group, Interface, Network, Opening, Ruleset, Span, boot, literal_span, matches_user, reach,
};
use super::reach::agent;
use super::{ProbeError, needs_running, pf};
use crate::host::{Host, Kind, Output, Tool, Want, can, is_absent, read_text, resolve};
use crate::model::{AbsPath, Look, Os, Subject, Unseen};

/// Where the account can open connections to.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// IPv4 beyond this machine, DNS aside.
    ipv4: Group,
    /// IPv6 beyond this machine, DNS aside.
    ipv6: Group,
    /// Whether this machine speaks IPv6 at all.
    ipv6_on: Look<bool>,
    /// Name resolution.
    dns: Group,
    /// Sockets of other programs through which names are resolved, whatever packet rules say.
    dns_sockets: Look<Vec<String>>,
    /// Services on this machine.
    loopback: Group,
    /// Addresses that the rules or the profile name.
    allowed: Vec<Opening>,
    /// Rules that name the account.
    rules: Vec<UserRule>,
    /// Those of them that no packet of the account ever meets, with the reason.
    idle_rules: Vec<UserRule>,
    /// What the next boot loads.
    boot: Look<Boot>,
}

/// A rule that names the account.
#[derive(Clone, Serialize, JsonSchema)]
struct UserRule {
    /// The rule as nft writes it, and why it does nothing where that is so.
    name: String,
    /// Family, table and chain.
    place: String,
    /// Its handle, for `nft delete rule`.
    handle: u64,
    /// Whether it counts packets.
    counts: bool,
    /// How many it counted.
    packets: Option<u64>,
    /// Whether it writes to the kernel log.
    logs: bool,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    needs_running(host, "loaded packet rules")?;
    if subject.os == Os::Macos {
        return on_macos(host, subject);
    }
    if let Some(pid) = elsewhere(host, subject)? {
        let why = format!(
            "the running agent (process {pid}) has a network of its own, which the rules of this machine do not filter"
        );
        return Err(
            Unseen::new(why, format!("look at the rules in there: `nsenter -t {pid} -n nft list ruleset`")).into()
        );
    }
    let user = subject.account()?;
    let Some(uid) = user.uid else {
        return Err(ProbeError::Unseen(Unseen::new(
            format!("there is no account `{}` that rules could be about", user.name),
            "create it, or name another as `agent_user` in the profile",
        )));
    };
    let accounts = host.accounts().map_err(|error| ProbeError::unreadable(&path("/etc/passwd"), error))?;
    let rules = load(host)?;
    let groups: Vec<u32> = user.groups.iter().map(|gid| gid.0).collect();
    let groups = if groups.is_empty() { vec![uid.0] } else { groups };
    let ipv6_on = ipv6_on(host);
    let on = ipv6_on.known() != Some(&false);
    let declared = declared(host, subject);
    let reach = reach(&rules, uid.0, &groups, &network(host), &declared, on);
    let (user_rules, idle_rules) = user_rules(&rules, uid.0);
    let boot = match boot(host, &accounts, confining(&rules, uid.0).as_deref()) {
        Ok(boot) => Look::Known(boot),
        Err(error) => Look::Unknown(error.into()),
    };
    Ok(Fact {
        ipv4: reach.ipv4,
        ipv6: reach.ipv6,
        ipv6_on,
        dns: reach.dns,
        dns_sockets: dns_sockets(host, subject),
        loopback: reach.loopback,
        allowed: reach.allowed,
        rules: user_rules,
        idle_rules,
        boot,
    })
}

/// What pf tells of the same. The rest of it is the fact `pf`.
fn on_macos(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let ports = declared(host, subject).loopback_ports;
    let loopback = pf::loopback(host, subject, &ports).unwrap_or_else(|error| Group::of(Look::Unknown(error.into())));
    let group = || Group::of(Look::unknown("macOS has no nftables", "see `pf`"));
    Ok(Fact {
        ipv4: group(),
        ipv6: group(),
        ipv6_on: Look::unknown("macOS has no nftables", "see `pf`"),
        dns: group(),
        dns_sockets: Look::Known(Vec::new()),
        loopback,
        allowed: Vec::new(),
        rules: Vec::new(),
        idle_rules: Vec::new(),
        boot: Look::unknown("macOS has no nftables", "see `pf`"),
    })
}

/// A running agent of the account in another network namespace than the audit, whose rules are those that are listed.
fn elsewhere(host: &dyn Host, subject: &Subject) -> Result<Option<u32>, ProbeError> {
    let net = |pid: &str| {
        let link = path("/proc").join(pid).join("ns/net");
        match host.read_link(&link) {
            Ok(target) => Ok(Some(target)),
            // It ended in between, or this is no Linux.
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(ProbeError::unreadable(&link, error)),
        }
    };
    let own = match host.read_link(&path("/proc/self")) {
        Ok(pid) => net(&pid.to_string_lossy())?,
        Err(_) => None,
    };
    let Some(own) = own else { return Ok(None) };
    let uid = subject.account()?.uid;
    // Without a list of processes the rules are judged as if none ran.
    let processes = host.processes().unwrap_or_default();
    let agents =
        processes.iter().filter(|process| subject.agent.processes.contains(&process.name) && process.uid == uid);
    for process in agents {
        if net(&process.pid.to_string())?.is_some_and(|net| net != own) {
            return Ok(Some(process.pid));
        }
    }
    Ok(None)
}

fn path(text: &str) -> AbsPath {
    AbsPath::root().join(text)
}

fn load(host: &dyn Host) -> Result<Ruleset, ProbeError> {
    let json = told(host.run(Tool::Nft, &["-j", "list", "ruleset"])?)?;
    // The words of the rules make messages readable; without them the rules are still known.
    let text = host.run(Tool::Nft, &["-a", "list", "ruleset"]).ok().filter(|output| output.status == 0);
    let text = text.map(|output| output.stdout).unwrap_or_default();
    let mut rules =
        Ruleset::parse(&json, &text).map_err(|why| ProbeError::garbled("the list of nftables rules", why))?;
    if let Some(table) = old_tables(host)? {
        rules.unseen = Some(table);
    }
    Ok(rules)
}

/// The output of a tool that went well. nft prints an empty list when it may not look.
fn told(output: Output) -> Result<String, ProbeError> {
    if output.status == 0 {
        return Ok(output.stdout);
    }
    let why = output.stderr.lines().next().unwrap_or("no output").trim().to_owned();
    let how = if why.contains("permitted") { "run with sudo" } else { "run `nft list ruleset` by hand" };
    Err(ProbeError::Unseen(Unseen::new(format!("`nft list ruleset` says: {why}"), how)))
}

/// Tables of the older iptables, which nft does not show.
fn old_tables(host: &dyn Host) -> Result<Option<String>, ProbeError> {
    for file in ["/proc/net/ip_tables_names", "/proc/net/ip6_tables_names"] {
        match read_text(host, &path(file), None, 1 << 12) {
            Ok(text) if text.as_deref().is_some_and(|text| !text.trim().is_empty()) => {
                return Ok(Some(format!("rules of iptables-legacy ({file}), which nft does not show,")));
            }
            Ok(_) => {}
            Err(error) => return Err(ProbeError::unreadable(&path(file), error)),
        }
    }
    Ok(None)
}

/// Whether any interface speaks IPv6.
fn ipv6_on(host: &dyn Host) -> Look<bool> {
    match read_text(host, &path("/proc/net/if_inet6"), None, 1 << 20) {
        Ok(Some(text)) => Look::Known(!text.trim().is_empty()),
        Ok(None) if host.is_live() => Look::Known(false),
        Ok(None) => Look::unknown("an image does not say whether IPv6 is on", "audit the running machine"),
        Err(error) => Look::Unknown(ProbeError::unreadable(&path("/proc/net/if_inet6"), error).into()),
    }
}

/// The interfaces of the default routes.
fn network(host: &dyn Host) -> Network {
    let read = |file: &str| read_text(host, &path(file), None, 1 << 20).ok().flatten().unwrap_or_default();
    let outward = |names: Vec<String>| -> Vec<Interface> {
        let named: Vec<Interface> = names.into_iter().filter(|name| name != "lo").map(Interface::Named).collect();
        if named.is_empty() { vec![Interface::Outside] } else { named }
    };
    let fields = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (routes4, routes6) = (read("/proc/net/route"), read("/proc/net/ipv6_route"));
    let v4 = routes4.lines().map(fields).filter_map(|f| match f.as_slice() {
        [name, to, ..] if to == "00000000" => Some(name.clone()),
        _ => None,
    });
    let zero = "0".repeat(32);
    let v6 = routes6.lines().map(fields).filter_map(|f| {
        let default = f.first() == Some(&zero) && f.get(1).is_some_and(|length| length == "00");
        f.last().filter(|_| default).cloned()
    });
    Network { out4: outward(v4.collect()), out6: outward(v6.collect()) }
}

/// What the profile says the agent may reach.
fn declared(host: &dyn Host, subject: &Subject) -> Declared {
    let mut declared = Declared::default();
    let hosts = read_text(host, &path("/etc/hosts"), None, 1 << 20).ok().flatten().unwrap_or_default();
    let parameters = &subject.parameters;
    declared.loopback_ports = parameters.list("allowed_ports").iter().filter_map(|port| port.parse().ok()).collect();
    for entry in parameters.list("allowed_hosts").into_iter().chain(parameters.text("model_endpoint")) {
        let (name, port) = host_and_port(entry);
        let literals = addresses_of(&hosts, &name);
        if literals.is_empty() {
            declared.names.push(name);
            continue;
        }
        for (v6, low, high) in literals {
            if let (true, Some(port)) = (if v6 { low == 1 } else { low >> 24 == 127 }, port) {
                declared.loopback_ports.push(port);
            }
            declared.spans.push(Span { v6, low, high, port, name: entry.to_owned() });
        }
    }
    // What stays on this machine is a matter of ports.
    declared.spans.retain(|span| !(if span.v6 { span.low == 1 } else { span.low >> 24 == 127 }));
    declared
}

/// `https://host:8443/v1`, `host:443`, `[::1]:53`, `10.0.0.0/8`.
fn host_and_port(entry: &str) -> (String, Option<u16>) {
    let (scheme, rest) = entry.split_once("://").map_or((None, entry), |(scheme, rest)| (Some(scheme), rest));
    let rest = if scheme.is_some() { rest.split('/').next().unwrap_or_default() } else { rest };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let usual = match scheme {
        Some("http" | "ws") => Some(80),
        Some("https" | "wss") => Some(443),
        _ => None,
    };
    if let Some((inner, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (inner.to_owned(), after.strip_prefix(':').and_then(|port| port.parse().ok()).or(usual));
    }
    match rest.rsplit_once(':') {
        Some((host, port)) if !host.contains(':') => (host.to_owned(), port.parse().ok().or(usual)),
        _ => (rest.to_owned(), usual),
    }
}

/// The addresses a name has without asking anybody.
fn addresses_of(hosts: &str, name: &str) -> Vec<(bool, u128, u128)> {
    if let Some(literal) = literal_span(name) {
        return vec![literal];
    }
    if name == "localhost" {
        return vec![(false, 0x7f00_0001, 0x7f00_0001), (true, 1, 1)];
    }
    let lines = hosts.lines().map(|line| line.split('#').next().unwrap_or_default().split_whitespace());
    lines
        .filter_map(|mut words| {
            let address = words.next()?;
            words.any(|word| word.eq_ignore_ascii_case(name)).then(|| literal_span(address)).flatten()
        })
        .collect()
}

/// Sockets of resolvers that the account may write to.
fn dns_sockets(host: &dyn Host, subject: &Subject) -> Look<Vec<String>> {
    let Ok(who) = agent(subject) else { return Look::Known(Vec::new()) };
    let mut open = Vec::new();
    for socket in ["/run/systemd/resolve/io.systemd.Resolve", "/run/nscd/socket"].map(path) {
        let kind = resolve(host, &socket, None).and_then(|at| host.stat(&at)).map(|stat| stat.kind);
        let may = match kind {
            Ok(Kind::Socket) => can(host, &who, &socket, Want::Write),
            Ok(_) => Ok(false),
            Err(error) => Err(error),
        };
        match may {
            Ok(true) => open.push(socket.text()),
            Ok(false) => {}
            Err(error) if is_absent(&error) => {}
            Err(error) => return Look::Unknown(ProbeError::unreadable(&socket, error).into()),
        }
    }
    Look::Known(open)
}

/// The rules that name the account: those in the way of what it sends, and those that are not.
fn user_rules(rules: &Ruleset, uid: u32) -> (Vec<UserRule>, Vec<UserRule>) {
    let (mut acting, mut idle) = (Vec::new(), Vec::new());
    for (at, chain) in rules.chains.iter().enumerate() {
        let reason = rules.out_of_path(at);
        for rule in chain.rules.iter().filter(|rule| matches_user(rules, &chain.table, &rule.expr, uid)) {
            let counter = rule.expr.iter().find_map(|statement| statement.get("counter"));
            let found = UserRule {
                name: match &reason {
                    Some(why) => format!("`{}` in `{}`: {why}", rule.text, chain.place()),
                    None => format!("`{}` in `{}`", rule.text, chain.place()),
                },
                place: chain.place(),
                handle: rule.handle,
                counts: counter.is_some(),
                packets: counter.and_then(|counter| counter.get("packets")?.as_u64()),
                logs: rule.expr.iter().any(|statement| statement.get("log").is_some()),
            };
            if reason.is_some() { idle.push(found) } else { acting.push(found) }
        }
    }
    (acting, idle)
}

/// The words of the rules that confine the account: those that name it with the chains they lead to; without any,
/// those of the chains on the output hook. None where a rule has no words.
fn confining(rules: &Ruleset, uid: u32) -> Option<Vec<String>> {
    let mut chains: Vec<usize> = Vec::new();
    let mut words: Vec<Option<String>> = Vec::new();
    for chain in rules.chains.iter().enumerate().filter(|(at, _)| rules.out_of_path(*at).is_none()).map(|(_, c)| c) {
        for rule in chain.rules.iter().filter(|rule| matches_user(rules, &chain.table, &rule.expr, uid)) {
            words.push(rule.words());
            let targets = rules.targets(&chain.table, &rule.expr);
            let found = targets
                .iter()
                .filter_map(|name| rules.chains.iter().position(|c| c.table == chain.table && c.name == *name));
            chains.extend(found.flat_map(|at| rules.reached_from(at)));
        }
    }
    if words.is_empty() {
        let output = |at: &usize| {
            let hook = rules.chains.get(*at).and_then(|chain| chain.hook.as_ref());
            hook.is_some_and(|hook| hook.name == "output") && rules.out_of_path(*at).is_none()
        };
        chains = (0..rules.chains.len()).filter(output).flat_map(|at| rules.reached_from(at)).collect();
    }
    chains.sort_unstable();
    chains.dedup();
    words.extend(chains.iter().filter_map(|at| rules.chains.get(*at)).flat_map(|c| c.rules.iter().map(|r| r.words())));
    words.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_taken_out_of_urls_and_pairs() {
        for (entry, host, port) in [
            ("http://127.0.0.1:11434/v1", "127.0.0.1", Some(11434)),
            ("https://api.example.com/v1", "api.example.com", Some(443)),
            ("10.0.0.0/8", "10.0.0.0/8", None),
            ("[::1]:53", "::1", Some(53)),
            ("2001:db8::1", "2001:db8::1", None),
            ("192.0.2.1:443", "192.0.2.1", Some(443)),
        ] {
            assert_eq!(host_and_port(entry), (host.to_owned(), port), "{entry}");
        }
    }

    #[test]
    fn names_are_looked_up_in_the_hosts_file_only() {
        let hosts = "127.0.0.1 localhost\n192.0.2.7 model.internal model # pinned\n";
        assert_eq!(addresses_of(hosts, "model"), [(false, 0xc000_0207, 0xc000_0207)]);
        assert!(addresses_of(hosts, "api.example.com").is_empty());
    }
}
