//! Heads of zstd's frames and blocks (RFC 8878, 3.1.1).

use super::Undecodable;

/// What a decoder should take at least and at most, by RFC 8878.
pub const MAX_WINDOW_BYTES: u64 = 8 << 20;
pub const MAX_BLOCK_BYTES: usize = 128 * 1024;

/// What begins with four bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    Frame,
    /// Data that is none of the body's; its length follows.
    Skippable,
    Other,
}

pub fn begins(magic: [u8; 4]) -> Begins {
    match u32::from_le_bytes(magic) {
        0xfd2f_b528 => Begins::Frame,
        0x184d_2a50..=0x184d_2a5f => Begins::Skippable,
        _ => Begins::Other,
    }
}

/// The head of a frame, behind the magic number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHead {
    pub window_bytes: u64,
    pub content_bytes: Option<u64>,
    pub has_checksum: bool,
}

/// How long the head is, as its first byte says.
pub fn frame_head_bytes(descriptor: u8) -> usize {
    let (window, dictionary, content) = field_bytes(descriptor);
    1 + window + dictionary + content
}

fn field_bytes(descriptor: u8) -> (usize, usize, usize) {
    let is_single = descriptor & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let content = match descriptor >> 6 {
        0 => usize::from(is_single),
        more => 1 << more,
    };
    (usize::from(!is_single), dictionary, content)
}

impl FrameHead {
    /// From all bytes of the head.
    ///
    /// # Errors
    /// The window is larger than [`MAX_WINDOW_BYTES`].
    pub fn parse(head: &[u8]) -> Result<Self, Undecodable> {
        let descriptor = *head.first().ok_or(Undecodable)?;
        let (window, dictionary, content) = field_bytes(descriptor);
        let field = head.get(1 + window + dictionary..).ok_or(Undecodable)?;
        let number = field
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte));
        let content_bytes = match content {
            0 => None,
            // Smaller ones are written in one byte.
            2 => Some(number + 256),
            _ => Some(number),
        };
        let window_bytes = if window == 1 {
            let (exponent, mantissa) = (head[1] >> 3, u64::from(head[1] & 7));
            (8 + mantissa) << (7 + exponent)
        } else {
            content_bytes.unwrap_or_default()
        };
        if window_bytes > MAX_WINDOW_BYTES {
            return Err(Undecodable);
        }
        Ok(Self {
            window_bytes,
            content_bytes,
            has_checksum: descriptor & 4 != 0,
        })
    }
}

/// The three bytes before a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockHead {
    pub is_last: bool,
    /// Bytes of the block as sent, behind its head.
    pub sent_bytes: usize,
}

impl BlockHead {
    /// # Errors
    /// The block is larger than blocks may be.
    pub fn parse(head: [u8; 3]) -> Result<Self, Undecodable> {
        const ONE_BYTE_REPEATED: u8 = 1;
        let [first, second, third] = head;
        let size = usize::try_from(u32::from_le_bytes([first, second, third, 0]) >> 3);
        let size = size.map_err(|_| Undecodable)?;
        if size > MAX_BLOCK_BYTES {
            return Err(Undecodable);
        }
        let is_repeated = first >> 1 & 3 == ONE_BYTE_REPEATED;
        Ok(Self {
            is_last: first & 1 == 1,
            sent_bytes: if is_repeated { 1 } else { size },
        })
    }
}
