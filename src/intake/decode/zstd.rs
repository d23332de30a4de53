//! Zstandard (RFC 8878): frames one behind the other, without dictionaries.

use std::io::Read;

use bytes::Bytes;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::piece::Piece;
use super::zstd_head::{
    Begins, BlockHead, FrameHead, MAX_BLOCK_BYTES, MAX_WINDOW_BYTES, begins, frame_head_bytes,
};
use super::{Decoder, Hint, Next, Step, Undecodable};

/// Each costs a new decoder, which takes longer than its bytes do. An inflated body of 100 MiB has 1,600 of 64 KiB.
const MAX_FRAMES: usize = 2048;
const MAGIC_BYTES: usize = 4;
const BLOCK_HEAD_BYTES: usize = 3;
const CHECKSUM_BYTES: usize = 4;
/// The most that a frame takes besides its window: a block as sent and decoded, its sequences, tables.
const TABLES_BYTES: u64 = 2 << 20;

/// Decodes one body. What follows the last frame is passed over, as with gzip.
#[derive(Default)]
pub struct ZstdDecoder {
    state: State,
    /// What the decoder is only given whole: heads and blocks.
    gathered: Vec<u8>,
    /// Frames begun, also those that are skipped.
    frames: usize,
    /// There was a frame with data.
    has_data: bool,
    piece: Piece,
}

#[derive(Default)]
enum State {
    #[default]
    Magic,
    FrameHead,
    Blocks(Box<Frame>),
    SkippableLength,
    Skippable(u64),
    Behind,
}

struct Frame {
    decoder: FrameDecoder,
    head: FrameHead,
    /// There may be decoded bytes in the decoder.
    is_full: bool,
    decoded_bytes: u64,
}

impl Decoder for ZstdDecoder {
    fn decode(&mut self, input: &[u8], hint: Hint) -> Result<Step, Undecodable> {
        let mut rest = input;
        let next = loop {
            if let Some(next) = self.advance(&mut rest, hint)? {
                break next;
            }
        };
        Ok(Step {
            done_bytes: input.len() - rest.len(),
            next,
        })
    }

    fn memory_bytes(&self) -> u64 {
        let State::Blocks(frame) = &self.state else {
            return self.gathered.capacity() as u64;
        };
        // The window grows by doubling; while it does, there are two of them.
        let window_bytes = frame.head.window_bytes.next_power_of_two();
        window_bytes + window_bytes / 2 + TABLES_BYTES
    }

    /// Nothing, if the body did not end inside a frame, and there was one.
    fn finish(&mut self) -> Option<Bytes> {
        let is_whole = match self.state {
            State::Magic | State::Behind => self.has_data,
            _ => false,
        };
        is_whole.then(|| self.piece.take())
    }
}

impl ZstdDecoder {
    /// Goes from one state to the next; says what is wanted where that needs the caller.
    fn advance(&mut self, rest: &mut &[u8], hint: Hint) -> Result<Option<Next>, Undecodable> {
        match &mut self.state {
            State::Magic => {
                if self.has_data && (!hint.wants_more || self.frames >= MAX_FRAMES) {
                    self.state = State::Behind;
                } else if gather(&mut self.gathered, rest, MAGIC_BYTES) {
                    self.begin()?;
                } else {
                    return Ok(Some(Next::Input));
                }
                Ok(None)
            }
            State::FrameHead => {
                // Its first byte says how long it is.
                if !gather(&mut self.gathered, rest, MAGIC_BYTES + 1) {
                    return Ok(Some(Next::Input));
                }
                let length = MAGIC_BYTES + frame_head_bytes(self.gathered[MAGIC_BYTES]);
                if !gather(&mut self.gathered, rest, length) {
                    return Ok(Some(Next::Input));
                }
                self.begin_frame()?;
                Ok(Some(Next::Memory))
            }
            State::Blocks(frame) if frame.is_full => {
                if frame.drain(&mut self.piece)? {
                    return Ok(Some(Next::Output(self.piece.take())));
                }
                if !frame.decoder.is_finished() {
                    return Ok(None);
                }
                frame.check()?;
                self.state = State::Magic;
                // The caller looks at all of it before it says whether it wants more.
                Ok(Some(match self.piece.is_empty() {
                    true => Next::Input,
                    false => Next::Output(self.piece.take()),
                }))
            }
            State::Blocks(frame) => {
                if !gather(&mut self.gathered, rest, BLOCK_HEAD_BYTES)
                    || !gather_block(&mut self.gathered, rest, frame.head)?
                {
                    return Ok(Some(Next::Input));
                }
                frame.decode_block(&self.gathered)?;
                self.gathered.clear();
                Ok(None)
            }
            State::SkippableLength => {
                if !gather(&mut self.gathered, rest, 4) {
                    return Ok(Some(Next::Input));
                }
                let length = self.gathered.first_chunk().copied().unwrap_or_default();
                self.gathered.clear();
                self.state = State::Skippable(u32::from_le_bytes(length).into());
                Ok(None)
            }
            State::Skippable(left) => {
                let skipped =
                    usize::try_from(*left).map_or(rest.len(), |left| left.min(rest.len()));
                *left -= skipped as u64;
                *rest = &rest[skipped..];
                if *left > 0 {
                    return Ok(Some(Next::Input));
                }
                self.state = State::Magic;
                Ok(None)
            }
            State::Behind => {
                *rest = &[];
                Ok(Some(Next::Input))
            }
        }
    }

    /// Behind a magic number.
    fn begin(&mut self) -> Result<(), Undecodable> {
        let magic = self.gathered.first_chunk().copied().unwrap_or_default();
        self.frames += 1;
        self.state = match begins(magic) {
            Begins::Frame => State::FrameHead,
            Begins::Skippable if self.frames <= MAX_FRAMES => State::SkippableLength,
            _ if self.has_data => State::Behind,
            _ => return Err(Undecodable),
        };
        if !matches!(self.state, State::FrameHead) {
            self.gathered.clear();
        }
        Ok(())
    }

    /// Behind a frame's head. Memory for its window is taken by the next call.
    fn begin_frame(&mut self) -> Result<(), Undecodable> {
        let head = FrameHead::parse(&self.gathered[MAGIC_BYTES..])?;
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW_BYTES);
        decoder.reset(&self.gathered[..]).map_err(|_| Undecodable)?;
        self.gathered.clear();
        self.has_data = true;
        self.state = State::Blocks(Box::new(Frame {
            decoder,
            head,
            is_full: false,
            decoded_bytes: 0,
        }));
        Ok(())
    }
}

impl Frame {
    /// Decodes a block that is there whole, with its head and, behind the last one, the checksum.
    fn decode_block(&mut self, block: &[u8]) -> Result<(), Undecodable> {
        self.decoder
            .decode_blocks(block, BlockDecodingStrategy::UptoBlocks(1))
            .map_err(|_| Undecodable)?;
        self.is_full = true;
        Ok(())
    }

    /// Moves what the window does not need into the piece; true when the piece is full.
    fn drain(&mut self, piece: &mut Piece) -> Result<bool, Undecodable> {
        loop {
            let mut read = Ok(0);
            piece.fill(|free| {
                read = self.decoder.read(free);
                read.as_ref().copied().unwrap_or(0)
            });
            let read_bytes = read.map_err(|_| Undecodable)?;
            self.decoded_bytes += read_bytes as u64;
            if piece.is_full() {
                return Ok(true);
            }
            if read_bytes == 0 {
                self.is_full = false;
                return Ok(false);
            }
        }
    }

    /// At its end: the decoder compares neither the checksum nor the length.
    fn check(&self) -> Result<(), Undecodable> {
        let sent = self.decoder.get_checksum_from_data();
        let is_intact = sent.is_none() || sent == self.decoder.get_calculated_checksum();
        let has_length = self
            .head
            .content_bytes
            .is_none_or(|bytes| bytes == self.decoded_bytes);
        if is_intact && has_length {
            Ok(())
        } else {
            Err(Undecodable)
        }
    }
}

/// Moves bytes until so many are gathered; true when they are.
fn gather(gathered: &mut Vec<u8>, rest: &mut &[u8], length: usize) -> bool {
    let taken = length.saturating_sub(gathered.len()).min(rest.len());
    gathered.extend_from_slice(&rest[..taken]);
    *rest = &rest[taken..];
    gathered.len() >= length
}

/// The same for what follows a block's head.
fn gather_block(
    gathered: &mut Vec<u8>,
    rest: &mut &[u8],
    frame: FrameHead,
) -> Result<bool, Undecodable> {
    let head = BlockHead::parse(gathered.first_chunk().copied().unwrap_or_default())?;
    let checksum_bytes = match head.is_last && frame.has_checksum {
        true => CHECKSUM_BYTES,
        false => 0,
    };
    let length = BLOCK_HEAD_BYTES + head.sent_bytes + checksum_bytes;
    debug_assert!(length <= BLOCK_HEAD_BYTES + MAX_BLOCK_BYTES + CHECKSUM_BYTES);
    Ok(gather(gathered, rest, length))
}
