//! Objects stored as the difference to another one.

/// Says that bytes are no delta, or none of this base.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoDelta;

/// A number of seven bits a byte, low ones first.
fn number(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        value |= u64::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            *bytes = &bytes[at + 1..];
            return Some(value);
        }
    }
    None
}

/// The lengths of the base and of the result.
pub(super) fn lengths(mut delta: &[u8]) -> Option<(u64, u64)> {
    Some((number(&mut delta)?, number(&mut delta)?))
}

/// What `delta` makes of `base`, at most `limit` bytes.
pub(super) fn apply(base: &[u8], mut delta: &[u8], limit: u64) -> Result<Vec<u8>, NoDelta> {
    let from = number(&mut delta).ok_or(NoDelta)?;
    let length = number(&mut delta).ok_or(NoDelta)?;
    if from != base.len() as u64 || length > limit {
        return Err(NoDelta);
    }
    let length = length as usize;
    let mut out = Vec::with_capacity(length);
    while let Some((&op, rest)) = delta.split_first() {
        delta = rest;
        let piece = if op & 0x80 != 0 {
            copied(base, op, &mut delta)
        } else {
            delta.split_at_checked(usize::from(op)).filter(|_| op != 0).map(|(piece, rest)| {
                delta = rest;
                piece
            })
        };
        let piece = piece.filter(|piece| piece.len() <= length - out.len()).ok_or(NoDelta)?;
        out.extend_from_slice(piece);
    }
    if out.len() == length { Ok(out) } else { Err(NoDelta) }
}

/// The part of the base that a copy operation names.
fn copied<'a>(base: &'a [u8], op: u8, delta: &mut &[u8]) -> Option<&'a [u8]> {
    let mut field = |bits: u8, count: u32| {
        let mut value = 0_usize;
        for at in 0..count {
            if bits >> at & 1 == 1 {
                let (&byte, rest) = delta.split_first()?;
                value |= usize::from(byte) << (8 * at);
                *delta = rest;
            }
        }
        Some(value)
    };
    let offset = field(op & 0x0f, 4)?;
    let length = match field(op >> 4 & 0x07, 3)? {
        0 => 0x10000,
        length => length,
    };
    base.get(offset..offset.checked_add(length)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_and_inserts_make_the_result() {
        let base = b"0123456789";
        let delta = [10, 7, 0x91, 2, 3, 2, b'x', b'y', 0x90, 2];
        assert_eq!(apply(base, &delta, 100).as_deref(), Ok(&b"234xy01"[..]));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let base = b"0123456789";
        for delta in [
            &[][..],
            &[10],
            &[9, 1, 1, b'x'],           // another base
            &[10, 2, 1, b'x'],          // too short
            &[10, 1, 2, b'x', b'y'],    // too long
            &[10, 1, 0],                // reserved
            &[10, 1, 2, b'x'],          // cut
            &[10, 4, 0x91, 8, 4],       // beyond the base
            &[10, 4, 0x91],             // cut
            &[10, 0xff, 0xff, 0xff, 1], // beyond the limit
            &[0x80; 20],
        ] {
            assert_eq!(apply(base, delta, 100), Err(NoDelta), "{delta:?}");
        }
    }
}
