//! How to tell from its text that a file holds a credential that can be used as it lies. What is read is judged and
//! dropped.

use serde_json::Value;

/// A way to tell.
pub(in crate::facts) enum Proof {
    /// That it is there and not empty.
    Any,
    /// One of these texts.
    Text(&'static [&'static str]),
    /// A line that gives one of these keys a value of its own, not a variable.
    Lines(&'static [&'static str]),
    /// An address with a password in it.
    Password,
    /// The file of a container client that holds passwords itself, not through a keychain.
    Auths,
    /// A cluster that is not on this machine, with a key or token for it.
    KubeConfig,
    /// A private key without a passphrase.
    PrivateKey,
    /// A GnuPG key without a passphrase.
    GpgKey,
}

impl Proof {
    /// Whether `text` holds what can be used.
    pub(in crate::facts) fn holds(&self, text: &str) -> bool {
        match self {
            Self::Any => !text.trim().is_empty(),
            Self::Text(words) => words.iter().any(|word| text.contains(word)),
            Self::Lines(keys) => text.lines().any(|line| gives_value(line, keys)),
            Self::Password => text.lines().any(has_password),
            Self::Auths => auths(text),
            Self::KubeConfig => remote_cluster(text),
            Self::PrivateKey => open_key(text),
            Self::GpgKey => !text.contains("(protected-private-key") && !text.contains("(shadowed-private-key"),
        }
    }
}

/// `key = value`, `key: value`, `//registry/:key=value`, `x.key=value`, where the value is no `${VARIABLE}`.
fn gives_value(line: &str, keys: &[&str]) -> bool {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return false;
    }
    keys.iter().any(|key| {
        line.match_indices(key).any(|(at, _)| {
            let starts = !line[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
            let rest = line[at + key.len()..].trim_start_matches(['"', '\'']).trim_start();
            let value = rest.strip_prefix(['=', ':']).map(|value| value.trim().trim_matches(['"', '\'', ',']));
            starts && value.is_some_and(|value| !value.is_empty() && value != "null" && !value.starts_with(['$', '{']))
        })
    })
}

fn has_password(line: &str) -> bool {
    let line = line.trim();
    !line.starts_with(['#', ';'])
        && line.split("://").skip(1).any(|rest| {
            let authority = rest.split(['/', '?', '#', ' ']).next().unwrap_or_default();
            let user = authority.rsplit_once('@').map(|(user, _)| user);
            user.and_then(|user| user.split_once(':'))
                .is_some_and(|(_, word)| !word.is_empty() && !word.starts_with('$'))
        })
}

fn auths(text: &str) -> bool {
    let Ok(config) = serde_json::from_str::<Value>(text) else { return text.contains("\"auth\"") };
    let entries = config.get("auths").and_then(Value::as_object);
    entries.into_iter().flat_map(|entries| entries.values()).any(|entry| {
        ["auth", "identitytoken", "password", "registrytoken"]
            .iter()
            .any(|key| entry.get(key).and_then(Value::as_str).is_some_and(|value| !value.is_empty()))
    })
}

fn remote_cluster(text: &str) -> bool {
    const KEYS: &[&str] = &["token", "client-key-data", "client-key", "password", "id-token", "refresh-token"];
    let usable = text.lines().any(|line| gives_value(line, KEYS) || line.trim_start().starts_with("exec:"));
    let servers = text.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("server:"));
    usable && servers.into_iter().any(|server| !is_local(server.trim().trim_matches(['"', '\''])))
}

fn is_local(server: &str) -> bool {
    let authority = server.split("://").nth(1).unwrap_or(server).split('/').next().unwrap_or_default();
    let name = match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    matches!(name, "localhost" | "::1" | "0.0.0.0" | "kubernetes.docker.internal" | "host.docker.internal")
        || name.starts_with("127.")
}

fn open_key(text: &str) -> bool {
    let begins = text.trim_start().lines().next().is_some_and(|line| line.contains("PRIVATE KEY-----"));
    // The header of an OpenSSH key names the cipher; this is how `openssh-key-v1` with `none` starts in base64.
    let openssh = text.contains("BEGIN OPENSSH PRIVATE KEY");
    let encrypted = text.contains("ENCRYPTED") || (openssh && !text.contains("b3BlbnNzaC1rZXktdjEAAAAABG5vbmU"));
    begins && !encrypted
}

#[cfg(test)]
mod tests {
    use super::Proof::*;

    // In parts, so that a scan of this repository finds no key.
    const OPEN: &str = concat!("-----BEGIN OPENSSH PRIVATE ", "KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAE\n");
    const ENCRYPTED: &str = concat!("-----BEGIN OPENSSH PRIVATE ", "KEY-----\nb3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1j\n");

    #[test]
    fn a_file_is_judged_by_what_can_be_used_of_it() {
        for (proof, text, holds) in [
            (Any, "x", true),
            (Any, "\n", false),
            (Lines(&["_authToken"]), "//registry.npmjs.org/:_authToken=npm_x", true),
            (Lines(&["_authToken"]), "//registry.npmjs.org/:_authToken=${NPM_TOKEN}", false),
            (Lines(&["_auth"]), "//r/:_authToken=x", false),
            (Lines(&["token"]), "# token = x", false),
            (Lines(&["token"]), "[registry]\ntoken = \"cio\"", true),
            (Lines(&["oauth_token"]), "    oauth_token: gho_x", true),
            (Lines(&["token"]), "token:", false),
            (Lines(&["password"]), "systemProp.gradle.password=x", true),
            (Password, "https://dev:ghp@github.com", true),
            (Password, "index-url = https://pypi.org/simple", false),
            (Password, "index-url = https://dev@pypi.org/simple", false),
            (Auths, r#"{"auths":{"r":{"auth":"eA=="}}}"#, true),
            (Auths, r#"{"auths":{"r":{}},"credsStore":"desktop"}"#, false),
            (KubeConfig, "server: https://127.0.0.1:6443\nclient-key-data: x", false),
            (KubeConfig, "server: https://k8s.example.org\nclient-key-data: x", true),
            (KubeConfig, "server: https://k8s.example.org\n", false),
            (KubeConfig, "server: https://[::1]:6443\ntoken: x", false),
            (PrivateKey, "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", false),
            (PrivateKey, "-----BEGIN RSA PRIVATE KEY-----\nMII\n", true),
            (PrivateKey, OPEN, true),
            (PrivateKey, ENCRYPTED, false),
            (PrivateKey, "Host *\n", false),
            (GpgKey, "Key: (protected-private-key (rsa", false),
            (GpgKey, "Key: (private-key (rsa", true),
        ] {
            assert_eq!(proof.holds(text), holds, "{text}");
        }
    }
}
