//! Says what stands where. All questions are answered together: trees are walked only if something is asked, once for
//! each state of the database, and nothing is kept but the questions.

use std::collections::{HashMap, HashSet};

use super::bits::Bits;
use super::free::Free;
use super::header::LENGTH;
use super::node::{Node, NodeKind};
use super::pages::{Pages, Special, Spot, Then, View};
use super::payload::Origin;
use super::place::{Part, Place, Row};
use super::record::{fields, integer};
use super::schema::{Described, Owners};
use super::tree::beginning;

/// A record's header is looked for in this much of its payload.
const RECORD: usize = 64 << 10;

/// Something whose place is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Position {
    /// A byte of the database file.
    Main(u64),
    /// A byte of the write-ahead log.
    Log(u64),
    /// A byte of a payload: [`Payload::origin`](super::Payload::origin), and how far into it,
    /// [`Payload::start`](super::Payload::start) included.
    Payload(Origin, u64),
}

/// What is known of a question so far.
#[derive(Clone, Copy)]
struct Draft {
    /// What was asked for.
    asked: (Spot, u32),
    /// The page of the row it belongs to, once that is known.
    spot: Spot,
    page: u32,
    view: View,
    present: bool,
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Known(Simple),
    /// A cell of the page, and the byte of its payload.
    Cell(u16, Option<u64>),
    /// Room of the page that no cell takes.
    Room,
    /// A page that is none of a tree: a payload may go on at it, this far into it.
    Beyond(usize),
}

/// Parts that need no further look.
#[derive(Clone, Copy)]
enum Simple {
    Header,
    Free,
    PointerMap,
    Unknown,
}

/// Answers questions about a database.
pub(super) struct Locator<'p, 'a> {
    pub(super) pages: &'p Pages<'a>,
    pub(super) free: &'p Free,
}

impl Locator<'_, '_> {
    pub(super) fn places(&self, positions: &[Position]) -> Vec<Place> {
        let mut drafts: Vec<_> = positions.iter().map(|position| self.draft(*position)).collect();
        let mut places: Vec<Option<Place>> = Vec::new();
        places.resize_with(drafts.len(), || None);
        for view in [View::Now, View::MainOnly] {
            self.find_cells(view, &mut drafts);
            let of_view = |draft: &&Draft| draft.view == view && matches!(draft.what, What::Cell(..) | What::Room);
            let wanted: HashSet<u32> = drafts.iter().flatten().filter(of_view).map(|draft| draft.page).collect();
            let owners = Owners::find(self.pages, view, &wanted);
            for (draft, place) in drafts.iter().zip(&mut places) {
                match draft {
                    Some(draft) if draft.view == view => *place = Some(self.finish(draft, &owners)),
                    _ => {}
                }
            }
        }
        let none = |position: &Position| match position {
            Position::Log(_) => Place { frame: Some(0), page: 0, present: true, part: Part::Header },
            _ => Place { frame: None, page: 0, present: true, part: Part::Unknown },
        };
        places.into_iter().zip(positions).map(|(place, position)| place.unwrap_or_else(|| none(position))).collect()
    }

    fn draft(&self, position: Position) -> Option<Draft> {
        let (spot, page, within) = match position {
            Position::Main(offset) => {
                let size = self.pages.shape.page_size as u64;
                let page = u32::try_from(offset / size + 1).ok()?;
                (Spot::Main(page), page, (offset % size) as usize)
            }
            Position::Log(offset) => {
                let log = self.pages.log.as_ref()?;
                let (frame, within) = log.frame_at(offset)?;
                (Spot::Frame(frame), log.header(frame)?.page, within)
            }
            Position::Payload(origin, _) => (origin.spot, origin.page, 0),
        };
        let present = match spot {
            Spot::Main(page) if page > self.pages.main_pages => true,
            _ if self.pages.spot(View::Now, page) == Some(spot) => true,
            Spot::Main(page) => self.pages.is_checkpointed(page),
            Spot::Frame(_) => false,
        };
        // An older frame is of no state that can still be walked; whose its page is now is the best guess.
        let view = if !present && matches!(spot, Spot::Main(_)) { View::MainOnly } else { View::Now };
        let what = match position {
            Position::Payload(Origin { cell: Some(cell), .. }, at) => What::Cell(cell, Some(at)),
            Position::Payload(..) if present && self.free.pages.has(page) => What::Known(Simple::Free),
            Position::Payload(..) => What::Room,
            _ => self.what(spot, page, within, present),
        };
        Some(Draft { asked: (spot, page), spot, page, view, present, what })
    }

    fn what(&self, spot: Spot, page: u32, within: usize, present: bool) -> What {
        if page == 1 && within < LENGTH {
            return What::Known(Simple::Header);
        }
        match self.pages.special(page) {
            Some(Special::Lock) => return What::Known(Simple::Unknown),
            Some(Special::PointerMap) => return What::Known(Simple::PointerMap),
            None if present && self.free.pages.has(page) => return What::Known(Simple::Free),
            None => {}
        }
        let mut bytes = Vec::new();
        if !self.pages.read(spot, &mut bytes) {
            return What::Known(Simple::Unknown);
        }
        let Some(node) = Node::parse(&bytes, page, self.pages.shape.usable) else { return What::Beyond(within) };
        let around = node.cells().find(|(_, cell)| (cell.start..cell.end()).contains(&within));
        around.map_or(What::Room, |(index, cell)| {
            let into = within.checked_sub(cell.body).filter(|into| *into < cell.local);
            What::Cell(index, into.map(|into| into as u64))
        })
    }

    /// Finds the cells whose payload goes on at the pages that are asked about.
    fn find_cells(&self, view: View, drafts: &mut [Option<Draft>]) {
        let asked = drafts.iter_mut().flatten().filter(|draft| draft.view == view);
        let mut asked: Vec<_> = asked.filter(|draft| matches!(draft.what, What::Beyond(_))).collect();
        let wanted: HashSet<u32> =
            asked.iter().filter(|draft| self.is_of_view(draft)).map(|draft| draft.page).collect();
        let found = self.cells_of(view, &wanted);
        for draft in &mut asked {
            let What::Beyond(within) = draft.what else { continue };
            let cell = found.get(&draft.page).filter(|_| self.is_of_view(draft));
            draft.what = match cell {
                Some(cell) => {
                    (draft.spot, draft.page) = (cell.spot, cell.page);
                    What::Cell(cell.index, Some(cell.before + (within as u64).saturating_sub(4)))
                }
                None => What::Known(Simple::Unknown),
            };
        }
    }

    fn is_of_view(&self, draft: &Draft) -> bool {
        draft.present || self.pages.spot(draft.view, draft.page) == Some(draft.spot)
    }

    /// For each of some pages, the cell whose payload goes on at it. Each page is followed from once.
    fn cells_of(&self, view: View, wanted: &HashSet<u32>) -> HashMap<u32, CellAt> {
        let (mut found, mut seen) = (HashMap::new(), Bits::up_to(self.pages.count));
        if wanted.is_empty() {
            return found;
        }
        self.pages.each(view, &mut Vec::new(), &mut |page, spot, bytes| {
            let free = view == View::Now && self.free.pages.has(page);
            if free || self.pages.special(page).is_some() {
                return Then::GoOn;
            }
            let Some(node) = Node::parse(bytes, page, self.pages.shape.usable) else { return Then::GoOn };
            for (index, cell) in node.cells() {
                let (mut next, mut before) = (cell.overflow.unwrap_or_default(), cell.local as u64);
                while before < cell.total && next > 1 && seen.add(next) {
                    if wanted.contains(&next) {
                        found.insert(next, CellAt { spot, page, index, before });
                    }
                    before += self.pages.shape.usable as u64 - 4;
                    let spot = self.pages.spot(view, next);
                    next = spot.and_then(|spot| self.pages.next(spot)).unwrap_or_default();
                }
            }
            if found.len() == wanted.len() { Then::Stop } else { Then::GoOn }
        });
        found
    }

    fn finish(&self, draft: &Draft, owners: &Owners) -> Place {
        let owner = owners.of(draft.page);
        let part = match draft.what {
            What::Known(Simple::Header) => Part::Header,
            What::Known(Simple::Free) => Part::Free,
            What::Known(Simple::PointerMap) => Part::PointerMap,
            What::Known(Simple::Unknown) | What::Beyond(_) => Part::Unknown,
            What::Room => Part::Deleted(owner.map(|described| described.owner.clone())),
            What::Cell(index, at) => self.row(draft, index, at, owner).map_or(Part::Unknown, Part::Row),
        };
        let (frame, page) = match draft.asked {
            (Spot::Main(_), page) => (None, page),
            (Spot::Frame(frame), page) => (Some(frame + 1), page),
        };
        Place { frame, page, present: draft.present, part }
    }

    fn row(&self, draft: &Draft, index: u16, at: Option<u64>, owner: Option<&Described>) -> Option<Row> {
        let mut bytes = Vec::new();
        let read = self.pages.read(draft.spot, &mut bytes);
        let node = Node::parse(&bytes, draft.page, self.pages.shape.usable).filter(|_| read)?;
        let cell = node.cell(usize::from(index))?;
        let record = beginning(self.pages, draft.view, &node, index, RECORD);
        let fields = fields(&record, cell.total).unwrap_or_default();
        let field = at.and_then(|at| fields.iter().find(|field| (field.start..field.end).contains(&at)));
        let name = |column| owner.and_then(|known| known.columns.names.get(usize::from(column))?.as_deref());
        let column = field.and_then(|field| name(field.column)).map(super::place::shown);
        let rowid = match node.kind {
            NodeKind::TableLeaf => cell.rowid,
            _ => owner
                .filter(|known| known.ends_with_rowid && !fields.is_empty())
                .and_then(|_| integer(&record, cell.total, fields.len() - 1)),
        };
        Some(Row { owner: owner.map(|described| described.owner.clone()), rowid, column })
    }
}

/// A cell of a page.
struct CellAt {
    spot: Spot,
    page: u32,
    index: u16,
    /// How many bytes of its payload come before the page that was asked for.
    before: u64,
}
