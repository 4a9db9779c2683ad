//! Files that are too large to be held, part by part.

use super::files::is_binary;
use super::objects::{Damage, Object, Reader};

/// About how long a part is.
const PART: usize = 4 << 20;
/// How much of a line that is longer than a part comes again with the next part.
const OVERLAP: usize = 16 << 10;

/// A part of a file: whole lines, or a piece of a line that is longer than a part.
pub(super) struct Part<'a> {
    pub(super) bytes: &'a [u8],
    /// The number of its first line.
    pub(super) first_line: usize,
    /// Whether the file begins here.
    pub(super) is_first: bool,
    /// Whether the file is no text.
    pub(super) binary: bool,
}

/// Calls `each` with the parts of a file for as long as it wants more. A file that is stored as a difference cannot be
/// read so.
pub(super) fn read(
    reader: &mut Reader<'_>,
    object: Object,
    each: &mut dyn FnMut(&Part<'_>) -> bool,
) -> Result<(), Damage> {
    let (mut held, mut line, mut binary, mut wanted, mut first) = (Vec::new(), 1, None, true, true);
    reader.parts(object, |bytes| {
        let binary = *binary.get_or_insert_with(|| is_binary(bytes));
        held.extend_from_slice(bytes);
        if held.len() < PART {
            return true;
        }
        let end = held.iter().rposition(|byte| *byte == b'\n').map_or(held.len(), |at| at + 1);
        let cut = held.get(end - 1) != Some(&b'\n');
        wanted = each(&Part { bytes: &held[..end], first_line: line, is_first: first, binary });
        first = false;
        let keep = if cut { end - OVERLAP.min(end) } else { end };
        line += held[..keep].iter().filter(|byte| **byte == b'\n').count();
        held.drain(..keep);
        wanted
    })?;
    if wanted && !held.is_empty() {
        each(&Part { bytes: &held, first_line: line, is_first: first, binary: binary.unwrap_or(false) });
    }
    Ok(())
}
