//! How random a text looks.

/// Shannon's entropy of the bytes in bits per byte; 0 for none.
pub fn shannon(bytes: &[u8]) -> f32 {
    let mut counts = [0_u32; 256];
    for byte in bytes {
        counts[usize::from(*byte)] += 1;
    }
    let all = bytes.len() as f32;
    counts.iter().filter(|count| **count > 0).map(|count| *count as f32 / all).map(|share| -share * share.log2()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entropy_counts_bits_per_byte() {
        for (text, bits) in [("", 0.0), ("aaaa", 0.0), ("abab", 1.0), ("abcd", 2.0), ("abcdefgh", 3.0)] {
            assert!((shannon(text.as_bytes()) - bits).abs() < 1e-6, "{text}");
        }
    }
}
