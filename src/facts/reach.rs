//! What an account can reach, asked of many paths: folders are judged once and remembered.
//!
//! It answers more often than trying would: where a folder is closed to the account, what lies below it is out of
//! its reach even if the audit cannot look either.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::io;

use super::ProbeError;
use crate::host::{Host, Kind, LINK_LIMIT, Stat, Want, Who, allowed, components, is_absent};
use crate::model::{AbsPath, Look, Subject, Uid, Unseen};

/// The account that asks, and what is known of folders so far.
pub struct Reach<'a> {
    host: &'a dyn Host,
    who: Who,
    folders: RefCell<HashMap<AbsPath, Folder>>,
}

/// A folder as the account sees it.
#[derive(Clone)]
struct Folder {
    path: AbsPath,
    stat: Stat,
    /// Every folder above lets the account through.
    reached: bool,
    /// And so does this one.
    passable: bool,
    /// The account may add and remove names in it.
    writable: bool,
    /// A folder above in which the account may put another in its place.
    through: Option<AbsPath>,
}

impl Folder {
    /// Whether the account may rename or remove an entry that `owner` owns.
    fn lets_swap(&self, who: Uid, owner: Uid) -> bool {
        let sticky = self.stat.mode.bits() & 0o1000 != 0;
        self.writable && (!sticky || who == Uid(0) || owner == who || self.stat.uid == who)
    }
}

/// What a path leads to.
enum Place {
    /// Nothing; the deepest folder that is there, and whether the account may add to it.
    Absent { folder: AbsPath, creatable: bool },
    /// A folder above is closed to the account and to the audit.
    Hidden { through: Option<AbsPath> },
    /// Something.
    Here { real: AbsPath, stat: Stat, reached: bool, through: Option<AbsPath> },
}

/// The agent's account; an error where it does not exist, or is not known.
pub fn agent(subject: &Subject) -> Result<Who, ProbeError> {
    let user = subject.account()?;
    Who::of(user).ok_or_else(|| {
        let why = format!("there is no account `{}`", user.name);
        ProbeError::Unseen(Unseen::new(why, "create it, or name another as `agent_user` in the profile"))
    })
}

impl<'a> Reach<'a> {
    /// The reach of `who`.
    pub fn new(host: &'a dyn Host, who: Who) -> Self {
        Self { host, who, folders: RefCell::default() }
    }

    /// The reach of the agent's account.
    pub fn of_agent(host: &'a dyn Host, subject: &Subject) -> Result<Self, ProbeError> {
        Ok(Self::new(host, agent(subject)?))
    }

    /// Whether the account is root, to whom everything is open.
    pub fn is_root(&self) -> bool {
        self.who.uid == Uid(0)
    }

    /// The number of the account.
    pub fn uid(&self) -> Uid {
        self.who.uid
    }

    /// Whether the account may do `want` with `path`, links followed. None where nothing is there.
    pub fn may(&self, path: &AbsPath, want: Want) -> Result<Option<bool>, Unseen> {
        match self.locate(path)? {
            Place::Absent { .. } => Ok(None),
            Place::Hidden { .. } => Ok(Some(false)),
            Place::Here { real, stat, reached, .. } => {
                Ok(Some(reached && allowed(self.host, &self.who, &real, &stat, want).map_err(|e| unseen(&real, &e))?))
            }
        }
    }

    /// As [`Self::may`], where absence means no.
    pub fn may_look(&self, path: &AbsPath, want: Want) -> Look<bool> {
        match self.may(path, want) {
            Ok(answer) => Look::Known(answer.unwrap_or(false)),
            Err(unseen) => Look::Unknown(unseen),
        }
    }

    /// What the account would write to have its own content under `path`: the thing itself, or a folder above it in
    /// which it may rename. None where it cannot. The outer None: nothing is there.
    pub fn replace(&self, path: &AbsPath) -> Result<Option<Option<AbsPath>>, Unseen> {
        match self.locate(path)? {
            Place::Absent { .. } => Ok(None),
            Place::Hidden { through } => Ok(Some(through)),
            Place::Here { real, stat, reached, through } => {
                // Writing to a device changes nothing of it: masked units lead to /dev/null.
                let write = stat.kind != Kind::Special
                    && allowed(self.host, &self.who, &real, &stat, Want::Write).map_err(|e| unseen(&real, &e))?;
                Ok(Some(if reached && write { Some(real) } else { through }))
            }
        }
    }

    /// As [`Self::replace`], where nothing can be put in the place of what is absent.
    pub fn replace_look(&self, path: &AbsPath) -> Look<Option<AbsPath>> {
        match self.replace(path) {
            Ok(answer) => Look::Known(answer.flatten()),
            Err(unseen) => Look::Unknown(unseen),
        }
    }

    /// As [`Self::replace`], where the account may also create what is absent; then the folder it would do that in.
    pub fn plant(&self, path: &AbsPath) -> Result<Option<AbsPath>, Unseen> {
        match self.locate(path)? {
            Place::Absent { folder, creatable } => Ok(creatable.then_some(folder)),
            _ => Ok(self.replace(path)?.flatten()),
        }
    }

    /// What is at `path`, links followed: its real path and nature. None where nothing is there or the account and
    /// the audit are both kept out.
    pub fn look(&self, path: &AbsPath) -> Result<Option<(AbsPath, Stat)>, Unseen> {
        Ok(match self.locate(path)? {
            Place::Here { real, stat, .. } => Some((real, stat)),
            Place::Absent { .. } | Place::Hidden { .. } => None,
        })
    }

    fn locate(&self, path: &AbsPath) -> Result<Place, Unseen> {
        let (mut here, mut todo) = self.start(path)?;
        let (mut links, mut open, mut through) = (0, true, None);
        while let Some(name) = todo.pop_front() {
            let next = here.path.join(&name);
            if let Some(known) = self.folders.borrow().get(&next) {
                here = known.clone();
                continue;
            }
            let stat = match self.host.stat(&next) {
                Ok(stat) => stat,
                Err(error) => return self.nothing(&next, &error, here, open, through),
            };
            let swap = here.lets_swap(self.who.uid, stat.uid).then(|| here.path.clone());
            match stat.kind {
                Kind::Link => {
                    links += 1;
                    if links > LINK_LIMIT {
                        return Err(unseen(path, &io::Error::other("too many links")));
                    }
                    open &= here.passable;
                    through = through.or(swap).or_else(|| here.through.clone());
                    let target = self.host.read_link(&next).map_err(|error| unseen(&next, &error))?;
                    if target.has_root() {
                        here = self.top()?;
                    }
                    let mut front = components(&target);
                    front.append(&mut todo);
                    todo = front;
                }
                Kind::Dir => here = self.enter(next, stat, &here, swap)?,
                _ if todo.is_empty() => {
                    let through = through.or(swap).or(here.through);
                    return Ok(Place::Here { real: next, stat, reached: open && here.passable, through });
                }
                _ => return Ok(Place::Absent { folder: here.path, creatable: false }),
            }
        }
        let through = through.or(here.through);
        Ok(Place::Here { real: here.path, stat: here.stat, reached: open && here.reached, through })
    }

    /// The deepest known folder of a path and what is left of it: mostly the folder it lies in.
    fn start(&self, path: &AbsPath) -> Result<(Folder, VecDeque<OsString>), Unseen> {
        let known = path.parent().and_then(|parent| self.folders.borrow().get(&parent).cloned());
        match (known, path.name()) {
            (Some(folder), Some(name)) => Ok((folder, [name.to_owned()].into())),
            _ => Ok((self.top()?, components(path.as_path()))),
        }
    }

    /// The place of a path of which `next` could not be looked at.
    fn nothing(
        &self,
        next: &AbsPath,
        error: &io::Error,
        here: Folder,
        open: bool,
        through: Option<AbsPath>,
    ) -> Result<Place, Unseen> {
        match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                Ok(Place::Absent { creatable: open && here.writable, folder: here.path })
            }
            io::ErrorKind::PermissionDenied if !(open && here.passable) => {
                Ok(Place::Hidden { through: through.or(here.through) })
            }
            _ => Err(unseen(next, error)),
        }
    }

    fn top(&self) -> Result<Folder, Unseen> {
        let top = AbsPath::root();
        if let Some(known) = self.folders.borrow().get(&top) {
            return Ok(known.clone());
        }
        let stat = self.host.stat(&top).map_err(|error| unseen(&top, &error))?;
        let may = |want| allowed(self.host, &self.who, &top, &stat, want).map_err(|error| unseen(&top, &error));
        let passable = may(Want::Execute)?;
        let writable = passable && may(Want::Write)?;
        let folder = Folder { path: top.clone(), stat, reached: true, passable, writable, through: None };
        self.folders.borrow_mut().insert(top, folder.clone());
        Ok(folder)
    }

    fn enter(&self, path: AbsPath, stat: Stat, above: &Folder, swap: Option<AbsPath>) -> Result<Folder, Unseen> {
        let may = |want| allowed(self.host, &self.who, &path, &stat, want).map_err(|error| unseen(&path, &error));
        let passable = above.passable && may(Want::Execute)?;
        let writable = passable && may(Want::Write)?;
        let through = swap.or_else(|| above.through.clone());
        let folder = Folder { path: path.clone(), stat, reached: above.passable, passable, writable, through };
        self.folders.borrow_mut().insert(path, folder.clone());
        Ok(folder)
    }
}

/// The reason why a path could not be looked at.
pub fn unseen(path: &AbsPath, error: &io::Error) -> Unseen {
    let how = match error.kind() {
        io::ErrorKind::PermissionDenied => "run with sudo",
        _ => "look at the path by hand",
    };
    super::closed(error).unwrap_or_else(|| Unseen::new(format!("cannot read `{path}`: {error}"), how))
}

/// Asks of a path as it stands, which is cheap, and follows links only where there are some.
fn straight<T>(host: &dyn Host, path: &AbsPath, ask: impl Fn(&AbsPath) -> io::Result<T>) -> io::Result<T> {
    match ask(path) {
        Err(error) if !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => {
            ask(&crate::host::resolve(host, path, None)?)
        }
        answer => answer,
    }
}

/// The entries of a folder, links on the way followed. None where it is not there; at most `limit`.
pub fn list(host: &dyn Host, path: &AbsPath, limit: usize) -> Result<Option<Vec<crate::host::Entry>>, Unseen> {
    match straight(host, path, |path| host.list(path)) {
        Ok(mut entries) => {
            entries.truncate(limit);
            Ok(Some(entries))
        }
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(unseen(path, &error)),
    }
}

/// The text of a file, lossy, links followed. None where it is not there.
pub fn text(host: &dyn Host, path: &AbsPath, limit: u64) -> Result<Option<String>, Unseen> {
    match straight(host, path, |path| host.read(path, limit)) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(unseen(path, &error)),
    }
}

/// A path of the system, which is absolute by its first letter.
pub fn abs(path: &str) -> AbsPath {
    AbsPath::root().join(path)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::host::FixtureHost;
    use crate::model::Gid;

    fn reach(yaml: &str, ask: impl FnOnce(&Reach<'_>)) {
        let host = FixtureHost::parse(yaml, Path::new("")).expect("parses");
        ask(&Reach::new(&host, Who { uid: Uid(990), gids: vec![Gid(990)] }));
    }

    const MACHINE: &str = "
accounts: [{ name: agent, uid: 990, home: /var/lib/agent }]
files:
  /root/.bashrc: ''
  /opt/tool: { link: ../srv/open/tool }
  /srv/open/: { mode: '0777' }
  /srv/open/tool: { owner: root }
  /srv/open/deep/er/file: { owner: root }
  /tmp/file: { owner: root }
  /secret/: { owner: root, mode: '0700' }
  /home/dev/key: { mode: '0600' }
";

    #[test]
    fn a_closed_folder_answers_for_what_nobody_may_look_at() {
        reach(MACHINE, |reach| {
            assert_eq!(reach.may(&abs("/root/.bashrc"), Want::Read), Ok(Some(false)));
            assert_eq!(reach.may(&abs("/secret/unheard-of"), Want::Read), Ok(Some(false)));
            assert_eq!(reach.may(&abs("/etc/none"), Want::Read), Ok(None));
        });
    }

    #[test]
    fn what_the_account_could_pass_and_the_audit_cannot_is_unknown() {
        reach(
            "accounts: [{ name: agent, uid: 990, home: /var/lib/agent }]\nfiles:\n  /var/lib/agent/: { mode: '0700' }\n",
            |reach| {
                assert!(reach.may(&abs("/var/lib/agent/.netrc"), Want::Read).is_err());
            },
        );
    }

    #[test]
    fn a_file_is_replaced_through_the_folders_and_links_that_lead_to_it() {
        reach(MACHINE, |reach| {
            for (path, through) in [
                ("/srv/open/tool", Some("/srv/open")),
                ("/srv/open/deep/er/file", Some("/srv/open")),
                ("/opt/tool", Some("/srv/open")),
                ("/tmp/file", None),
                ("/etc/passwd", None),
                ("/home/dev/key", None),
            ] {
                assert_eq!(reach.replace(&abs(path)), Ok(Some(through.map(abs))), "{path}");
            }
            assert_eq!(reach.plant(&abs("/srv/open/new")), Ok(Some(abs("/srv/open"))));
            assert_eq!(reach.plant(&abs("/etc/new")), Ok(None));
        });
    }
}
