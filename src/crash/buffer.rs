//! Bytes that are gathered piece by piece, with a growth that is known in advance.

/// A growing run of bytes. What a further piece will take can be asked before it is taken, so that memory is counted
/// before it is used.
#[derive(Debug, Default)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// Bytes of memory once `more_bytes` were added: exactly what is needed at first, then at least twice as much each
    /// time it grows.
    pub fn capacity_with(&self, more_bytes: usize) -> usize {
        let needed = self.0.len() + more_bytes;
        if needed <= self.0.capacity() {
            self.0.capacity()
        } else {
            needed.max(2 * self.0.capacity())
        }
    }

    pub fn extend(&mut self, piece: &[u8]) {
        let capacity = self.capacity_with(piece.len());
        self.0.reserve_exact(capacity - self.0.len());
        self.0.extend_from_slice(piece);
    }

    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub fn into_vec(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_piece_takes_is_known_before_it_is_taken() {
        let mut buffer = Buffer::default();
        for bytes in [0, 3, 1, 7, 4096, 1, 100_000] {
            let announced = buffer.capacity_with(bytes);
            buffer.extend(&vec![b'a'; bytes]);
            assert_eq!(buffer.capacity(), announced);
            assert!(announced <= 2 * buffer.bytes().len());
        }
    }
}
