//! gzip (RFC 1952) and deflate, with zlib's wrapping or bare.

use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status};

use super::piece::Piece;
use super::{Decoder, Hint, Next, Step, Undecodable};

const WINDOW_BITS: u8 = 15;
const MAGIC: u8 = 0x1f;
/// Window and tables.
const INFLATER_BYTES: u64 = 64 * 1024;

/// Inflates one body: of any number of gzip members, or of one deflate stream.
pub struct Inflate {
    state: State,
    piece: Piece,
}

enum State {
    /// Before the first gzip member.
    Start,
    /// Before the second byte of a deflate stream, which shows how it is wrapped.
    Unwrapped(Option<u8>),
    /// The member, and whether another may follow.
    Member(Box<Decompress>, bool),
    /// Behind a member: another may follow. Anything else is passed over, as zlib does.
    Between,
    Behind,
}

impl Inflate {
    pub fn gzip() -> Self {
        Self::starting(State::Start)
    }

    pub fn deflate() -> Self {
        Self::starting(State::Unwrapped(None))
    }

    fn starting(state: State) -> Self {
        Self {
            state,
            piece: Piece::default(),
        }
    }

    /// Tells zlib's header from a bare stream. No encoder begins a bare one like that: it would be a stored block with
    /// ones where encoders write zeros.
    fn unwrap(&mut self, first: u8, second: u8) -> Result<(), Undecodable> {
        let has_method = first & 0x0f == 8 && first >> 4 <= 7;
        let is_zlib = has_method && u16::from_be_bytes([first, second]).is_multiple_of(31);
        let mut member = Box::new(Decompress::new(is_zlib));
        let mut has_ended = false;
        for byte in [first, second] {
            let (consumed, ended) = inflate_some(&mut member, &[byte], &mut self.piece)?;
            if consumed == 0 {
                return Err(Undecodable);
            }
            has_ended = ended;
        }
        self.state = if has_ended {
            State::Behind
        } else {
            State::Member(member, false)
        };
        Ok(())
    }
}

impl Decoder for Inflate {
    fn decode(&mut self, input: &[u8], hint: Hint) -> Result<Step, Undecodable> {
        let mut done_bytes = 0;
        while done_bytes < input.len() {
            let rest = &input[done_bytes..];
            match &mut self.state {
                State::Start => self.state = new_member(),
                State::Unwrapped(first) => {
                    done_bytes += 1;
                    match *first {
                        None => *first = Some(rest[0]),
                        Some(first) => self.unwrap(first, rest[0])?,
                    }
                }
                State::Member(member, has_more) => {
                    let (consumed, ended) = inflate_some(member, rest, &mut self.piece)?;
                    done_bytes += consumed;
                    if ended {
                        self.state = if *has_more {
                            State::Between
                        } else {
                            State::Behind
                        };
                    }
                    // The caller looks at all of a member before it says whether it wants more.
                    if self.piece.is_full() || ended && !self.piece.is_empty() {
                        let next = Next::Output(self.piece.take());
                        return Ok(Step { done_bytes, next });
                    }
                }
                State::Between if hint.wants_more && rest[0] == MAGIC => {
                    self.state = new_member();
                }
                // Tapes and block devices pad members with zeros.
                State::Between if hint.wants_more && rest[0] == 0 => done_bytes += 1,
                State::Between | State::Behind => {
                    self.state = State::Behind;
                    done_bytes = input.len();
                }
            }
        }
        let next = Next::Input;
        Ok(Step { done_bytes, next })
    }

    fn memory_bytes(&self) -> u64 {
        match self.state {
            State::Behind => 0,
            _ => INFLATER_BYTES,
        }
    }

    fn finish(&mut self) -> Option<Bytes> {
        matches!(self.state, State::Between | State::Behind).then(|| self.piece.take())
    }
}

fn new_member() -> State {
    State::Member(Box::new(Decompress::new_gzip(WINDOW_BITS)), true)
}

/// One call of the inflater into what is free of the piece: bytes consumed, and whether the member ended.
fn inflate_some(
    member: &mut Decompress,
    input: &[u8],
    piece: &mut Piece,
) -> Result<(usize, bool), Undecodable> {
    let piece = piece.with_room();
    let (consumed_before, had) = (member.total_in(), piece.len());
    let status = member
        .decompress_vec(input, piece, FlushDecompress::None)
        .map_err(|_| Undecodable)?;
    let consumed = usize::try_from(member.total_in() - consumed_before).unwrap_or(input.len());
    let ended = status == Status::StreamEnd;
    let stuck = consumed == 0 && piece.len() == had && !ended;
    if stuck {
        Err(Undecodable)
    } else {
        Ok((consumed, ended))
    }
}
