//! Files in the project that exist to hold a key: dotenv files, private keys, key stores, credentials of package
//! managers and clouds. What they hold is looked at only to tell a key from a template, a certificate or a setting.

use std::path::Path;

use rayon::prelude::*;
use schemars::JsonSchema;
use serde::Serialize;

use super::secrets::{Place, count, few, is_text, place_of};
use super::{ProbeError, secret_names, tree};
use crate::host::{self, Host, Want, Who};
use crate::model::{AbsPath, Location, Look, Scope, Subject};

/// The largest key file that is read: 1 MiB.
const LIMIT: u64 = 1 << 20;
/// The most files that are told one by one.
const LISTED: usize = 500;

/// Key files in the project.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Those that hold a key, and those that could not be read.
    list: Vec<KeyFile>,
    /// How many more there would be in the list.
    not_listed: u64,
}

/// A file that exists to hold a key.
#[derive(Serialize, JsonSchema)]
struct KeyFile {
    /// Where it is.
    path: String,
    /// What it is.
    kind: KeyKind,
    /// What kind of folder it lies in.
    place: Place,
    /// Whether a key is in it: a value, not a template.
    holds_key: Look<bool>,
    /// Whether the agent's account may read it. In the narrowest scope nobody is asked, and it counts as readable.
    readable: Look<bool>,
    /// The first line that holds one.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Location>,
}

/// What a key file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum KeyKind {
    /// Environment variables of an application.
    Dotenv,
    /// A private key in text form.
    PrivateKey,
    /// A store of keys.
    KeyStore,
    /// Access to a Kubernetes cluster.
    Kubeconfig,
    /// Credentials of a package manager, a cloud or a host.
    Credentials,
    /// The key of a cloud's service account.
    ServiceAccount,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let tree = tree::tree(host, subject)?;
    // Whom nobody knows is taken for one who may read.
    let known = subject.user.known().filter(|_| subject.scope > Scope::Repo);
    let who = known.and_then(Who::of);
    let candidates: Vec<_> = tree.files.iter().filter_map(|path| Some((path, kind_of(path)?))).collect();
    let seen: Vec<KeyFile> =
        candidates.par_iter().map(|(path, kind)| key_file(host, subject, who.as_ref(), path, *kind)).collect();
    let mut list: Vec<KeyFile> =
        seen.into_iter().filter(|file| !matches!(file.holds_key, Look::Known(false))).collect();
    let not_listed = list.len().saturating_sub(LISTED) as u64;
    list.truncate(LISTED);
    if tree.closed > 0 {
        list.push(closed_folders(tree.closed));
    }
    Ok(Fact { list, not_listed })
}

fn closed_folders(closed: u64) -> KeyFile {
    let why = format!("{} of the project could not be listed", count(closed, "folder"));
    let holds_key = Look::unknown(why, "run as the owner of the project, or with sudo");
    KeyFile {
        path: "closed folders".into(),
        kind: KeyKind::Dotenv,
        place: Place::Source,
        holds_key,
        readable: Look::Known(true),
        at: None,
    }
}

fn key_file(host: &dyn Host, subject: &Subject, who: Option<&Who>, path: &Path, kind: KeyKind) -> KeyFile {
    let full = subject.project.join(path);
    let shown = path.to_string_lossy().into_owned();
    let line = held(host, &full, kind);
    let at = match &line {
        Look::Known(Some(line)) if *line > 0 => {
            Some(Location { line: *line, end_line: *line, ..Location::file(&shown) })
        }
        _ => None,
    };
    KeyFile {
        path: shown,
        kind,
        place: place_of(path),
        holds_key: line.map(|line| line.is_some()),
        readable: who.map_or(Look::Known(true), |who| {
            host::can(host, who, &full, Want::Read).map_err(|error| ProbeError::unreadable(&full, error)).into()
        }),
        at,
    }
}

/// The line of the first key; 0 for a file that is one as a whole.
fn held(host: &dyn Host, path: &AbsPath, kind: KeyKind) -> Look<Option<u32>> {
    if kind == KeyKind::KeyStore {
        let size = host.stat(path).map(|stat| stat.size).map_err(|error| ProbeError::unreadable(path, error));
        return Look::from(size).map(|size| (size > 0).then_some(0));
    }
    match host.read(path, LIMIT) {
        Ok(bytes) if !is_text(&bytes) => Look::Known(None),
        Ok(bytes) => Look::Known(key_line(kind, &String::from_utf8_lossy(&bytes))),
        Err(error) => {
            let why = format!("`{}` could not be read: {error}", few(&[path.text()]).trim_matches('`'));
            Look::unknown(why, "run as the owner of the project, or with sudo")
        }
    }
}

/// What a file's name makes it; None for all that are no key files.
fn kind_of(path: &Path) -> Option<KeyKind> {
    let name = path.file_name()?.to_str()?.to_lowercase();
    let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
    let end = name.rsplit_once('.').map(|(_, end)| end).unwrap_or_default();
    if is_template(&name) || end == "pub" {
        return None;
    }
    Some(match (name.as_str(), end) {
        (".env" | ".envrc" | ".dev.vars" | ".flaskenv", _) | (_, "env") => KeyKind::Dotenv,
        (name, end) if name.starts_with(".env.") && !matches!(end, "ts" | "js" | "mjs" | "d") => KeyKind::Dotenv,
        (_, "pem" | "key" | "ppk") => KeyKind::PrivateKey,
        (name, _) if name.starts_with("id_") && end.is_empty() && is_ssh_kind(name) => KeyKind::PrivateKey,
        ("debug.keystore", _) => return None,
        (_, "p12" | "pfx" | "jks" | "keystore" | "kdbx") => KeyKind::KeyStore,
        ("kubeconfig" | "kubeconfig.yaml" | "kubeconfig.yml", _) | (_, "kubeconfig") => KeyKind::Kubeconfig,
        ("config", _) if folder == ".kube" => KeyKind::Kubeconfig,
        (
            ".npmrc" | ".yarnrc.yml" | ".pypirc" | ".netrc" | "_netrc" | ".git-credentials" | ".pgpass" | ".my.cnf"
            | ".vault-token" | ".dockercfg" | ".s3cfg" | ".boto" | "auth.json",
            _,
        ) => KeyKind::Credentials,
        ("config.json", _) if folder == ".docker" => KeyKind::Credentials,
        ("credentials" | "config", _) if folder == ".aws" => KeyKind::Credentials,
        ("credentials" | "credentials.toml", _) if folder == ".cargo" => KeyKind::Credentials,
        (name, "json") if is_service_account(name) => KeyKind::ServiceAccount,
        _ => return None,
    })
}

fn is_template(name: &str) -> bool {
    const MARKS: &[&str] = &[
        "example", "sample", "template", "dist", "defaults", "schema", "tpl", "tmpl", "vault", "enc", "age", "gpg",
        "sops",
    ];
    name.split(['.', '-', '_']).skip(1).any(|part| MARKS.contains(&part))
}

fn is_ssh_kind(name: &str) -> bool {
    matches!(name, "id_rsa" | "id_dsa" | "id_ecdsa" | "id_ecdsa_sk" | "id_ed25519" | "id_ed25519_sk")
}

fn is_service_account(name: &str) -> bool {
    let flat = name.replace(['-', '_'], "");
    ["serviceaccount", "credentials", "adminsdk", "clientsecret", "gcpkey", "gcloudkey"]
        .iter()
        .any(|part| flat.contains(part))
}

/// The line of the first key in a text of this kind.
fn key_line(kind: KeyKind, text: &str) -> Option<u32> {
    match kind {
        KeyKind::Dotenv => line_where(text, is_secret_assignment),
        KeyKind::PrivateKey => {
            let encrypted = text.contains("ENCRYPTED");
            line_where(text, |line| {
                !encrypted && line.contains("-----BEGIN") && line.contains("PRIVATE KEY")
                    || line.starts_with("PuTTY-User-Key-File")
            })
        }
        KeyKind::KeyStore => Some(0),
        KeyKind::Kubeconfig => line_where(text, |line| value_of(line, ':', &["client-key-data", "token", "password"])),
        KeyKind::Credentials => line_where(text, is_credential).or_else(|| text_is_token(text).then_some(0)),
        KeyKind::ServiceAccount => {
            let is_account = text.contains("\"service_account\"") && text.contains("PRIVATE KEY-----");
            let key = |line: &str| value_of(line, ':', &["private_key", "client_secret", "refresh_token"]);
            (is_account || text.contains("\"client_secret\"")).then(|| line_where(text, key)).flatten()
        }
    }
}

fn line_where(text: &str, test: impl Fn(&str) -> bool) -> Option<u32> {
    let at = text.lines().position(|line| test(line.trim()))?;
    u32::try_from(at + 1).ok()
}

/// `NAME=value` where the name speaks of a secret and the value is one.
fn is_secret_assignment(line: &str) -> bool {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let Some((name, value)) = line.split_once('=') else { return false };
    let name = name.trim();
    if name.starts_with('#') || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return false;
    }
    let names_secret = secret_names::may_be_secret(name) && !secret_names::is_shipped(name);
    names_secret && is_value(value) || value.contains("://") && has_password(value)
}

/// A password in an address, not on this machine.
fn has_password(value: &str) -> bool {
    let Some((_, rest)) = value.split_once("://") else { return false };
    let Some((user, host)) = rest.split_once('@') else { return false };
    let host = host.split([':', '/', '"', '\'']).next().unwrap_or_default();
    // Services of a compose file have names of one word; `db.corp.net` is a machine.
    let is_local = matches!(host, "localhost" | "db" | "postgres" | "mysql" | "redis" | "mongo" | "host" | "0.0.0.0")
        || host.starts_with("127.");
    user.split_once(':').is_some_and(|(_, password)| is_value(password)) && !is_local
}

/// Whether a value stands for itself: not empty, not a template, not a reference to a value kept elsewhere.
fn is_value(value: &str) -> bool {
    let value = value.trim();
    let value = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value.trim_start_matches(quote).split(quote).next().unwrap_or_default(),
        _ => value.split(" #").next().unwrap_or_default().trim(),
    };
    let lower = value.to_lowercase();
    const REFERENCES: &[&str] = &[
        "op://",
        "vault:",
        "encrypted:",
        "enc[",
        "ref+",
        "secret://",
        "file:",
        "projects/",
        "arn:",
        "<",
        "{",
        "[",
        "...",
    ];
    const TEMPLATES: &[&str] = &[
        "your",
        "example",
        "changeme",
        "change_me",
        "change-me",
        "placeholder",
        "replace",
        "xxx",
        "dummy",
        "todo",
        "insert",
        "${",
        "$(",
        "{{",
        "***",
        "test",
        "fake",
        "sample",
        "secret",
        "password",
        "dev",
        "local",
        "mock",
        "null",
        "none",
    ];
    value.len() >= 8
        && !value.starts_with('$')
        && !REFERENCES.iter().any(|start| lower.starts_with(start))
        && !TEMPLATES.iter().any(|word| lower.contains(word))
}

/// A key of `names` with a value, in a file of `name<separator>value` lines.
fn value_of(line: &str, separator: char, names: &[&str]) -> bool {
    let Some((name, value)) = line.split_once(separator) else { return false };
    let name = name.trim().trim_matches(['"', '\'', '-', ' ']);
    let value = value.trim().trim_end_matches(',');
    names.contains(&name) && is_value(value)
}

/// A credential in the files of package managers and clients, each in its own syntax.
fn is_credential(line: &str) -> bool {
    if line.starts_with('#') || line.starts_with(';') {
        return false;
    }
    if line.contains(":_authToken=") || line.starts_with("_auth") || line.contains(":_password=") {
        return line.split_once('=').is_some_and(|(_, value)| is_value(value));
    }
    if let Some((_, rest)) = line
        .split_once("password ")
        .filter(|_| !line.contains('='))
        .filter(|_| line.contains("login ") || line.starts_with("password "))
    {
        return is_value(rest.split_whitespace().next().unwrap_or_default());
    }
    let names = &[
        "password",
        "npmAuthToken",
        "auth",
        "identitytoken",
        "token",
        "secret_key",
        "aws_secret_access_key",
        "key",
        "access",
        "refresh",
    ];
    value_of(line, '=', names) || value_of(line, ':', names) || line.contains("://") && has_password(line)
}

/// A file that is nothing but a token.
fn text_is_token(text: &str) -> bool {
    let text = text.trim();
    text.len() >= 20 && !text.contains(char::is_whitespace) && !text.contains(['{', '=', '<']) && is_value(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_key_files_from_their_neighbours() {
        for (path, kind) in [
            (".env", Some(KeyKind::Dotenv)),
            ("app/.env.production", Some(KeyKind::Dotenv)),
            ("prod.env", Some(KeyKind::Dotenv)),
            (".env.example", None),
            (".env.local.example", None),
            (".env.d.ts", None),
            ("src/env.ts", None),
            ("certs/server.key", Some(KeyKind::PrivateKey)),
            (".ssh/id_ed25519", Some(KeyKind::PrivateKey)),
            (".ssh/id_ed25519.pub", None),
            ("src/id_generator", None),
            ("app/debug.keystore", None),
            ("release.jks", Some(KeyKind::KeyStore)),
            (".kube/config", Some(KeyKind::Kubeconfig)),
            (".git/config", None),
            (".npmrc", Some(KeyKind::Credentials)),
            ("gcp-service-account.json", Some(KeyKind::ServiceAccount)),
            ("package.json", None),
        ] {
            assert_eq!(kind_of(Path::new(path)), kind, "{path}");
        }
    }

    #[test]
    fn values_are_told_from_templates_and_references() {
        for (line, is_secret) in [
            ("STRIPE_KEY=rk7Hq2mZp9Lw", true),
            ("export DB_PASSWORD='k2n4-v8x1-q0'", true),
            ("DATABASE_URL=postgres://app:k2n4v8x1q0@db7.corp.net/app", true), // gitleaks:allow
            ("DATABASE_URL=postgres://app:k2n4v8x1q0@db.corp.net/app", true),  // gitleaks:allow
            ("DATABASE_URL=postgres://app:k2n4v8x1q0@db:5432/app", false),
            ("DATABASE_URL=postgres://app:k2n4v8x1q0@localhost/app", false),
            ("PORT=3000", false),
            ("API_KEY=", false),
            ("API_KEY=your-api-key", false),
            ("API_KEY=${SHARED_KEY}", false),
            ("API_KEY=op://team/app/key", false),
            ("# API_KEY=rk7Hq2mZp9Lw", false),
            ("NEXT_PUBLIC_API_KEY=rk7Hq2mZp9Lw", false),
            ("TOKEN_URL=https://login.corp.net/token", false),
            ("DB_PASSWORD=password", false),
        ] {
            assert_eq!(is_secret_assignment(line), is_secret, "{line}");
        }
    }

    #[test]
    fn credentials_are_found_in_each_syntax() {
        for (line, is_secret) in [
            ("//registry.corp.net/:_authToken=k2n4v8x1q0zz", true),
            ("//registry.corp.net/:_authToken=${NPM_TOKEN}", false),
            ("registry=https://registry.corp.net", false),
            ("machine api.corp.net login ci password k2n4v8x1q0", true),
            ("password = k2n4v8x1q0", true),
            ("https://ci:k2n4v8x1q0@git.corp.net", true),
            ("npmAuthToken: \"k2n4v8x1q0\"", true),
            ("\"auth\": \"azJuNHY4eDFxMA==\"", true),
            ("\"auths\": {", false),
        ] {
            assert_eq!(is_credential(line), is_secret, "{line}");
        }
    }

    #[test]
    fn an_encrypted_key_and_a_certificate_are_no_keys() {
        for (text, line) in [
            ("-----BEGIN CERTIFICATE-----\nMII", None),
            ("text before\n-----BEGIN RSA PRIVATE KEY-----\nMII", Some(2)),
            ("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII", None),
            ("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n", None),
        ] {
            assert_eq!(key_line(KeyKind::PrivateKey, text), line, "{text}");
        }
    }
}
