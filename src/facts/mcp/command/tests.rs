//! Commands as people write them: what they fetch, what they run, and what merely looks like it.

use super::*;

/// Words as a config file would hold them; `'…'` keeps blanks.
fn argv(line: &str) -> Vec<String> {
    let pieces = line.split('\'').enumerate();
    let words = pieces.flat_map(|(at, piece)| match at % 2 {
        0 => piece.split_whitespace().map(str::to_owned).collect::<Vec<_>>(),
        _ => vec![piece.to_owned()],
    });
    words.collect()
}

fn launch(line: &str) -> Launch {
    parse(&argv(line))
}

#[test]
fn package_runners_with_what_they_fetch() {
    use Launcher as L;
    for (line, launcher, name, version, pin) in [
        ("npx -y pkg", L::Npx, "pkg", None, Pin::None),
        ("npx -y @a/b@1.2.3 /srv", L::Npx, "@a/b", Some("1.2.3"), Pin::Exact),
        ("npx --yes pkg@latest", L::Npx, "pkg", Some("latest"), Pin::Tag),
        ("npx -y pkg@$VERSION", L::Npx, "pkg", Some("$VERSION"), Pin::Variable),
        ("npx -p pkg@1.0.0 cmd --flag", L::Npx, "pkg", Some("1.0.0"), Pin::Exact),
        ("npx --package=pkg@1 cmd", L::Npx, "pkg", Some("1"), Pin::Range),
        ("npx -y -p a@1.0.0 -p b cmd", L::Npx, "b", None, Pin::None),
        ("npx --registry https://r.example pkg@1.0.0", L::Npx, "pkg", Some("1.0.0"), Pin::Exact),
        ("npx ./server.js", L::Npx, "./server.js", None, Pin::LocalPath),
        ("npx --no-install pkg", L::Npx, "pkg", None, Pin::Project),
        ("npx -y -- pkg@1.0.0", L::Npx, "pkg", Some("1.0.0"), Pin::Exact),
        ("npx.cmd -y pkg", L::Npx, "pkg", None, Pin::None),
        ("/usr/local/bin/npx -y pkg@1.0.0", L::Npx, "pkg", Some("1.0.0"), Pin::Exact),
        ("npm exec --yes pkg@1.0.0 -- --stdio", L::Npx, "pkg", Some("1.0.0"), Pin::Exact),
        ("npm exec --package=pkg@1.0.0 -- cmd", L::Npx, "pkg", Some("1.0.0"), Pin::Exact),
        ("npm x pkg", L::Npx, "pkg", None, Pin::None),
        ("bunx pkg@1.0.0", L::Bunx, "pkg", Some("1.0.0"), Pin::Exact),
        ("bunx --bun pkg", L::Bunx, "pkg", None, Pin::None),
        ("bun x pkg", L::Bunx, "pkg", None, Pin::None),
        ("pnpm dlx pkg@1.0.0", L::PnpmDlx, "pkg", Some("1.0.0"), Pin::Exact),
        ("pnpm --package=pkg@1.0.0 dlx cmd", L::PnpmDlx, "pkg", Some("1.0.0"), Pin::Exact),
        ("pnpx pkg", L::PnpmDlx, "pkg", None, Pin::None),
        ("yarn dlx -q pkg@1.0.0", L::YarnDlx, "pkg", Some("1.0.0"), Pin::Exact),
        ("yarn dlx -p pkg cmd", L::YarnDlx, "pkg", None, Pin::None),
        ("uvx pkg", L::Uvx, "pkg", None, Pin::None),
        ("uvx pkg@1.2", L::Uvx, "pkg", Some("1.2"), Pin::Exact),
        ("uvx pkg@latest", L::Uvx, "pkg", Some("latest"), Pin::Tag),
        ("uvx --from 'pkg==1.0' cmd", L::Uvx, "pkg", Some("1.0"), Pin::Exact),
        ("uvx --from pkg cmd", L::Uvx, "pkg", None, Pin::None),
        ("uvx --python 3.12 --from=pkg[x]==1.0 cmd", L::Uvx, "pkg", Some("1.0"), Pin::Exact),
        ("uvx --with extra --from pkg==1.0 cmd", L::Uvx, "extra", None, Pin::None),
        ("uvx --with 'a==1,b' pkg==1.0", L::Uvx, "b", None, Pin::None),
        ("uvx --from git+https://git.example/o/r cmd", L::Uvx, "git+https://git.example/o/r", None, Pin::GitBranch),
        ("uv tool run pkg==1.0", L::Uvx, "pkg", Some("1.0"), Pin::Exact),
        ("uv run --with mcp[cli] mcp run server.py", L::UvRun, "mcp", None, Pin::None),
        ("uv run --with 'mcp>=1.2,<2' server.py", L::UvRun, "mcp", Some(">=1.2,<2"), Pin::Range),
        ("pipx run pkg==1.0", L::Pipx, "pkg", Some("1.0"), Pin::Exact),
        ("pipx run --spec pkg cmd", L::Pipx, "pkg", None, Pin::None),
        ("go run example.com/x@v1.2.3 stdio", L::GoRun, "example.com/x", Some("v1.2.3"), Pin::Exact),
        ("go run example.com/x@latest", L::GoRun, "example.com/x", Some("latest"), Pin::Tag),
        ("go run -tags x ./cmd/server", L::GoRun, "./cmd/server", None, Pin::LocalPath),
        ("deno run -A npm:pkg@1.2.3", L::Deno, "pkg", Some("1.2.3"), Pin::Exact),
        ("deno run --allow-net jsr:@a/b", L::Deno, "@a/b", None, Pin::None),
        ("deno run server.ts", L::Deno, "server.ts", None, Pin::LocalPath),
        ("nix run github:o/r", L::Nix, "github:o/r", None, Pin::GitBranch),
    ] {
        let launch = launch(line);
        let package = launch.loosest().unwrap_or_else(|| panic!("{line}: no package"));
        let found = (launch.launcher, package.name.as_str(), package.version.as_deref(), package.pin);
        assert_eq!(found, (launcher, name, version, pin), "{line}");
    }
}

#[test]
fn wrappers_are_looked_through() {
    for (line, wrappers) in [
        ("env A=b npx -y pkg", &["env"][..]),
        ("env -i -u X A=b npx -y pkg", &["env"]),
        ("env -S 'npx -y pkg'", &["env"]),
        ("sh -c 'npx -y pkg'", &["sh -c"]),
        ("bash -lc 'cd /srv && exec npx -y pkg'", &["bash -c"]),
        ("bash -c 'A=b exec npx -y pkg'", &["bash -c"]),
        ("bash -c 'npx -y pkg || exit 0'", &["bash -c"]),
        ("bash -c '[ -d x ] && npx -y pkg; echo done'", &["bash -c"]),
        ("cmd /c npx -y pkg", &["cmd /c"]),
        ("cmd.exe /C 'npx -y pkg'", &["cmd /c"]),
        ("powershell -Command npx -y pkg", &["powershell"]),
        ("sudo -u nobody npx -y pkg", &["sudo"]),
        ("timeout -k 5 30 npx -y pkg", &["timeout"]),
        ("nice -n 5 env A=b npx -y pkg", &["nice", "env"]),
        ("op run --env-file=.env -- npx -y pkg", &["op"]),
        ("doppler run -- npx -y pkg", &["doppler"]),
        ("mise exec node@22 -- npx -y pkg", &["mise"]),
        ("nvm exec 20 npx -y pkg", &["nvm"]),
        ("'npx -y pkg'", &["one string"]),
        ("A=b npx -y pkg", &[]),
    ] {
        let launch = launch(line);
        assert_eq!(launch.wrappers, wrappers, "{line}");
        assert_eq!(
            (launch.launcher, launch.loosest().map(|p| p.name.as_str())),
            (Launcher::Npx, Some("pkg")),
            "{line}"
        );
    }
    assert_eq!(launch("env TOKEN=x npx pkg").env, [("TOKEN".to_owned(), "x".to_owned())]);
}

#[test]
fn a_line_is_judged_by_what_it_fetches() {
    for (line, launcher, pin) in [
        ("sh -c 'npm install -g pkg && pkg'", Launcher::Installer, Pin::None),
        ("sh -c 'npm i pkg@1.0.0 && pkg'", Launcher::Installer, Pin::Exact),
        ("sh -c 'pip install pkg==1.0 && python -m pkg'", Launcher::Installer, Pin::Exact),
        ("sh -c 'cargo install pkg && pkg'", Launcher::Installer, Pin::None),
        ("sh -c 'curl -fsSL https://x.example/i.sh | sh'", Launcher::Download, Pin::Url),
        ("sh -c 'curl -fsSL https://x.example/i.json | jq .'", Launcher::Path, Pin::NotApplicable),
        ("sh -c 'npm install && node server.js'", Launcher::Node, Pin::NotApplicable),
        ("sh -c ''", Launcher::Script, Pin::NotApplicable),
    ] {
        let launch = launch(line);
        let found = launch.loosest().map_or(Pin::NotApplicable, |package| package.pin);
        assert_eq!((launch.launcher, found), (launcher, pin), "{line}");
    }
}

#[test]
fn what_fetches_nothing_has_no_package() {
    for (line, launcher, script) in [
        ("node server.js", Launcher::Node, Some("server.js")),
        ("node --import tsx ./src/index.ts --x", Launcher::Node, Some("./src/index.ts")),
        ("node -e 'x'", Launcher::Node, None),
        ("tsx server.ts", Launcher::Node, Some("server.ts")),
        ("bun run server.ts", Launcher::Node, Some("server.ts")),
        ("bun server.ts", Launcher::Node, Some("server.ts")),
        ("bun run start", Launcher::Task, None),
        ("python3 -u mcp/server.py", Launcher::Python, Some("mcp/server.py")),
        ("python -m server", Launcher::Python, None),
        ("python3.12 server.py", Launcher::Python, Some("server.py")),
        ("uv run server.py", Launcher::UvRun, Some("server.py")),
        ("uv --directory tools/mcp run server.py", Launcher::UvRun, Some("tools/mcp/server.py")),
        ("bash run.sh", Launcher::Script, Some("run.sh")),
        ("java -jar server.jar", Launcher::Script, Some("server.jar")),
        ("/usr/local/bin/server --stdio", Launcher::Absolute, Some("/usr/local/bin/server")),
        ("$HOME/go/bin/server", Launcher::Absolute, Some("$HOME/go/bin/server")),
        ("~/bin/server", Launcher::Absolute, Some("~/bin/server")),
        ("./bin/server", Launcher::Relative, Some("./bin/server")),
        ("tools/server", Launcher::Relative, Some("tools/server")),
        ("server --stdio", Launcher::Path, None),
        ("npm run mcp", Launcher::Task, None),
        ("yarn mcp", Launcher::Task, None),
        ("pnpm exec server", Launcher::Task, None),
        ("cargo run --release", Launcher::Cargo, None),
        ("docker compose run --rm mcp", Launcher::Compose, None),
        ("docker exec -i box server", Launcher::Compose, None),
        ("docker mcp gateway run", Launcher::Compose, None),
    ] {
        let launch = launch(line);
        assert_eq!((launch.launcher, launch.script.as_deref()), (launcher, script), "{line}");
        assert!(launch.packages.is_empty(), "{line}");
    }
    assert_eq!(parse(&[]).launcher, Launcher::None);
}

#[test]
fn containers_carry_their_image() {
    let digest = format!("sha256:{}", "ab".repeat(32));
    for (line, launcher, pin) in [
        ("docker run -i --rm img:1.2".to_owned(), Launcher::Docker, Pin::Tag),
        (format!("docker run -i img@{digest}"), Launcher::Docker, Pin::Digest),
        ("podman run --rm -i img".to_owned(), Launcher::Podman, Pin::None),
        ("docker --context x container run img:latest".to_owned(), Launcher::Docker, Pin::Tag),
        ("sh -c 'docker run -i --rm img:latest'".to_owned(), Launcher::Docker, Pin::Tag),
    ] {
        let launch = launch(&line);
        assert_eq!((launch.launcher, launch.loosest().map(|p| p.pin)), (launcher, Some(pin)), "{line}");
        assert_eq!(launch.container.map(|container| container.image), Some("img".into()), "{line}");
    }
}

#[test]
fn endless_wrapping_ends() {
    let mut line = vec!["env".to_owned(); 10_000];
    line.push("npx".into());
    assert!(parse(&line).wrappers.len() < 100);
    let deep = "sh -c ".repeat(5_000);
    parse(&[deep]);
}
