//! Host patterns of allow and deny lists: what an entry covers, and which entries are no list at all.

use std::net::IpAddr;

use super::glob;

/// Suffixes under which anyone can rent a name.
const SHARED: &[&str] = &[
    "amazonaws.com",
    "cloudfront.net",
    "azurewebsites.net",
    "windows.net",
    "azureedge.net",
    "googleusercontent.com",
    "appspot.com",
    "run.app",
    "web.app",
    "firebaseapp.com",
    "github.io",
    "githubusercontent.com",
    "gitlab.io",
    "pages.dev",
    "workers.dev",
    "r2.dev",
    "vercel.app",
    "netlify.app",
    "herokuapp.com",
    "fly.dev",
    "onrender.com",
    "ngrok.io",
    "ngrok-free.app",
    "trycloudflare.com",
    "b-cdn.net",
    "fastly.net",
    "akamaized.net",
    "co.uk",
    "com.au",
    "co.jp",
    "com.br",
    "duckdns.org",
    "nip.io",
    "sslip.io",
];

/// The host of an entry that may be written as an address with scheme, port and path.
pub(super) fn host_of(entry: &str) -> String {
    let entry = entry.trim();
    let rest = entry.split_once("://").map_or(entry, |(_, rest)| rest);
    let network = if range(rest).is_some() { rest } else { rest.split('/').next().unwrap_or_default() };
    let host = network.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[').and_then(|host| host.split_once(']')) {
        Some((address, _)) => address,
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => host,
    };
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// An address, or addresses with a prefix length.
fn range(text: &str) -> Option<(IpAddr, u8)> {
    match text.split_once('/') {
        Some((address, length)) => Some((address.parse().ok()?, length.parse().ok()?)),
        None => {
            let address: IpAddr = text.parse().ok()?;
            Some((address, if address.is_ipv4() { 32 } else { 128 }))
        }
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => u128::from(address),
    }
}

/// Why an entry of an allow-list is none; None for a good one.
pub(super) fn fault(entry: &str) -> Option<&'static str> {
    let host = host_of(entry);
    if let Some((address, length)) = range(&host) {
        let narrow = if address.is_ipv4() { 28 } else { 64 };
        return (length < narrow).then_some("is a range of addresses");
    }
    let bare = host.trim_start_matches("*.").trim_start_matches('.');
    let labels = bare.split('.').count();
    match host.as_str() {
        "" => Some("is empty"),
        "*" | "**" | "any" | "all" => Some("allows everything"),
        "localhost" => None,
        _ if host.starts_with(['*', '.']) && labels == 1 => Some("allows a whole top-level domain"),
        _ if host.contains('*') && SHARED.contains(&bare) => Some("allows every customer of a shared domain"),
        _ if host.contains(['*', '?']) || host.starts_with('.') => Some("is a wildcard"),
        _ if SHARED.contains(&bare) => Some("is a shared domain, not a host"),
        _ if labels == 1 && is_top_level(&host) => Some("is a top-level domain"),
        _ => None,
    }
}

/// A name of one label is a host of the local network, unless it is a domain that everyone knows.
fn is_top_level(name: &str) -> bool {
    matches!(
        name,
        "com"
            | "net"
            | "org"
            | "io"
            | "dev"
            | "ai"
            | "app"
            | "co"
            | "uk"
            | "de"
            | "eu"
            | "us"
            | "cloud"
            | "info"
            | "xyz"
    )
}

/// Whether a pattern covers all that an endpoint names: equal, a suffix behind `*.`, a `*` within, a range.
pub(super) fn covers(pattern: &str, endpoint: &str) -> bool {
    let (pattern, endpoint) = (host_of(pattern), host_of(endpoint));
    if let (Some((network, length)), Some((address, narrower))) = (range(&pattern), range(&endpoint)) {
        let shift = 128_u32.saturating_sub(u32::from(length));
        let same = length == 0 || bits(network) >> shift == bits(address) >> shift;
        return network.is_ipv4() == address.is_ipv4() && narrower >= length && same;
    }
    glob::fits(&pattern, &endpoint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_are_no_list_are_told() {
        for (entry, is_fault) in [
            ("api.example.com", false),
            ("https://api.example.com:443/v1", false),
            ("127.0.0.1:11434", false),
            ("[::1]:8080", false),
            ("10.1.2.3/32", false),
            ("ollama", false),
            ("localhost", false),
            ("my-app.github.io", false),
            ("*", true),
            ("*.com", true),
            (".example.com", true),
            ("*.example.com", true),
            ("api-*.example.com", true),
            ("github.io", true),
            ("com", true),
            ("10.0.0.0/8", true),
            ("0.0.0.0/0", true),
            ("::/0", true),
            ("", true),
        ] {
            assert_eq!(fault(entry).is_some(), is_fault, "{entry}: {:?}", fault(entry));
        }
    }

    #[test]
    fn a_pattern_covers_what_is_narrower() {
        for (pattern, endpoint, covered) in [
            ("169.254.169.254", "169.254.169.254", true),
            ("169.254.0.0/16", "169.254.169.254", true),
            ("http://169.254.169.254/latest", "169.254.169.254", true),
            ("fd00:ec2::/32", "fd00:ec2::254", true),
            ("10.0.0.0/8", "169.254.169.254", false),
            ("*.amazonaws.com", "secretsmanager.*.amazonaws.com", true),
            ("secretsmanager.eu-west-1.amazonaws.com", "secretsmanager.*.amazonaws.com", false),
            ("webhook.site", "webhook.site", true),
            ("*.webhook.site", "webhook.site", false),
            ("*", "pastebin.com", true),
            ("169.254.169.25*", "169.254.169.254", true),
        ] {
            assert_eq!(covers(pattern, endpoint), covered, "{pattern} {endpoint}");
        }
    }
}
