//! Control sockets of container engines and virtual machines. Whoever may write to one starts what he likes there,
//! as root or outside every limit that was set around him.

use schemars::JsonSchema;
use serde::Serialize;

use super::reach::{Reach, abs, text};
use super::{ProbeError, needs_running};
use crate::host::{Host, Kind, Want, Who};
use crate::model::{AbsPath, Gid, Look, Os, Subject, Uid};

/// Variables that name an engine elsewhere.
const VARIABLES: &[&str] =
    &["DOCKER_HOST", "CONTAINER_HOST", "CONTAINERD_ADDRESS", "LIBVIRT_DEFAULT_URI", "LXD_SOCKET"];

/// Sockets of Linux: what they belong to, and where they are.
const LINUX: &[(&str, &str)] = &[
    ("docker", "/run/docker.sock"),
    ("docker", "/var/run/docker.sock"),
    ("containerd", "/run/containerd/containerd.sock"),
    ("containerd", "/run/k3s/containerd/containerd.sock"),
    ("buildkit", "/run/buildkit/buildkitd.sock"),
    ("podman", "/run/podman/podman.sock"),
    ("cri-o", "/run/crio/crio.sock"),
    ("cri-dockerd", "/run/cri-dockerd.sock"),
    ("libvirt", "/run/libvirt/libvirt-sock"),
    ("libvirt", "/run/libvirt/virtqemud-sock"),
    ("libvirt", "/run/libvirt/virtlxcd-sock"),
    ("lxd", "/var/lib/lxd/unix.socket"),
    ("lxd", "/var/snap/lxd/common/lxd/unix.socket"),
    ("incus", "/var/lib/incus/unix.socket"),
    ("incus", "/run/incus/unix.socket"),
];
/// Sockets of macOS.
const MACOS: &[(&str, &str)] = &[("docker", "/var/run/docker.sock"), ("podman", "/var/run/podman.sock")];
/// Sockets below a home: engines in a virtual machine of that person.
const HOME: &[(&str, &str)] = &[
    ("docker desktop", ".docker/run/docker.sock"),
    ("docker desktop", ".docker/desktop/docker.sock"),
    ("colima", ".colima/default/docker.sock"),
    ("colima", ".colima/docker.sock"),
    ("orbstack", ".orbstack/run/docker.sock"),
    ("rancher desktop", ".rd/docker.sock"),
    ("lima", ".lima/docker/sock/docker.sock"),
    ("podman machine", ".local/share/containers/podman/machine/podman.sock"),
];
/// Sockets below `/run/user/<number>`.
const RUNTIME: &[(&str, &str)] = &[("docker", "docker.sock"), ("podman", "podman/podman.sock")];

/// Control sockets of container engines and virtual machines.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// Every place that was looked at.
    sockets: Vec<Socket>,
    /// Variables of the environment that name an engine elsewhere; names only.
    variables: Vec<String>,
}

/// A place of a socket.
#[derive(Serialize, JsonSchema)]
struct Socket {
    /// What listens there.
    name: String,
    /// Where it is; the variable's name for an engine that is reached over the network.
    path: String,
    /// Whether it is there.
    present: bool,
    /// Whether it belongs to a rootless engine of the agent's own account, which gives that account nothing new.
    own_rootless: bool,
    /// Whether the agent's account may use it.
    open: Look<bool>,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let reach = Reach::of_agent(host, subject)?;
    let mut places: Vec<(String, AbsPath, bool)> = Vec::new();
    let fixed = if subject.os == Os::Macos { MACOS } else { LINUX };
    places.extend(fixed.iter().map(|(name, path)| ((*name).to_owned(), abs(path), false)));
    let accounts = host.accounts().map_err(|error| ProbeError::unreadable(&abs("/etc/passwd"), error))?;
    for account in accounts.users.iter().filter(|account| account.is_human(subject.os) || account.uid == reach.uid()) {
        let own = account.uid == reach.uid();
        if subject.os == Os::Linux {
            let run = abs(&format!("/run/user/{}", account.uid.0));
            places.extend(RUNTIME.iter().map(|(name, path)| ((*name).to_owned(), run.join(path), own)));
        }
        let below = |home: &AbsPath| {
            HOME.iter().map(|(name, path)| ((*name).to_owned(), home.join(path), false)).collect::<Vec<_>>()
        };
        places.extend(account.home.as_ref().map(below).unwrap_or_default());
    }
    let mut sockets: Vec<Socket> = Vec::new();
    for (name, path, own_rootless) in places {
        let (real, present, open) = judge(host, &reach, &name, &path);
        let path = real.text();
        if !sockets.iter().any(|known| known.path == path) {
            sockets.push(Socket { name, path, present, own_rootless, open });
        }
    }
    // Engines make their sockets when they start: that an image holds none says nothing.
    if let Err(unseen) = needs_running(host, "running container engines") {
        let (name, path) = ("running engines".to_owned(), "/run".to_owned());
        sockets.push(Socket { name, path, present: true, own_rootless: false, open: Look::Unknown(unseen) });
    }
    let variables = named(host, subject);
    sockets.extend(variables.iter().filter_map(|name| remote(name, &host.env(name)?)));
    Ok(Fact { sockets, variables })
}

/// The real path, whether a socket is there, and whether the account may use it.
fn judge(host: &dyn Host, reach: &Reach<'_>, name: &str, path: &AbsPath) -> (AbsPath, bool, Look<bool>) {
    match reach.look(path) {
        Err(unseen) => (path.clone(), true, Look::Unknown(unseen)),
        Ok(Some((real, stat))) if stat.kind == Kind::Socket => {
            let guarded = name == "libvirt" && guarded_by_polkit(host, &real);
            let open = if guarded { Look::Known(false) } else { reach.may_look(&real, Want::Write) };
            (real, true, open)
        }
        Ok(_) => (path.clone(), false, Look::Known(false)),
    }
}

/// libvirt lets everybody connect and then asks polkit, unless its configuration says otherwise.
fn guarded_by_polkit(host: &dyn Host, socket: &AbsPath) -> bool {
    let stranger = Reach::new(host, Who { uid: Uid(u32::MAX - 1), gids: vec![Gid(u32::MAX - 1)] });
    let for_all = stranger.may(socket, Want::Write) == Ok(Some(true));
    let open = |file: &str| {
        let content = text(host, &abs(file), 1 << 20).ok().flatten().unwrap_or_default();
        content.lines().any(|line| {
            line.split_once('=').is_some_and(|(key, value)| key.trim() == "auth_unix_rw" && value.contains("\"none\""))
        })
    };
    for_all && !["/etc/libvirt/libvirtd.conf", "/etc/libvirt/virtqemud.conf"].into_iter().any(open)
}

/// The variables that are set where the agent would inherit them.
fn named(host: &dyn Host, subject: &Subject) -> Vec<String> {
    let names = host.env_names();
    let inherits = subject.is_invokers();
    VARIABLES
        .iter()
        .filter(|name| inherits && names.iter().any(|set| set == *name))
        .map(|name| (*name).to_owned())
        .collect()
}

/// An engine that is reached over the network: no mode of a file protects it. Only the scheme is looked at.
fn remote(name: &str, value: &str) -> Option<Socket> {
    let (scheme, _) = value.split_once("://")?;
    let kind = if name == "LIBVIRT_DEFAULT_URI" { "libvirt" } else { "docker" };
    let elsewhere = matches!(scheme, "tcp" | "http" | "https" | "ssh") || scheme.contains('+');
    elsewhere.then(|| Socket {
        name: format!("{kind} over {}", crate::model::plain(scheme)),
        path: name.to_owned(),
        present: true,
        own_rootless: false,
        open: Look::Known(true),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_over_the_network_is_told_by_its_scheme_alone() {
        for (value, expected) in [
            ("tcp://user:pw@10.0.0.1:2375", Some("docker over tcp")),
            ("ssh://box", Some("docker over ssh")),
            ("unix:///run/user/1000/docker.sock", None),
            ("box", None),
        ] {
            assert_eq!(remote("DOCKER_HOST", value).map(|socket| socket.name).as_deref(), expected, "{value}");
        }
    }
}
