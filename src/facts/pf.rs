//! Whether the packet filter of macOS confines the agent's account: now, and after a restart.

use schemars::JsonSchema;
use serde::Serialize;

use super::nft::Group;
use super::pf_rules::{PfFate, PfPacket, fate, flat};
use super::units::{names, read};
use super::{ProbeError, glob, needs_running};
use crate::host::{Accounts, Host, Output, Tool};
use crate::model::{AbsPath, Look, Os, Subject, Uid, Unseen};

/// Whether pf confines the account.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Whether pf is on.
    enabled: Look<bool>,
    /// Connections that the rules let the account open, in words.
    open: Look<Vec<String>>,
    /// Files that pf is loaded from at start and that name the account.
    files: Vec<String>,
    /// Whether those rules come back after a restart.
    survives: bool,
    /// Where it leaves the account free, in a few words.
    faults: Vec<String>,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    if subject.os != Os::Macos {
        return Err(ProbeError::Unseen(Unseen::new("pf belongs to macOS", "see `egress` for Linux")));
    }
    needs_running(host, "loaded packet rules")?;
    let user = subject.account()?;
    let Some(uid) = user.uid else {
        let why = format!("there is no account `{}` that rules could be about", user.name);
        return Err(ProbeError::Unseen(Unseen::new(why, "create it, or name another as `agent_user` in the profile")));
    };
    let accounts = host.accounts().map_err(|error| ProbeError::unreadable(&path("/etc/passwd"), error))?;
    let rules = told(host, &["-a", "*", "-sr"]).map(|text| flat(&text));
    let judged = |tries: &[(&str, PfPacket<'_>)]| match &rules {
        Ok(rules) => open(rules, tries, &accounts),
        Err(unseen) => Look::Unknown(unseen.clone()),
    };
    let files = files(host, &user.name, uid)?;
    let enabled = told(host, &["-s", "info"]).map(|text| text.lines().any(|line| line.starts_with("Status: Enabled")));
    let survives = survives(host, &files)?;
    let (enabled, open) = (enabled.into(), judged(&tries(uid)));
    let faults = faults(&enabled, &open, survives);
    Ok(Fact { enabled, open, files, survives, faults })
}

/// Services of this machine that the rules let the account reach, but for the ports that are declared.
pub(super) fn loopback(host: &dyn Host, subject: &Subject, ports: &[u16]) -> Result<Group, ProbeError> {
    let user = subject.account()?;
    let Some(uid) = user.uid else {
        let why = format!("there is no account `{}` that rules could be about", user.name);
        return Err(ProbeError::Unseen(Unseen::new(why, "create it, or name another as `agent_user` in the profile")));
    };
    let accounts = host.accounts().map_err(|error| ProbeError::unreadable(&path("/etc/passwd"), error))?;
    let info = told(host, &["-s", "info"])?;
    if !info.lines().any(|line| line.starts_with("Status: Enabled")) {
        return Ok(Group::of(Look::Known(vec!["every service on loopback: pf is switched off".to_owned()])));
    }
    // An interface that is skipped is asked no rule.
    let interfaces = told(host, &["-v", "-s", "Interfaces"])?;
    if interfaces.lines().any(|line| matches!(line.trim(), "lo0 (skip)" | "lo (skip)")) {
        let why = "every service on loopback: pf does not look at `lo0` (`set skip on lo0`)".to_owned();
        return Ok(Group::of(Look::Known(vec![why])));
    }
    let rules = flat(&told(host, &["-a", "*", "-sr"])?);
    let number = |name: &str| accounts.user(name).map(|user| user.uid.0);
    let packet = |protocol, to: &'static str, port| PfPacket {
        v6: to.contains(':'),
        protocol,
        to,
        port,
        uid: uid.0,
        on_loopback: true,
    };
    let ports: Vec<u16> = named_ports(&rules).into_iter().filter(|port| !ports.contains(port)).collect();
    let (mut found, mut unclear) = (Vec::new(), None);
    for (to, protocol) in [("127.0.0.1", "tcp"), ("127.0.0.1", "udp"), ("::1", "tcp"), ("::1", "udp")] {
        let fates = ports.iter().map(|port| (port, fate(&rules, packet(protocol, to, *port), &number)));
        for (port, fate) in fates {
            match fate {
                PfFate::Passed => {
                    found.push(format!("{} to {to} (port {port})", protocol.to_uppercase()));
                    break;
                }
                PfFate::Blocked => {}
                PfFate::Untold(rule) => unclear = unclear.or(Some(rule)),
            }
        }
    }
    Ok(Group::of(match unclear {
        Some(rule) if found.is_empty() => untold(&rule),
        _ => Look::Known(found),
    }))
}

/// The ports that rules name with the edges of ranges, and some that they mostly do not. Those of DNS are left out.
fn named_ports(rules: &[String]) -> Vec<u16> {
    let words = rules.iter().flat_map(|rule| rule.split([' ', ':', '{', '}', ',']));
    let named = words.filter_map(|word| word.parse::<u16>().ok()).take(500);
    let near = named.flat_map(|port| [port.saturating_sub(1), port, port.saturating_add(1)]);
    let all: std::collections::BTreeSet<u16> = near.chain([80, 8080, 49_151]).collect();
    all.into_iter().filter(|port| !matches!(port, 0 | 53 | 853)).collect()
}

fn faults(enabled: &Look<bool>, open: &Look<Vec<String>>, survives: bool) -> Vec<String> {
    let off = (*enabled == Look::Known(false)).then(|| "it is switched off".to_owned());
    let open = open.known().filter(|open| !open.is_empty());
    let open = open.map(|open| format!("its rules let the account open {}", open.join(", ")));
    let gone = (!survives).then(|| "no rules for the account come back after a restart".to_owned());
    off.into_iter().chain(open).chain(gone).collect()
}

fn path(text: &str) -> AbsPath {
    AbsPath::root().join(text)
}

fn told(host: &dyn Host, args: &[&str]) -> Result<String, Unseen> {
    let Output { status, stdout, stderr } = host.run(Tool::Pfctl, args).map_err(Unseen::from)?;
    if status == 0 {
        return Ok(stdout);
    }
    // pfctl also writes notices there, about features that the kernel lacks.
    let why = stderr.lines().find(|line| line.starts_with("pfctl:")).unwrap_or("no output").trim().to_owned();
    let how = if why.contains("ermission denied") { "run with sudo" } else { "run it by hand" };
    Err(Unseen::new(format!("`pfctl {}` says: {why}", args.join(" ")), how))
}

/// One connection of each kind, to a place that rules seldom name.
fn tries(uid: Uid) -> [(&'static str, PfPacket<'static>); 6] {
    let packet = |protocol, to: &'static str, port| PfPacket {
        v6: to.contains(':'),
        protocol,
        to,
        port,
        uid: uid.0,
        on_loopback: false,
    };
    [
        ("TCP over IPv4", packet("tcp", "198.18.51.7", 443)),
        ("UDP over IPv4", packet("udp", "198.18.51.7", 443)),
        ("DNS over IPv4", packet("udp", "198.18.51.7", 53)),
        ("TCP over IPv6", packet("tcp", "2001:db8:51::7", 443)),
        ("UDP over IPv6", packet("udp", "2001:db8:51::7", 443)),
        ("DNS over IPv6", packet("udp", "2001:db8:51::7", 53)),
    ]
}

fn open(rules: &[String], tries: &[(&str, PfPacket<'_>)], accounts: &Accounts) -> Look<Vec<String>> {
    let number = |name: &str| accounts.user(name).map(|user| user.uid.0);
    let (mut found, mut unclear) = (Vec::new(), None);
    for (name, packet) in tries {
        match fate(rules, *packet, &number) {
            PfFate::Passed => found.push((*name).to_owned()),
            PfFate::Blocked => {}
            PfFate::Untold(rule) => unclear = unclear.or(Some(rule)),
        }
    }
    match unclear {
        Some(rule) if found.is_empty() => untold(&rule),
        _ => Look::Known(found),
    }
}

fn untold<T>(rule: &str) -> Look<T> {
    Look::unknown(format!("whether `{rule}` is about the account's connections"), "look at the rule by hand")
}

/// The files that /etc/pf.conf loads and that name the account in a rule; the main file among them.
fn files(host: &dyn Host, name: &str, uid: Uid) -> Result<Vec<String>, ProbeError> {
    let main = path("/etc/pf.conf");
    let Some(conf) = read(host, &main)? else { return Ok(Vec::new()) };
    let mut files = vec![(main, conf.clone())];
    for line in
        conf.lines().map(str::trim).filter(|line| line.starts_with("load anchor") || line.starts_with("include"))
    {
        let quoted = line.rsplit('"').nth(1).and_then(AbsPath::new);
        if let Some(file) = quoted.filter(|_| is_used(&conf, line)) {
            let text = read(host, &file)?.unwrap_or_default();
            files.push((file, text));
        }
    }
    let number = uid.0.to_string();
    let names_it = |text: &str| {
        let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
        lines.filter(|line| line.split_whitespace().any(|word| word == "user")).any(|line| {
            line.split(|c: char| c.is_whitespace() || "{},=".contains(c)).any(|word| word == name || word == number)
        })
    };
    Ok(files.into_iter().filter(|(_, text)| names_it(text)).map(|(file, _)| file.text()).collect())
}

/// Whether the anchor that a `load anchor` line fills is one that the main rules ask.
fn is_used(conf: &str, line: &str) -> bool {
    let Some(name) = line.strip_prefix("load anchor").and_then(|rest| rest.split('"').nth(1)) else { return true };
    conf.lines().map(str::trim).filter_map(|line| line.strip_prefix("anchor")).any(|rest| {
        let asked = rest.split('"').nth(1).unwrap_or_default();
        glob::fits(asked, name)
    })
}

/// Whether pf is switched on at start with those files: the system loads /etc/pf.conf and leaves pf off, so a job of
/// launchd has to switch it on.
fn survives(host: &dyn Host, files: &[String]) -> Result<bool, ProbeError> {
    let folder = path("/Library/LaunchDaemons");
    for name in names(host, &folder)?.into_iter().filter(|name| name.ends_with(".plist")) {
        let text = read(host, &folder.join(name))?.unwrap_or_default();
        let words: Vec<&str> = text.split(['<', '>']).map(str::trim).flat_map(str::split_whitespace).collect();
        let switches_on = words.iter().any(|word| matches!(*word, "-e" | "-E" | "-ef" | "-Ef"));
        let calls = words.iter().any(|word| word.ends_with("pfctl"));
        let at_load = words.windows(3).any(|w| w == ["RunAtLoad", "/key", "true/"]);
        if calls && switches_on && at_load {
            return Ok(!files.is_empty());
        }
    }
    Ok(false)
}
