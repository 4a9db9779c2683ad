//! Reads inside archives: streamed, to memory of a known size, and no further than limits go. What is not read is told.
//!
//! Nothing is written anywhere, and the names of members are names only: they lead nowhere.

mod ahead;
mod kind;
mod tar;
#[cfg(test)]
mod tests;
mod unpack;
mod zip;

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::sync::{Mutex, MutexGuard, PoisonError};

use ahead::Ahead;
use kind::Packed;
pub(crate) use kind::{HEAD, Kind};

/// How far archives are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How deep archives may lie in each other; 0 reads none.
    pub depth: u32,
    /// The most bytes that one file may unpack to, with all that is in it.
    pub total: u64,
    /// The same as so many times its own size, once it is more than [`Limits::FREE`].
    pub ratio: u64,
    /// The most bytes of one member.
    pub member: u64,
    /// The most members.
    pub members: u64,
    /// The most findings: a small archive may unpack to millions.
    pub findings: usize,
}

impl Limits {
    /// So much any file may unpack to.
    pub const FREE: u64 = 64 << 20;

    /// Reads no archives.
    pub const OFF: Self = Self { depth: 0, total: 0, ratio: 0, member: 0, members: 0, findings: 0 };

    /// The usual ones, to another depth.
    pub fn deep(depth: u32) -> Self {
        Self { depth, ..Self::default() }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { depth: 2, total: 2 << 30, ratio: 200, member: 512 << 20, members: 200_000, findings: 10_000 }
    }
}

/// Why something in an archive was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Trouble {
    /// It has a password.
    Encrypted,
    /// It is compressed in a way that is not known here, by its number in zips.
    Method(u16),
    /// It is an archive of a kind that is not read.
    Foreign(&'static str),
    /// It is not what it says it is.
    Damaged,
    /// Its end is missing.
    Cut,
    /// To unpack it takes more memory than there may be.
    Memory,
    /// Archives in archives.
    Depth(u32),
    /// A member beyond its bytes.
    Member(u64),
    /// All members beyond their bytes.
    Total(u64),
    /// More members than may be.
    Members(u64),
    /// The file beneath cannot be read.
    Unreadable(io::ErrorKind),
}

impl Trouble {
    /// The kind of error that it is.
    pub(crate) fn kind(self) -> io::ErrorKind {
        match self {
            Self::Encrypted | Self::Method(_) | Self::Foreign(_) => io::ErrorKind::Unsupported,
            Self::Damaged => io::ErrorKind::InvalidData,
            Self::Cut => io::ErrorKind::UnexpectedEof,
            Self::Unreadable(kind) => kind,
            _ => io::ErrorKind::FileTooLarge,
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = |bytes: &u64| bytes >> 20;
        match self {
            Self::Encrypted => out.write_str("it is encrypted, so it was not read"),
            Self::Method(number) => write!(out, "it is compressed by method {number}, which is not read"),
            Self::Foreign(name) => write!(out, "{name} archives are not read"),
            Self::Damaged => {
                out.write_str("it is no archive, or a damaged one, from some place on: not read beyond that")
            }
            Self::Cut => out.write_str("it ends too early: not read beyond that"),
            Self::Memory => out.write_str("to unpack it takes more memory than is given to that, so it was not read"),
            Self::Depth(depth) => {
                write!(
                    out,
                    "archives are read to a depth of {depth}, and it is deeper: --max-archive-depth sets another"
                )
            }
            Self::Member(bytes) => {
                write!(out, "it unpacks to more than {} MiB: not read beyond that", mebibytes(bytes))
            }
            Self::Total(bytes) => {
                write!(out, "all in it together is more than {} MiB: not read beyond that", mebibytes(bytes))
            }
            Self::Members(count) => write!(out, "it has more than {count} members: not read beyond those"),
            Self::Unreadable(kind) => write!(out, "{kind}"),
        }
    }
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Self::Cut,
            io::ErrorKind::OutOfMemory => Self::Memory,
            kind if error.raw_os_error().is_some() => Self::Unreadable(kind),
            _ => Self::Damaged,
        }
    }
}

/// Decoders that remember much, one file at a time: so many bytes for all of one file, and no more than that for all.
const WINDOW: u64 = 16 << 20;
static WINDOWS: Mutex<()> = Mutex::new(());

/// Takes a member: its path, from the file that all is in, and its bytes.
type Take<'w> = &'w mut dyn FnMut(&str, &mut dyn Read) -> io::Result<()>;

/// The reading of one file with all that is in it.
struct Walk<'w> {
    limits: Limits,
    /// All that may be unpacked.
    total: u64,
    /// What is left of that.
    left: Cell<u64>,
    members: Cell<u64>,
    take: RefCell<Take<'w>>,
    /// Each kind of trouble with the first path that had it, and how many did.
    troubles: RefCell<BTreeMap<Trouble, (String, u64)>>,
    /// Decoders that remember much are one in another.
    open: Cell<u32>,
    window: OnceCell<MutexGuard<'static, ()>>,
}

/// Reads what is in a file of a known kind and size, and gives each member to `take`. Returns what was not read and why.
pub(crate) fn read(
    source: &mut dyn Read,
    kind: Kind,
    (path, size): (&str, u64),
    limits: Limits,
    take: Take<'_>,
) -> Vec<(String, u64, Trouble)> {
    let total = limits.total.min(size.saturating_mul(limits.ratio).max(Limits::FREE));
    let walk = Walk {
        limits,
        total,
        left: Cell::new(total),
        members: Cell::new(limits.members),
        take: RefCell::new(take),
        troubles: RefCell::default(),
        open: Cell::new(0),
        window: OnceCell::new(),
    };
    if let Err(trouble) = walk.archive(&mut Ahead::new(source), kind, path, limits.depth) {
        walk.tell(path, trouble);
    }
    let troubles = walk.troubles.into_inner().into_iter();
    troubles.map(|(trouble, (path, count))| (path, count, trouble)).collect()
}

impl Walk<'_> {
    /// What is in an archive, which may lie so deep. Fails where nothing more of it can be read.
    fn archive(&self, source: &mut Ahead<'_>, kind: Kind, path: &str, depth: u32) -> Result<(), Trouble> {
        let Some(inner) = depth.checked_sub(1) else { return Err(Trouble::Depth(self.limits.depth)) };
        match kind {
            Kind::Zip => self.zip(source, path, inner),
            Kind::Tar => self.tar(source, path, inner),
            Kind::Foreign(name) => Err(Trouble::Foreign(name)),
            Kind::Packed(packed) => self.with_window(packed, |window| {
                let mut plain = unpack::unpacked(packed, source, window);
                self.part(&mut *plain, path, inner, true)
            }),
        }
    }

    /// A member of a size that its archive tells. What is not read of it is gone past.
    fn member(&self, source: &mut Ahead<'_>, size: u64, path: &str, depth: u32) -> Result<(), Trouble> {
        let mut own = source.take(size);
        let done = self.part(&mut own, path, depth, false);
        let left = own.limit();
        done?;
        Ok(source.skip(left)?)
    }

    /// Bytes that were in an archive, or were one before they were unpacked: a tar in such a stream is one with it.
    fn part(&self, bytes: &mut dyn Read, path: &str, depth: u32, is_stream: bool) -> Result<(), Trouble> {
        let left = self.members.get().checked_sub(1).ok_or(Trouble::Members(self.limits.members))?;
        self.members.set(left);
        let mut part = Part { bytes, walk: self, own: self.limits.member, end: None };
        let done = self.look(&mut Ahead::new(&mut part), path, depth, is_stream);
        // The next member stands behind what is left of this one.
        io::copy(&mut part, &mut io::sink())?;
        match (part.end, done) {
            (None, Ok(())) => Ok(()),
            (None, Err(trouble @ (Trouble::Total(_) | Trouble::Members(_)))) => Err(trouble),
            (None, Err(trouble)) => {
                self.tell(path, trouble);
                Ok(())
            }
            (Some(trouble @ Trouble::Member(_)), _) => {
                self.tell(path, trouble);
                part = Part { own: u64::MAX, end: None, ..part };
                io::copy(&mut part, &mut io::sink())?;
                part.end.map_or(Ok(()), Err)
            }
            // That the bytes end is why whoever read them found them wanting, and not the other way round.
            (Some(trouble), _) => Err(trouble),
        }
    }

    fn look(&self, source: &mut Ahead<'_>, path: &str, depth: u32, is_stream: bool) -> Result<(), Trouble> {
        match Kind::of(source.peek(HEAD)?, path) {
            Some(Kind::Tar) if is_stream => self.tar(source, path, depth),
            Some(Kind::Foreign(name)) => Err(Trouble::Foreign(name)),
            Some(kind) if depth > 0 => self.archive(source, kind, path, depth),
            Some(_) => {
                self.take(path, source)?;
                Err(Trouble::Depth(self.limits.depth))
            }
            None => self.take(path, source),
        }
    }

    fn take(&self, path: &str, source: &mut dyn Read) -> Result<(), Trouble> {
        Ok((self.take.borrow_mut())(path, source)?)
    }

    fn tell(&self, path: &str, trouble: Trouble) {
        let mut troubles = self.troubles.borrow_mut();
        troubles.entry(trouble).or_insert_with(|| (path.to_owned(), 0)).1 += 1;
    }

    /// Does what may take a window of so many bytes; the two older kinds have small ones.
    fn with_window<T>(&self, packed: Packed, act: impl FnOnce(u64) -> T) -> T {
        if matches!(packed, Packed::Gzip | Packed::Bzip2) {
            return act(0);
        }
        self.window.get_or_init(|| WINDOWS.lock().unwrap_or_else(PoisonError::into_inner));
        let open = self.open.get();
        self.open.set(open + 1);
        let done = act(WINDOW >> open.min(63));
        self.open.set(open);
        done
    }
}

/// Bytes of a member, as far as limits allow. They end there, and where they cannot be read; why is kept.
struct Part<'p, 'w, 'b> {
    bytes: &'p mut (dyn Read + 'b),
    walk: &'p Walk<'w>,
    own: u64,
    end: Option<Trouble>,
}

impl Read for Part<'_, '_, '_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.end.is_some() || into.is_empty() {
            return Ok(0);
        }
        let most = self.own.min(self.walk.left.get());
        // At a limit one byte more tells whether there is any.
        let wanted = usize::try_from(most).unwrap_or(usize::MAX).clamp(1, into.len());
        let count = match self.bytes.read(&mut into[..wanted]) {
            Ok(count) => count as u64,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => {
                self.end = Some(error.into());
                return Ok(0);
            }
        };
        if count > most {
            let own = self.own <= self.walk.left.get();
            self.end =
                Some(if own { Trouble::Member(self.walk.limits.member) } else { Trouble::Total(self.walk.total) });
            return Ok(0);
        }
        self.own -= count;
        self.walk.left.set(self.walk.left.get() - count);
        Ok(usize::try_from(count).unwrap_or(0))
    }
}

/// The path of a member in its archive, as it would be in a folder.
fn name_of(archive: &str, name: &str) -> String {
    let name = name.trim_start_matches("./");
    format!("{archive}!{name}")
}
