//! Bytes cut into pieces, as a network may do it.

use bytes::Bytes;

/// Sizes of pieces at most: single bytes, around the lengths of delimiters, of packets, of buffers.
const LARGEST: [u64; 8] = [1, 2, 3, 7, 40, 300, 1460, 5000];

/// `bytes` in pieces of random sizes; the same for the same seed.
pub fn cut(bytes: &[u8], seed: u8) -> Vec<Bytes> {
    let largest = LARGEST[usize::from(seed) % LARGEST.len()];
    let mut state = u64::from(seed);
    let (mut pieces, mut rest) = (Vec::new(), bytes);
    while !rest.is_empty() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let size = 1 + (state >> 33) % largest;
        let size = usize::try_from(size).unwrap_or(1).min(rest.len());
        let (piece, more) = rest.split_at(size);
        pieces.push(Bytes::copy_from_slice(piece));
        rest = more;
    }
    pieces
}
