//! One walk of the project for all probes that ask for names in it. It never goes into `.git`, and in folders of
//! dependencies it only looks for links.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::ProbeError;
use crate::host::{Host, Keep, Kind};
use crate::model::{AbsPath, Subject, Tree, Unseen};

/// The most names that are kept of one project.
const LIMIT: usize = 1_000_000;
/// Threads that walk folders of dependencies.
const THREADS: usize = 4;

/// The subjects with one tree between those of the same project.
pub(super) fn shared(subjects: &[Subject]) -> Vec<Subject> {
    let mut subjects = subjects.to_vec();
    for at in 1..subjects.len() {
        if let Some(first) = subjects.iter().position(|other| other.project == subjects[at].project) {
            subjects[at].tree = Arc::clone(&subjects[first].tree);
        }
    }
    subjects
}

/// The names in the project. The first probe that asks walks, the others wait for it.
pub fn tree<'a>(host: &dyn Host, subject: &'a Subject) -> Result<&'a Tree, ProbeError> {
    let skip = subject.parameters.list("scan_skip");
    let tree = subject.tree.get_or_init(|| walk(host, &subject.project, &skip));
    tree.as_ref().map_err(|unseen| ProbeError::Unseen(unseen.clone()))
}

fn walk(host: &dyn Host, top: &AbsPath, skip: &[&str]) -> Result<Tree, Unseen> {
    let mut tree = Tree::default();
    let mut all = 0_usize;
    let found = host.walk(top, &mut |path, kind| {
        all += 1;
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match kind {
            _ if all > LIMIT || name == ".git" => Keep::Prune,
            Kind::File | Kind::Link => Keep::Yes,
            Kind::Dir if skip.contains(&name) => {
                tree.skipped.push(path.to_owned());
                Keep::Prune
            }
            _ => Keep::Pass,
        }
    });
    let unreadable = |error| Unseen::from(ProbeError::unreadable(top, error));
    let (entries, closed) = found.map_err(unreadable)?;
    if all > LIMIT {
        let why = format!("`{top}` holds more than {LIMIT} files");
        return Err(Unseen::new(why, "audit a narrower folder, or name folders to leave out in `scan_skip`"));
    }
    for (path, kind) in entries {
        if kind == Kind::Link { tree.links.push(path) } else { tree.files.push(path) }
    }
    let (links, closed_below) = links_below(host, top, &tree.skipped);
    tree.links.extend(links);
    tree.links.sort();
    tree.files.sort();
    tree.closed = closed + closed_below;
    Ok(tree)
}

/// The links in folders of dependencies. These hold most names of a usual project, so several threads walk them;
/// threads of their own, because a pool's thread that waits may pick up a probe that waits for this very walk.
fn links_below(host: &dyn Host, top: &AbsPath, folders: &[PathBuf]) -> (Vec<PathBuf>, u64) {
    let mut links = Vec::new();
    let mut parts: Vec<PathBuf> = Vec::new();
    let mut closed = 0;
    for folder in folders {
        match host.list(&top.join(folder)) {
            Ok(entries) => {
                for entry in entries {
                    let path = folder.join(&entry.name);
                    match entry.kind {
                        Kind::Dir => parts.push(path),
                        Kind::Link => links.push(path),
                        _ => {}
                    }
                }
            }
            Err(_) => closed += 1,
        }
    }
    let next = AtomicUsize::new(0);
    let found = Mutex::new((links, closed));
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS).min(parts.len());
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let (mut mine, mut closed) = (Vec::new(), 0);
                while let Some(part) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (more, shut) = links_in(host, top, part);
                    mine.extend(more);
                    closed += shut;
                }
                let mut found = found.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                found.0.extend(mine);
                found.1 += closed;
            });
        }
    });
    found.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn links_in(host: &dyn Host, top: &AbsPath, folder: &Path) -> (Vec<PathBuf>, u64) {
    let mut only_links = |_: &Path, kind| if kind == Kind::Link { Keep::Yes } else { Keep::Pass };
    match host.walk(&top.join(folder), &mut only_links) {
        Ok((entries, closed)) => (entries.into_iter().map(|(path, _)| folder.join(path)).collect(), closed),
        Err(_) => (Vec::new(), 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::FixtureHost;

    #[test]
    fn dependencies_give_only_links_and_git_gives_nothing() {
        let machine = "files:\n  /srv/app/a.txt: a\n  /srv/app/.git/config: a\n  /srv/app/node_modules/x/y.js: a\n  \
                       /srv/app/node_modules/x/z: { link: ../../a.txt }\n  /srv/app/node_modules/.bin/t: { link: ../x }\n";
        let host = FixtureHost::parse(machine, Path::new("")).expect("parses");
        let tree = walk(&host, &host.cwd, &["node_modules"]).expect("walks");
        assert_eq!(tree.files, [PathBuf::from("a.txt")]);
        assert_eq!(tree.links, [PathBuf::from("node_modules/.bin/t"), PathBuf::from("node_modules/x/z")]);
        assert_eq!(tree.skipped, [PathBuf::from("node_modules")]);
    }
}
