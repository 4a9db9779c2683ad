//! One page of a b-tree: what kind it is, its cells, and the room that no cell takes.
//!
//! The bytes may be anything: a page that is being written, or one that was never of a b-tree. Whatever does not fit
//! is not there.

use std::ops::Range;

use super::header::{LENGTH, number, short};
use super::record::varint;

/// What a page of a b-tree holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NodeKind {
    TableLeaf,
    TableInterior,
    IndexLeaf,
    IndexInterior,
}

impl NodeKind {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            0x0d => Some(Self::TableLeaf),
            0x05 => Some(Self::TableInterior),
            0x0a => Some(Self::IndexLeaf),
            0x02 => Some(Self::IndexInterior),
            _ => None,
        }
    }

    pub(super) fn is_leaf(self) -> bool {
        matches!(self, Self::TableLeaf | Self::IndexLeaf)
    }
}

/// A page that reads as one of a b-tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Node<'p> {
    pub(super) kind: NodeKind,
    /// Without the bytes that are kept back at the end.
    bytes: &'p [u8],
    /// Where its header starts: behind the database's own on the first page.
    header: usize,
    cells: usize,
}

/// One entry of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// Where it starts on its page.
    pub(super) start: usize,
    /// Where its payload starts, and how much of it is on this page.
    pub(super) body: usize,
    pub(super) local: usize,
    /// How long the payload is in all.
    pub(super) total: u64,
    pub(super) rowid: Option<i64>,
    /// The page its payload goes on at.
    pub(super) overflow: Option<u32>,
}

impl Cell {
    /// Where it ends on its page. No cell takes less than four bytes.
    pub(super) fn end(&self) -> usize {
        let end = self.body + self.local + if self.overflow.is_some() { 4 } else { 0 };
        end.max(self.start + 4)
    }
}

impl<'p> Node<'p> {
    /// `usable` is the size of a page without the bytes kept back.
    pub(super) fn parse(page: &'p [u8], number: u32, usable: usize) -> Option<Self> {
        let bytes = page.get(..usable)?;
        let header = if number == 1 { LENGTH } else { 0 };
        let kind = NodeKind::of(*bytes.get(header)?)?;
        let node = Self { kind, bytes, header, cells: short(bytes, header + 3)? };
        let content = node.content()?;
        let fits = content <= usable && node.array().checked_add(node.cells * 2)? <= usable;
        fits.then_some(node)
    }

    /// Where the list of cells starts.
    fn array(&self) -> usize {
        self.header + if self.kind.is_leaf() { 8 } else { 12 }
    }

    /// Where the first of the cells starts; they fill the page from its end.
    fn content(&self) -> Option<usize> {
        match short(self.bytes, self.header + 5)? {
            0 => Some(65536),
            content => Some(content),
        }
    }

    /// Where a cell starts.
    fn pointer(&self, index: usize) -> Option<usize> {
        if index >= self.cells {
            return None;
        }
        let start = short(self.bytes, self.array() + index * 2)?;
        (start >= self.array() + self.cells * 2).then_some(start)
    }

    /// Cells with a payload. They stop where together they would take more than the page: in a sound page no two share
    /// a byte, and in a made-up one thousands could share all.
    pub(super) fn cells(&self) -> impl Iterator<Item = (u16, Cell)> {
        let mut room = self.bytes.len();
        (0..self.cells)
            .map_while(move |index| {
                let Some(cell) = self.cell(index) else { return Some(None) };
                room = room.checked_sub(cell.local)?;
                Some(Some((index as u16, cell)))
            })
            .flatten()
    }

    pub(super) fn cell(&self, index: usize) -> Option<Cell> {
        let start = self.pointer(index)?;
        let mut at = start + if self.kind.is_leaf() { 0 } else { 4 };
        if self.kind == NodeKind::TableInterior {
            return None;
        }
        let (total, length) = varint(self.bytes, at)?;
        at += length;
        let mut rowid = None;
        if self.kind == NodeKind::TableLeaf {
            let (row, length) = varint(self.bytes, at)?;
            rowid = Some(row.cast_signed());
            at += length;
        }
        let local = self.local(total);
        let end = at.checked_add(local)?;
        self.bytes.get(at..end)?;
        let overflow = if local as u64 == total { None } else { Some(number(self.bytes, end)?) };
        Some(Cell { start, body: at, local, total, rowid, overflow })
    }

    /// How much of a payload stays on the page.
    fn local(&self, total: u64) -> usize {
        let usable = self.bytes.len();
        let least = (usable - 12) * 32 / 255 - 23;
        let most = if self.kind == NodeKind::TableLeaf { usable - 35 } else { (usable - 12) * 64 / 255 - 23 };
        if total <= most as u64 {
            return total as usize;
        }
        let even = least + ((total - least as u64) % (usable as u64 - 4)) as usize;
        if even <= most { even } else { least }
    }

    pub(super) fn payload(&self, cell: &Cell) -> &'p [u8] {
        self.bytes.get(cell.body..cell.body + cell.local).unwrap_or_default()
    }

    /// The pages below this one.
    pub(super) fn children(&self) -> Vec<u32> {
        if self.kind.is_leaf() {
            return Vec::new();
        }
        let left = (0..self.cells).filter_map(|index| number(self.bytes, self.pointer(index)?));
        left.chain(number(self.bytes, self.header + 8)).collect()
    }

    /// The room that no cell takes: between the list of cells and the first, and where cells were deleted.
    pub(super) fn unused(&self) -> Vec<Range<usize>> {
        let first = self.array() + self.cells * 2;
        let content = self.content().unwrap_or(first).clamp(first, self.bytes.len());
        let mut unused: Vec<_> = std::iter::once(first..content).collect();
        let mut at = short(self.bytes, self.header + 1).unwrap_or_default();
        // Free blocks are linked in ascending order, so each is behind the one before.
        while let (Some(next), Some(size)) = (short(self.bytes, at), short(self.bytes, at + 2)) {
            let end = at + size;
            if at < first || size < 4 || end > self.bytes.len() {
                break;
            }
            unused.push(at..end);
            if next < end {
                break;
            }
            at = next;
        }
        unused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(cells: &[(usize, &[u8])]) -> Vec<u8> {
        let mut page = vec![0; 512];
        page[0] = 0x0d;
        page[4] = cells.len() as u8;
        for (index, (at, bytes)) in cells.iter().enumerate() {
            page[8 + index * 2..10 + index * 2].copy_from_slice(&(*at as u16).to_be_bytes());
            page[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        let content = cells.iter().map(|(at, _)| *at).min().unwrap_or(512) as u16;
        page[5..7].copy_from_slice(&content.to_be_bytes());
        page
    }

    #[test]
    fn cells_are_read_and_bad_ones_left_out() {
        // The second starts in the list of cells, the third ends behind the page.
        let page = leaf(&[(500, b"\x03\x07abc"), (13, b""), (508, b"\x64\x01")]);
        let node = Node::parse(&page, 2, 512).expect("a page");
        let cells: Vec<_> = node.cells().collect();
        assert_eq!(cells.len(), 1);
        assert_eq!((cells[0].1.rowid, node.payload(&cells[0].1)), (Some(7), &b"abc"[..]));
    }

    #[test]
    fn cells_that_share_their_bytes_end_with_the_page() {
        let long = [&[0x83, 0x00, 1][..], &[b'x'; 384]].concat();
        let mut page = leaf(&[(100, &long)]);
        page[4] = 40;
        for index in 0..40 {
            page[8 + index * 2..10 + index * 2].copy_from_slice(&100_u16.to_be_bytes());
        }
        let node = Node::parse(&page, 2, 512).expect("a page");
        assert_eq!(node.cells().count(), 1);
    }

    #[test]
    fn free_blocks_that_run_backwards_end() {
        let mut page = leaf(&[(500, b"\x03\x07abc")]);
        page[1..3].copy_from_slice(&400_u16.to_be_bytes());
        page[400..404].copy_from_slice(&[1, 0x90, 0, 8]);
        let node = Node::parse(&page, 2, 512).expect("a page");
        assert_eq!(node.unused(), [10..500, 400..408]);
    }
}
