//! The write-ahead log: which of its frames are the present state of which pages.
//!
//! A frame counts once a frame behind it commits, and if its salts are those of the log's header and the checksums add
//! up, as SQLite has it. Everything else in the file is old: frames that were written over since, transactions that
//! were never finished, and what is left of an earlier round.

use std::collections::HashMap;

use super::bits::MOST;
use super::header::{checked_page_size, is_log, number};
use super::problem::Problem;
use super::source::{ReadAt, fill};

/// How many bytes stand before the first frame, and before the page of each.
pub(super) const HEADER: u64 = 32;
pub(super) const FRAME_HEADER: u64 = 24;

/// More pages than these are not remembered: half a gigabyte of the usual size, and 2 MiB of memory.
pub(super) const MOST_PAGES: usize = 1 << 16;

/// A log and the frames that count.
pub(super) struct Log<'a> {
    source: &'a dyn ReadAt,
    pub(super) page_size: u32,
    /// How many whole frames the file holds.
    pub(super) frames: u32,
    /// How many of them are committed, counted from the first.
    pub(super) committed: u32,
    /// The last committed frame of each page.
    latest: HashMap<u32, u32>,
    pub(super) problems: Vec<Problem>,
}

/// What stands before a page in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct FrameHeader {
    pub(super) page: u32,
    /// How many pages the database has, if this frame commits; otherwise 0.
    pub(super) commit: u32,
    pub(super) salts: (u32, u32),
    sums: (u32, u32),
}

impl FrameHeader {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let at = |at| number(bytes, at);
        let (salts, sums) = ((at(8)?, at(12)?), (at(16)?, at(20)?));
        Some(Self { page: at(0)?, commit: at(4)?, salts, sums })
    }
}

impl<'a> Log<'a> {
    pub(super) fn open(source: &'a dyn ReadAt) -> Result<Self, Problem> {
        let mut header = [0; HEADER as usize];
        let read = fill(source, 0, &mut header).map_err(|error| Problem::Read {
            offset: 0,
            length: header.len(),
            kind: error.kind(),
        })?;
        if read < header.len() || !is_log(&header) {
            return Err(Problem::NotADatabase);
        }
        let page_size = checked_page_size(number(&header, 8).unwrap_or_default(), 8)?;
        let size = source.size().map_err(|error| Problem::Read { offset: 0, length: 0, kind: error.kind() })?;
        let frames = size.saturating_sub(HEADER) / (FRAME_HEADER + u64::from(page_size));
        let frames = frames.min(u64::from(MOST)) as u32;
        let (latest, problems) = (HashMap::new(), Vec::new());
        let mut log = Self { source, page_size, frames, committed: 0, latest, problems };
        log.count_committed(&header);
        log.remember_latest();
        Ok(log)
    }

    /// Follows the checksums as far as they are right.
    fn count_committed(&mut self, header: &[u8; HEADER as usize]) {
        let big = header[3] & 1 == 1;
        let own = |at| number(header, at).unwrap_or_default();
        let mut sums = checksum(big, (0, 0), &header[..24]);
        if sums != (own(24), own(28)) {
            self.problems.push(Problem::LogHeader(24));
            return;
        }
        let salts = (own(16), own(20));
        let mut bytes = vec![0; FRAME_HEADER as usize + self.page_size as usize];
        for frame in 0..self.frames {
            let read = fill(self.source, self.header_offset(frame), &mut bytes);
            if read.ok() != Some(bytes.len()) {
                return;
            }
            let Some(head) = FrameHeader::parse(&bytes) else { return };
            sums = checksum(big, checksum(big, sums, &bytes[..8]), &bytes[FRAME_HEADER as usize..]);
            if head.salts != salts || head.sums != sums || head.page == 0 {
                return;
            }
            if head.commit > 0 {
                self.committed = frame + 1;
            }
        }
    }

    fn remember_latest(&mut self) {
        for frame in 0..self.committed {
            let Some(head) = self.header(frame) else { return };
            if self.latest.len() < MOST_PAGES || self.latest.contains_key(&head.page) {
                self.latest.insert(head.page, frame);
            } else if self.problems.is_empty() {
                self.problems.push(Problem::LogTooLong(MOST_PAGES));
            }
        }
    }

    /// The frame that holds the present state of a page.
    pub(super) fn frame_of(&self, page: u32) -> Option<u32> {
        self.latest.get(&page).copied()
    }

    /// The pages whose present state is in the log, in ascending order.
    pub(super) fn pages(&self) -> Vec<u32> {
        let mut pages: Vec<_> = self.latest.keys().copied().collect();
        pages.sort_unstable();
        pages
    }

    pub(super) fn header(&self, frame: u32) -> Option<FrameHeader> {
        let mut bytes = [0; FRAME_HEADER as usize];
        let read = fill(self.source, self.header_offset(frame), &mut bytes).ok()?;
        if read == bytes.len() && frame < self.frames { FrameHeader::parse(&bytes) } else { None }
    }

    fn header_offset(&self, frame: u32) -> u64 {
        HEADER + u64::from(frame) * (FRAME_HEADER + u64::from(self.page_size))
    }

    /// Where the page in a frame starts.
    pub(super) fn page_offset(&self, frame: u32) -> u64 {
        self.header_offset(frame) + FRAME_HEADER
    }

    /// The frame a byte of the file stands in, and how far behind the start of its page; None for the headers.
    pub(super) fn frame_at(&self, offset: u64) -> Option<(u32, usize)> {
        let behind = offset.checked_sub(HEADER)?;
        let size = FRAME_HEADER + u64::from(self.page_size);
        let within = (behind % size).checked_sub(FRAME_HEADER)?;
        let frame = u32::try_from(behind / size).ok().filter(|frame| *frame < self.frames)?;
        Some((frame, within as usize))
    }

    pub(super) fn source(&self) -> &'a dyn ReadAt {
        self.source
    }
}

/// The log's checksum, carried on.
fn checksum(big: bool, (mut first, mut second): (u32, u32), bytes: &[u8]) -> (u32, u32) {
    let word = |bytes: [u8; 4]| if big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    for [a, b, c, d, e, f, g, h] in bytes.as_chunks::<8>().0 {
        first = first.wrapping_add(word([*a, *b, *c, *d])).wrapping_add(second);
        second = second.wrapping_add(word([*e, *f, *g, *h])).wrapping_add(first);
    }
    (first, second)
}
