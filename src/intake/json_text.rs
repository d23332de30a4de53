//! The text of a JSON document as senders write it: not always in UTF-8, not always whole characters.
//!
//! The original's parser, Python's, takes UTF-16 and UTF-32 (Windows PowerShell writes such files), and halves of surrogate
//! pairs: JavaScript, Java and C# leave them where they cut a text inside an emoji, and write them as an escape.

use super::text;

/// Bytes of one character at the most, and so as many as tell the encoding.
pub const WIDEST: usize = 4;
const ESCAPE_BYTES: usize = "\\ud800".len();
/// What takes the place of half a pair is exactly as long.
const REPLACEMENT_ESCAPED: &[u8; ESCAPE_BYTES] = b"\\ufffd";
const REPLACEMENT: &[u8; 3] = b"\xef\xbf\xbd";

/// Whether a document that begins so is in UTF-16 or UTF-32: its first character is ASCII, so that in UTF-8 no NUL is among
/// the first bytes (RFC 4627, 3).
pub fn is_wide(text: &[u8]) -> bool {
    text.iter().take(WIDEST).any(|byte| *byte == 0)
}

/// The document in UTF-8 without a byte order mark, if that can be had, and whether halves of pairs became U+FFFD.
pub fn readable(mut text: Vec<u8>) -> (Vec<u8>, bool) {
    if is_wide(&text) {
        let charset = match text.as_slice() {
            [0, 0, ..] => "utf-32be",
            [_, 0, 0, 0, ..] | [0xff, 0xfe, 0, 0, ..] => "utf-32le",
            [0, ..] | [0xfe, 0xff, ..] => "utf-16be",
            _ => "utf-16le",
        };
        if let Ok(decoded) = text::decode(charset, text.clone()) {
            text = decoded.into_bytes();
        }
    }
    let is_mended = mend_halves(&mut text);
    (text, is_mended)
}

/// Puts U+FFFD in place of halves of surrogate pairs, be they escaped or encoded as if they were characters.
fn mend_halves(text: &mut [u8]) -> bool {
    let (mut at, mut is_mended) = (0, false);
    while let Some(found) = memchr::memchr2(b'\\', 0xed, &text[at..]) {
        at += found;
        let rest = &mut text[at..];
        at += match Half::at(rest) {
            None if rest[0] == b'\\' => 2,
            None => 1,
            Some(Half::EscapedHigh) if Half::at(&rest[ESCAPE_BYTES..]) == Some(Half::EscapedLow) => {
                2 * ESCAPE_BYTES
            }
            Some(Half::Encoded) => {
                rest[..REPLACEMENT.len()].copy_from_slice(REPLACEMENT);
                is_mended = true;
                REPLACEMENT.len()
            }
            Some(Half::EscapedHigh | Half::EscapedLow) => {
                rest[..ESCAPE_BYTES].copy_from_slice(REPLACEMENT_ESCAPED);
                is_mended = true;
                ESCAPE_BYTES
            }
        };
        at = at.min(text.len());
    }
    is_mended
}

/// Half of a surrogate pair.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    EscapedHigh,
    EscapedLow,
    Encoded,
}

impl Half {
    /// The one with which a text begins.
    fn at(text: &[u8]) -> Option<Self> {
        match text {
            [b'\\', b'u', b'd' | b'D', kind, a, b, ..]
                if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() =>
            {
                match kind {
                    b'8' | b'9' | b'a' | b'b' | b'A' | b'B' => Some(Self::EscapedHigh),
                    b'c'..=b'f' | b'C'..=b'F' => Some(Self::EscapedLow),
                    _ => None,
                }
            }
            [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => Some(Self::Encoded),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> (String, bool) {
        let (text, is_mended) = readable(text.to_vec());
        (String::from_utf8_lossy(&text).into_owned(), is_mended)
    }

    #[test]
    fn wide_documents_become_utf_8() {
        let text = "{\"\u{2200}\": \"\u{1f98a}\"}";
        let units: Vec<u16> = text.encode_utf16().collect();
        let chars: Vec<u32> = text.chars().map(u32::from).collect();
        let of_units = |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> {
            units.iter().flat_map(|unit| bytes(*unit)).collect()
        };
        let of_chars = |bytes: fn(u32) -> [u8; 4]| -> Vec<u8> {
            chars.iter().flat_map(|unit| bytes(*unit)).collect()
        };
        for (mark, wide) in [
            (&b"\xff\xfe"[..], of_units(u16::to_le_bytes)),
            (b"\xfe\xff", of_units(u16::to_be_bytes)),
            (b"\xff\xfe\0\0", of_chars(u32::to_le_bytes)),
            (b"\0\0\xfe\xff", of_chars(u32::to_be_bytes)),
        ] {
            assert!(is_wide(&wide) && is_wide(&[mark, &wide].concat()));
            assert_eq!(read(&wide), (text.to_owned(), false));
            let marked = [mark, &wide].concat();
            assert_eq!(read(&marked), (format!("\u{feff}{text}"), false));
        }
        assert!(!is_wide(text.as_bytes()) && !is_wide(b""));
    }

    #[test]
    fn half_a_pair_is_a_replacement_character() {
        for (sent, kept) in [
            (&br"cut \ud83d"[..], r"cut \ufffd"),
            (br"\ud83d\ud83D\uDD8A \udd8a", r"\ufffd\ud83D\uDD8A \ufffd"),
            (br"\\ud83d \\\ud83dx \u00e9 \", r"\\ud83d \\\ufffdx \u00e9 \"),
            (b"\xed\xa0\x80\xed\x9f\xbf", "\u{fffd}\u{d7ff}"),
        ] {
            let is_mended = kept.contains("fffd") || kept.contains('\u{fffd}');
            assert_eq!(read(sent), (kept.to_owned(), is_mended));
        }
        assert_eq!(read(br"\ud83d\ude00"), (r"\ud83d\ude00".to_owned(), false));
    }
}
