//! `Content-Encoding`: what is known is decoded while it arrives, everything else passed through.
//!
//! gzip always; `deflate`, `br` and `zstd` where the operator wants them.

mod brotli;
mod inflate;
mod piece;
#[cfg(test)]
mod tests;
mod zstd;
mod zstd_head;

use bytes::Bytes;

use super::Malformed;
use brotli::BrotliDecoder;
use inflate::Inflate;
pub use piece::PIECE_BYTES;
use zstd::ZstdDecoder;

/// An encoding that can be decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    Gzip,
    /// zlib's wrapping (RFC 1950), as RFC 9110 says, or bare (RFC 1951), as some clients send.
    Deflate,
    Brotli,
    Zstd,
}

/// Encodings besides gzip that are decoded. The others are passed over, as recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExtraEncodings {
    pub deflate: bool,
    pub brotli: bool,
    pub zstd: bool,
}

impl ExtraEncodings {
    pub const ALL: Self = Self {
        deflate: true,
        brotli: true,
        zstd: true,
    };
}

/// Nobody applies more encodings to one body; a longer list is passed over.
const MOST_ENCODINGS: usize = 3;

/// The known encodings of a body, in the order in which they were applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encodings([Option<Encoding>; MOST_ENCODINGS]);

impl Encodings {
    /// From the values of all `Content-Encoding` headers: lists (RFC 9110, 5.6.1), in which empty names, `identity` and
    /// unknown names say nothing.
    pub fn of<'a>(values: impl Iterator<Item = &'a [u8]>) -> Self {
        let names = values.flat_map(|value| value.split(|byte| *byte == b','));
        let mut known = names.filter_map(|name| Encoding::named(name.trim_ascii()));
        let encodings = Self(std::array::from_fn(|_| known.next()));
        if known.next().is_some() {
            Self::default()
        } else {
            encodings
        }
    }

    /// Those that are to be decoded, in this order: gzip, and the extra ones that are on.
    pub fn to_decode(self, extra: ExtraEncodings) -> impl Iterator<Item = Encoding> {
        let known = self.0.into_iter().rev().flatten();
        known.filter(move |encoding| match encoding {
            Encoding::Gzip => true,
            Encoding::Deflate => extra.deflate,
            Encoding::Brotli => extra.brotli,
            Encoding::Zstd => extra.zstd,
        })
    }
}

impl Encoding {
    /// In any case; `x-gzip` is an older name of gzip (RFC 9110, 8.4.1.3).
    pub fn named(name: &[u8]) -> Option<Self> {
        let known = [
            (&b"gzip"[..], Self::Gzip),
            (b"x-gzip", Self::Gzip),
            (b"deflate", Self::Deflate),
            (b"br", Self::Brotli),
            (b"zstd", Self::Zstd),
        ];
        let mut known = known.into_iter();
        known
            .find(|(known, _)| name.eq_ignore_ascii_case(known))
            .map(|(_, encoding)| encoding)
    }

    /// Whether a body that begins so is a form and not in this encoding: a proxy has decoded it and left the header.
    ///
    /// gzip and zstd begin with a magic number, a form with its first delimiter. deflate and brotli may begin with any
    /// byte: there nothing can be told.
    pub fn is_decoded_already(self, first: u8) -> bool {
        matches!(self, Self::Gzip | Self::Zstd) && matches!(first, b'-' | b'\r' | b'\n')
    }

    /// Why a body that does not decode is malformed: the original's code for gzip, one of ours for what it does not know.
    pub fn malformed(self) -> Malformed {
        match self {
            Self::Gzip => Malformed::BadGzip,
            Self::Deflate | Self::Brotli | Self::Zstd => Malformed::BadEncoding,
        }
    }
}

/// The body is not of its encoding, is damaged, or ends too early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undecodable;

/// What a call has done, and what comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How many bytes of the input are done with.
    pub done_bytes: usize,
    pub next: Next,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// The rest of the input, or more of it.
    Input,
    /// A piece of what was decoded. There may be more, even without input.
    Output(Bytes),
    /// The next call takes memory: see [`Decoder::memory_bytes`].
    Memory,
}

/// What the caller knows.
#[derive(Clone, Copy, Debug)]
pub struct Hint {
    /// A further member is of interest: behind a complete form it is not.
    pub wants_more: bool,
    /// The body ends behind this input.
    pub is_end: bool,
}

/// Decodes one body.
pub trait Decoder: Send {
    /// Decodes `input` up to its end, the end of a member, or a full piece of output.
    ///
    /// # Errors
    /// [`Undecodable`]; nothing more can be decoded afterwards.
    fn decode(&mut self, input: &[u8], hint: Hint) -> Result<Step, Undecodable>;

    /// Bytes of memory that the decoder occupies now, or takes at its first call, besides a piece.
    fn memory_bytes(&self) -> u64;

    /// What is decoded but does not fill a piece; `None` if the body ended too early.
    fn finish(&mut self) -> Option<Bytes>;
}

pub fn decoder(encoding: Encoding) -> Box<dyn Decoder> {
    match encoding {
        Encoding::Gzip => Box::new(Inflate::gzip()),
        Encoding::Deflate => Box::new(Inflate::deflate()),
        Encoding::Brotli => Box::<BrotliDecoder>::default(),
        Encoding::Zstd => Box::<ZstdDecoder>::default(),
    }
}

#[cfg(test)]
mod names {
    use super::*;

    #[test]
    fn names_of_encodings() {
        let none = ExtraEncodings::default();
        let all = ExtraEncodings::ALL;
        for (name, encoding) in [
            ("gzip", Encoding::Gzip),
            (" GZIP", Encoding::Gzip),
            ("x-gzip", Encoding::Gzip),
            ("deflate", Encoding::Deflate),
            ("Br", Encoding::Brotli),
            ("zstd ", Encoding::Zstd),
        ] {
            assert_eq!(to_decode(&[name], all), [encoding], "{name}");
            let without = Some(encoding).filter(|encoding| *encoding == Encoding::Gzip);
            assert_eq!(to_decode(&[name], none), Vec::from_iter(without), "{name}");
        }
        for name in ["", "identity", "brotli", "gzip;q=1", "gzip deflate"] {
            assert_eq!(to_decode(&[name], all), [], "{name}");
        }
        assert_eq!(to_decode(&[], all), []);
    }

    /// RFC 9110, 5.6.1 and 8.4: in the order in which they were applied.
    #[test]
    fn encodings_are_a_list() {
        let all = ExtraEncodings::ALL;
        for values in [
            &["gzip,"][..],
            &["identity, gzip"],
            &["gzip, identity"],
            &[",, gzip ,"],
            &["identity", "gzip"],
            &["", "GZIP\t"],
            &["unknown, gzip"],
        ] {
            assert_eq!(to_decode(values, all), [Encoding::Gzip], "{values:?}");
        }
        let two = [Encoding::Zstd, Encoding::Gzip];
        assert_eq!(to_decode(&["gzip, zstd"], all), two);
        assert_eq!(to_decode(&["x-gzip", "zstd"], all), two);
        assert_eq!(to_decode(&["gzip, gzip, gzip, gzip"], all), []);
    }

    fn to_decode(values: &[&str], extra: ExtraEncodings) -> Vec<Encoding> {
        let values = values.iter().map(|value| value.as_bytes());
        Encodings::of(values).to_decode(extra).collect()
    }
}
