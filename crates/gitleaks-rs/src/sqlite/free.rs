//! The list of free pages. What they held is still there: SQLite takes them off their tree and leaves the bytes.

use super::bits::Bits;
use super::header::number;
use super::pages::{Pages, View};
use super::problem::Problem;

/// Which pages are free.
#[derive(Debug)]
pub(super) struct Free {
    /// All of them.
    pub(super) pages: Bits,
    /// Those whose own bytes were overwritten with the list.
    pub(super) trunks: Bits,
}

impl Free {
    /// Follows the list once; where it turns back or leaves the file it ends.
    pub(super) fn read(pages: &Pages, view: View, problems: &mut Vec<Problem>) -> Self {
        let mut free = Self { pages: Bits::up_to(pages.count), trunks: Bits::up_to(pages.count) };
        let (mut trunk, mut page) = (pages.free_list(view), Vec::new());
        while trunk > 0 {
            let spot = pages.spot(view, trunk).filter(|_| trunk > 1 && free.trunks.add(trunk));
            if !spot.is_some_and(|spot| pages.read(spot, &mut page)) {
                problems.push(Problem::FreeList(trunk));
                break;
            }
            free.pages.add(trunk);
            let most = pages.shape.usable / 4 - 2;
            let leaves = number(&page, 4).map_or(0, |leaves| most.min(leaves as usize));
            let listed = (0..leaves).filter_map(|leaf| number(&page, 8 + leaf * 4));
            for leaf in listed.filter(|leaf| (2..=pages.count).contains(leaf)) {
                free.pages.add(leaf);
            }
            trunk = number(&page, 0).unwrap_or_default();
        }
        free
    }
}
