//! The part whose data is arriving, and what it weighs.

use crate::crash::{Buffer, DumpHasher, DumpName};

use super::json::Scale;
use super::{text, weight};

/// The part whose data is arriving.
pub enum Current {
    /// Nothing can be made of it, or it is beyond a limit that costs the part and not the report.
    LeftOut,
    Text {
        name: String,
        charset: String,
        value: Buffer,
    },
    Json {
        name: String,
        text: Buffer,
        scale: Scale,
    },
    Dump {
        name: DumpName,
        /// The name is what was sent.
        is_exact: bool,
        /// Of a JSON file.
        json: Option<Scale>,
        hasher: DumpHasher,
        /// Of frames that are kept as they are.
        frames_weight: u64,
    },
}

impl Current {
    /// What was kept of it so far.
    pub fn weight(&self) -> u64 {
        match self {
            Self::LeftOut => 0,
            Self::Text {
                name,
                charset,
                value,
            } => {
                weight::block(name.capacity())
                    + weight::block(charset.capacity())
                    + weight::block(value.capacity())
            }
            Self::Json { name, text, .. } => {
                weight::block(name.capacity()) + weight::block(text.capacity())
            }
            Self::Dump {
                hasher,
                frames_weight,
                ..
            } => frames_weight + weight::dump(hasher),
        }
    }

    /// The most by which a further piece can add to that; `frame_bytes` if it is kept as it is.
    pub fn most_of_data(&self, piece_bytes: usize, frame_bytes: u64) -> u64 {
        match self {
            Self::LeftOut => 0,
            Self::Text { value: text, .. } | Self::Json { text, .. } => {
                weight::block(text.capacity_with(piece_bytes))
            }
            Self::Dump { hasher, .. } => frame_bytes + weight::dump_with(hasher, piece_bytes),
        }
    }

    /// Bytes that were kept of its data.
    pub fn data_bytes(&self) -> usize {
        match self {
            Self::LeftOut => 0,
            Self::Text { value: text, .. } | Self::Json { text, .. } => text.bytes().len(),
            Self::Dump { hasher, .. } => {
                usize::try_from(hasher.length_bytes()).unwrap_or(usize::MAX)
            }
        }
    }

    /// The most by which its end can add: what is made of it then.
    pub fn most_at_end(&self) -> u64 {
        match self {
            Self::LeftOut => 0,
            Self::Text {
                name,
                charset,
                value,
            } => {
                weight::decoding(value.bytes().len(), text::is_utf8(charset))
                    + weight::entry(name.len(), 0)
                    + weight::head(charset.len())
            }
            // What is no JSON may be a text all the same, and what is none is noted.
            Self::Json { name, scale, .. } => weight::tree(scale) + weight::entry(name.len(), 0),
            // The last small pieces move into a frame of their own.
            Self::Dump { hasher, .. } => weight::block(hasher.loose_bytes()),
        }
    }
}
