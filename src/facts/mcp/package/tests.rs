//! Package names as people write them, and what merely looks pinned.

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn check(parse: fn(&str) -> Package, rows: &[(&str, &str, Option<&str>, Pin)]) {
    for (spec, name, version, pin) in rows {
        let package = parse(spec);
        assert_eq!((package.name.as_str(), package.version.as_deref(), package.pin), (*name, *version, *pin), "{spec}");
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
    for reference in [format!("img@{digest}"), format!("img:1.2@{digest}"), format!("r.example:5000/img@{digest}")] {
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
            ("https://deno.land/x/m@v1.2.3/mod.ts", "https://deno.land/x/m@v1.2.3/mod.ts", Some("v1.2.3"), Pin::Exact),
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
