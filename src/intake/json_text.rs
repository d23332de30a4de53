//! The text of a JSON document as senders write it: not always in UTF-8, not always whole characters.
//!
//! The original's parser, Python's, takes UTF-16 and UTF-32 (Windows PowerShell writes such files), and halves of surrogate
//! pairs: JavaScript, Java and C# leave them where they cut a text inside an emoji, and write them as an escape.

use memchr::memchr2;

use super::text;

/// Bytes of one character at the most, and so as many as tell the encoding.
pub const WIDEST: usize = 4;

/// Whether a document that begins so is in UTF-16 or UTF-32: its first character is ASCII, so that in UTF-8 no NUL is among
/// the first bytes (RFC 4627, 3).
pub fn is_wide(text: &[u8]) -> bool {
    text.iter().take(WIDEST).any(|byte| *byte == 0)
}

/// The document in UTF-8, if that can be had, and whether halves of pairs became U+FFFD.
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
    while let Some(found) = text.get(at..).and_then(|rest| memchr2(b'\\', 0xed, rest)) {
        at += found;
        let rest = &mut text[at..];
        at += match half(rest) {
            None => 1 + usize::from(rest[0] == b'\\'),
            Some((Half::First, bytes)) if half(&rest[bytes..]) == Some((Half::Second, bytes)) => {
                2 * bytes
            }
            Some((kind, bytes)) => {
                is_mended = true;
                // Exactly as long as what it replaces.
                let replacement: &[u8] = match kind {
                    Half::Encoded => b"\xef\xbf\xbd",
                    Half::First | Half::Second => b"\\ufffd",
                };
                rest[..bytes].copy_from_slice(replacement);
                bytes
            }
        };
    }
    is_mended
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    First,
    Second,
    /// Not escaped: two of them make no character either.
    Encoded,
}

/// The half with which a text begins, and its length.
fn half(text: &[u8]) -> Option<(Half, usize)> {
    match text {
        [b'\\', b'u', b'd' | b'D', kind, a, b, ..]
            if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() =>
        {
            match kind.to_ascii_lowercase() {
                b'8' | b'9' | b'a' | b'b' => Some((Half::First, 6)),
                b'c'..=b'f' => Some((Half::Second, 6)),
                _ => None,
            }
        }
        [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] => Some((Half::Encoded, 3)),
        _ => None,
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
            (
                br"\\ud83d \\\ud83dx \u00e9 \",
                r"\\ud83d \\\ufffdx \u00e9 \",
            ),
            (b"\xed\xa0\x80\xed\x9f\xbf", "\u{fffd}\u{d7ff}"),
        ] {
            let is_mended = kept.contains("fffd") || kept.contains('\u{fffd}');
            assert_eq!(read(sent), (kept.to_owned(), is_mended));
        }
        assert_eq!(read(br"\ud83d\ude00"), (r"\ud83d\ude00".to_owned(), false));
    }
}
