//! Following links by hand, so that a hostile tree cannot lead a read out of it.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path};

use super::{Host, Kind};
use crate::model::AbsPath;

/// As many links as Linux follows.
pub const LINK_LIMIT: usize = 40;

/// A link led out of the folder that reads are held to.
#[derive(Debug, thiserror::Error)]
#[error("`{link}` leads out of `{jail}`, to `{target}`")]
pub struct Outside {
    /// The link.
    pub link: AbsPath,
    /// The folder.
    pub jail: AbsPath,
    /// Where it leads.
    pub target: AbsPath,
}

/// Follows every link in `path`. With `jail`, a link that leads out of that folder is an error that holds
/// [`Outside`]; links inside it are followed, as the agent would.
pub fn resolve(host: &dyn Host, path: &AbsPath, jail: Option<&AbsPath>) -> io::Result<AbsPath> {
    let mut todo: VecDeque<OsString> = components(path.as_path());
    let mut done = AbsPath::root();
    let mut links = 0;
    while let Some(name) = todo.pop_front() {
        let next = done.join(&name);
        if name == ".." || host.stat(&next)?.kind != Kind::Link {
            done = next;
            continue;
        }
        links += 1;
        if links > LINK_LIMIT {
            return Err(io::Error::other(format!("more than {LINK_LIMIT} links on the way to `{path}`")));
        }
        let target = host.read_link(&next)?;
        let goal = done.join(&target);
        if let Some(jail) = jail.filter(|jail| next.is_within(jail) && !goal.is_within(jail)) {
            return Err(io::Error::other(Outside { link: next, jail: jail.clone(), target: goal }));
        }
        if target.has_root() {
            done = AbsPath::root();
        }
        let mut front = components(&target);
        front.append(&mut todo);
        todo = front;
    }
    match jail {
        Some(jail) if path.is_within(jail) && !done.is_within(jail) => {
            Err(io::Error::other(Outside { link: path.clone(), jail: jail.clone(), target: done }))
        }
        _ => Ok(done),
    }
}

/// The names in a path in order, `..` as it stands.
pub fn components(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(name.to_owned()),
            Component::ParentDir => Some("..".into()),
            _ => None,
        })
        .collect()
}

/// Whether something is there, links followed. A dangling link is nothing.
pub fn exists(host: &dyn Host, path: &AbsPath) -> io::Result<bool> {
    match resolve(host, path, None) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether an error says that nothing is there; anything else is a failure to look.
pub fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// The text of a file, links followed within `jail`. None where there is no such file. Bytes that are not UTF-8
/// are an error.
pub fn read_text(host: &dyn Host, path: &AbsPath, jail: Option<&AbsPath>, limit: u64) -> io::Result<Option<String>> {
    let bytes = match resolve(host, path, jail).and_then(|path| host.read(&path, limit)) {
        Ok(bytes) => bytes,
        Err(error) if is_absent(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    String::from_utf8(bytes).map(Some).map_err(|error| {
        io::Error::new(io::ErrorKind::InvalidData, format!("not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::FixtureHost;

    const TREE: &str = "
files:
  /srv/app/real.json: '{}'
  /srv/app/inner: { link: real.json }
  /srv/app/chain: { link: inner }
  /srv/app/around: { link: ../app/real.json }
  /srv/app/out: { link: /home/dev/key }
  /srv/app/up: { link: ../../home/dev/key }
  /srv/app/dir: { link: /home/dev }
  /srv/app/loop: { link: loop }
  /srv/app/gone: { link: nowhere }
  /home/dev/key: x
";

    fn abs(path: &str) -> AbsPath {
        AbsPath::new(path).expect("absolute")
    }

    #[test]
    fn links_are_followed_inside_the_jail_and_refused_at_its_wall() {
        let host = FixtureHost::parse(TREE, std::path::Path::new("")).expect("a fixture");
        let jail = abs("/srv/app");
        for (link, leads) in [
            ("inner", Ok("/srv/app/real.json")),
            ("chain", Ok("/srv/app/real.json")),
            ("around", Ok("/srv/app/real.json")),
            ("out", Err("leads out of")),
            ("up", Err("leads out of")),
            ("dir/key", Err("leads out of")),
            ("loop", Err("more than 40 links")),
            ("gone", Err("not found")),
        ] {
            let got = resolve(&host, &jail.join(link), Some(&jail)).map(|path| path.text());
            match leads {
                Ok(path) => assert_eq!(got.expect(link), path, "{link}"),
                Err(words) => {
                    let error = got.expect_err(link).to_string();
                    assert!(error.contains(words), "{link}: {error}");
                }
            }
        }
        assert_eq!(resolve(&host, &jail.join("out"), None).expect("free").text(), "/home/dev/key");
    }
}
