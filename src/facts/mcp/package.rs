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
fn is_semver(version: &str) -> bool {
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
mod tests {
    use super::*;

    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn check(parse: fn(&str) -> Package, rows: &[(&str, &str, Option<&str>, Pin)]) {
        for (spec, name, version, pin) in rows {
            let package = parse(spec);
            assert_eq!(
                (package.name.as_str(), package.version.as_deref(), package.pin),
                (*name, *version, *pin),
                "{spec}"
            );
        }
    }

    #[test]
    fn npm_holds_only_three_numbers() {
        check(
            npm,
            &[
                ("pkg", "pkg", None, Pin::None),
                ("pkg@", "pkg", None, Pin::None),
                ("@a/b", "@a/b", None, Pin::None),
                ("@a/b@1.2.3", "@a/b", Some("1.2.3"), Pin::Exact),
                ("pkg@1.2.3-beta.1", "pkg", Some("1.2.3-beta.1"), Pin::Exact),
                ("pkg@1.2.3+build.5", "pkg", Some("1.2.3+build.5"), Pin::Exact),
                ("pkg@v1.2.3", "pkg", Some("v1.2.3"), Pin::Exact),
                ("pkg@=1.2.3", "pkg", Some("=1.2.3"), Pin::Exact),
                ("pkg@2025.11.25", "pkg", Some("2025.11.25"), Pin::Exact),
                ("pkg@1", "pkg", Some("1"), Pin::Range),
                ("pkg@1.2", "pkg", Some("1.2"), Pin::Range),
                ("pkg@v1", "pkg", Some("v1"), Pin::Range),
                ("pkg@1.2.x", "pkg", Some("1.2.x"), Pin::Range),
                ("pkg@x", "pkg", Some("x"), Pin::Range),
                ("pkg@*", "pkg", Some("*"), Pin::Range),
                ("pkg@^1.2.3", "pkg", Some("^1.2.3"), Pin::Range),
                ("pkg@~1.2.3", "pkg", Some("~1.2.3"), Pin::Range),
                ("pkg@>=1.2.3", "pkg", Some(">=1.2.3"), Pin::Range),
                ("pkg@1.2.3 || 2.0.0", "pkg", Some("1.2.3 || 2.0.0"), Pin::Range),
                ("pkg@1.2.3 - 2.0.0", "pkg", Some("1.2.3 - 2.0.0"), Pin::Range),
                ("pkg@latest", "pkg", Some("latest"), Pin::Tag),
                ("@a/b@next", "@a/b", Some("next"), Pin::Tag),
                ("pkg@$VERSION", "pkg", Some("$VERSION"), Pin::Variable),
                ("pkg@${VERSION:-1.2.3}", "pkg", Some("${VERSION:-1.2.3}"), Pin::Variable),
                ("pkg@{env:VERSION}", "pkg", Some("{env:VERSION}"), Pin::Variable),
                ("alias@npm:@a/b@1.2.3", "@a/b", Some("1.2.3"), Pin::Exact),
                ("alias@npm:b", "b", None, Pin::None),
            ],
        );
    }

    #[test]
    fn npm_also_takes_repositories_addresses_and_files() {
        check(
            npm,
            &[
                ("./server.js", "./server.js", None, Pin::LocalPath),
                ("../x", "../x", None, Pin::LocalPath),
                ("pkg@file:../x", "file:../x", None, Pin::LocalPath),
                ("C:\\tools\\x", "C:\\tools\\x", None, Pin::LocalPath),
                ("owner/repo", "github:owner/repo", None, Pin::GitBranch),
                ("github:owner/repo#main", "github:owner/repo", Some("main"), Pin::GitBranch),
                ("github:o/r#semver:^1.0.0", "github:o/r", Some("semver:^1.0.0"), Pin::GitBranch),
                (
                    "git+https://git.example/o/r.git#v1.0.0",
                    "git+https://git.example/o/r.git",
                    Some("v1.0.0"),
                    Pin::GitBranch,
                ),
                ("git+ssh://git@git.example/o/r.git", "git+ssh://***@git.example/o/r.git", None, Pin::GitBranch),
                ("https://files.example/x.tgz", "https://files.example/x.tgz", None, Pin::Url),
                ("https://user:hunter2@files.example/x.tgz", "https://***@files.example/x.tgz", None, Pin::Url),
            ],
        );
        let exact = npm(&format!("git+https://git.example/o/r.git#{COMMIT}"));
        assert_eq!(exact.pin, Pin::GitCommit);
        assert_eq!(npm("github:o/r#0123456").pin, Pin::GitBranch, "a short number can be made to mean another commit");
    }

    #[test]
    fn python_reads_one_release_from_two_numbers() {
        check(
            pypi,
            &[
                ("pkg", "pkg", None, Pin::None),
                ("pkg==1.0", "pkg", Some("1.0"), Pin::Exact),
                ("pkg===1.0", "pkg", Some("1.0"), Pin::Exact),
                ("pkg == 1.0.0rc1", "pkg", Some("1.0.0rc1"), Pin::Exact),
                ("mcp[cli]==1.2.3", "mcp", Some("1.2.3"), Pin::Exact),
                ("mcp[cli]", "mcp", None, Pin::None),
                ("pkg==1.2.*", "pkg", Some("1.2.*"), Pin::Range),
                ("pkg~=1.2", "pkg", Some("~=1.2"), Pin::Range),
                ("pkg>=1.2,<2", "pkg", Some(">=1.2,<2"), Pin::Range),
                ("pkg==1.2,!=1.3", "pkg", Some("1.2,!=1.3"), Pin::Range),
                ("pkg@1.2", "pkg", Some("1.2"), Pin::Exact),
                ("pkg@1.2.3", "pkg", Some("1.2.3"), Pin::Exact),
                ("pkg@latest", "pkg", Some("latest"), Pin::Tag),
                ("pkg==$VERSION", "pkg", Some("$VERSION"), Pin::Variable),
                ("pkg==1.0; python_version > '3.8'", "pkg", Some("1.0"), Pin::Exact),
                ("git+https://git.example/o/r", "git+https://git.example/o/r", None, Pin::GitBranch),
                ("git+https://git.example/o/r@v1.0", "git+https://git.example/o/r", Some("v1.0"), Pin::GitBranch),
                (
                    "git+https://git@git.example/o/r@main#egg=r",
                    "git+https://***@git.example/o/r",
                    Some("main"),
                    Pin::GitBranch,
                ),
                ("pkg @ https://files.example/x.whl", "pkg", None, Pin::Url),
                (".", ".", None, Pin::LocalPath),
            ],
        );
        assert_eq!(pypi(&format!("git+https://git.example/o/r@{COMMIT}")).pin, Pin::GitCommit);
        assert_eq!(pypi(&format!("r @ git+https://git.example/o/r@{COMMIT}")).pin, Pin::GitCommit);
    }

    #[test]
    fn go_tells_versions_from_branches() {
        check(
            go,
            &[
                ("example.com/x@v1.2.3", "example.com/x", Some("v1.2.3"), Pin::Exact),
                ("example.com/x@v2.0.0+incompatible", "example.com/x", Some("v2.0.0+incompatible"), Pin::Exact),
                (
                    "example.com/x@v0.0.0-20240102030405-0123456789ab",
                    "example.com/x",
                    Some("v0.0.0-20240102030405-0123456789ab"),
                    Pin::GitCommit,
                ),
                (
                    "example.com/x@v1.2.4-0.20240102030405-0123456789ab",
                    "example.com/x",
                    Some("v1.2.4-0.20240102030405-0123456789ab"),
                    Pin::GitCommit,
                ),
                ("example.com/x@v1.2.3-rc.1", "example.com/x", Some("v1.2.3-rc.1"), Pin::Exact),
                ("example.com/x@v1", "example.com/x", Some("v1"), Pin::Range),
                ("example.com/x@latest", "example.com/x", Some("latest"), Pin::Tag),
                ("example.com/x@main", "example.com/x", Some("main"), Pin::GitBranch),
                ("example.com/x@1.2.3", "example.com/x", Some("1.2.3"), Pin::GitBranch),
                ("example.com/x", "example.com/x", None, Pin::Project),
                ("./cmd/server", "./cmd/server", None, Pin::LocalPath),
                ("main.go", "main.go", None, Pin::LocalPath),
            ],
        );
    }

    #[test]
    fn images_are_held_by_digest_alone() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        check(
            image,
            &[
                ("img", "img", None, Pin::None),
                ("img:latest", "img", Some("latest"), Pin::Tag),
                ("img:1.2", "img", Some("1.2"), Pin::Tag),
                ("registry.example:5000/team/img", "registry.example:5000/team/img", None, Pin::None),
                ("registry.example:5000/team/img:1.2", "registry.example:5000/team/img", Some("1.2"), Pin::Tag),
                ("img@sha256:abc", "img", None, Pin::None),
                ("img:$TAG", "img", Some("$TAG"), Pin::Variable),
            ],
        );
        for reference in [format!("img@{digest}"), format!("img:1.2@{digest}"), format!("r.example:5000/img@{digest}")]
        {
            let package = image(&reference);
            assert_eq!((package.pin, package.version), (Pin::Digest, Some(digest.clone())), "{reference}");
        }
    }

    #[test]
    fn deno_nix_and_crates_have_their_own_words() {
        check(
            deno,
            &[
                ("npm:pkg@1.2.3", "pkg", Some("1.2.3"), Pin::Exact),
                ("npm:@a/b@^1/x", "@a/b", Some("^1"), Pin::Range),
                ("jsr:@a/b@1.2.3", "@a/b", Some("1.2.3"), Pin::Exact),
                ("jsr:@a/b", "@a/b", None, Pin::None),
                (
                    "https://deno.land/x/m@v1.2.3/mod.ts",
                    "https://deno.land/x/m@v1.2.3/mod.ts",
                    Some("v1.2.3"),
                    Pin::Exact,
                ),
                ("https://deno.land/x/m/mod.ts", "https://deno.land/x/m/mod.ts", None, Pin::Url),
                ("https://evil.example/m@1.2.3/mod.ts", "https://evil.example/m@1.2.3/mod.ts", None, Pin::Url),
                ("server.ts", "server.ts", None, Pin::LocalPath),
            ],
        );
        check(
            nix,
            &[
                ("nixpkgs#mcp-nixos", "nixpkgs#mcp-nixos", None, Pin::GitBranch),
                ("github:o/r", "github:o/r", None, Pin::GitBranch),
                (".#server", ".#server", None, Pin::LocalPath),
            ],
        );
        assert_eq!(nix(&format!("github:o/r/{COMMIT}#x")).pin, Pin::GitCommit);
        assert_eq!(nix(&format!("github:o/r?rev={COMMIT}")).pin, Pin::GitCommit);
        for (spec, version, pin) in [
            ("x", None, Pin::None),
            ("x@1.2.3", None, Pin::Exact),
            ("x", Some("1.2.3"), Pin::Exact),
            ("x", Some("^1.2"), Pin::Range),
            ("x@1", None, Pin::Range),
        ] {
            assert_eq!(krate(spec, version).pin, pin, "{spec} {version:?}");
        }
    }
}
