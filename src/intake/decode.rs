//! `Content-Encoding`: gzip inflated while it arrives, everything else passed through.

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

/// Inflated bytes are handed on in pieces of this size.
const PIECE_BYTES: usize = 64 * 1024;
/// Nobody sends more; each costs a new inflater.
const MAX_MEMBERS: usize = 64;
const WINDOW_BITS: u8 = 15;
const MAGIC: u8 = 0x1f;

/// The body is not gzip, is damaged, or ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadGzip;

/// True for `gzip` and its older name `x-gzip` (RFC 9110), in any case. Other encodings are passed over, as recorded.
pub fn is_gzip(content_encoding: Option<&[u8]>) -> bool {
    let encoding = content_encoding.unwrap_or_default().trim_ascii();
    encoding.eq_ignore_ascii_case(b"gzip") || encoding.eq_ignore_ascii_case(b"x-gzip")
}

/// Inflates one body of any number of members.
pub struct Gunzip {
    state: State,
    members: usize,
    piece: Vec<u8>,
}

enum State {
    Member(Box<Decompress>),
    /// Behind a member: another may follow. Anything else is passed over, as zlib does.
    Between,
    Behind,
}

impl Gunzip {
    pub fn new() -> Self {
        Self {
            state: State::Member(new_member()),
            members: 1,
            piece: Vec::new(),
        }
    }

    /// Inflates `input` up to its end or the end of a member; full pieces, and all of a member that ended, are added to
    /// `output`. Returns how many bytes of the input are done with.
    ///
    /// `wants_more` says whether a further member is of interest: behind a complete form it is not.
    ///
    /// # Errors
    /// [`BadGzip`]; nothing more can be inflated afterwards.
    pub fn inflate(
        &mut self,
        input: &[u8],
        wants_more: bool,
        output: &mut Vec<Bytes>,
    ) -> Result<usize, BadGzip> {
        let mut done_bytes = 0;
        while done_bytes < input.len() {
            let rest = &input[done_bytes..];
            match &mut self.state {
                State::Member(member) => {
                    let (consumed, ended) = inflate_some(member, rest, &mut self.piece)?;
                    done_bytes += consumed;
                    if ended {
                        // The caller looks at all of it before it says whether it wants more.
                        self.state = State::Between;
                        self.flush(output);
                        return Ok(done_bytes);
                    }
                    if self.piece.len() == self.piece.capacity() {
                        self.flush(output);
                    }
                }
                State::Between if wants_more && rest[0] == MAGIC && self.members < MAX_MEMBERS => {
                    self.members += 1;
                    self.state = State::Member(new_member());
                }
                State::Between | State::Behind => {
                    self.state = State::Behind;
                    return Ok(input.len());
                }
            }
        }
        Ok(done_bytes)
    }

    /// Hands out what is inflated but does not fill a piece.
    pub fn flush(&mut self, output: &mut Vec<Bytes>) {
        if self.piece.is_empty() {
            return;
        }
        let mut piece = std::mem::take(&mut self.piece);
        if piece.len() < piece.capacity() / 2 {
            // A dump keeps it, and has asked for memory for its bytes only.
            piece.shrink_to_fit();
        }
        output.push(piece.into());
    }

    /// # Errors
    /// The body ended inside a member.
    pub fn finish(&self) -> Result<(), BadGzip> {
        if matches!(self.state, State::Member(_)) {
            Err(BadGzip)
        } else {
            Ok(())
        }
    }
}

fn new_member() -> Box<Decompress> {
    Box::new(Decompress::new_gzip(WINDOW_BITS))
}

/// One call of the inflater into what is free of the piece: bytes consumed, and whether the member ended.
fn inflate_some(
    member: &mut Decompress,
    input: &[u8],
    piece: &mut Vec<u8>,
) -> Result<(usize, bool), BadGzip> {
    if piece.capacity() == 0 {
        piece.reserve_exact(PIECE_BYTES);
    }
    let (consumed_before, had) = (member.total_in(), piece.len());
    let status = member
        .decompress_vec(input, piece, FlushDecompress::None)
        .map_err(|_| BadGzip)?;
    let consumed = usize::try_from(member.total_in() - consumed_before).unwrap_or(input.len());
    let ended = status == Status::StreamEnd;
    let stuck = consumed == 0 && piece.len() == had && !ended;
    if stuck {
        Err(BadGzip)
    } else {
        Ok((consumed, ended))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn inflated(body: &[u8], frame_bytes: usize) -> Result<Vec<u8>, BadGzip> {
        let (mut gunzip, mut output) = (Gunzip::new(), Vec::new());
        for mut frame in body.chunks(frame_bytes) {
            while !frame.is_empty() {
                frame = &frame[gunzip.inflate(frame, true, &mut output)?..];
            }
        }
        gunzip.flush(&mut output);
        gunzip.finish()?;
        Ok(output.concat())
    }

    #[test]
    fn all_members_are_inflated_however_they_are_framed() {
        let bytes: Vec<u8> = (0..200_000_u32)
            .flat_map(|n| n.wrapping_mul(n).to_le_bytes())
            .collect();
        let body = [gzipped(&bytes), gzipped(b""), gzipped(b"tail")].concat();
        for frame_bytes in [1, 7, 4096, usize::MAX] {
            assert_eq!(
                inflated(&body, frame_bytes),
                Ok([&bytes[..], b"tail"].concat())
            );
        }
    }

    #[test]
    fn what_follows_the_last_member_is_passed_over() {
        assert_eq!(
            inflated(&[gzipped(b"a"), vec![0; 64]].concat(), 5),
            Ok(b"a".to_vec())
        );
    }

    #[test]
    fn every_cut_and_every_wrong_byte_at_the_end_is_noticed() {
        let body = gzipped(b"a report that is cut somewhere");
        for cut in 0..body.len() {
            assert_eq!(inflated(&body[..cut], usize::MAX), Err(BadGzip), "{cut}");
        }
        let mut wrong_checksum = body.clone();
        *wrong_checksum.last_mut().unwrap() ^= 1;
        assert_eq!(inflated(&wrong_checksum, usize::MAX), Err(BadGzip));
    }

    #[test]
    fn names_of_gzip() {
        assert!(is_gzip(Some(b"gzip")) && is_gzip(Some(b"GZIP")) && is_gzip(Some(b"x-gzip")));
        assert!(!is_gzip(None) && !is_gzip(Some(b"gzip, gzip")) && !is_gzip(Some(b"br")));
    }
}
