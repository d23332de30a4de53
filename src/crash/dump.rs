//! One binary part of a report: minidump, memory report, log.

use std::fmt;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::Buffer;

/// Names under which the collector keeps its own documents; a dump of that name would overwrite them.
const RESERVED: [&str; 3] = ["raw_crash", "dump_names", "processed_crash"];
const LONGEST: usize = 30;

/// A dump's name as it is stored: ASCII letters, digits and `_`, 30 at most, possibly none, never reserved.
///
/// The type is the proof that the text is safe in a path or an object key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DumpName(String);

/// The name, once sanitised, belongs to one of the collector's own documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedDumpName(pub String);

impl ReservedDumpName {
    /// The name that a dump has in its place.
    pub fn numbered(self) -> DumpName {
        DumpName(self.0).numbered(2)
    }
}

impl DumpName {
    /// Keeps what is allowed in a name and cuts it to 30 characters, as the original does.
    ///
    /// # Errors
    /// The result is one of the collector's own document names.
    pub fn sanitise(name: &str) -> Result<Self, ReservedDumpName> {
        let kept: String = name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '_')
            .take(LONGEST)
            .collect();
        if RESERVED.contains(&kept.as_str()) {
            Err(ReservedDumpName(kept))
        } else {
            Ok(Self(kept))
        }
    }

    /// A name like this one with a number behind it, cut where both would be too long.
    pub fn numbered(&self, number: usize) -> Self {
        let number = format!("_{number}");
        let kept = self.0.len().min(LONGEST.saturating_sub(number.len()));
        Self(format!("{}{number}", &self.0[..kept]))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DumpName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A dump's bytes, in the pieces in which they arrived, with their hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dump {
    pub name: DumpName,
    pub frames: Vec<Bytes>,
    pub length_bytes: u64,
    pub sha256: [u8; 32],
}

impl Dump {
    /// Hashes `bytes` at once; for tests and for what is read back from disk.
    pub fn whole(name: DumpName, bytes: Bytes) -> Self {
        let mut hasher = DumpHasher::default();
        hasher.take(bytes);
        hasher.finish(name)
    }

    /// The hash as it stands in the raw crash.
    pub fn sha256_hex(&self) -> String {
        const DIGITS: [char; 16] = [
            '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
        ];
        let halves = self.sha256.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        halves.map(|half| DIGITS[usize::from(half)]).collect()
    }
}

/// Smaller pieces are put together: a client may send one byte a frame, and a frame costs far more than a byte.
const SMALL_FRAME_BYTES: usize = 4 * 1024;
const JOINED_FRAME_BYTES: usize = 64 * 1024;

/// Collects a dump while it arrives.
#[derive(Default)]
pub struct DumpHasher {
    frames: Vec<Bytes>,
    /// Small pieces that are not a frame yet.
    joined: Buffer,
    /// In frames that were put together of small pieces.
    copied_bytes: usize,
    length_bytes: u64,
    sha256: Sha256,
}

impl DumpHasher {
    /// True if a piece of this length is copied. A longer one is kept as it is, and with it the buffer it is a part of.
    pub fn copies(piece_bytes: usize) -> bool {
        piece_bytes < SMALL_FRAME_BYTES
    }

    /// Bytes of its own that the hasher will occupy while and after a piece of this length is taken.
    pub fn own_bytes_with(&self, piece_bytes: usize) -> usize {
        let grown = if !Self::copies(piece_bytes) {
            0
        } else if self.is_full_with(piece_bytes) {
            piece_bytes
        } else {
            self.joined.capacity_with(piece_bytes)
        };
        self.own_bytes() + grown
    }

    /// Bytes of copied pieces. What is kept without copying belongs to whoever made it.
    pub fn own_bytes(&self) -> usize {
        self.copied_bytes + self.joined.capacity()
    }

    /// Bytes that were taken so far.
    pub fn length_bytes(&self) -> u64 {
        self.length_bytes
    }

    /// Small pieces that are not a frame yet: at the end they are copied into the memory that they need.
    pub fn loose_bytes(&self) -> usize {
        self.joined.bytes().len()
    }

    /// Frames that the dump has so far.
    pub fn frames(&self) -> usize {
        self.frames.len()
    }

    /// Hashes a piece and keeps it; only small pieces are copied.
    pub fn take(&mut self, frame: Bytes) {
        self.sha256.update(&frame);
        self.length_bytes += frame.len() as u64;
        if !Self::copies(frame.len()) {
            self.flush();
            self.frames.push(frame);
            return;
        }
        if self.is_full_with(frame.len()) {
            self.flush();
        }
        self.joined.extend(&frame);
    }

    fn is_full_with(&self, piece_bytes: usize) -> bool {
        self.joined.bytes().len() + piece_bytes > JOINED_FRAME_BYTES
    }

    /// A frame of what was put together, in exactly the memory that it needs.
    fn flush(&mut self) {
        let joined = std::mem::take(&mut self.joined).into_vec();
        if !joined.is_empty() {
            self.copied_bytes += joined.len();
            self.frames.push(joined.into_boxed_slice().into());
        }
    }

    pub fn finish(mut self, name: DumpName) -> Dump {
        self.flush();
        Dump {
            name,
            frames: self.frames,
            length_bytes: self.length_bytes,
            sha256: self.sha256.finalize().into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_sanitised_and_cut() {
        for (sent, kept) in [
            ("upload_file_minidump", "upload_file_minidump"),
            ("../../etc/passwd", "etcpasswd"),
            ("dümp_naïve", "dmp_nave"),
            ("../..", ""),
            (
                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
                "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
            ),
            ("RAW_CRASH", "RAW_CRASH"),
        ] {
            assert_eq!(DumpName::sanitise(sent).unwrap().as_str(), kept);
        }
    }

    #[test]
    fn our_own_documents_cannot_be_overwritten() {
        for name in ["raw_crash", "raw_crash!", "dump_names", "processed_crash"] {
            let reserved = DumpName::sanitise(name).unwrap_err();
            assert_eq!(reserved.clone().numbered().as_str(), reserved.0 + "_2");
        }
    }

    #[test]
    fn small_pieces_do_not_cost_a_frame_each() {
        let mut hasher = DumpHasher::default();
        (0..200_000).for_each(|_| hasher.take(Bytes::from_static(b"x")));
        hasher.take(vec![0; SMALL_FRAME_BYTES].into());
        let dump = hasher.finish(DumpName::sanitise("d").unwrap());
        assert_eq!(dump.length_bytes, 200_000 + SMALL_FRAME_BYTES as u64);
        assert!(dump.frames.len() < 6, "{}", dump.frames.len());
        assert_eq!(
            dump.frames.iter().map(Bytes::len).sum::<usize>() as u64,
            dump.length_bytes
        );
    }

    proptest! {
        #[test]
        fn every_name_is_safe_in_a_path(name: String) {
            if let Ok(name) = DumpName::sanitise(&name) {
                prop_assert!(name.as_str().len() <= LONGEST);
                prop_assert!(name.as_str().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'));
            }
        }

        #[test]
        fn the_hash_does_not_depend_on_the_frames(bytes: Vec<u8>, cut in 0..100usize) {
            let name = DumpName::sanitise("d").unwrap();
            let mut pieces = DumpHasher::default();
            let cut = cut.min(bytes.len());
            pieces.take(Bytes::copy_from_slice(&bytes[..cut]));
            pieces.take(Bytes::copy_from_slice(&bytes[cut..]));
            let (pieces, whole) = (pieces.finish(name.clone()), Dump::whole(name, bytes.into()));
            prop_assert_eq!(pieces.sha256, whole.sha256);
            prop_assert_eq!(pieces.length_bytes, whole.length_bytes);
        }
    }
}
