//! Links in the project and where they end. Targets are followed on paper first: only what leads out of the project
//! is resolved on the machine, and nothing behind a link is read.

use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::secrets::count;
use super::{ProbeError, tree};
use crate::host::{Host, components, is_absent, resolve};
use crate::model::{AbsPath, Look, Os, Subject};

/// As many links as Linux follows.
const HOPS: u32 = 40;
/// The most links that are told one by one.
const LISTED: usize = 500;

/// Links in the project.
#[derive(Serialize, JsonSchema)]
pub struct Fact {
    /// How many there are.
    total: u64,
    /// Those that stay in the project and lead to something.
    inside: u64,
    /// All others, and one item for those that stay inside. At most 501.
    list: Vec<Link>,
    /// How many more there would be in the list.
    not_listed: u64,
}

/// A link.
#[derive(Debug, Serialize, JsonSchema)]
struct Link {
    /// Where it is.
    path: String,
    /// Its target as it is written.
    target: String,
    /// The path that it ends at, or would.
    ends_at: Option<String>,
    /// Where that is.
    leads: Look<Leads>,
    /// Whether the target is written from the root.
    absolute: bool,
    /// Whether nothing is there.
    dangling: bool,
    /// How many links are followed on the way.
    hops: u32,
}

/// Where a link leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Leads {
    /// To something in the project.
    Inside,
    /// To a folder that `allowed_link_targets` names.
    Allowed,
    /// To the system's programs and libraries, which every account can read.
    System,
    /// From a virtual environment of Python to its interpreter.
    Interpreter,
    /// In a circle.
    Nowhere,
    /// To anything else.
    Outside,
}

/// See [`Fact`].
pub fn look(host: &dyn Host, subject: &Subject) -> Result<Fact, ProbeError> {
    let tree = tree::tree(host, subject)?;
    let allowed: Vec<AbsPath> = subject
        .parameters
        .list("allowed_link_targets")
        .into_iter()
        .filter_map(|path| super::subject::place(subject, path))
        .collect();
    let mut targets = HashMap::new();
    for link in &tree.links {
        let path = subject.project.join(link);
        if let Ok(target) = host.read_link(&path) {
            targets.insert(path, target);
        }
    }
    let map = Map { host, subject, targets, allowed };
    let mut list: Vec<Link> = Vec::new();
    let (mut inside, mut not_listed) = (0, 0);
    for link in &tree.links {
        let link = map.follow(&subject.project.join(link));
        match link.leads {
            Look::Known(Leads::Inside) if !link.dangling => inside += 1,
            _ if list.len() >= LISTED => not_listed += 1,
            _ => list.push(link),
        }
    }
    if tree.closed > 0 {
        list.push(closed_folders(tree.closed));
    }
    list.push(rest(inside));
    Ok(Fact { total: tree.links.len() as u64, inside, list, not_listed })
}

/// Stands for the links that stay where they should.
fn rest(inside: u64) -> Link {
    Link {
        path: format!("{} inside the project", count(inside, "link")),
        target: String::new(),
        ends_at: None,
        leads: Look::Known(Leads::Inside),
        absolute: false,
        dangling: false,
        hops: 0,
    }
}

fn closed_folders(closed: u64) -> Link {
    let why = format!("{} of the project could not be listed", count(closed, "folder"));
    Link {
        path: "closed folders".into(),
        leads: Look::unknown(why, "run as the owner of the project, or with sudo"),
        ..rest(0)
    }
}

/// The links of the project by path.
struct Map<'a> {
    host: &'a dyn Host,
    subject: &'a Subject,
    targets: HashMap<AbsPath, PathBuf>,
    allowed: Vec<AbsPath>,
}

impl Map<'_> {
    fn follow(&self, path: &AbsPath) -> Link {
        let target = self.targets.get(path);
        let mut link = Link {
            path: super::subject::shown(self.subject, path),
            target: target.map(|target| target.to_string_lossy().into_owned()).unwrap_or_default(),
            ends_at: None,
            leads: Look::Known(Leads::Nowhere),
            absolute: target.is_some_and(|target| target.has_root()),
            dangling: false,
            hops: 0,
        };
        if target.is_none() {
            link.leads = Look::unknown(format!("the link `{path}` cannot be read"), "look at it by hand");
            return link;
        }
        let Some((end, hops)) = self.on_paper(path) else { return link };
        link.hops = hops;
        let end = self.on_disk(end, &mut link);
        link.ends_at = Some(end.text());
        if !matches!(link.leads, Look::Unknown(_)) {
            link.leads = Look::Known(self.leads(path, &end));
        }
        link
    }

    /// Follows links of the project by their text, until a path outside of it or without a link. None for a circle.
    fn on_paper(&self, path: &AbsPath) -> Option<(AbsPath, u32)> {
        let mut todo: VecDeque<OsString> = components(path.as_path());
        let mut done = AbsPath::root();
        let mut hops = 0;
        while let Some(name) = todo.pop_front() {
            let next = done.join(&name);
            let Some(target) = self.targets.get(&next) else {
                done = next;
                continue;
            };
            hops += 1;
            if hops > HOPS {
                return None;
            }
            if target.has_root() {
                done = AbsPath::root();
            }
            let mut front = components(target);
            front.append(&mut todo);
            todo = front;
        }
        Some((done, hops))
    }

    /// Looks whether something is there; outside the project there may be more links to follow.
    fn on_disk(&self, end: AbsPath, link: &mut Link) -> AbsPath {
        let inside = end.is_within(&self.subject.project);
        let seen = if inside { self.host.stat(&end).map(|_| end.clone()) } else { resolve(self.host, &end, None) };
        match seen {
            Ok(end) => end,
            Err(error) if is_absent(&error) => {
                link.dangling = true;
                end
            }
            // A path outside that the auditor may not read still leads outside.
            Err(_) => end,
        }
    }

    fn leads(&self, link: &AbsPath, end: &AbsPath) -> Leads {
        if end.is_within(&self.subject.project) || end.is_within(&self.subject.workspace) {
            Leads::Inside
        } else if self.allowed.iter().any(|folder| end.is_within(folder)) {
            Leads::Allowed
        } else if is_system(self.subject.os, &end.text()) {
            Leads::System
        } else if self.is_interpreter(link, end) {
            Leads::Interpreter
        } else {
            Leads::Outside
        }
    }

    /// `bin/python` beside a `pyvenv.cfg`.
    fn is_interpreter(&self, link: &AbsPath, end: &AbsPath) -> bool {
        let python = |path: &AbsPath| path.name_text().starts_with("python");
        let venv = link.parent().filter(|bin| bin.name_text() == "bin").and_then(|bin| bin.parent());
        python(link) && python(end) && venv.is_some_and(|venv| self.host.stat(&venv.join("pyvenv.cfg")).is_ok())
    }
}

/// Programs and libraries that come with the system. Not `/etc` or `/var`: these hold what the machine is about.
fn is_system(os: Os, path: &str) -> bool {
    const LINUX: &[&str] = &["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store"];
    const MACOS: &[&str] = &["/usr", "/bin", "/sbin", "/System", "/Library", "/opt/homebrew", "/nix/store"];
    let folders = if os == Os::Macos { MACOS } else { LINUX };
    path == "/dev/null"
        || folders
            .iter()
            .any(|folder| path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}
