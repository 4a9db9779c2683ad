//! Where letters of base64 stand, sixty-four bytes at a time: most of a text is passed over at about the speed of reading.

/// Bytes that are judged at once.
pub(super) const STEP: usize = 64;

/// Whether a byte is a letter of either alphabet of base64.
pub(super) fn is_letter(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_')
}

/// How many letters a text begins with.
pub(super) fn count(text: &[u8]) -> usize {
    text.iter().take_while(|byte| is_letter(**byte)).count()
}

/// A bit for each byte that is a letter, the first in the lowest; what lies behind the end of the text is none.
pub(super) fn mask(text: &[u8]) -> u64 {
    match text.first_chunk() {
        Some(bytes) => whole(bytes),
        None => {
            let mut bytes = [0; STEP];
            bytes[..text.len()].copy_from_slice(text);
            whole(&bytes)
        }
    }
}

#[cfg(any(not(target_arch = "x86_64"), test))]
fn one_by_one(bytes: &[u8; STEP]) -> u64 {
    bytes.iter().rev().fold(0, |mask, byte| mask << 1 | u64::from(is_letter(*byte)))
}

#[cfg(not(target_arch = "x86_64"))]
use one_by_one as whole;

#[cfg(target_arch = "x86_64")]
fn whole(bytes: &[u8; STEP]) -> u64 {
    #[expect(unsafe_code, reason = "the compiler wants to be told that these instructions are there")]
    // SAFETY: SSE2 is part of x86-64, so every processor that runs this has it.
    unsafe {
        sixteen_by_sixteen(bytes)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "sse2")]
fn sixteen_by_sixteen(bytes: &[u8; STEP]) -> u64 {
    use std::arch::x86_64::{
        __m128i, _mm_cmpeq_epi8, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128, _mm_set_epi64x, _mm_set1_epi8,
        _mm_sub_epi8,
    };
    let all = |byte: u8| _mm_set1_epi8(byte.cast_signed());
    // Whether each byte is one of `count` from `first` on.
    let within = |bytes: __m128i, first: u8, count: u8| {
        let above = _mm_sub_epi8(bytes, all(first));
        _mm_cmpeq_epi8(_mm_min_epu8(above, all(count - 1)), above)
    };
    let half = |bytes: &[u8]| i64::from_le_bytes(*bytes.first_chunk().expect("eight bytes"));
    let mut mask = 0;
    for (at, bytes) in bytes.as_chunks::<16>().0.iter().enumerate() {
        let bytes = _mm_set_epi64x(half(&bytes[8..]), half(bytes));
        let alphabet = within(_mm_or_si128(bytes, all(0x20)), b'a', 26);
        let digits = within(bytes, b'/', 11);
        // Plus and minus, and the line below.
        let signs = _mm_or_si128(_mm_cmpeq_epi8(bytes, all(b'+')), _mm_cmpeq_epi8(bytes, all(b'-')));
        let signs = _mm_or_si128(signs, _mm_cmpeq_epi8(bytes, all(b'_')));
        let letters = _mm_or_si128(_mm_or_si128(alphabet, digits), signs);
        mask |= u64::from(_mm_movemask_epi8(letters).cast_unsigned()) << (16 * at);
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_at_a_time_are_judged_as_one_by_one() {
        // Every byte comes to stand at every place. Few enough rounds for Miri.
        for first in 0..=255_u8 {
            let bytes = std::array::from_fn(|at| first.wrapping_add(at as u8));
            assert_eq!(whole(&bytes), one_by_one(&bytes), "from {first}");
        }
        assert_eq!(mask(b"ab =Z"), 0b10011);
    }
}
