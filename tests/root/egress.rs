//! What `harden` says of packet rules, held against what they do: in a network namespace of its own, with another
//! one behind it that has every address, a process of the account really tries to connect, and what arrives is written
//! down. Arrival of the first packet is what counts: what is sent is lost to the sender's machine, answer or none.

use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

const ACCOUNT: &str = "nobody";
const ROLE: &str = "HARDEN_EGRESS_ROLE";
const TEST: &str = "egress::rules_do_what_harden_says_of_them";

#[test]
fn rules_do_what_harden_says_of_them() {
    if !crate::disposable(TEST) {
        return;
    }
    match std::env::var(ROLE).as_deref() {
        Ok("inside") => inside(),
        Ok("beyond") => beyond(),
        _ => {
            let status = role("inside").status().expect("unshare starts");
            assert!(status.success(), "see above");
        }
    }
}

/// This test again, in a network namespace of its own.
fn role(role: &str) -> Command {
    let mut command = Command::new("unshare");
    let me = std::env::current_exe().expect("has a path");
    command.arg("-n").arg(me).args([TEST, "--exact", "--nocapture", "--test-threads=1"]).env(ROLE, role);
    command
}

fn shell(script: &str) {
    let status = Command::new("bash").args(["-ec", script]).status().expect("bash starts");
    assert!(status.success(), "{script}");
}

/// Writes down where packets go to, at the end of their way; it decides nothing.
fn recorder(hook: &str, priority: i32) -> String {
    format!(
        "nft -f - <<'END'
table inet seen {{
  set v4 {{
    type ipv4_addr . inet_proto . inet_service
    flags dynamic
    size 4096
  }}
  set v6 {{
    type ipv6_addr . inet_proto . inet_service
    flags dynamic
    size 4096
  }}
  chain record {{
    type filter hook {hook} priority {priority}
    update @v4 {{ ip daddr . meta l4proto . th dport }}
    update @v6 {{ ip6 daddr . meta l4proto . th dport }}
  }}
}}
END"
    )
}

/// The other side: every address is its own.
fn beyond() {
    std::io::stdout().write_all(b"\narrived\n").expect("writes");
    // The link is moved in before this.
    std::io::stdin().read_line(&mut String::new()).expect("is told to go on");
    shell(
        "ip link set lo up; ip addr add 198.18.0.2/30 dev veth1; ip -6 addr add 2001:db8:77::2/64 dev veth1 nodad
         ip link set veth1 up; ip route add local 0.0.0.0/0 dev lo table main
         ip -6 route add local ::/0 dev lo table main",
    );
    shell(&recorder("prerouting", -300));
    std::io::stdout().write_all(b"ready\n").expect("writes");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

fn inside() {
    shell("ip link set lo up; ip link add veth0 type veth peer name veth1");
    let mut other: Child = role("beyond").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("unshare starts");
    let mut from = std::io::BufReader::new(other.stdout.take().expect("piped"));
    // unshare has become the test itself, in the new namespace.
    wait_for("arrived", &mut from);
    shell(&format!(
        "ip link set veth1 netns {}; ip addr add 198.18.0.1/30 dev veth0
         ip -6 addr add 2001:db8:77::1/64 dev veth0 nodad; ip link set veth0 up",
        other.id()
    ));
    let mut to = other.stdin.take().expect("piped");
    to.write_all(b"go\n").expect("writes");
    wait_for("ready", &mut from);
    shell("ip route add default via 198.18.0.2; ip -6 route add default via 2001:db8:77::2");
    let mut wrong = Vec::new();
    let mut told = BTreeMap::new();
    for (name, rules) in rulesets() {
        shell(&format!("nft flush ruleset; nft -f - <<'END'\n{rules}\nEND"));
        wrong.extend(
            compare(&name, other.id(), &mut told).into_iter().map(|problem| format!("{name}: {problem}\n{rules}")),
        );
    }
    drop(to);
    other.wait().expect("ends");
    assert!(wrong.is_empty(), "{} answers differ:\n{}", wrong.len(), wrong.join("\n"));
    // Both answers were met often, or the comparison shows little.
    assert!(told.get("open").is_some_and(|n| *n > 50) && told.get("blocked").is_some_and(|n| *n > 50), "{told:?}");
}

fn wait_for(word: &str, from: &mut impl BufRead) {
    let mut line = String::new();
    while !line.contains(word) {
        line.clear();
        assert!(from.read_line(&mut line).expect("reads") > 0, "the other side died");
    }
}

/// One connection that is tried.
#[derive(Clone, Debug)]
struct Try {
    probe: String,
    udp: bool,
    to: SocketAddr,
    expected: bool,
}

fn compare(name: &str, other: u32, told: &mut BTreeMap<String, usize>) -> Vec<String> {
    let fact = crate::fact("egress", ACCOUNT);
    let mut tries = Vec::new();
    for group in ["ipv4", "ipv6", "dns", "loopback"] {
        for probe in fact[group]["probes"].as_array().expect("has probes") {
            let said = probe["verdict"].as_str().unwrap_or("unknown");
            assert_ne!(said, "unknown", "{name}: {probe}");
            *told.entry(said.to_owned()).or_default() += 1;
            tries.extend(tries_of(probe, said == "open"));
        }
    }
    shell(&recorder("input", 1000));
    let there = format!("nsenter -t {other} -n");
    shell(&format!("{there} nft flush set inet seen v4; {there} nft flush set inet seen v6"));
    let threads: Vec<_> = tries.iter().cloned().map(|t| std::thread::spawn(move || send(&t))).collect();
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
    let listing = format!("nft list table inet seen; {there} nft list table inet seen");
    let listing = Command::new("bash").args(["-c", &listing]).output().expect("bash starts");
    let seen = String::from_utf8_lossy(&listing.stdout).replace([',', '\n'], " ");
    tries
        .iter()
        .filter_map(|t| {
            let kind = if t.udp { "udp" } else { "tcp" };
            let arrived = seen.contains(&format!(" {} . {kind} . {} ", t.to.ip(), t.to.port()));
            let said = match (arrived, t.expected) {
                (true, false) => "said to be blocked, and it arrived",
                (false, true) => "said to be open, and it did not arrive",
                _ => return None,
            };
            Some(format!("{} at {}: {said}", t.probe, t.to))
        })
        .collect()
}

/// Where a probe says "open", the place it names; where it says "blocked", several of its range.
fn tries_of(probe: &Value, open: bool) -> Vec<Try> {
    let name = probe["name"].as_str().expect("named");
    if name.starts_with("ICMP") {
        return Vec::new();
    }
    let places: Vec<(IpAddr, u16)> = if open {
        let to = probe["to"].as_str().expect("names a place");
        let (address, port) = to.split_once(" port ").expect("has a port");
        vec![(address.parse().expect("an address"), port.parse().expect("a port"))]
    } else {
        let ports: &[u16] = if name.contains("DNS") { &[53, 853] } else { &[443, 22, 5000] };
        let addresses = addresses(name).iter().map(|text| text.parse().expect("an address"));
        addresses.flat_map(|address: IpAddr| ports.iter().map(move |port| (address, *port))).collect()
    };
    let udp = name.contains("UDP");
    let make =
        |(address, port)| Try { probe: name.to_owned(), udp, to: SocketAddr::new(address, port), expected: open };
    // Link-local addresses need an interface to be named.
    places.into_iter().filter(|(address, _)| !address.to_string().starts_with("fe80")).map(make).collect()
}

fn addresses(probe: &str) -> &'static [&'static str] {
    let v6 = probe.contains("IPv6") || probe.contains("::1");
    match (probe.contains("metadata"), probe.contains("private"), probe.contains("internet"), v6) {
        (true, _, _, false) => &["169.254.169.254"],
        (true, _, _, true) => &["fd00:ec2::254"],
        (_, true, _, false) => &["10.85.85.85", "192.168.7.7", "172.20.1.1"],
        (_, true, _, true) => &["fc00::7", "fd12:3456::1"],
        (_, _, true, false) => &["203.0.113.7", "52.1.2.3", "8.8.4.4"],
        (_, _, true, true) => &["2001:db8::7", "2a00:1::5"],
        (_, _, _, false) => &["127.0.0.1", "127.0.0.53", "127.9.9.9"],
        (_, _, _, true) => &["::1"],
    }
}

/// The account sends a first packet, and does not wait for what comes back. Its thread is the account's from here on; that
/// needs no program to start, so however busy the machine is, the packet has left when this returns.
fn send(attempt: &Try) {
    let account = crate::accounts::who(ACCOUNT);
    let group = rustix::process::Gid::from_raw(account.gids[0].0);
    let user = rustix::process::Uid::from_raw(account.uid.0);
    rustix::thread::set_thread_groups(&[]).expect("is root");
    rustix::thread::set_thread_res_gid(group, group, group).expect("is root");
    rustix::thread::set_thread_res_uid(user, user, user).expect("is root");
    if attempt.udp {
        let from = if attempt.to.is_ipv6() { "[::]:0" } else { "0.0.0.0:0" };
        let socket = UdpSocket::bind(from).expect("a port is free");
        let _ = socket.send_to(b"hi", attempt.to);
    } else {
        let _ = TcpStream::connect_timeout(&attempt.to, Duration::from_millis(500));
    }
}

fn output(policy: &str, rules: &str, more: &str) -> String {
    format!(
        "table inet fw {{\n chain out {{\n  type filter hook output priority 0; policy {policy};\n{rules}\n }}\n{more}\n}}"
    )
}

fn rulesets() -> Vec<(String, String)> {
    let agent = "chain agent {\n oif lo tcp dport 11434 accept\n ip daddr 192.0.2.10 tcp dport 443 accept\n drop\n}";
    let mut all: Vec<(String, String)> = [
        ("nothing", String::new()),
        (
            "the guide",
            "table ip filter {\n chain OUTPUT {\n  type filter hook output priority 0;\n  skuid 65534 ip daddr != 127.0.0.1 ip daddr != 192.0.2.10 drop\n }\n}".into(),
        ),
        ("own table", output("accept", "skuid 65534 jump agent", agent)),
        ("no hook", "table inet fw {\n chain out {\n  skuid 65534 drop\n }\n}".into()),
        ("input hook", output("accept", "skuid 65534 drop", "").replace("hook output", "hook input")),
        ("earlier accept", output("accept", "tcp dport 443 accept\nskuid 65534 drop", "")),
        ("other number", output("accept", "skuid 65533 drop", "")),
        ("drop policy", output("drop", "oif lo accept\nskuid 0 accept\nct state established accept", "")),
        ("by map", output("accept", "skuid vmap { 65534 : goto agent, 1 : accept }", agent)),
        ("return", output("accept", "skuid 65534 jump early", "chain early {\n meta l4proto udp return\n drop\n}")),
        ("postrouting", output("accept", "skuid 65534 drop", "").replace("hook output", "hook postrouting")),
        (
            "two chains",
            output("accept", "skuid 65534 accept", "chain later {\n type filter hook output priority 10;\n skuid 65534 meta l4proto tcp drop\n}"),
        ),
        (
            "input of loopback",
            output("accept", "ct state established accept", "chain in {\n type filter hook input priority 0;\n iif lo tcp dport != 443 ct state new drop\n iif lo skuid 65534 drop\n}"),
        ),
        ("dormant", format!("{}\nadd table inet fw {{ flags dormant; }}", output("accept", "skuid 65534 drop", ""))),
        ("by group", output("accept", "skgid 65534 ip daddr != 127.0.0.1 drop", "")),
        ("goto", output("accept", "skuid 65534 goto early\nskuid 65534 drop", "chain early {\n meta nfproto ipv6 drop\n}")),
        ("reject", output("accept", "skuid 65534 meta l4proto { tcp, udp } reject", "")),
        ("tuple", output("accept", "skuid 65534 ip daddr . tcp dport { 10.0.0.0/8 . 443, 127.0.0.0/8 . 22 } accept\nskuid 65534 drop", "")),
        ("rate", output("accept", "skuid 65534 limit rate over 1000/second burst 1000 packets drop", "")),
        ("flags", output("accept", "tcp flags & (fin|syn|rst|ack) == syn skuid 65534 drop", "")),
        (
            "send elsewhere and drop",
            output("accept", "skuid 65534 drop", "chain nat {\n type nat hook output priority -100;\n skuid 65534 tcp dport 80 redirect to :3128\n}"),
        ),
    ]
    .map(|(name, rules)| (name.to_owned(), rules))
    .into();
    all.extend((0..12).map(|seed| (format!("generated {seed}"), generated(seed))));
    all
}

/// Rules put together from pieces, the same for the same seed.
fn generated(seed: u64) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d;
    let mut pick = |list: &[&'static str]| -> &'static str {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        list[(state >> 33) as usize % list.len()]
    };
    let who =
        ["skuid 65534", "skuid != 0", "skuid { 5, 65534 }", "skuid 60000-65535", "skuid 65533", "", "skgid 65534"];
    let what = [
        "",
        "",
        "meta l4proto tcp",
        "meta l4proto udp",
        "tcp dport 443",
        "tcp dport { 22, 80, 443 }",
        "udp dport != 53",
        "th dport 1024-65535",
        "meta nfproto ipv4",
        "meta nfproto ipv6",
        "oif lo",
        "oif != lo",
        "oifname veth0",
        "ip daddr 10.0.0.0/8",
        "ip daddr != 127.0.0.0/8",
        "ip daddr { 8.0.0.0/8, 52.0.0.0/8, 192.168.0.0/16 }",
        "ip6 daddr 2000::/3",
        "ip6 daddr != ::1",
        "ct state new",
        "ct state established,related",
        "tcp dport > 1000",
    ];
    let verdict = ["accept", "drop", "drop", "reject", "jump a", "goto a", "return", "counter"];
    let mut chain = |count: usize, verdicts: &[&'static str]| -> String {
        let rule = |_| format!("  {} {} {}\n", pick(&who), pick(&what), pick(verdicts));
        (0..count).map(rule).collect()
    };
    let inner = chain(3, &["accept", "drop", "return", "counter"]);
    let (first, second) = (chain(5, &verdict), chain(3, &["accept", "drop", "jump a", "return"]));
    let policy = if seed.is_multiple_of(3) { "drop" } else { "accept" };
    format!(
        "table inet fw {{\n chain a {{\n{inner} }}\n chain out {{\n  type filter hook output priority 0; policy {policy};\n{first} }}\n chain post {{\n  type filter hook postrouting priority 5;\n{second} }}\n}}"
    )
}
