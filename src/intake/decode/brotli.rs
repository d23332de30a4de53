//! Brotli (RFC 7932).

use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::Bytes;

use super::piece::Piece;
use super::{Decoder, Hint, Next, Step, Undecodable};

/// The decoder looks at this much of the body at a time, however it arrives: whether damage or a limit is met first
/// depends on it.
const BLOCK_BYTES: usize = 2 * 1024;
/// The most that all tables of a stream take, besides its window: three kinds of 256 Huffman codes, and their maps.
const TABLES_BYTES: u64 = 4 << 20;

type Stream = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

/// Decodes one body. Brotli knows no members; what follows the stream is passed over, as with gzip.
#[derive(Default)]
pub struct BrotliDecoder {
    state: State,
    /// What has come of the body's current block, and how much of that is done with.
    block: Vec<u8>,
    done_bytes: usize,
    piece: Piece,
}

#[derive(Default)]
enum State {
    #[default]
    Start,
    /// With the memory that it needs, in bytes.
    Stream(Box<Stream>, u64),
    Behind,
}

impl Decoder for BrotliDecoder {
    fn decode(&mut self, input: &[u8], hint: Hint) -> Result<Step, Undecodable> {
        let taken = input.len().min(BLOCK_BYTES - self.block.len());
        self.block.extend_from_slice(&input[..taken]);
        let is_due = self.block.len() == BLOCK_BYTES || hint.is_end;
        let next = if is_due && !self.block.is_empty() {
            self.decode_block()?
        } else {
            Next::Input
        };
        Ok(Step {
            done_bytes: taken,
            next,
        })
    }

    fn memory_bytes(&self) -> u64 {
        match self.state {
            State::Stream(_, bytes) => bytes,
            State::Start | State::Behind => 0,
        }
    }

    /// Nothing, if the stream has ended: its end hands out everything.
    fn finish(&mut self) -> Option<Bytes> {
        matches!(self.state, State::Behind).then(|| self.piece.take())
    }
}

impl BrotliDecoder {
    fn decode_block(&mut self) -> Result<Next, Undecodable> {
        match &mut self.state {
            State::Start => {
                let needed_bytes = window_bytes(self.block[0])? + TABLES_BYTES;
                let [bytes, words, codes] = [StandardAlloc::default(); 3];
                // Strict: without the windows of up to 1 GiB that are no part of the RFC.
                let stream = Box::new(BrotliState::new_strict(bytes, words, codes));
                self.state = State::Stream(stream, needed_bytes);
                return Ok(Next::Memory);
            }
            State::Stream(stream, _) => {
                let block = &self.block[self.done_bytes..];
                let (result, consumed) = decode_some(stream, block, &mut self.piece);
                self.done_bytes += consumed;
                match result {
                    BrotliResult::NeedsMoreOutput => return Ok(Next::Output(self.piece.take())),
                    BrotliResult::NeedsMoreInput => {}
                    BrotliResult::ResultSuccess => self.state = State::Behind,
                    BrotliResult::ResultFailure => return Err(Undecodable),
                }
            }
            State::Behind => {}
        }
        self.block.clear();
        self.done_bytes = 0;
        // The caller looks at all of the stream before it says whether it wants more.
        let has_ended = matches!(self.state, State::Behind) && !self.piece.is_empty();
        Ok(if self.piece.is_full() || has_ended {
            Next::Output(self.piece.take())
        } else {
            Next::Input
        })
    }
}

/// One call of the decoder into what is free of the piece, and how many bytes it consumed.
fn decode_some(stream: &mut Stream, input: &[u8], piece: &mut Piece) -> (BrotliResult, usize) {
    let (mut left, mut consumed, mut written, mut total) = (input.len(), 0, 0, 0);
    let mut result = BrotliResult::ResultFailure;
    piece.fill(|free| {
        let mut free_bytes = free.len();
        result = BrotliDecompressStream(
            &mut left,
            &mut consumed,
            input,
            &mut free_bytes,
            &mut written,
            free,
            &mut total,
            stream,
        );
        written
    });
    (result, consumed)
}

/// The window from the stream's first byte (RFC 7932, 9.1): up to 16 MiB.
fn window_bytes(first: u8) -> Result<u64, Undecodable> {
    let bits = match (first & 1, first >> 1 & 7, first >> 4 & 7) {
        (0, _, _) => 16,
        (_, 0, 0) => 17,
        (_, 0, 1) => return Err(Undecodable),
        (_, 0, more) => 8 + more,
        (_, more, _) => 17 + more,
    };
    Ok(1 << bits)
}
