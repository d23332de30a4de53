//! JSON text as Python's `json.dumps(sort_keys=True)` writes it: separators `", "` and `": "`, ASCII only.
//!
//! Processors compare and hash stored documents, so both collectors must write the same bytes.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

/// `value` as one line of ASCII JSON. Maps come out in their own order (ours are sorted).
///
/// # Panics
/// Never for JSON values: writing to memory cannot fail and all keys are strings.
pub fn to_python_json<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    let mut text = Vec::new();
    write_python_json(&mut text, value).expect("a JSON value with string keys written to memory");
    text
}

/// Writes `value` as [`to_python_json`] does.
///
/// # Errors
/// Those of `out`, and keys that are no strings.
pub fn write_python_json<T: Serialize + ?Sized>(
    out: &mut impl Write,
    value: &T,
) -> serde_json::Result<()> {
    value.serialize(&mut Serializer::with_formatter(out, PythonFormatter))
}

struct PythonFormatter;

impl Formatter for PythonFormatter {
    fn begin_array_value<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        if first { Ok(()) } else { out.write_all(b", ") }
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn write_number_str<W: ?Sized + Write>(&mut self, out: &mut W, text: &str) -> io::Result<()> {
        out.write_all(number_text(text).as_bytes())
    }

    fn write_string_fragment<W: ?Sized + Write>(
        &mut self,
        out: &mut W,
        text: &str,
    ) -> io::Result<()> {
        let mut rest = text;
        while let Some(at) = rest.bytes().position(|byte| byte >= 0x7f) {
            out.write_all(&rest.as_bytes()[..at])?;
            let Some(c) = rest[at..].chars().next() else {
                break;
            };
            write_escaped(out, c)?;
            rest = &rest[at + c.len_utf8()..];
        }
        out.write_all(rest.as_bytes())
    }
}

/// `\uXXXX`, as a surrogate pair beyond the basic plane. Python escapes DEL as well.
fn write_escaped<W: ?Sized + Write>(out: &mut W, c: char) -> io::Result<()> {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut units = [0; 2];
    c.encode_utf16(&mut units).iter().try_for_each(|unit| {
        let digit = |shift: u16| DIGITS[usize::from(unit >> shift & 0xf)];
        out.write_all(&[b'\\', b'u', digit(12), digit(8), digit(4), digit(0)])
    })
}

/// A JSON number as Python prints it: `1e3` is `1000.0`, `-0` is `0`, integers of any length stay exact.
pub(super) fn number_text(text: &str) -> String {
    if !text.contains(['.', 'e', 'E']) {
        return if text == "-0" {
            "0".to_owned()
        } else {
            text.to_owned()
        };
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => float_repr(number),
        // Python would write `Infinity`, which is not JSON: the client's own text is.
        _ => text.to_owned(),
    }
}

/// Python's `repr(float)`: shortest digits, exponent below 1e-4 and from 1e16.
fn float_repr(number: f64) -> String {
    let magnitude = number.abs();
    if number == 0.0 || (1e-4..1e16).contains(&magnitude) {
        return format!("{number:?}");
    }
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn written(value: &Value) -> String {
        String::from_utf8(to_python_json(value)).unwrap()
    }

    #[test]
    fn separators_and_order_are_pythons() {
        assert_eq!(
            written(&json!({"b": [1, 2], "a": {}, "\u{e9}": []})),
            r#"{"a": {}, "b": [1, 2], "\u00e9": []}"#
        );
    }

    #[test]
    fn only_ascii_is_written() {
        assert_eq!(
            written(&json!("é🦊\u{7f}\n\u{1}\"\\/")),
            "\"\\u00e9\\ud83e\\udd8a\\u007f\\n\\u0001\\\"\\\\/\""
        );
    }

    #[test]
    fn numbers_look_like_pythons() {
        for (sent, kept) in [
            ("1.0", "1.0"),
            ("1e3", "1000.0"),
            ("1E-7", "1e-07"),
            ("-0", "0"),
            ("-0.0", "-0.0"),
            ("123456789.123456789", "123456789.12345679"),
            ("1e22", "1e+22"),
            ("1e16", "1e+16"),
            ("9999999999999998.0", "9999999999999998.0"),
            ("2.5e-300", "2.5e-300"),
            ("0.0001", "0.0001"),
            ("18446744073709551616", "18446744073709551616"),
            ("1e400", "1e+400"),
        ] {
            let value: Value = serde_json::from_str(sent).unwrap();
            assert_eq!(written(&value), kept, "{sent}");
        }
    }
}
