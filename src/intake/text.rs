//! Text of annotations: bytes and a charset's name to a string, strictly.

use encoding_rs::{Encoding, REPLACEMENT, X_USER_DEFINED};

/// The charset is not known, or the bytes are not text in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownText;

/// True for a charset whose text is its bytes, so that decoding makes no copy.
pub fn is_utf8(charset: &str) -> bool {
    charset == "utf-8"
}

/// Decodes without replacing anything: a byte that means nothing is an error.
///
/// Names are taken as Python takes them (any case, `-` and `_` alike) where the original accepts them; the rest are the
/// labels of the WHATWG Encoding Standard. Charsets that exist in Python only are unknown.
///
/// # Errors
/// [`UnknownText`], without saying which byte: the value may be private.
pub fn decode(charset: &str, bytes: Vec<u8>) -> Result<String, UnknownText> {
    // Nearly always: no other form of the name needs to be looked at.
    if is_utf8(charset) {
        return String::from_utf8(bytes).map_err(|_| UnknownText);
    }
    let label: String = charset
        .trim()
        .chars()
        .map(|c| {
            if c == '_' || c == ' ' {
                '-'
            } else {
                c.to_ascii_lowercase()
            }
        })
        .collect();
    match label.as_str() {
        "utf-8" | "utf8" | "u8" => String::from_utf8(bytes).map_err(|_| UnknownText),
        "ascii" | "us-ascii" | "646" if bytes.is_ascii() => {
            String::from_utf8(bytes).map_err(|_| UnknownText)
        }
        "ascii" | "us-ascii" | "646" => Err(UnknownText),
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "8859" | "cp819" | "l1" => {
            Ok(encoding_rs::mem::decode_latin1(&bytes).into_owned())
        }
        "utf-16" | "utf16" | "u16" => match bytes.as_slice() {
            [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
            [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
            rest => utf16(rest, u16::from_le_bytes),
        },
        "utf-16le" | "utf-16-le" => utf16(&bytes, u16::from_le_bytes),
        "utf-16be" | "utf-16-be" => utf16(&bytes, u16::from_be_bytes),
        "utf-32" | "utf32" | "u32" => match bytes.as_slice() {
            [0xff, 0xfe, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes),
            [0, 0, 0xfe, 0xff, rest @ ..] => utf32(rest, u32::from_be_bytes),
            rest => utf32(rest, u32::from_le_bytes),
        },
        "utf-32le" | "utf-32-le" => utf32(&bytes, u32::from_le_bytes),
        "utf-32be" | "utf-32-be" => utf32(&bytes, u32::from_be_bytes),
        _ => by_label(&label, charset, &bytes),
    }
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Result<String, UnknownText> {
    let (units, odd) = bytes.as_chunks::<4>();
    let chars = units.iter().map(|bytes| char::from_u32(unit(*bytes)));
    let text: Option<String> = chars.collect();
    text.filter(|_| odd.is_empty()).ok_or(UnknownText)
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, UnknownText> {
    let (pairs, odd) = bytes.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(UnknownText);
    }
    char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .collect::<Result<_, _>>()
        .map_err(|_| UnknownText)
}

fn by_label(label: &str, as_sent: &str, bytes: &[u8]) -> Result<String, UnknownText> {
    let encoding = Encoding::for_label(label.as_bytes())
        .or_else(|| Encoding::for_label(as_sent.as_bytes()))
        .filter(|encoding| *encoding != REPLACEMENT && *encoding != X_USER_DEFINED)
        .ok_or(UnknownText)?;
    let decoded = encoding.decode_without_bom_handling_and_without_replacement(bytes);
    decoded.map(Into::into).ok_or(UnknownText)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_charsets_are_decoded() {
        for (charset, bytes, text) in [
            ("utf-8", "\u{feff}bom".as_bytes(), "\u{feff}bom"),
            ("UTF_8", b"a", "a"),
            ("iso-8859-1", b"caf\xe9\x80", "caf\u{e9}\u{80}"),
            ("windows-1252", b"\x93\x80", "\u{201c}\u{20ac}"),
            ("utf-16", b"\xff\xfeh\0\xe9\0", "h\u{e9}"),
            ("utf-16le", b"h\0", "h"),
            ("utf-32", b"\0\0\xfe\xff\0\x01\xf9\x8a", "\u{1f98a}"),
            ("UTF-32LE", b"h\0\0\0", "h"),
            ("euc-kr", b"\xc7\xd1\xb1\xb9", "\u{d55c}\u{ad6d}"),
            ("shift_jis", b"\x83\x41", "\u{30a2}"),
        ] {
            assert_eq!(
                decode(charset, bytes.to_vec()).as_deref(),
                Ok(text),
                "{charset}"
            );
        }
    }

    #[test]
    fn nothing_is_guessed() {
        for (charset, bytes) in [
            ("utf-8", &b"\xff"[..]),
            ("utf-8", b"abc\xe2\x82"),
            ("utf-8", b"\xc0\xaf"),
            ("us-ascii", b"\xe9"),
            ("utf-16", b"a"),
            ("utf-16le", b"\x00\xd8"),
            ("utf-32le", b"\x00\xd8\0\0"),
            ("utf-32", b"h\0\0"),
            ("foo-unknown", b"v"),
            ("", b"v"),
            ("unicode_escape", b"\\u00e9"),
        ] {
            assert_eq!(
                decode(charset, bytes.to_vec()),
                Err(UnknownText),
                "{charset}"
            );
        }
    }
}
