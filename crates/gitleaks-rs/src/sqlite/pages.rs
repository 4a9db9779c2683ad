//! The pages of a database as they are now: in its file, or in the write-ahead log where that is ahead.

use super::bits::MOST;
use super::header::{Encoding, Header, LENGTH, number};
use super::problem::Problem;
use super::source::{ReadAt, fill};
use super::wal::Log;

/// How much is read at once where pages follow each other.
const AHEAD: usize = 256 << 10;

/// The byte that locks are taken on; the page around it holds nothing.
const LOCK_BYTE: u64 = 1 << 30;

/// One of the two files of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum File {
    /// The database itself.
    Main,
    /// Its write-ahead log.
    Log,
}

/// Where a page stands: by its number in the database, or in a frame of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Spot {
    Main(u32),
    Frame(u32),
}

/// Which state of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum View {
    /// As somebody who opens it now sees it.
    Now,
    /// As the database file alone has it.
    MainOnly,
}

/// What to do after a page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    GoOn,
    Stop,
}

/// How the pages of a database are made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    pub(super) page_size: usize,
    /// Without the bytes that are kept back at the end of each.
    pub(super) usable: usize,
    pub(super) encoding: Encoding,
    free_list: u32,
    pointer_maps: bool,
}

/// Both files of a database.
pub(super) struct Pages<'a> {
    main: &'a dyn ReadAt,
    pub(super) log: Option<Log<'a>>,
    pub(super) shape: Shape,
    pub(super) main_pages: u32,
    /// The last page in either file.
    pub(super) count: u32,
}

impl<'a> Pages<'a> {
    pub(super) fn open(
        main: &'a dyn ReadAt,
        log: Option<&'a dyn ReadAt>,
        problems: &mut Vec<Problem>,
    ) -> Result<Self, Problem> {
        // SQLite leaves an empty log behind a checkpoint.
        let log = log.filter(|log| !log.size().is_ok_and(|size| size == 0));
        let log = log.and_then(|log| Log::open(log).map_err(|problem| problems.push(problem)).ok());
        let header = header(main, log.as_ref())?;
        let log = log.filter(|log| {
            log.page_size == header.page_size || {
                problems.push(Problem::LogPageSize { log: log.page_size, database: header.page_size });
                false
            }
        });
        problems.extend(log.iter().flat_map(|log| log.problems.iter().cloned()));
        let encoding = header.text().unwrap_or_else(|| {
            problems.push(Problem::Encoding(header.encoding));
            Encoding::Utf8
        });
        let page_size = header.page_size as usize;
        let usable = page_size - usize::from(header.reserved);
        let Header { free_list, pointer_maps, .. } = header;
        let shape = Shape { page_size, usable, encoding, free_list, pointer_maps };
        let size = main.size().map_err(|error| Problem::Read { offset: 0, length: 0, kind: error.kind() })?;
        let in_main = size / page_size as u64;
        let count = in_main.max(log.as_ref().and_then(|log| log.pages().last().copied()).map_or(0, u64::from));
        if count > u64::from(MOST) {
            problems.push(Problem::TooManyPages(MOST));
        }
        let most = |count: u64| count.min(u64::from(MOST)) as u32;
        Ok(Self { main, log, shape, main_pages: most(in_main), count: most(count) })
    }

    /// Where the page with a number stands.
    pub(super) fn spot(&self, view: View, page: u32) -> Option<Spot> {
        let frame = self.log.as_ref().filter(|_| view == View::Now).and_then(|log| log.frame_of(page));
        match frame {
            Some(frame) => Some(Spot::Frame(frame)),
            None if page > 0 && page <= self.main_pages => Some(Spot::Main(page)),
            None => None,
        }
    }

    /// The file a page stands in and its first byte there.
    pub(super) fn offset(&self, spot: Spot) -> (File, u64) {
        match spot {
            Spot::Main(page) => (File::Main, u64::from(page.saturating_sub(1)) * self.shape.page_size as u64),
            Spot::Frame(frame) => (File::Log, self.log.as_ref().map_or(0, |log| log.page_offset(frame))),
        }
    }

    /// Reads a page; false if it is not there in full.
    pub(super) fn read(&self, spot: Spot, page: &mut Vec<u8>) -> bool {
        page.resize(self.shape.page_size, 0);
        self.read_start(spot, page)
    }

    /// Whether a page of the database file is as the log has it: it was checkpointed, and the log not begun anew.
    pub(super) fn is_checkpointed(&self, page: u32) -> bool {
        let (mut main, mut log) = (Vec::new(), Vec::new());
        let newest = self.spot(View::Now, page).filter(|spot| matches!(spot, Spot::Frame(_)));
        let read = newest.is_some_and(|spot| self.read(spot, &mut log)) && self.read(Spot::Main(page), &mut main);
        read && main == log
    }

    /// The page number that an overflow page starts with: where its payload goes on.
    pub(super) fn next(&self, spot: Spot) -> Option<u32> {
        let mut bytes = [0; 4];
        if self.read_start(spot, &mut bytes) { number(&bytes, 0) } else { None }
    }

    fn read_start(&self, spot: Spot, bytes: &mut [u8]) -> bool {
        let (file, offset) = self.offset(spot);
        let source = match (file, &self.log) {
            (File::Main, _) => self.main,
            (File::Log, Some(log)) => log.source(),
            (File::Log, None) => return false,
        };
        fill(source, offset, bytes).ok() == Some(bytes.len())
    }

    /// Whether a page is none of a tree: it maps others to their parents, or lies around the lock byte.
    pub(super) fn special(&self, page: u32) -> Option<Special> {
        let lock = (LOCK_BYTE / self.shape.page_size as u64) as u32 + 1;
        if page == lock {
            return Some(Special::Lock);
        }
        if !self.shape.pointer_maps || page < 2 {
            return None;
        }
        let each = self.shape.usable as u32 / 5 + 1;
        let map = (page - 2) / each * each + 2;
        let map = if map == lock { map + 1 } else { map };
        (page == map).then_some(Special::PointerMap)
    }

    /// The first page of the list of free ones.
    pub(super) fn free_list(&self, view: View) -> u32 {
        let mut bytes = vec![0; LENGTH];
        let read = self.spot(view, 1).is_some_and(|spot| self.read_start(spot, &mut bytes));
        if read { number(&bytes, 32).unwrap_or_default() } else { self.shape.free_list }
    }

    /// Gives each page once, in the order of their numbers, until it is enough; what cannot be read is left out.
    pub(super) fn each(
        &self,
        view: View,
        problems: &mut Vec<Problem>,
        visit: &mut dyn FnMut(u32, Spot, &[u8]) -> Then,
    ) {
        let size = self.shape.page_size;
        let at_once = ((AHEAD / size).max(1) as u32).min(self.main_pages.max(1));
        let (mut ahead, mut page_bytes) = (vec![0; at_once as usize * size], Vec::new());
        for first in (1..=self.main_pages).step_by(at_once as usize) {
            let offset = u64::from(first - 1) * size as u64;
            let read = fill(self.main, offset, &mut ahead).unwrap_or_else(|error| {
                let problem = Problem::Read { offset, length: ahead.len(), kind: error.kind() };
                problems.extend((problems.len() < MOST_PROBLEMS).then_some(problem));
                0
            });
            for page in first..=self.main_pages.min(first + (at_once - 1)) {
                let start = (page - first) as usize * size;
                let Some(spot) = self.spot(view, page) else { continue };
                let bytes = match spot {
                    Spot::Main(_) if start + size <= read => &ahead[start..start + size],
                    Spot::Frame(_) if self.read(spot, &mut page_bytes) => &page_bytes,
                    _ => continue,
                };
                if visit(page, spot, bytes) == Then::Stop {
                    return;
                }
            }
        }
        // The log may be ahead by pages that the database does not have yet.
        let log = self.log.iter().filter(|_| view == View::Now).flat_map(Log::pages);
        for page in log.filter(|page| *page > self.main_pages) {
            let Some(spot) = self.spot(view, page).filter(|spot| self.read(*spot, &mut page_bytes)) else { continue };
            if visit(page, spot, &page_bytes) == Then::Stop {
                return;
            }
        }
    }
}

/// More problems of one database than these nobody reads.
pub(super) const MOST_PROBLEMS: usize = 16;

/// A page that no tree has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Special {
    Lock,
    PointerMap,
}

/// The header. While the database is empty its first page is in the log; a log whose database is gone may not even
/// have that, and still says how long its pages are.
fn header(main: &dyn ReadAt, log: Option<&Log>) -> Result<Header, Problem> {
    let unread = |error: std::io::Error| Problem::Read { offset: 0, length: LENGTH, kind: error.kind() };
    let mut bytes = [0; LENGTH];
    let read = fill(main, 0, &mut bytes).map_err(unread)?;
    let Some(log) = log.filter(|_| read == 0) else {
        return Header::parse(bytes.get(..read).unwrap_or_default());
    };
    if let Some(frame) = log.frame_of(1) {
        fill(log.source(), log.page_offset(frame), &mut bytes).map_err(unread)?;
        return Header::parse(&bytes);
    }
    let page_size = log.page_size;
    Ok(Header { page_size, reserved: 0, free_list: 0, pointer_maps: false, encoding: 1 })
}
