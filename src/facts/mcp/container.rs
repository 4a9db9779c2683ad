//! What `docker run` and its relatives are told: the image, and what of the host the container gets.

use schemars::JsonSchema;
use serde::Serialize;

use super::package::{Package, image};

/// A container that a server runs in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Container {
    /// Its image, without tag and digest.
    pub image: String,
    /// What it gets of the host that undoes its walls, as written: `--privileged`, `-v /:/host`.
    pub risks: Vec<String>,
    /// Ports it opens on the host, as written.
    pub ports: Vec<String>,
    /// Host folders it is given, as written.
    pub mounts: Vec<String>,
}

/// What stands behind `run`, taken apart.
pub(super) struct Run {
    pub(super) package: Package,
    pub(super) container: Container,
    /// `-e NAME=value`, `--env NAME`: names with the value where one is given.
    pub(super) env: Vec<(String, String)>,
    /// The arguments of the program in the container.
    pub(super) rest: Vec<String>,
}

/// Options without a value. Every other long option takes one.
const FLAGS: &[&str] = &[
    "--detach",
    "--disable-content-trust",
    "--help",
    "--init",
    "--interactive",
    "--no-healthcheck",
    "--no-hosts",
    "--oom-kill-disable",
    "--privileged",
    "--publish-all",
    "--quiet",
    "--read-only",
    "--read-only-tmpfs",
    "--replace",
    "--rm",
    "--rmi",
    "--sig-proxy",
    "--tls-verify",
    "--tty",
    "--use-api-socket",
];

/// Short options with a value.
const SHORT_VALUED: &str = "acehlmpuvw";

/// Host folders that hold more than a server needs.
const BROAD: &[&str] =
    &["/", "/etc", "/home", "/root", "/Users", "/var", "/usr", "/opt", "/proc", "/sys", "/dev", "/boot"];

/// Folders below a home that hold keys.
const KEYS: &[&str] = &[".ssh", ".aws", ".gnupg", ".kube", ".docker", ".config/gcloud", ".azure", ".netrc"];

/// `args` is what follows `run`. None where no image is named.
pub(super) fn run(args: &[String]) -> Option<Run> {
    let (options, image_at) = options(args);
    let reference = args.get(image_at)?;
    let package = image(reference);
    let mut container =
        Container { image: package.name.clone(), risks: Vec::new(), ports: Vec::new(), mounts: Vec::new() };
    let mut env = Vec::new();
    for (name, value) in &options {
        match name.as_str() {
            "-e" | "--env" => {
                let (name, value) = value.split_once('=').unwrap_or((value, ""));
                env.push((name.to_owned(), value.to_owned()));
            }
            "-p" | "--publish" => container.ports.push(value.clone()),
            "-P" | "--publish-all" => container.ports.push("all".into()),
            _ => {}
        }
        if let Some(source) = mount_source(name, value) {
            container.mounts.push(source.to_owned());
        }
        container.risks.extend(risk(name, value));
    }
    Some(Run { package, container, env, rest: args.get(image_at + 1..).unwrap_or_default().to_vec() })
}

/// The options with their values, and where the image stands.
fn options(args: &[String]) -> (Vec<(String, String)>, usize) {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(arg) = args.get(at) {
        at += 1;
        if arg == "--" {
            break;
        }
        if !arg.starts_with('-') || arg == "-" {
            return (found, at - 1);
        }
        if arg.starts_with("--") {
            let (name, value) = match arg.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None if FLAGS.contains(&arg.as_str()) => (arg.as_str(), String::new()),
                None => {
                    at += 1;
                    (arg.as_str(), args.get(at - 1).cloned().unwrap_or_default())
                }
            };
            found.push((name.to_owned(), value));
            continue;
        }
        at = cluster(arg, args, at, &mut found);
    }
    (found, at)
}

/// `-it`, `-eNAME=x`, `-v /a:/b`: short options in one word; the first one that takes a value takes the rest.
fn cluster(arg: &str, args: &[String], mut at: usize, found: &mut Vec<(String, String)>) -> usize {
    for (position, letter) in arg.char_indices().skip(1) {
        if !SHORT_VALUED.contains(letter) {
            found.push((format!("-{letter}"), String::new()));
            continue;
        }
        let attached = arg[position + letter.len_utf8()..].trim_start_matches('=');
        let value = if attached.is_empty() {
            at += 1;
            args.get(at - 1).cloned().unwrap_or_default()
        } else {
            attached.to_owned()
        };
        found.push((format!("-{letter}"), value));
        break;
    }
    at
}

/// The host's side of a mount; None for named volumes and other options.
fn mount_source<'a>(name: &str, value: &'a str) -> Option<&'a str> {
    let source = match name {
        "-v" | "--volume" => {
            let windows = value.as_bytes().get(1) == Some(&b':') && value.contains('\\');
            let start = if windows { 2 } else { 0 };
            let end = value[start..].find(':').map_or(value.len(), |at| start + at);
            // `${HOME}:/x` and `{env:HOME}:/x`: the colon inside braces is not the separator.
            let braces = value.find('}').filter(|close| value.starts_with(['$', '{']) && end < *close);
            let end = braces.map_or(end, |close| value[close..].find(':').map_or(value.len(), |at| close + at));
            &value[..end]
        }
        "--mount" => value.split(',').find_map(|part| {
            let (key, value) = part.split_once('=')?;
            matches!(key, "source" | "src").then_some(value)
        })?,
        _ => return None,
    };
    let is_path = source.starts_with(['/', '~', '.', '$', '{', '%']) || source.contains('\\');
    is_path.then_some(source)
}

/// What is wrong with an option, as it would be written.
fn risk(name: &str, value: &str) -> Option<String> {
    let host = value == "host" || value.starts_with("host:") || value.starts_with("container:");
    let risky = match name {
        "--privileged" => !matches!(value, "false" | "0"),
        "--net" | "--network" => value == "host",
        "--pid" | "--ipc" | "--uts" | "--userns" | "--cgroupns" => host,
        "--cap-add" | "--device" | "--use-api-socket" => true,
        "--security-opt" => {
            let value = value.replace(':', "=");
            matches!(
                value.as_str(),
                "seccomp=unconfined" | "apparmor=unconfined" | "label=disable" | "systempaths=unconfined"
            )
        }
        "-u" | "--user" => matches!(value.split(':').next(), Some("0" | "root")),
        "-v" | "--volume" | "--mount" => mount_source(name, value).is_some_and(is_broad),
        _ => false,
    };
    risky.then(|| if value.is_empty() { name.to_owned() } else { format!("{name} {value}") })
}

/// Whether a host path gives a container the host, a home, keys, or the engine itself.
pub(super) fn is_broad(path: &str) -> bool {
    let tidy = if path == "/" { path } else { path.trim_end_matches('/') };
    let tidy = tidy.trim_end_matches("/.");
    if ["docker.sock", "podman.sock", "containerd.sock", "crio.sock"].iter().any(|socket| tidy.ends_with(socket)) {
        return true;
    }
    for home in ["~", "$HOME", "${HOME}", "{env:HOME}", "${env:HOME}", "%USERPROFILE%", "${userHome}"] {
        if let Some(rest) = tidy.strip_prefix(home) {
            return below_home_is_broad(rest.trim_start_matches('/'));
        }
    }
    if BROAD.contains(&tidy) || tidy.is_empty() {
        return true;
    }
    let parts: Vec<&str> = tidy.split(['/', '\\']).collect();
    match parts.as_slice() {
        ["", "home" | "Users", _, rest @ ..] | [_, "Users", _, rest @ ..] => below_home_is_broad(&rest.join("/")),
        ["", "root", rest @ ..] => below_home_is_broad(&rest.join("/")),
        [drive, ""] => drive.ends_with(':'),
        _ => false,
    }
}

fn below_home_is_broad(rest: &str) -> bool {
    rest.is_empty()
        || rest == ".config"
        || KEYS.iter().any(|folder| rest == *folder || rest.starts_with(&format!("{folder}/")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn the_image_is_found_behind_every_way_to_write_options() {
        for line in [
            "img",
            "-i --rm img",
            "-it --rm -e TOKEN img arg",
            "--rm -e TOKEN=x --env=A=b -eB=c img",
            "-i --name server --network none img",
            "--init --pull=always -v /srv/data:/data:ro img --port 80",
            "-dit -w /x img",
            "--read-only --cap-drop ALL --security-opt no-new-privileges -- img",
        ] {
            assert_eq!(run(&words(line)).expect(line).container.image, "img", "{line}");
        }
        assert!(run(&words("-i --rm")).is_none());
        assert!(run(&words("-e")).is_none());
    }

    #[test]
    fn what_undoes_the_walls_is_told_from_what_does_not() {
        for (line, risks) in [
            ("--privileged img", &["--privileged"][..]),
            ("--privileged=false img", &[]),
            ("--net=host img", &["--net host"]),
            ("--network host img", &["--network host"]),
            ("--network none img", &[]),
            ("--network hostile img", &[]),
            ("--pid host --ipc=host img", &["--pid host", "--ipc host"]),
            ("--ipc=private img", &[]),
            ("--cap-add=SYS_ADMIN img", &["--cap-add SYS_ADMIN"]),
            ("--cap-drop=ALL img", &[]),
            ("-u 0 img", &["-u 0"]),
            ("--user root:root img", &["--user root:root"]),
            ("--user 1000:0 img", &[]),
            ("-v /var/run/docker.sock:/var/run/docker.sock img", &["-v /var/run/docker.sock:/var/run/docker.sock"]),
            ("-v /:/host:ro img", &["-v /:/host:ro"]),
            ("-v ${HOME}:/home img", &["-v ${HOME}:/home"]),
            ("-v {env:HOME}:/home img", &["-v {env:HOME}:/home"]),
            ("-v /home/dev:/work img", &["-v /home/dev:/work"]),
            ("-v /home/dev/project:/work img", &[]),
            ("-v ~/.ssh:/ssh:ro img", &["-v ~/.ssh:/ssh:ro"]),
            ("-v data:/data img", &[]),
            ("-v ./data:/data img", &[]),
            ("--mount type=bind,src=/,dst=/host img", &["--mount type=bind,src=/,dst=/host"]),
            ("--mount type=volume,src=data,dst=/x img", &[]),
            ("--security-opt seccomp=unconfined img", &["--security-opt seccomp=unconfined"]),
            ("--security-opt no-new-privileges img", &[]),
            ("img --privileged", &[]),
        ] {
            assert_eq!(run(&words(line)).expect(line).container.risks, risks, "{line}");
        }
    }

    #[test]
    fn env_and_ports_are_kept_apart() {
        let run = run(&words("-e A -e B=c -p 8080:80 --publish=9090 -v /srv/x:/x img --stdio")).expect("an image");
        assert_eq!(run.env, [("A".to_owned(), String::new()), ("B".to_owned(), "c".to_owned())]);
        assert_eq!(run.container.ports, ["8080:80", "9090"]);
        assert_eq!(run.container.mounts, ["/srv/x"]);
        assert_eq!(run.rest, ["--stdio"]);
    }
}
