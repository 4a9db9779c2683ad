//! What a package runner is told to fetch: name, version and how firmly that holds the code in place. Text in,
//! values out; nothing is looked up.

use schemars::JsonSchema;
use serde::Serialize;

use super::address::without_secrets;

/// How firmly a package is held to one piece of code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Pin {
    /// There is no package to pin.
    NotApplicable,
    /// By the digest of its content.
    Digest,
    /// By a commit.
    GitCommit,
    /// By one version that a registry will not replace.
    Exact,
    /// It is a file on this machine.
    LocalPath,
    /// By the project's own manifest and lock file.
    Project,
    /// A range: `^1.2`, and for npm also `1.2`.
    Range,
    /// A name that the publisher moves: `latest`, an image's tag.
    Tag,
    /// A branch or tag of a repository.
    GitBranch,
    /// A web address without a digest.
    Url,
    /// Decided by a variable at start.
    Variable,
    /// Not at all.
    None,
}

/// A package that is fetched when the server starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Package {
    /// Its name, without version or secrets.
    pub name: String,
    /// The version as written.
    pub version: Option<String>,
    /// How firmly it is held.
    pub pin: Pin,
}

impl Package {
    pub(super) fn new(name: &str, version: Option<&str>, pin: Pin) -> Self {
        let version = version.filter(|version| !version.is_empty()).map(without_secrets);
        Self { name: without_secrets(name), version, pin }
    }
}

/// Whether a text is completed only when the agent starts.
pub(super) fn has_variable(text: &str) -> bool {
    let dollar = text.match_indices('$').any(|(at, _)| {
        text[at + 1..].chars().next().is_some_and(|next| next.is_alphabetic() || matches!(next, '_' | '{' | '('))
    });
    dollar || text.contains("{env:") || text.contains("{file:") || text.contains("{{")
}

/// Whether a text names a file rather than something in a registry.
pub(super) fn is_path(text: &str) -> bool {
    let windows = text.as_bytes().get(1) == Some(&b':') && text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
    matches!(text, "." | "..")
        || ["./", "../", "/", "~/", ".\\", "..\\", "file:", "$HOME/", "${HOME}/", "{env:HOME}/"]
            .iter()
            .any(|start| text.starts_with(start))
        || windows
}

/// `name`, `@scope/name`, `name@range`, `alias@npm:name@range`, `github:owner/repo#ref`, a path, a web address.
pub(super) fn npm(spec: &str) -> Package {
    if is_path(spec) {
        return Package::new(spec, None, Pin::LocalPath);
    }
    if let Some(package) = repository(spec) {
        return package;
    }
    let (name, version) = split_npm(spec);
    if let Some(target) = version.strip_prefix("npm:") {
        let (name, version) = split_npm(target);
        return Package::new(name, Some(version), npm_pin(name, version));
    }
    if let Some(package) = repository(version) {
        return package;
    }
    if is_path(version) {
        return Package::new(version, None, Pin::LocalPath);
    }
    // npm reads `owner/repo` as a repository on GitHub.
    if !name.starts_with('@') && name.contains('/') {
        let (name, commit) = name.split_once('#').unwrap_or((name, ""));
        return Package::new(&format!("github:{name}"), Some(commit), git_pin(commit));
    }
    Package::new(name, Some(version), npm_pin(name, version))
}

/// The version stands behind the first `@` that does not open a scope.
fn split_npm(spec: &str) -> (&str, &str) {
    let start = usize::from(spec.starts_with('@'));
    match spec[start..].find('@') {
        Some(at) => (&spec[..start + at], &spec[start + at + 1..]),
        None => (spec, ""),
    }
}

fn npm_pin(name: &str, version: &str) -> Pin {
    if has_variable(name) || has_variable(version) {
        return Pin::Variable;
    }
    let version = version.trim();
    if version.is_empty() {
        return Pin::None;
    }
    if is_semver(version.trim_start_matches('=').trim_start().trim_start_matches('v')) {
        return Pin::Exact;
    }
    let first = version.chars().next().unwrap_or_default();
    if first.is_ascii_digit() || matches!(first, '^' | '~' | '<' | '>' | '*' | '=') || is_partial(version) {
        return Pin::Range;
    }
    Pin::Tag
}

/// `x`, `v1`, `X.Y`: a version with parts left open.
fn is_partial(version: &str) -> bool {
    version.trim_start_matches('v').split('.').all(|part| {
        matches!(part, "x" | "X" | "*") || (!part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
    })
}

/// Three numbers, with a pre-release or build behind them or not.
pub(super) fn is_semver(version: &str) -> bool {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    let rest = &version[core.len()..];
    let numbers: Vec<&str> = core.split('.').collect();
    let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.+".contains(&byte));
    numbers.len() == 3
        && numbers.iter().all(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        && plain(rest)
        && rest.len() != 1
}

/// A repository or a web address; None for anything else.
fn repository(spec: &str) -> Option<Package> {
    for host in ["github:", "gitlab:", "bitbucket:", "gist:"] {
        if spec.starts_with(host) {
            let (name, commit) = spec.split_once('#').unwrap_or((spec, ""));
            return Some(Package::new(name, Some(commit), git_pin(commit)));
        }
    }
    let is_git = spec.starts_with("git+") || spec.starts_with("git://") || spec.starts_with("git@");
    if is_git || spec.starts_with("ssh://") {
        return Some(git(spec));
    }
    if spec.starts_with("https://") || spec.starts_with("http://") {
        let address = spec.split('#').next().unwrap_or(spec);
        return Some(if address.ends_with(".git") { git(spec) } else { web(spec) });
    }
    None
}

/// `git+https://host/owner/repo.git@ref`, or `#ref` as npm writes it. The reference stands behind an `@` of the path,
/// not of the host.
fn git(spec: &str) -> Package {
    let (address, fragment) = spec.split_once('#').unwrap_or((spec, ""));
    let path = address.find("://").map_or(0, |at| at + 3);
    let path = address[path..].find(['/', ':']).map_or(address.len(), |at| path + at);
    let (address, reference) = match address[path..].rfind('@') {
        Some(at) => (&address[..path + at], &address[path + at + 1..]),
        None => (address, ""),
    };
    // pip writes `#egg=name&subdirectory=x` there, npm the reference.
    let fragment = if fragment.contains('=') { "" } else { fragment };
    let reference = if reference.is_empty() { fragment } else { reference };
    Package::new(address, Some(reference), git_pin(reference))
}

fn git_pin(reference: &str) -> Pin {
    if has_variable(reference) {
        Pin::Variable
    } else if is_commit(reference) {
        Pin::GitCommit
    } else {
        Pin::GitBranch
    }
}

/// A whole commit number. Shorter ones can be made to mean something else.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A web address; some name a commit, a digest, or a version that its host keeps for good.
pub(super) fn web(address: &str) -> Package {
    let name = address.split(['#', '?']).next().unwrap_or(address);
    if address.split_once('#').is_some_and(|(_, digest)| digest.starts_with("sha256=") && digest.len() == 71) {
        return Package::new(name, None, Pin::Digest);
    }
    let parts: Vec<&str> = name.split('/').collect();
    let commit = parts.iter().find(|part| is_commit(part));
    let known = matches!(parts.get(2), Some(&("raw.githubusercontent.com" | "github.com" | "gitlab.com")));
    if let Some(commit) = commit.filter(|_| known) {
        return Package::new(name, Some(commit), Pin::GitCommit);
    }
    let kept = matches!(parts.get(2), Some(&("deno.land" | "jsr.io" | "esm.sh" | "unpkg.com" | "cdn.jsdelivr.net")));
    let version = parts.iter().skip(3).find_map(|part| {
        let version = split_npm(part).1;
        is_semver(version.trim_start_matches('v')).then_some(version)
    });
    if let Some(version) = version.filter(|_| kept) {
        return Package::new(name, Some(version), Pin::Exact);
    }
    Package::new(name, None, if has_variable(address) { Pin::Variable } else { Pin::Url })
}

/// `name`, `name[extra]==1.2`, `name~=1.2`, `name@1.2` (uv), `name @ git+https://…`, a path, a repository.
pub(super) fn pypi(spec: &str) -> Package {
    let spec = spec.split(';').next().unwrap_or(spec).trim();
    if is_path(spec) {
        return Package::new(spec, None, Pin::LocalPath);
    }
    if let Some(package) = repository(spec) {
        return package;
    }
    let end = spec.find(['[', '=', '<', '>', '~', '!', '@', ' ', '(']).unwrap_or(spec.len());
    let (name, rest) = spec.split_at(end);
    let rest = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((_, rest)) => rest,
        None => rest,
    };
    let rest = rest.trim().trim_start_matches('(').trim_end_matches(')').trim();
    if let Some(target) = rest.strip_prefix('@') {
        let target = target.trim();
        if let Some(package) = repository(target) {
            return Package { name: name.to_owned(), ..package };
        }
        return Package::new(name, Some(target), uv_pin(name, target));
    }
    let version = rest.trim_start_matches('=').trim();
    Package::new(name, Some(version), pypi_pin(name, rest))
}

/// uv reads `name@1.2` as `name==1.2`.
fn uv_pin(name: &str, version: &str) -> Pin {
    match version {
        "latest" => Pin::Tag,
        _ if is_path(version) => Pin::LocalPath,
        _ => pypi_pin(name, &if version.is_empty() { String::new() } else { format!("=={version}") }),
    }
}

/// `==1.2` names one release: there is no other 1.2.
fn pypi_pin(name: &str, requirement: &str) -> Pin {
    if has_variable(name) || has_variable(requirement) {
        return Pin::Variable;
    }
    if requirement.is_empty() {
        return Pin::None;
    }
    let exact = requirement.strip_prefix("===").or_else(|| requirement.strip_prefix("=="));
    let version = exact.map(str::trim).filter(|version| {
        version.starts_with(|first: char| first.is_ascii_digit() || first == 'v')
            && version.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-_!".contains(&byte))
    });
    if version.is_some() { Pin::Exact } else { Pin::Range }
}

/// `module/path@version`. Without a version the project's `go.mod` decides.
pub(super) fn go(spec: &str) -> Package {
    if is_path(spec) || spec.ends_with(".go") {
        return Package::new(spec, None, Pin::LocalPath);
    }
    let Some((name, version)) = spec.split_once('@') else { return Package::new(spec, None, Pin::Project) };
    let bare = version.strip_prefix('v').unwrap_or(version);
    let pin = if has_variable(spec) {
        Pin::Variable
    } else if is_pseudo_version(bare) || is_commit(version) {
        Pin::GitCommit
    } else if version.starts_with('v') && is_semver(bare) {
        Pin::Exact
    } else if version.starts_with(['<', '>']) || (version.starts_with('v') && is_partial(bare)) {
        Pin::Range
    } else if matches!(version, "latest" | "upgrade" | "patch") {
        Pin::Tag
    } else if version.is_empty() {
        Pin::None
    } else {
        Pin::GitBranch
    };
    Package::new(name, Some(version), pin)
}

/// `0.0.0-20240102030405-0123456789ab`: the time and the start of a commit, which Go checks against its database.
fn is_pseudo_version(version: &str) -> bool {
    let mut parts = version.trim_end_matches("+incompatible").rsplit('-');
    let commit = parts.next().unwrap_or_default();
    let time = parts.next().unwrap_or_default().rsplit('.').next().unwrap_or_default();
    is_semver(version)
        && commit.len() == 12
        && commit.bytes().all(|byte| byte.is_ascii_hexdigit())
        && time.len() == 14
        && time.bytes().all(|byte| byte.is_ascii_digit())
}

/// `npm:name@1.2.3/path`, `jsr:@scope/name@1.2.3`, a web address, a file.
pub(super) fn deno(spec: &str) -> Package {
    let Some(rest) = spec.strip_prefix("npm:").or_else(|| spec.strip_prefix("jsr:")) else {
        return match repository(spec) {
            Some(package) => package,
            None => Package::new(spec, None, Pin::LocalPath),
        };
    };
    let (name, version) = split_npm(rest.trim_start_matches('/'));
    let version = version.split('/').next().unwrap_or(version);
    Package::new(name, Some(version), npm_pin(name, version))
}

/// A crate: `name`, `name@1.2.3`, with the version that `--version` gave.
pub(super) fn krate(spec: &str, version: Option<&str>) -> Package {
    let (name, at) = spec.split_once('@').unwrap_or((spec, ""));
    let version = version.unwrap_or(at).trim();
    let pin = match version.strip_prefix('=').unwrap_or(version) {
        "" => Pin::None,
        text if has_variable(text) || has_variable(name) => Pin::Variable,
        // `cargo install --version 1.2.3` means that version alone.
        text if is_semver(text) => Pin::Exact,
        _ => Pin::Range,
    };
    Package::new(name, Some(version), pin)
}

/// `registry:5000/name:tag@sha256:…`. Only the digest holds the content.
pub(super) fn image(reference: &str) -> Package {
    let (rest, digest) = reference.split_once('@').unwrap_or((reference, ""));
    let name_starts = rest.rfind('/').map_or(0, |at| at + 1);
    let (name, tag) = match rest[name_starts..].rfind(':') {
        Some(at) if !rest.contains("${") => (&rest[..name_starts + at], &rest[name_starts + at + 1..]),
        _ => (rest, ""),
    };
    let is_digest = digest
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    let pin = match (is_digest, tag) {
        (true, _) => Pin::Digest,
        _ if has_variable(reference) => Pin::Variable,
        (_, "") => Pin::None,
        _ => Pin::Tag,
    };
    Package { name: without_secrets(name), version: version_of_image(tag, digest, is_digest), pin }
}

/// The digest is kept whole: it is what a reviewer compares.
fn version_of_image(tag: &str, digest: &str, is_digest: bool) -> Option<String> {
    if is_digest {
        return Some(digest.to_owned());
    }
    (!tag.is_empty()).then(|| without_secrets(tag))
}

/// `nixpkgs#name`, `github:owner/repo/ref#name`, `github:owner/repo?rev=…`, `.#name`.
pub(super) fn nix(spec: &str) -> Package {
    let address = spec.split('#').next().unwrap_or(spec);
    if is_path(address) || address.is_empty() || address.starts_with("path:") {
        return Package::new(spec, None, Pin::LocalPath);
    }
    let (name, query) = address.split_once('?').unwrap_or((address, ""));
    let asked = query.split('&').find_map(|part| part.strip_prefix("rev="));
    let reference = asked.or_else(|| name.split('/').nth(2)).unwrap_or_default();
    Package::new(spec.split('?').next().unwrap_or(spec), Some(reference), git_pin(reference))
}

#[cfg(test)]
mod tests;
