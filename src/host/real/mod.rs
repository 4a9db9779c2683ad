//! This machine, or a mounted image of one. Paths are opened below one directory handle with links refused in the
//! kernel, so what a hostile process swaps in between is an error, not an escape.

mod acl;
mod cargo;
mod kind;
mod run;
mod system;

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{AtFlags, Dir, FileType, Mode as OpenMode, OFlags};

use self::kind::{kind_of, kind_of_std, stat_of};
pub use self::run::run_program;
use super::access::Acl;
use super::closed;
use super::{Accounts, Entry, History, Host, Keep, Kind, Output, Process, Stat, Tool, ToolError};
use crate::model::{AbsPath, Os, Uid};

/// The most entries one walk returns or passes.
const WALK_LIMIT: usize = 20_000_000;

/// A machine seen through its root directory.
pub struct RealHost {
    top: OwnedFd,
    prefix: PathBuf,
    live: bool,
    /// Looked up once: several facts speak of them.
    processes: OnceLock<Result<Vec<Process>, String>>,
}

impl RealHost {
    /// The running machine.
    pub fn live() -> io::Result<Self> {
        Self::below(Path::new("/"), true)
    }

    /// A mounted image or container root; nothing of the running machine leaks in.
    pub fn image(root: &Path) -> io::Result<Self> {
        Self::below(&root.canonicalize()?, false)
    }

    fn below(root: &Path, live: bool) -> io::Result<Self> {
        let top = rustix::fs::open(root, OFlags::DIRECTORY | OFlags::CLOEXEC | path_flag(), OpenMode::empty())?;
        Ok(Self { top, prefix: root.to_owned(), live, processes: OnceLock::new() })
    }

    /// Opens `path` with links refused in every component.
    fn open_at(&self, path: &AbsPath, flags: OFlags) -> io::Result<OwnedFd> {
        let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let relative = path.below(&AbsPath::root()).unwrap_or(Path::new(""));
        if relative.as_os_str().is_empty() {
            return Ok(rustix::fs::openat(&self.top, ".", flags, OpenMode::empty())?);
        }
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::ResolveFlags;
            let how = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
            match rustix::fs::openat2(&self.top, relative, flags, OpenMode::empty(), how) {
                Err(rustix::io::Errno::NOSYS | rustix::io::Errno::PERM) => {}
                other => return Ok(other?),
            }
        }
        self.open_by_component(relative, flags)
    }

    /// What `openat2` does in one call, for systems without it.
    fn open_by_component(&self, relative: &Path, flags: OFlags) -> io::Result<OwnedFd> {
        let mut folder = rustix::io::fcntl_dupfd_cloexec(&self.top, 0)?;
        if let Some(parent) = relative.parent() {
            for name in parent.components() {
                let search = path_flag() | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                folder = rustix::fs::openat(&folder, name.as_os_str(), search, OpenMode::empty())?;
            }
        }
        Ok(rustix::fs::openat(&folder, relative.file_name().unwrap_or(OsStr::new(".")), flags, OpenMode::empty())?)
    }

    /// A folder, and the names in it with their types, sorted.
    fn names(&self, path: &AbsPath) -> io::Result<(OwnedFd, Vec<(OsString, FileType)>)> {
        let folder = self.open_at(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let mut names = Vec::new();
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." {
                names.push((name.to_owned(), entry.file_type()));
            }
        }
        names.sort_by(|a, b| a.0.cmp(&b.0));
        Ok((folder, names))
    }

    fn plain_stat(&self, path: &AbsPath) -> io::Result<Stat> {
        let relative = path.below(&AbsPath::root()).unwrap_or(Path::new(""));
        let stat = if relative.as_os_str().is_empty() {
            rustix::fs::fstat(&self.top)?
        } else {
            let parent = path.parent().unwrap_or_else(AbsPath::root);
            let folder = self.open_at(&parent, path_flag() | OFlags::DIRECTORY)?;
            rustix::fs::statat(&folder, path.name().unwrap_or(OsStr::new(".")), AtFlags::SYMLINK_NOFOLLOW)?
        };
        Ok(stat_of(&stat))
    }

    fn named(&self, error: io::Error, path: &AbsPath) -> io::Error {
        closed::named(error, path, |path| self.plain_stat(path))
    }

    fn real_path(&self, path: &AbsPath) -> PathBuf {
        self.prefix.join(path.below(&AbsPath::root()).unwrap_or(Path::new("")))
    }

    fn xattr(&self, path: &AbsPath, name: &str) -> io::Result<Option<Vec<u8>>> {
        let mut value = vec![0; 4096];
        match rustix::fs::lgetxattr(self.real_path(path), name, &mut value) {
            Ok(length) => {
                value.truncate(length);
                Ok(Some(value))
            }
            Err(rustix::io::Errno::NODATA | rustix::io::Errno::NOTSUP) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn text(&self, path: &str) -> io::Result<String> {
        let path = AbsPath::root().join(path);
        Ok(String::from_utf8_lossy(&self.read(&super::resolve(self, &path, None)?, 16 << 20)?).into_owned())
    }
}

/// A handle that only names a path, where the system has such.
fn path_flag() -> OFlags {
    #[cfg(target_os = "linux")]
    return OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    return OFlags::RDONLY;
}

impl Host for RealHost {
    fn os(&self) -> Os {
        if cfg!(target_os = "macos") { Os::Macos } else { Os::Linux }
    }

    fn is_live(&self) -> bool {
        self.live
    }

    fn stat(&self, path: &AbsPath) -> io::Result<Stat> {
        self.plain_stat(path).map_err(|error| self.named(error, path))
    }

    fn read_link(&self, path: &AbsPath) -> io::Result<PathBuf> {
        let parent = path.parent().unwrap_or_else(AbsPath::root);
        let open = self.open_at(&parent, path_flag() | OFlags::DIRECTORY);
        let folder = open.map_err(|error| self.named(error, path))?;
        let target = rustix::fs::readlinkat(&folder, path.name().unwrap_or(OsStr::new(".")), Vec::new())?;
        Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
    }

    fn list(&self, path: &AbsPath) -> io::Result<Vec<Entry>> {
        let (_, names) = self.names(path).map_err(|error| self.named(error, path))?;
        let entry = |(name, kind): (OsString, FileType)| {
            let kind = match kind {
                FileType::Unknown => self.stat(&path.join(&name))?.kind,
                known => kind_of(known),
            };
            Ok(Entry { name, kind })
        };
        names.into_iter().map(entry).collect()
    }

    // One handle for the folder instead of one for each name.
    fn list_stats(&self, path: &AbsPath) -> io::Result<Vec<(Entry, Stat)>> {
        let (folder, names) = self.names(path).map_err(|error| self.named(error, path))?;
        let mut entries = Vec::with_capacity(names.len());
        for (name, _) in names {
            let stat = match rustix::fs::statat(&folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat_of(&stat),
                // It went away in between.
                Err(rustix::io::Errno::NOENT) => continue,
                Err(error) => return Err(error.into()),
            };
            entries.push((Entry { name, kind: stat.kind }, stat));
        }
        Ok(entries)
    }

    fn read(&self, path: &AbsPath, limit: u64) -> io::Result<Vec<u8>> {
        let file = self.open(path)?;
        let size = file.metadata()?.len();
        if size > limit {
            return Err(too_large(size, limit));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        file.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(too_large(size, limit));
        }
        Ok(bytes)
    }

    fn open(&self, path: &AbsPath) -> io::Result<File> {
        // Looked at first: opening a device can have effects of its own.
        let kind = self.stat(path)?.kind;
        if kind != Kind::File {
            return Err(not_a_file(kind));
        }
        let open = self.open_at(path, OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY);
        let fd = open.map_err(|error| self.named(error, path))?;
        if kind_of(FileType::from_raw_mode(rustix::fs::fstat(&fd)?.st_mode)) != Kind::File {
            return Err(not_a_file(Kind::Special));
        }
        Ok(File::from(fd))
    }

    fn acl(&self, path: &AbsPath) -> io::Result<Option<Acl>> {
        if self.os() != Os::Linux {
            return Ok(None);
        }
        Ok(self.xattr(path, "system.posix_acl_access")?.and_then(|bytes| acl::parse(&bytes)))
    }

    fn has_capabilities(&self, path: &AbsPath) -> io::Result<bool> {
        Ok(self.os() == Os::Linux && self.xattr(path, "security.capability")?.is_some())
    }

    fn walk(
        &self,
        top: &AbsPath,
        keep: &mut dyn FnMut(&Path, Kind) -> Keep,
    ) -> io::Result<(Vec<(PathBuf, Kind)>, u64)> {
        let base = self.real_path(top);
        let (mut kept, mut closed, mut seen) = (Vec::new(), 0, 0_usize);
        let mut walk = walkdir::WalkDir::new(&base).min_depth(1).follow_links(false).into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) if error.depth() == 0 => {
                    let error = error.into_io_error().unwrap_or_else(|| io::Error::other("links lead in a circle"));
                    return Err(self.named(error, top));
                }
                Err(_) => {
                    closed += 1;
                    continue;
                }
            };
            seen += 1;
            if seen > WALK_LIMIT {
                return Err(io::Error::other(format!("more than {WALK_LIMIT} files")));
            }
            let Ok(relative) = entry.path().strip_prefix(&base) else { continue };
            let kind = kind_of_std(entry.file_type());
            match keep(relative, kind) {
                Keep::Yes => kept.push((relative.to_owned(), kind)),
                Keep::Pass => {}
                Keep::Prune if kind == Kind::Dir => walk.skip_current_dir(),
                Keep::Prune => {}
            }
        }
        Ok((kept, closed))
    }

    fn accounts(&self) -> io::Result<Accounts> {
        if self.os() == Os::Macos && self.live {
            return super::accounts::from_dscl(self);
        }
        // A container may run without these files; an image without them is no system's.
        let text = |path| match self.text(path) {
            Err(error) if self.live && error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            text => text,
        };
        let mut accounts = Accounts::parse(&text("/etc/passwd")?, &text("/etc/group")?);
        if self.live {
            system::add_from_directory(&mut accounts, Uid(users::get_current_uid()));
        }
        Ok(accounts)
    }

    fn invoker(&self) -> io::Result<Option<Uid>> {
        if !self.live {
            return Ok(None);
        }
        // Behind sudo the developer is the one who called it.
        let behind = self.env("SUDO_UID").and_then(|uid| uid.parse().ok()).map(Uid);
        let current = Uid(users::get_current_uid());
        Ok(Some(if current == Uid(0) { behind.unwrap_or(current) } else { current }))
    }

    fn processes(&self) -> io::Result<Vec<Process>> {
        if !self.live {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "an image runs no processes"));
        }
        let found = self.processes.get_or_init(|| system::processes().map_err(|error| error.to_string()));
        found.clone().map_err(io::Error::other)
    }

    fn env(&self, name: &str) -> Option<String> {
        if !self.live {
            return None;
        }
        std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
    }

    fn env_names(&self) -> Vec<String> {
        if !self.live {
            return Vec::new();
        }
        let program = std::env::current_exe().ok();
        let cargo = cargo::Cargo::started(|name| self.env(name), program.as_deref());
        let all = std::env::vars_os().map(|(name, value)| (name.to_string_lossy().into_owned(), value));
        let by_cargo = |name: &str, value: &str| cargo.as_ref().is_some_and(|cargo| cargo.added(name, value));
        let theirs = all.filter(|(name, value)| !by_cargo(name, &value.to_string_lossy()));
        let mut names: Vec<_> = theirs.map(|(name, _)| name).collect();
        names.sort();
        names
    }

    fn run(&self, tool: Tool, args: &[&str]) -> Result<Output, ToolError> {
        if !self.live {
            return Err(ToolError::NotLive(tool.name()));
        }
        run_program(tool.name(), args)
    }

    fn folder(&self, path: &AbsPath) -> io::Result<PathBuf> {
        match self.stat(path)?.kind {
            Kind::Dir => Ok(self.real_path(path)),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn history(&self, git_dir: &AbsPath, limit: u64, keep: &(dyn Fn(&[u8]) -> bool + Sync)) -> io::Result<History> {
        super::git_history::history(self, &self.real_path(git_dir), git_dir, limit, keep)
    }
}

/// The error for a path that names something other than a regular file.
pub(super) fn not_a_file(kind: Kind) -> io::Error {
    let what = match kind {
        Kind::Dir => "a directory",
        Kind::Link => "a link that was not followed",
        Kind::Socket => "a socket",
        Kind::File | Kind::Special => "a FIFO or device",
    };
    io::Error::new(io::ErrorKind::InvalidInput, format!("{what}, not a regular file"))
}

/// The error for a file beyond its limit.
pub(super) fn too_large(size: u64, limit: u64) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("{size} bytes, more than the {limit} that are read"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn image() -> (tempfile::TempDir, RealHost) {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(folder.path().join("etc")).expect("made");
        std::fs::write(folder.path().join("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").expect("written");
        std::fs::write(folder.path().join("etc/group"), "root:x:0:\n").expect("written");
        let host = RealHost::image(folder.path()).expect("opened");
        (folder, host)
    }

    fn abs(path: &str) -> AbsPath {
        AbsPath::new(path).expect("absolute")
    }

    #[test]
    fn nothing_of_the_running_machine_leaks_into_an_image() {
        let (folder, host) = image();
        symlink("/etc/hostname", folder.path().join("etc/hostname")).expect("linked");
        assert!(host.env("PATH").is_none());
        assert!(host.env_names().is_empty());
        assert!(host.processes().is_err());
        assert!(matches!(host.run(Tool::Nft, &[]), Err(ToolError::NotLive("nft"))));
        assert_eq!(host.accounts().expect("read").users.len(), 1);
        // An absolute link of the image leads to the image's own file, which links to itself.
        assert!(super::super::resolve(&host, &abs("/etc/hostname"), None).is_err());
    }

    #[test]
    fn a_link_anywhere_on_the_way_is_refused_by_the_primitives() {
        let (folder, host) = image();
        symlink("etc", folder.path().join("alias")).expect("linked");
        symlink("passwd", folder.path().join("etc/users")).expect("linked");
        assert!(host.read(&abs("/alias/passwd"), 1000).is_err());
        assert!(host.list(&abs("/alias")).is_err());
        assert_eq!(host.read(&abs("/etc/users"), 1000).expect_err("refused").kind(), io::ErrorKind::InvalidInput);
        assert_eq!(host.stat(&abs("/etc/users")).expect("a link").kind, Kind::Link);
        let found = super::super::resolve(&host, &abs("/alias/users"), None).expect("followed by hand");
        assert_eq!(found, abs("/etc/passwd"));
    }

    #[test]
    fn opening_by_component_refuses_links_too() {
        let (folder, host) = image();
        symlink("etc", folder.path().join("alias")).expect("linked");
        let open = |path: &str| host.open_by_component(Path::new(path), OFlags::RDONLY | OFlags::NOFOLLOW);
        assert!(open("etc/passwd").is_ok());
        assert!(open("alias/passwd").is_err());
    }

    #[test]
    fn fifos_are_not_opened_and_large_files_are_refused() {
        let (folder, host) = image();
        let fifo = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &fifo, FileType::Fifo, OpenMode::RWXU, 0).expect("made");
        assert_eq!(host.read(&abs("/pipe"), 10).expect_err("refused").kind(), io::ErrorKind::InvalidInput);
        assert_eq!(host.read(&abs("/etc/passwd"), 10).expect_err("refused").kind(), io::ErrorKind::FileTooLarge);
        assert_eq!(host.read(&abs("/nothing"), 10).expect_err("absent").kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_walk_does_not_follow_links() {
        let (folder, host) = image();
        symlink("/", folder.path().join("everything")).expect("linked");
        let (found, closed) = host.walk(&AbsPath::root(), &mut |_, _| Keep::Yes).expect("walked");
        let names: Vec<String> = found.iter().map(|(path, _)| path.display().to_string()).collect();
        assert_eq!((names.len(), closed), (4, 0), "{names:?}");
    }
}
