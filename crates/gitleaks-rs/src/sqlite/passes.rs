//! Goes through all pages once and gives the payloads of their rows, put together.
//!
//! Pages are taken in the order of the file, not of the trees: that reads straight ahead, and finds rows on pages that
//! no tree leads to any more. Each page, in the file or in a frame of the log, is read once for its cells, and joined
//! to at most one payload. So no circle has to be looked for, and the work is bounded by the size of the files.

use std::collections::HashMap;
use std::ops::Range;

use super::bits::Bits;
use super::free::Free;
use super::header::number;
use super::node::{Cell, Node};
use super::pages::{Pages, Spot, Then, View};
use super::payload::{Joiner, Origin, Payload};
use super::problem::Problem;
use super::wal::{Log, MOST_PAGES};

/// Which payloads are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that do not fit on one page: what stands across two pages is whole nowhere in the files.
    Spilled,
    /// Also those on one page. In the file one value follows the other without a mark between them, so where a value
    /// starts or ends only its record tells.
    All,
}

/// What came of going through a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Payloads given, or parts of them.
    pub given: u64,
    /// Payloads of present rows whose pages end too early or belong to another one: the database changed meanwhile, or
    /// is damaged.
    pub cut: u64,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// Where a payload may go on.
#[derive(Clone, Copy)]
enum Route<'r> {
    /// On the pages of a state of the database.
    View(View),
    /// On free pages: that of a deleted row, as long as nobody wrote over it.
    Free,
    /// In frames of the same transaction.
    Transaction(&'r HashMap<u32, u32>),
}

/// Going through a database.
pub(super) struct Passes<'p, 'a, 'v> {
    pages: &'p Pages<'a>,
    free: &'p Free,
    which: Which,
    joiner: Joiner<'v>,
    used_pages: Bits,
    used_frames: Bits,
    /// Free pages on which a payload may have gone on first.
    heads: Bits,
    page: Vec<u8>,
    tally: Tally,
}

impl<'p, 'a, 'v> Passes<'p, 'a, 'v> {
    pub(super) fn new(
        pages: &'p Pages<'a>,
        free: &'p Free,
        which: Which,
        (limit, overlap): (usize, usize),
        visit: &'v mut dyn FnMut(&Payload),
    ) -> Self {
        let joiner = Joiner::new(limit, overlap, visit);
        let (used_pages, heads) = (Bits::up_to(pages.count), heads(pages, free));
        let used_frames = Bits::up_to(pages.log.as_ref().map_or(0, |log| log.frames));
        Self { pages, free, which, joiner, used_pages, used_frames, heads, page: Vec::new(), tally: Tally::default() }
    }

    pub(super) fn run(mut self) -> Tally {
        self.present();
        self.freed();
        self.headless();
        if let Some(log) = &self.pages.log {
            self.written_over(log);
            self.history(log);
        }
        self.tally.given = self.joiner.count;
        self.tally
    }

    /// The pages in use, as they are now.
    fn present(&mut self) {
        let (pages, mut problems) = (self.pages, Vec::new());
        pages.each(View::Now, &mut problems, &mut |number, spot, bytes| {
            if !self.free.pages.has(number) && pages.special(number).is_none() {
                self.cells(number, spot, bytes, Route::View(View::Now));
            }
            Then::GoOn
        });
        self.tally.problems = problems;
    }

    /// Free pages that once held rows.
    fn freed(&mut self) {
        let (free, mut bytes) = (self.free, Vec::new());
        for number in free.pages.iter().filter(|number| !free.trunks.has(*number)) {
            let spot = self.pages.spot(View::Now, number);
            if let Some(spot) = spot.filter(|spot| self.pages.read(*spot, &mut bytes)) {
                self.cells(number, spot, &bytes, Route::Free);
            }
        }
    }

    /// Free pages that a payload went on over, where the row it began in is gone.
    fn headless(&mut self) {
        let heads = std::mem::replace(&mut self.heads, Bits::up_to(0));
        for head in heads.iter() {
            let next = self.spot(Route::Free, head).and_then(|spot| self.pages.next(spot));
            if next.is_some_and(|next| self.spot(Route::Free, next).is_some_and(|spot| !self.is_used(spot))) {
                let origin = Origin { spot: Spot::Main(head), page: head, cell: None };
                self.joiner.begin(None);
                self.chain(head, u64::MAX, Route::Free, origin);
                self.joiner.finish(origin);
            }
        }
    }

    /// Pages of the database file that the log has a newer state of.
    fn written_over(&mut self, log: &Log) {
        let older = |page: &u32| *page <= self.pages.main_pages && self.pages.special(*page).is_none();
        let older: Vec<u32> = log.pages().into_iter().filter(older).collect();
        let (older, same): (Vec<u32>, Vec<u32>) =
            older.into_iter().partition(|page| !self.pages.is_checkpointed(*page));
        for page in same {
            self.used_pages.add(page);
        }
        let mut bytes = Vec::new();
        for page in older {
            if self.pages.read(Spot::Main(page), &mut bytes) {
                self.cells(page, Spot::Main(page), &bytes, Route::View(View::MainOnly));
            }
        }
    }

    /// Frames of the log that are no page's present state, one transaction after the other.
    fn history(&mut self, log: &Log) {
        let (mut transaction, mut start, mut bytes) = (HashMap::new(), 0, Vec::new());
        while start < log.frames {
            let end = transaction_end(log, start, &mut transaction);
            for frame in start..end {
                let Some(head) = log.header(frame) else { continue };
                let present = frame < log.committed && log.frame_of(head.page) == Some(frame);
                if !present && self.pages.read(Spot::Frame(frame), &mut bytes) {
                    self.cells(head.page, Spot::Frame(frame), &bytes, Route::Transaction(&transaction));
                }
            }
            start = end;
        }
    }

    /// What the cells of a page hold, and what the deleted ones held as far as it can be put together.
    fn cells(&mut self, number: u32, spot: Spot, bytes: &[u8], route: Route) {
        let Some(node) = Node::parse(bytes, number, self.pages.shape.usable) else { return };
        for (index, cell) in node.cells() {
            let origin = Origin { spot, page: number, cell: Some(index) };
            match cell.overflow {
                Some(next) => self.spilled(&node, &cell, next, route, origin),
                None if self.which == Which::All => self.whole(&node, &cell, origin),
                None => {}
            }
        }
        if !self.heads.is_empty() {
            let origin = Origin { spot, page: number, cell: None };
            node.unused().into_iter().for_each(|room| self.deleted(bytes, room, origin));
        }
    }

    fn whole(&mut self, node: &Node, cell: &Cell, origin: Origin) {
        self.joiner.begin(Some(cell.total));
        self.local(node.payload(cell), cell.body, origin);
        self.joiner.finish(origin);
    }

    fn spilled(&mut self, node: &Node, cell: &Cell, next: u32, route: Route, origin: Origin) {
        let unused = self.spot(route, next).is_some_and(|spot| !self.is_used(spot));
        let present = matches!(route, Route::View(View::Now));
        if !unused && self.which == Which::Spilled {
            self.tally.cut += u64::from(present);
            return;
        }
        self.joiner.begin(Some(cell.total));
        self.local(node.payload(cell), cell.body, origin);
        let whole = self.chain(next, cell.total - cell.local as u64, route, origin);
        self.tally.cut += u64::from(present && !whole);
        self.joiner.finish(origin);
    }

    /// Looks in the room of deleted cells for the number of a free page that a payload may have gone on at. What stands
    /// before it is the end of what the cell held.
    fn deleted(&mut self, bytes: &[u8], room: Range<usize>, origin: Origin) {
        let mut from = room.start;
        for at in room.start..room.end.saturating_sub(3) {
            let Some(head) = number(bytes, at).filter(|head| self.heads.has(*head)) else { continue };
            self.heads.remove(head);
            self.joiner.begin(None);
            self.local(bytes.get(from..at).unwrap_or_default(), from, origin);
            self.chain(head, u64::MAX, Route::Free, origin);
            self.joiner.finish(origin);
            from = at + 4;
        }
    }

    fn local(&mut self, bytes: &[u8], at: usize, origin: Origin) {
        let (file, offset) = self.pages.offset(origin.spot);
        self.joiner.add(bytes, (file, offset + at as u64), origin);
    }

    /// Adds the pages from one on until so many bytes were added; false if they end before.
    fn chain(&mut self, mut next: u32, mut left: u64, route: Route, origin: Origin) -> bool {
        let mut page = std::mem::take(&mut self.page);
        while left > 0 {
            let Some(spot) = self.spot(route, next).filter(|spot| self.take(*spot)) else { break };
            if !self.pages.read(spot, &mut page) {
                break;
            }
            self.heads.remove(next);
            let (file, offset) = self.pages.offset(spot);
            let held = page.get(4..self.pages.shape.usable).unwrap_or_default();
            let held = &held[..usize::try_from(left).map_or(held.len(), |left| left.min(held.len()))];
            self.joiner.add(held, (file, offset + 4), origin);
            left -= held.len() as u64;
            next = number(&page, 0).unwrap_or_default();
        }
        self.page = page;
        left == 0
    }

    fn spot(&self, route: Route, page: u32) -> Option<Spot> {
        match route {
            Route::View(view) => self.pages.spot(view, page).filter(|_| page > 1),
            Route::Free => {
                let free = self.free.pages.has(page) && !self.free.trunks.has(page);
                self.pages.spot(View::Now, page).filter(|_| free)
            }
            Route::Transaction(frames) => frames.get(&page).map(|frame| Spot::Frame(*frame)),
        }
    }

    fn is_used(&self, spot: Spot) -> bool {
        match spot {
            Spot::Main(page) => self.used_pages.has(page),
            Spot::Frame(frame) => self.used_frames.has(frame),
        }
    }

    fn take(&mut self, spot: Spot) -> bool {
        match spot {
            Spot::Main(page) => self.used_pages.add(page),
            Spot::Frame(frame) => self.used_frames.add(frame),
        }
    }
}

/// Free pages that look like ones a payload went on over, and that no other of them leads to. Such a page starts with
/// the number of the next, which is too small to be taken for the first byte of a page with rows.
fn heads(pages: &Pages, free: &Free) -> Bits {
    let (mut heads, mut led_to) = (Bits::up_to(pages.count), Bits::up_to(pages.count));
    for page in free.pages.iter().filter(|page| !free.trunks.has(*page)) {
        let next = pages.spot(View::Now, page).and_then(|spot| pages.next(spot));
        if let Some(next) = next.filter(|next| *next <= pages.count) {
            heads.add(page);
            led_to.add(next);
        }
    }
    led_to.iter().for_each(|page| heads.remove(page));
    heads
}

/// Where the transaction that starts at a frame ends, and which frame in it has which page.
fn transaction_end(log: &Log, start: u32, frames: &mut HashMap<u32, u32>) -> u32 {
    frames.clear();
    let Some(first) = log.header(start) else { return start + 1 };
    for frame in start..log.frames {
        let Some(head) = log.header(frame).filter(|head| head.salts == first.salts) else {
            return frame.max(start + 1);
        };
        if frames.len() < MOST_PAGES || frames.contains_key(&head.page) {
            frames.insert(head.page, frame);
        }
        if head.commit > 0 || frame + 1 == log.committed {
            return frame + 1;
        }
    }
    log.frames
}
