//! Bodies of all kinds: what clients send, and what somebody sends who wants the collector's memory.

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use antenna::intake::{Encodings, Head, Limits};

use super::dice::Dice;
use super::limits;

const LONGEST_HEAD: usize = 8000;

/// A request's body, with what its head says about it.
pub struct Body {
    content_type: String,
    encoding: Option<&'static str>,
    pub wire: Vec<u8>,
    pub limits: Limits,
}

impl Body {
    pub fn head(&self) -> Head<'_> {
        Head {
            content_type: Some(self.content_type.as_bytes()),
            encodings: Encodings::of(self.encoding.map(str::as_bytes).into_iter()),
            content_length_bytes: Some(self.wire.len() as u64),
            is_chunked: false,
            query: None,
        }
    }
}

pub fn body(dice: &mut Dice) -> Body {
    let boundary = dice.one_of(&[
        "x",
        "----boundary",
        "---------------------------0A1B2C3D4E5F6071",
    ]);
    let mut form = Vec::new();
    if dice.one_in(10) {
        form.extend(text(dice, 2000));
    }
    let parts = dice.size(300);
    let most_bytes = if dice.one_in(200) { 200_000 } else { 8_000 };
    let alike = dice.one_in(2).then(|| Kind::any(dice));
    let most_form_bytes = if dice.one_in(200) { 300_000 } else { 10_000 };
    for number in 0..parts {
        if form.len() > most_form_bytes {
            break;
        }
        form.extend(format!("--{boundary}\r\n").bytes());
        let kind = alike.unwrap_or_else(|| Kind::any(dice));
        kind.write(number, dice, most_bytes, &mut form);
        form.extend(b"\r\n");
    }
    form.extend(format!("--{boundary}--\r\n").bytes());
    spoil(dice, &mut form);
    let (encoding, mut wire) = encoded(dice, form);
    spoil(dice, &mut wire);
    Body {
        content_type: format!("multipart/form-data; boundary=\"{boundary}\""),
        encoding,
        wire,
        limits: limits(dice),
    }
}

/// One in five is cut, one in ten has a wrong byte.
fn spoil(dice: &mut Dice, bytes: &mut Vec<u8>) {
    if dice.one_in(5) {
        bytes.truncate(dice.size(bytes.len()));
    }
    if dice.one_in(10) && !bytes.is_empty() {
        let at = dice.between(0, bytes.len() as u64 - 1) as usize;
        bytes[at] ^= 1 << dice.between(0, 7);
    }
}

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Json,
    Dump,
    Nameless,
    Head,
}

impl Kind {
    fn any(dice: &mut Dice) -> Self {
        match dice.between(0, 9) {
            0..=3 => Self::Text,
            4 => Self::Json,
            5..=7 => Self::Dump,
            8 => Self::Nameless,
            _ => Self::Head,
        }
    }

    fn write(self, number: usize, dice: &mut Dice, most_bytes: usize, form: &mut Vec<u8>) {
        let name = match dice.between(0, 9) {
            0 => long(dice, LONGEST_HEAD / 2),
            1 => "same".to_owned(),
            3 => "extra".to_owned(),
            2 => String::new(),
            _ => format!("n{number}"),
        };
        let mut head = format!("Content-Disposition: form-data; name=\"{name}\"");
        let data = match self {
            Self::Text => {
                if dice.one_in(2) {
                    head += &format!("\r\nContent-Type: text/plain; charset={}", charset(dice));
                }
                text(dice, most_bytes)
            }
            Self::Json => {
                head += "\r\nContent-Type: application/json";
                let mut json = json(dice, most_bytes);
                if dice.one_in(8) {
                    json = wide(&json);
                }
                if dice.one_in(4) {
                    head += "\r\nContent-Transfer-Encoding: base64";
                    STANDARD.encode(json).into_bytes()
                } else {
                    json
                }
            }
            Self::Dump => {
                head += &format!("; filename=\"{}\"", long(dice, 200));
                let content_type = match dice.between(0, 3) {
                    0 => long(dice, LONGEST_HEAD / 2),
                    _ => "application/octet-stream".to_owned(),
                };
                head += &format!("\r\nContent-Type: {content_type}");
                text(dice, most_bytes)
            }
            Self::Nameless => {
                head = format!("X-Other: {}", long(dice, LONGEST_HEAD));
                text(dice, most_bytes)
            }
            Self::Head => {
                head += &long(dice, LONGEST_HEAD);
                Vec::new()
            }
        };
        form.extend(head.bytes());
        form.extend(b"\r\n\r\n");
        form.extend(data);
    }
}

fn charset(dice: &mut Dice) -> String {
    let known = [
        "utf-8",
        "latin-1",
        "utf-16",
        "windows-1252",
        "gbk",
        "shift_jis",
        "utf-16be",
        "koi8-r",
        "x-mac-cyrillic",
    ];
    match dice.between(0, 9) {
        0 => long(dice, LONGEST_HEAD / 2),
        _ => dice.one_of(&known).to_owned(),
    }
}

/// A run of one character, as those run out of memory first that are escaped.
fn long(dice: &mut Dice, most_bytes: usize) -> String {
    let character = dice.one_of(&[
        "a", "\u{7f}", "\u{e9}", "\u{20ac}", "\\", "%41", ";", "=", ";a=",
    ]);
    character.repeat(dice.size(most_bytes / character.len()))
}

fn text(dice: &mut Dice, most_bytes: usize) -> Vec<u8> {
    let pattern: &[u8] = dice.one_of(&[
        &b"a"[..],
        b"\x7f",
        b"\0",
        b"\xe9",
        b"\x80",
        b"\"",
        b"\\",
        b"\xc3\xa9",
        b"\xf0\x9f\xa6\x8a",
        b"\xe2\x82\xac",
        b"MDMP\x93\xa7\0\0",
        b"\r\n--",
    ]);
    pattern.repeat(dice.size(most_bytes / pattern.len()))
}

/// Often one value again and again, as those are the worst; otherwise anything, nested.
fn json(dice: &mut Dice, most_bytes: usize) -> Vec<u8> {
    if dice.one_in(3) {
        return nested(dice, 4).into_bytes();
    }
    let value = dice.one_of(&[
        "0",
        "{}",
        "[]",
        "[0]",
        "{\"\":0}",
        "\"\"",
        "\"\\n\"",
        "null",
        "1e9",
        "[[[[]]]]",
        "\"\u{20ac}\"",
        "{\"a\":{\"b\":{}}}",
        "[{}]",
        "123456789012345678901234567890",
        "{\"a\":1,\"b\":2,\"c\":3}",
    ]);
    let (times, as_members) = (dice.size(most_bytes / (value.len() + 1)), dice.one_in(3));
    let values: Vec<String> = (0..times)
        .map(|n| {
            if as_members {
                format!("\"{n}\":{value}")
            } else {
                value.to_owned()
            }
        })
        .collect();
    let values = values.join(",");
    if as_members {
        format!("{{{values}}}")
    } else {
        format!("{{\"a\":[{values}]}}")
    }
    .into_bytes()
}

/// In UTF-16, as Windows PowerShell writes it.
fn wide(json: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(json);
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn nested(dice: &mut Dice, depth: usize) -> String {
    let count = dice.size(30);
    let value = |dice: &mut Dice| match dice.between(0, 5) {
        0 if depth > 0 => nested(dice, depth - 1),
        1 => format!("\"{}\"", "x".repeat(dice.size(300))),
        2 => format!("[{}]", vec!["1"; dice.size(40)].join(",")),
        3 => "9".repeat(dice.size(200) + 1),
        _ => "true".to_owned(),
    };
    let members: Vec<_> = (0..count)
        .map(|n| format!("\"{n}\":{}", value(dice)))
        .collect();
    format!("{{{}}}", members.join(","))
}

fn encoded(dice: &mut Dice, form: Vec<u8>) -> (Option<&'static str>, Vec<u8>) {
    let level = flate2::Compression::fast();
    match dice.between(0, 5) {
        0 | 1 => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), level);
            encoder.write_all(&form).unwrap();
            (Some("gzip"), encoder.finish().unwrap())
        }
        2 => {
            let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), level);
            encoder.write_all(&form).unwrap();
            (Some("deflate"), encoder.finish().unwrap())
        }
        3 => {
            let level = ruzstd::encoding::CompressionLevel::Fastest;
            (
                Some("zstd"),
                ruzstd::encoding::compress_to_vec(&form[..], level),
            )
        }
        _ => (None, form),
    }
}
