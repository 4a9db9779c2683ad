//! Where the work tree around a folder ends, found from files alone: git is not started, because the repository
//! may be hostile and git runs what its configuration says.

use crate::host::{Host, Kind, Stat, read_text, resolve};
use crate::model::{AbsPath, Scope, Subject};

/// The top of the git work tree around `start`, as git and the agent would see it; `/` where there is none.
pub(super) fn top(host: &dyn Host, subject: &Subject, start: &AbsPath) -> AbsPath {
    let Some(first) = start.ancestors().find(|folder| stat(host, &folder.join(".git")).is_some()) else {
        return AbsPath::root();
    };
    // A folder that only looks like a repository is passed over, a file that does is an error.
    for folder in first.ancestors() {
        let git = folder.join(".git");
        match stat(host, &git) {
            Some(stat) if stat.kind == Kind::Dir && !is_repository(host, &git) => {}
            Some(stat) if stat.kind == Kind::Dir => {
                return if is_trusted(host, subject, &[&folder, &git]) { folder } else { AbsPath::root() };
            }
            Some(stat) if stat.kind == Kind::File => {
                let target = linked(host, &folder, &git).filter(|target| is_repository(host, target));
                let trusted = target.is_some_and(|target| is_trusted(host, subject, &[&folder, &git, &target]));
                return if trusted { folder } else { AbsPath::root() };
            }
            _ => {}
        }
    }
    AbsPath::root()
}

fn stat(host: &dyn Host, path: &AbsPath) -> Option<Stat> {
    resolve(host, path, None).and_then(|path| host.stat(&path)).ok()
}

/// `HEAD`, `objects` and `refs`, the latter two where `commondir` says.
fn is_repository(host: &dyn Host, git: &AbsPath) -> bool {
    let is = |path: AbsPath, kind| stat(host, &path).is_some_and(|stat| stat.kind == kind);
    let common = first_line(host, &git.join("commondir")).map_or_else(|| git.clone(), |line| git.join(line));
    is(git.join("HEAD"), Kind::File) && is(common.join("objects"), Kind::Dir) && is(common.join("refs"), Kind::Dir)
}

fn linked(host: &dyn Host, folder: &AbsPath, file: &AbsPath) -> Option<AbsPath> {
    Some(folder.join(first_line(host, file)?.strip_prefix("gitdir:")?.trim()))
}

fn first_line(host: &dyn Host, path: &AbsPath) -> Option<String> {
    let text = read_text(host, path, None, 4096).ok()??;
    text.lines().next().map(|line| line.trim().to_owned())
}

/// Git works only in what belongs to its user, or what that user calls safe.
fn is_trusted(host: &dyn Host, subject: &Subject, paths: &[&AbsPath]) -> bool {
    let uid = subject.user.known().and_then(|user| user.uid);
    let Some(uid) = uid.filter(|_| subject.scope > Scope::Repo) else { return true };
    let owned = |path: &&AbsPath| stat(host, path).is_none_or(|stat| stat.uid == uid);
    paths.iter().all(owned) || paths.first().is_some_and(|top| is_called_safe(host, subject, top))
}

fn is_called_safe(host: &dyn Host, subject: &Subject, top: &AbsPath) -> bool {
    let home = subject.env.get("HOME").and_then(AbsPath::new);
    let own = home.iter().flat_map(|home| [home.join(".gitconfig"), home.join(".config/git/config")]);
    own.chain([AbsPath::root().join("etc/gitconfig")]).any(|file| {
        let text = read_text(host, &file, None, 1 << 20).ok().flatten().unwrap_or_default();
        safe_directories(&text).any(|safe| safe == "*" || AbsPath::new(safe).is_some_and(|safe| safe == *top))
    })
}

fn safe_directories(text: &str) -> impl Iterator<Item = &str> {
    let mut in_safe = false;
    text.lines().filter_map(move |line| {
        let line = line.trim();
        if line.starts_with('[') {
            in_safe = line.to_ascii_lowercase().starts_with("[safe]");
        }
        let (name, value) = line.split_once('=').filter(|_| in_safe)?;
        name.trim().eq_ignore_ascii_case("directory").then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn safe_directories_are_those_of_their_section() {
        let text = "[user]\n\tdirectory = /no\n[safe]\n\tdirectory = /srv/app\n\tdirectory = \"*\"\n[core]\nx=1\n";
        assert_eq!(super::safe_directories(text).collect::<Vec<_>>(), ["/srv/app", "*"]);
    }
}
