//! What an account may do with a path, by the rules of the kernel: owner, then access list, then group, then the
//! rest, with search permission on every folder above. Evaluated from modes, never tried.

use std::io;

use super::{Host, Kind, Stat, resolve};
use crate::model::{AbsPath, AgentUser, Gid, Uid};

/// The account that asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// Its number.
    pub uid: Uid,
    /// All its groups.
    pub gids: Vec<Gid>,
}

impl Who {
    /// The agent's account; None where it does not exist.
    pub fn of(user: &AgentUser) -> Option<Self> {
        Some(Self { uid: user.uid?, gids: user.groups.clone() })
    }
}

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// To read a file or list a folder.
    Read,
    /// To change a file, or add and remove names in a folder.
    Write,
    /// To run a file or pass through a folder.
    Execute,
}

/// A POSIX access list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Acl(pub Vec<AclEntry>);

/// A line of an access list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AclEntry {
    /// Whom it names.
    pub tag: AclTag,
    /// Its rights: 4 read, 2 write, 1 execute.
    pub rights: u8,
}

/// Whom a line of an access list names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AclTag {
    /// The owner.
    Owner,
    /// This user.
    User(Uid),
    /// The file's group.
    OwningGroup,
    /// This group.
    Group(Gid),
    /// The most that named entries and groups get.
    Mask,
    /// Everyone else.
    Other,
}

/// Whether `who` may do `want` with `path`, links followed. Absence is an error of kind `NotFound`.
pub fn can(host: &dyn Host, who: &Who, path: &AbsPath, want: Want) -> io::Result<bool> {
    let target = resolve(host, path, None)?;
    for folder in target.ancestors().skip(1) {
        if !allowed(host, who, &folder, &host.stat(&folder)?, Want::Execute)? {
            return Ok(false);
        }
    }
    allowed(host, who, &target, &host.stat(&target)?, want)
}

/// Whether `who` could put something else in the place of `path`: write it, or write a folder above it and so
/// rename what lies below (a sticky folder lets only owners do that).
pub fn can_replace(host: &dyn Host, who: &Who, path: &AbsPath) -> io::Result<Option<AbsPath>> {
    let target = resolve(host, path, None)?;
    if can(host, who, &target, Want::Write)? {
        return Ok(Some(target));
    }
    let chain: Vec<AbsPath> = target.ancestors().collect();
    for pair in chain.windows(2) {
        let [child, folder] = pair else { continue };
        let (inner, outer) = (host.stat(child)?, host.stat(folder)?);
        let sticky = outer.mode.bits() & 0o1000 != 0;
        let mine = inner.uid == who.uid || outer.uid == who.uid;
        if can(host, who, folder, Want::Write)? && (!sticky || mine) {
            return Ok(Some(folder.clone()));
        }
    }
    Ok(None)
}

/// Whether `who` may do `want` with a path that is no link, by its own rights alone: folders above it are not asked.
pub fn allowed(host: &dyn Host, who: &Who, path: &AbsPath, stat: &Stat, want: Want) -> io::Result<bool> {
    if who.uid == Uid(0) {
        let runs = want != Want::Execute || stat.kind == Kind::Dir || stat.mode.bits() & 0o111 != 0;
        return Ok(runs);
    }
    // An owner who is refused may grant it to himself.
    if stat.uid == who.uid {
        return Ok(true);
    }
    let bit = match want {
        Want::Read => 4,
        Want::Write => 2,
        Want::Execute => 1,
    };
    let mode = stat.mode.bits();
    // Without group and other bits no list can add anything: the group bits are the list's mask.
    let acl = if mode & 0o070 != 0 { host.acl(path)? } else { None };
    let rights = acl.map_or_else(|| by_mode(who, stat), |acl| by_acl(who, stat, &acl));
    Ok(rights & bit != 0)
}

fn by_mode(who: &Who, stat: &Stat) -> u8 {
    let mode = stat.mode.bits();
    let shift = if who.gids.contains(&stat.gid) { 3 } else { 0 };
    (mode >> shift & 7) as u8
}

fn by_acl(who: &Who, stat: &Stat, acl: &Acl) -> u8 {
    let of = |tag: AclTag| acl.0.iter().find(|entry| entry.tag == tag).map(|entry| entry.rights);
    let mask = of(AclTag::Mask).unwrap_or(7);
    if let Some(rights) = of(AclTag::User(who.uid)) {
        return rights & mask;
    }
    let groups: Vec<u8> = acl
        .0
        .iter()
        .filter(|entry| match entry.tag {
            AclTag::OwningGroup => who.gids.contains(&stat.gid),
            AclTag::Group(gid) => who.gids.contains(&gid),
            _ => false,
        })
        .map(|entry| entry.rights & mask)
        .collect();
    // Any matching group may grant; with none of them matching the rest is asked.
    if groups.is_empty() { of(AclTag::Other).unwrap_or(0) } else { groups.into_iter().fold(0, |a, b| a | b) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::FixtureHost;

    const TREE: &str = "
sudo: true
accounts:
  - { name: agent, uid: 990 }
groups:
  - { name: work, gid: 2000, members: [agent] }
files:
  /data/open.txt: { content: x, mode: '0644' }
  /data/group.txt: { content: x, group: work, mode: '0660' }
  /data/other.txt: { content: x, mode: '0666' }
  /data/listed.txt: { content: x, mode: '0660', acl: ['user:agent:rw-'] }
  /data/masked.txt: { content: x, mode: '0640', acl: ['user:agent:rw-'] }
  /data/refused.txt: { content: x, group: work, mode: '0664', acl: ['user:agent:---'] }
  /closed/: { mode: '0700' }
  /closed/wide.txt: { content: x, mode: '0666' }
  /drop/: { mode: '0777' }
  /drop/held.txt: { content: x, mode: '0644' }
  /sticky/: { mode: '1777' }
  /sticky/held.txt: { content: x, mode: '0644' }
  /sticky/own.txt: { content: x, owner: agent, mode: '0600' }
  /data/to-closed: { link: /closed/wide.txt }
";

    fn agent_on(tree: &str) -> (FixtureHost, Who) {
        let host = FixtureHost::parse(tree, std::path::Path::new("")).expect("a fixture");
        (host, Who { uid: Uid(990), gids: vec![Gid(990), Gid(2000)] })
    }

    fn abs(path: &str) -> AbsPath {
        AbsPath::new(path).expect("absolute")
    }

    #[test]
    fn rights_follow_owner_list_group_and_the_folders_above() {
        let (host, who) = agent_on(TREE);
        for (path, read, write) in [
            ("/data/open.txt", true, false),
            ("/data/group.txt", true, true),
            ("/data/other.txt", true, true),
            ("/data/listed.txt", true, true),
            ("/data/masked.txt", true, false),
            ("/data/refused.txt", false, false),
            ("/closed/wide.txt", false, false),
            ("/data/to-closed", false, false),
            ("/sticky/own.txt", true, true),
        ] {
            let got = (can(&host, &who, &abs(path), Want::Read), can(&host, &who, &abs(path), Want::Write));
            assert_eq!((got.0.expect(path), got.1.expect(path)), (read, write), "{path}");
        }
    }

    #[test]
    fn a_file_can_be_replaced_through_a_writable_folder_unless_it_is_sticky() {
        let (host, who) = agent_on(TREE);
        let through = |path: &str| can_replace(&host, &who, &abs(path)).expect(path).map(|p| p.text());
        assert_eq!(through("/drop/held.txt").as_deref(), Some("/drop"));
        assert_eq!(through("/sticky/held.txt"), None);
        assert_eq!(through("/sticky/own.txt").as_deref(), Some("/sticky/own.txt"));
        assert_eq!(through("/data/open.txt"), None);
    }

    #[test]
    fn root_may_do_all() {
        let (host, _) = agent_on(TREE);
        let root = Who { uid: Uid(0), gids: vec![Gid(0)] };
        assert!(can(&host, &root, &abs("/closed/wide.txt"), Want::Write).expect("readable"));
    }
}
