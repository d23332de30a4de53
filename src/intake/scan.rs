//! Finding a byte pattern in a stream of frames without copying the frames.

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem::Finder;

/// Where a short pattern is first found in a short text. Looking for it byte by byte costs less than the preparations
/// of a search that is fast for long texts.
pub fn find_short(text: &[u8], pattern: &[u8]) -> Option<usize> {
    let first = *pattern.first()?;
    memchr::memchr_iter(first, text).find(|at| text[*at..].starts_with(pattern))
}

/// Looks for one pattern; keeps back what may be the pattern's beginning at a frame's end.
pub struct Scanner {
    finder: Finder<'static>,
    /// The end of what was seen, if it may be the beginning of the pattern. Shorter than the pattern.
    held: Bytes,
}

/// What a frame held. The pieces before the pattern are in order; either may be empty.
pub struct Scanned {
    pub before: [Bytes; 2],
    /// The pattern was found, and the frame now begins behind it.
    pub found: bool,
}

impl Scanner {
    /// A scanner for a pattern of at least one byte.
    pub fn new(pattern: &[u8]) -> Self {
        Self {
            finder: Finder::new(pattern).into_owned(),
            held: Bytes::new(),
        }
    }

    /// Consumes the frame up to and including the first pattern, or all of it.
    pub fn scan(&mut self, frame: &mut Bytes) -> Scanned {
        if self.held.is_empty() {
            self.scan_frame(frame)
        } else {
            self.scan_seam(frame)
        }
    }

    fn scan_frame(&mut self, frame: &mut Bytes) -> Scanned {
        if let Some(at) = self.finder.find(frame) {
            let before = frame.split_to(at);
            frame.advance(self.finder.needle().len());
            return Scanned {
                before: [before, Bytes::new()],
                found: true,
            };
        }
        let keep = frame.len() - self.partial_at_end(frame);
        let before = frame.split_to(keep);
        // A copy: what is held must not keep the whole frame in memory.
        self.held = Bytes::copy_from_slice(&std::mem::take(frame));
        Scanned {
            before: [before, Bytes::new()],
            found: false,
        }
    }

    /// The pattern may begin in what was held: look at that and as much of the frame as could complete it.
    fn scan_seam(&mut self, frame: &mut Bytes) -> Scanned {
        let pattern_bytes = self.finder.needle().len();
        let held = std::mem::take(&mut self.held);
        let reach = frame.len().min(pattern_bytes - 1);
        let mut seam = BytesMut::with_capacity(held.len() + reach);
        seam.extend_from_slice(&held);
        seam.extend_from_slice(&frame[..reach]);
        match self.finder.find(&seam) {
            Some(at) => {
                frame.advance(at + pattern_bytes - held.len());
                Scanned {
                    before: [held.slice(..at), Bytes::new()],
                    found: true,
                }
            }
            None if frame.len() < pattern_bytes => {
                // The whole frame is in the seam, and its end may be the pattern's beginning still.
                frame.clear();
                self.scan_frame(&mut seam.freeze())
            }
            None => {
                let Scanned {
                    before: [first, _],
                    found,
                } = self.scan_frame(frame);
                Scanned {
                    before: [held, first],
                    found,
                }
            }
        }
    }

    /// How many bytes at the end of `frame` may be the beginning of the pattern.
    fn partial_at_end(&self, frame: &[u8]) -> usize {
        let pattern = self.finder.needle();
        let longest = frame.len().min(pattern.len() - 1);
        (1..=longest)
            .rev()
            .find(|len| frame.ends_with(&pattern[..*len]))
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What stands before and behind the first pattern when the bytes come in frames of these sizes.
    fn found(bytes: &[u8], pattern: &[u8], sizes: &[usize]) -> (Vec<u8>, bool, Vec<u8>) {
        let mut scanner = Scanner::new(pattern);
        let (mut before, mut behind, mut is_found, mut rest) =
            (Vec::new(), Vec::new(), false, bytes);
        let mut sizes = sizes.iter().cycle();
        while !rest.is_empty() {
            let (frame, more) = rest.split_at((*sizes.next().unwrap()).clamp(1, rest.len()));
            rest = more;
            let mut frame = Bytes::copy_from_slice(frame);
            if !is_found {
                let scanned = scanner.scan(&mut frame);
                scanned
                    .before
                    .iter()
                    .for_each(|piece| before.extend_from_slice(piece));
                is_found = scanned.found;
            }
            behind.extend_from_slice(&frame);
        }
        if !is_found {
            before.extend_from_slice(&scanner.held);
        }
        (before, is_found, behind)
    }

    proptest! {
        #[test]
        fn frames_make_no_difference(
            bytes in proptest::collection::vec(prop::sample::select(b"\r\n-ab".to_vec()), 0..200),
            sizes in proptest::collection::vec(1..9usize, 1..6),
        ) {
            for pattern in [&b"\r\n--ab"[..], b"--", b"a", b"----a"] {
                prop_assert_eq!(found(&bytes, pattern, &sizes), found(&bytes, pattern, &[usize::MAX]));
            }
        }

        #[test]
        fn the_first_pattern_is_found(
            bytes in proptest::collection::vec(prop::sample::select(b"-ab".to_vec()), 0..60),
        ) {
            let expected = bytes.windows(3).position(|window| window == b"--a");
            let (before, is_found, behind) = found(&bytes, b"--a", &[2, 3]);
            prop_assert_eq!(is_found, expected.is_some());
            if let Some(at) = expected {
                prop_assert_eq!(before, &bytes[..at]);
                prop_assert_eq!(behind, &bytes[at + 3..]);
            }
        }
    }
}
