//! Trees of pages, walked from their roots without recursion.

use super::bits::Bits;
use super::header::number;
use super::node::Node;
use super::pages::{Pages, Then, View};

/// SQLite gives up on deeper trees.
const DEEPEST: usize = 20;

/// Walks trees of one state of the database. A page is visited once, whatever leads to it.
pub(super) struct Walk<'p, 'a> {
    pub(super) pages: &'p Pages<'a>,
    pub(super) view: View,
    seen: Bits,
}

/// A page of a tree.
pub(super) enum Visit<'n> {
    /// With its bytes.
    Read(Node<'n>),
    /// A leaf that nobody had to read: its left sibling is one, and all leaves are equally deep.
    Leaf,
}

impl<'p, 'a> Walk<'p, 'a> {
    pub(super) fn new(pages: &'p Pages<'a>, view: View) -> Self {
        Self { pages, view, seen: Bits::up_to(pages.count) }
    }

    /// Gives each page of a tree. Leaves are read only if `leaves` says so.
    pub(super) fn tree(&mut self, root: u32, leaves: bool, visit: &mut dyn FnMut(u32, Visit) -> Then) -> Then {
        let (mut levels, mut bytes) = (vec![vec![root]], Vec::new());
        // Whether the children that are left at a level were found to be leaves.
        let mut known_leaves = vec![false];
        while let Some(level) = levels.last_mut() {
            let depth = known_leaves.len();
            let Some(page) = level.pop() else {
                levels.pop();
                known_leaves.pop();
                continue;
            };
            let Some(spot) = self.pages.spot(self.view, page).filter(|_| self.seen.add(page)) else { continue };
            if known_leaves[depth - 1] && !leaves {
                if visit(page, Visit::Leaf) == Then::Stop {
                    return Then::Stop;
                }
                continue;
            }
            let read = self.pages.read(spot, &mut bytes);
            let Some(node) = Node::parse(&bytes, page, self.pages.shape.usable).filter(|_| read) else { continue };
            if visit(page, Visit::Read(node)) == Then::Stop {
                return Then::Stop;
            }
            known_leaves[depth - 1] = node.kind.is_leaf();
            if !node.kind.is_leaf() && depth < DEEPEST {
                levels.push(node.children());
                known_leaves.push(false);
            }
        }
        Then::GoOn
    }
}

/// The beginning of a payload, at most so many bytes of it. Follows no more pages than these bytes fill.
pub(super) fn beginning(pages: &Pages, view: View, node: &Node, index: u16, most: usize) -> Vec<u8> {
    let Some(cell) = node.cell(usize::from(index)) else { return Vec::new() };
    let wanted = usize::try_from(cell.total).map_or(most, |total| total.min(most));
    let mut payload = node.payload(&cell).to_vec();
    let (mut next, mut page) = (cell.overflow, Vec::new());
    while let Some(spot) = next.filter(|_| payload.len() < wanted).and_then(|next| pages.spot(view, next)) {
        if !pages.read(spot, &mut page) {
            break;
        }
        payload.extend_from_slice(page.get(4..pages.shape.usable).unwrap_or_default());
        next = number(&page, 0);
    }
    payload.truncate(wanted);
    payload
}
