//! The address of a remote server: where it leads as the agent's own parser would read it, and how it may be shown.
//! A hostile project chooses the text, so `http://127.0.0.1.example`, `https://good\@evil` and `http://2130706433`
//! are read as a browser reads them.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::package::has_variable;
use super::secret::{self, Class};

/// A web address, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    /// In lower case: `https`.
    pub(super) scheme: String,
    /// What stands before the `@`, if anything.
    pub(super) userinfo: Option<String>,
    /// In lower case, without brackets and a dot at the end. None where it is completed at start.
    pub(super) host: Option<String>,
    /// As written, or the scheme's own.
    pub(super) port: Option<u16>,
    /// From the first `/`.
    pub(super) path: String,
    /// Names and values behind the `?`.
    pub(super) query: Vec<(String, String)>,
}

/// None where the text is not `scheme://…`.
pub(super) fn parse(text: &str) -> Option<Address> {
    let tidy: String = text.trim().chars().filter(|c| !matches!(c, '\t' | '\n' | '\r')).collect();
    let (scheme, rest) = tidy.split_once(':')?;
    let scheme = scheme.to_ascii_lowercase();
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let is_web = matches!(scheme.as_str(), "http" | "https" | "ws" | "wss");
    if !is_scheme || !(is_web || rest.starts_with("//")) {
        return None;
    }
    // In web addresses a backslash is a slash, and any number of them opens the host.
    let rest = if is_web { rest.trim_start_matches(['/', '\\']) } else { &rest[2..] };
    let ends: &[char] = if is_web { &['/', '\\', '?', '#'] } else { &['/', '?', '#'] };
    let end = end_of_authority(rest, ends);
    let (authority, tail) = rest.split_at(end);
    let (userinfo, host_port) = match authority.rfind('@') {
        Some(at) => (Some(authority[..at].to_owned()), &authority[at + 1..]),
        None => (None, authority),
    };
    let (host, port) = split_port(host_port);
    let tail = tail.split('#').next().unwrap_or_default();
    let (path, query) = tail.split_once('?').unwrap_or((tail, ""));
    Some(Address {
        port: port.or(match scheme.as_str() {
            "http" | "ws" => Some(80),
            "https" | "wss" => Some(443),
            _ => None,
        }),
        scheme,
        userinfo: userinfo.filter(|text| !text.is_empty()),
        host: (!has_variable(host) && !host.contains('{') && !host.contains('%')).then(|| tidy_host(host)),
        path: path.replace('\\', "/"),
        query: pairs(query),
    })
}

/// Where host and port end; a `/` or `?` inside `{…}` belongs to a reference.
fn end_of_authority(rest: &str, ends: &[char]) -> usize {
    let mut depth = 0usize;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            c if depth == 0 && ends.contains(&c) => return at,
            _ => {}
        }
    }
    rest.len()
}

fn split_port(text: &str) -> (&str, Option<u16>) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match text.rsplit_once(':') {
        Some((host, port)) if !host.ends_with('{') && port.bytes().all(|byte| byte.is_ascii_digit()) => {
            (host, port.parse().ok())
        }
        _ => (text, None),
    }
}

fn tidy_host(host: &str) -> String {
    let host = host.trim_end_matches('.').to_lowercase();
    match ipv4(&host) {
        Some(number) => number.to_string(),
        None => host,
    }
}

/// `127.1`, `0x7f000001` and `2130706433` are all 127.0.0.1 to the web.
fn ipv4(host: &str) -> Option<Ipv4Addr> {
    let parts: Vec<&str> = host.split('.').collect();
    if parts.len() > 4 {
        return None;
    }
    let numbers = parts.iter().map(|part| ipv4_part(part)).collect::<Option<Vec<u64>>>()?;
    let (last, first) = numbers.split_last()?;
    if first.iter().any(|number| *number > 255) || *last >= 1 << (8 * (4 - first.len())) {
        return None;
    }
    let high = first.iter().zip([24, 16, 8]).map(|(number, shift)| number << shift).sum::<u64>();
    u32::try_from(high + last).ok().map(Ipv4Addr::from)
}

fn ipv4_part(part: &str) -> Option<u64> {
    if part.is_empty() {
        return None;
    }
    match part.strip_prefix("0x") {
        Some("") => Some(0),
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None if part.len() > 1 && part.starts_with('0') => u64::from_str_radix(part, 8).ok(),
        None => part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok()).flatten(),
    }
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let parts = query.split('&').filter(|part| !part.is_empty());
    parts.map(|part| part.split_once('=').unwrap_or((part, ""))).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// Whether a host is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    if let Some(number) = ipv4(host) {
        return number.is_loopback() || number.is_unspecified();
    }
    if let Ok(number) = host.parse::<Ipv6Addr>() {
        let mapped = number.to_ipv4_mapped().is_some_and(|number| number.is_loopback());
        return number.is_loopback() || number.is_unspecified() || mapped;
    }
    host == "localhost" || host.ends_with(".localhost")
}

/// Whether a host is one of those listed: `name`, `name:port`, `*.name` or `.name` for everything below.
pub(super) fn is_listed(host: &str, port: Option<u16>, listed: &[&str]) -> bool {
    listed.iter().any(|entry| {
        let entry = entry.trim().to_lowercase();
        let (name, wanted) = split_port(&entry);
        if wanted.is_some() && wanted != port {
            return false;
        }
        match name.strip_prefix('*').unwrap_or(name).strip_prefix('.') {
            Some(parent) => host.strip_suffix(parent).is_some_and(|rest| rest.ends_with('.')),
            None => name == host,
        }
    })
}

/// An address as it may be shown: no user, no values in the query, no path parts that could be keys.
pub(super) fn redacted(text: &str) -> String {
    let Some(address) = parse(text) else { return crate::model::redact_line(text) };
    let host = address.host.clone().unwrap_or_else(|| "(decided at start)".into());
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let usual =
        matches!((address.scheme.as_str(), address.port), ("http" | "ws", Some(80)) | ("https" | "wss", Some(443)));
    let port = address.port.filter(|_| !usual).map(|port| format!(":{port}")).unwrap_or_default();
    let user = if address.userinfo.is_some() { "***@" } else { "" };
    let path: Vec<String> = address.path.split('/').map(part_redacted).collect();
    let query: Vec<String> = address
        .query
        .iter()
        .map(|(name, value)| {
            let shown = match secret::classify(name, value).class {
                Class::Reference => value.clone(),
                _ if value.is_empty() => String::new(),
                _ => "***".into(),
            };
            format!("{}={shown}", crate::model::redact_line(name))
        })
        .collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    format!("{}://{user}{host}{port}{}{query}", address.scheme, path.join("/"))
}

/// Long parts of a path may be capabilities: who has the address has the server.
fn part_redacted(part: &str) -> String {
    let is_commit = matches!(part.len(), 40 | 64) && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    if has_variable(part) || is_commit || part.contains('@') {
        return part.to_owned();
    }
    crate::model::redact_line(part)
}

/// The name or version of a package as it may be shown.
pub(super) fn without_secrets(text: &str) -> String {
    const LONGEST: usize = 200;
    if !text.contains("://") {
        return text.chars().take(LONGEST).collect();
    }
    let (prefix, rest) = match text.split_once('+') {
        Some((prefix, rest)) if rest.contains("://") && !prefix.contains(':') => (format!("{prefix}+"), rest),
        _ => (String::new(), text),
    };
    format!("{prefix}{}", redacted(rest)).chars().take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_read_as_the_web_reads_them() {
        for (text, host) in [
            ("https://Example.COM./x", Some("example.com")),
            ("https://good.example\\@evil.example/", Some("good.example")),
            ("https://good.example@evil.example/", Some("evil.example")),
            ("https://a:b@c@evil.example/", Some("evil.example")),
            ("https:evil.example/x", Some("evil.example")),
            ("https:///evil.example/x", Some("evil.example")),
            ("ht\ntps://evil.example/x", Some("evil.example")),
            ("http://127.1/", Some("127.0.0.1")),
            ("http://2130706433/", Some("127.0.0.1")),
            ("http://0x7f.0.0.1/", Some("127.0.0.1")),
            ("http://0177.0.0.1/", Some("127.0.0.1")),
            ("http://[::1]:80/", Some("::1")),
            ("http://{env:HOST}/x", None),
            ("https://{env:KEY}.evil.example/x", None),
            ("https://${HOST:-a/b}.example/x", None),
            ("https://%65vil.example/", None),
        ] {
            assert_eq!(parse(text).expect(text).host.as_deref(), host, "{text}");
        }
        assert_eq!(parse("not an address"), None);
        assert_eq!(parse("C:\\x"), None);
    }

    #[test]
    fn only_this_machine_is_loopback() {
        for (host, here) in [
            ("localhost", true),
            ("app.localhost", true),
            ("127.0.0.1", true),
            ("127.8.9.10", true),
            ("0.0.0.0", true),
            ("::1", true),
            ("::ffff:127.0.0.1", true),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example", false),
            ("10.0.0.1", false),
            ("host.docker.internal", false),
            ("128.0.0.1", false),
        ] {
            assert_eq!(is_loopback(host), here, "{host}");
        }
    }

    #[test]
    fn a_listed_host_is_that_host_alone() {
        for (host, port, listed, is) in [
            ("api.example", Some(443), "api.example", true),
            ("api.example", Some(443), "API.example", true),
            ("api.example", Some(443), "api.example:443", true),
            ("api.example", Some(8443), "api.example:443", false),
            ("a.api.example", Some(443), "api.example", false),
            ("a.api.example", Some(443), "*.api.example", true),
            ("a.api.example", Some(443), ".api.example", true),
            ("api.example", Some(443), "*.api.example", false),
            ("evilapi.example", Some(443), "*.api.example", false),
        ] {
            assert_eq!(is_listed(host, port, &[listed]), is, "{host} {listed}");
        }
    }

    #[test]
    fn what_is_shown_holds_no_key() {
        for (text, shown) in [
            ("https://mcp.example/sse", "https://mcp.example/sse"),
            ("https://user:hunter2@mcp.example:8443/sse", "https://***@mcp.example:8443/sse"),
            ("https://mcp.example/?api_key=hunter2&mode=ro", "https://mcp.example/?api_key=***&mode=***"),
            ("https://mcp.example/?key={env:KEY}", "https://mcp.example/?key={env:KEY}"),
            ("https://mcp.example/s/a1b2c3d4e5f6a7b8/mcp", "https://mcp.example/s/***/mcp"),
            ("http://[::1]:3000/mcp", "http://[::1]:3000/mcp"),
        ] {
            assert_eq!(redacted(text), shown);
        }
    }
}
