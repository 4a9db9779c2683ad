//! Records: a header that names the type of each value, and the values one after the other.

/// More columns than this no table has.
const MOST_COLUMNS: usize = 32767;

/// A number of one to nine bytes, and how many they were.
pub(super) fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (length, byte) in bytes.get(at..)?.iter().take(9).enumerate() {
        if length == 8 {
            return Some((value << 8 | u64::from(*byte), 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, length + 1));
        }
    }
    None
}

/// What a value is, as far as it matters to what stands in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A text, in the encoding of the database.
    Text,
    /// Bytes.
    Blob,
    /// A number, or nothing.
    Number,
}

/// One value of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// The how manyth it is, from 0.
    pub(super) column: u16,
    pub(super) kind: Kind,
    /// Where it stands in the payload.
    pub(super) start: u64,
    pub(super) end: u64,
}

/// The values of a record whose payload has `total` bytes and begins so. None if that is no record, or if its header
/// goes on behind what is at hand.
pub(super) fn fields(payload: &[u8], total: u64) -> Option<Vec<Field>> {
    let (header, mut at) = varint(payload, 0)?;
    let types = payload.get(..usize::try_from(header).ok()?)?;
    let (mut fields, mut start) = (Vec::new(), header);
    while at < types.len() {
        let (serial, length) = varint(types, at)?;
        at += length;
        let (kind, size) = value(serial)?;
        let end = start.checked_add(size).filter(|end| *end <= total)?;
        let column = u16::try_from(fields.len()).ok().filter(|column| usize::from(*column) < MOST_COLUMNS)?;
        fields.push(Field { column, kind, start, end });
        start = end;
    }
    (start == total).then_some(fields)
}

/// What a type stands for, and how many bytes it takes. Types 10 and 11 are never written.
fn value(serial: u64) -> Option<(Kind, u64)> {
    match serial {
        0 | 8 | 9 => Some((Kind::Number, 0)),
        1..=4 => Some((Kind::Number, serial)),
        5 => Some((Kind::Number, 6)),
        6 | 7 => Some((Kind::Number, 8)),
        10 | 11 => None,
        even if even % 2 == 0 => Some((Kind::Blob, (even - 12) / 2)),
        odd => Some((Kind::Text, (odd - 13) / 2)),
    }
}

/// A whole number of one to eight bytes.
fn signed(bytes: &[u8]) -> i64 {
    let first = bytes.first().map_or(0, |byte| i64::from(byte.cast_signed()));
    bytes.iter().skip(1).fold(first, |value, byte| value << 8 | i64::from(*byte))
}

/// The whole number in a column of a record that is at hand, if it is one.
pub(super) fn integer(payload: &[u8], total: u64, column: usize) -> Option<i64> {
    let (header, mut at) = varint(payload, 0)?;
    let types = payload.get(..usize::try_from(header).ok()?)?;
    let mut serial = None;
    for _ in 0..=column.min(MOST_COLUMNS) {
        let (kind, length) = varint(types, at)?;
        at += length;
        serial = Some(kind);
    }
    match serial? {
        8 => return Some(0),
        9 => return Some(1),
        1..=6 => {}
        _ => return None,
    }
    let field = *fields(payload, total)?.get(column)?;
    let bytes = payload.get(usize::try_from(field.start).ok()?..usize::try_from(field.end).ok()?)?;
    Some(signed(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_to_nine_bytes() {
        for (bytes, value) in [
            (&[0][..], Some((0, 1))),
            (&[0x7f, 1], Some((0x7f, 1))),
            (&[0x81, 0], Some((0x80, 2))),
            (&[0xff; 9], Some((u64::MAX, 9))),
            (&[0xff; 8], None),
            (&[], None),
        ] {
            assert_eq!(varint(bytes, 0), value, "{bytes:?}");
        }
    }

    #[test]
    fn values_stand_where_the_header_says() {
        let record = b"\x06\x01\x13\x0e\x00\x09\xffabcz";
        let found = fields(record, record.len() as u64).expect("a record");
        let spans: Vec<_> = found.iter().map(|field| (field.kind, field.start, field.end)).collect();
        let expected = [
            (Kind::Number, 6, 7),
            (Kind::Text, 7, 10),
            (Kind::Blob, 10, 11),
            (Kind::Number, 11, 11),
            (Kind::Number, 11, 11),
        ];
        assert_eq!(spans, expected);
        assert_eq!([0, 1, 3, 4, 5].map(|column| integer(record, 11, column)), [Some(-1), None, None, Some(1), None]);
    }

    #[test]
    fn what_does_not_add_up_is_no_record() {
        for bytes in [&b"\x02\x13ab"[..], b"\x02\x13abcd", b"\x09\x13abc", b"\x02\x0aabc", b"\x03\x13\x91abc", b""] {
            assert_eq!(fields(bytes, bytes.len() as u64), None, "{bytes:?}");
        }
    }
}
