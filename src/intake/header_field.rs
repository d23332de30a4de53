//! Header fields by their grammar: of a request (RFC 9110) and of a part (RFC 822, 2045, 2183, 5987, 2231, 7578).
//!
//! Where the standards leave a value open, it is read as the original's parser, Python's, reads it.

use std::borrow::Cow;

use super::text;

/// JavaMail makes a piece of each 60 characters: these are more than a head has room for.
const MOST_PIECES: usize = 200;

/// The fields of a part's head, in their order: name and unfolded value, without the spaces around them.
///
/// Lines end with CR LF; a bare line feed belongs to its line. A line that begins with a space or a tab continues the one
/// before it (RFC 822, 3.1.1). Lines without a colon are passed over.
pub fn fields(block: &[u8]) -> impl Iterator<Item = (&[u8], Cow<'_, [u8]>)> {
    lines(block).filter_map(|line| {
        let at = memchr::memchr(b':', line)?;
        let value = without_comments(unfolded(line[at + 1..].trim_ascii()));
        Some((line[..at].trim_ascii_end(), value))
    })
}

/// Lines with all that continue them.
fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(block);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = memchr::memchr_iter(b'\r', text).find(|at| {
            let behind = &text[at + 1..];
            behind.starts_with(b"\n") && !matches!(behind.get(1), Some(b' ' | b'\t'))
        });
        rest = end.map(|at| &text[at + 2..]);
        Some(end.map_or(text, |at| &text[..at]))
    })
}

/// Takes the line ends out of a line with continuations; the spaces behind them stay.
fn unfolded(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memmem::find(value, b"\r\n").is_none() {
        return value.into();
    }
    let mut whole = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memmem::find(rest, b"\r\n") {
        whole.extend_from_slice(&rest[..at]);
        rest = &rest[at + 2..];
    }
    whole.extend_from_slice(rest);
    whole.into()
}

/// Takes out comments (RFC 822, 3.4.3): not of quoted text, and not of a word, as in `log(1)`.
fn without_comments(value: Cow<'_, [u8]>) -> Cow<'_, [u8]> {
    if memchr::memchr(b'(', &value).is_none() {
        return value;
    }
    let mut kept: Vec<u8> = Vec::with_capacity(value.len());
    // A quote counts where a value begins, as for parameters.
    let (mut rest, mut is_quoted, mut is_value_next) = (&value[..], false, false);
    while let Some((byte, behind)) = rest.split_first() {
        let is_in_word = kept.last().is_some_and(|byte| !b" \t;\"".contains(byte));
        if *byte == b'(' && !is_quoted && !is_in_word {
            let Some(bytes) = comment_bytes(rest) else {
                break;
            };
            rest = &rest[bytes..];
            continue;
        }
        let escaped = (*byte == b'\\' && is_quoted)
            .then(|| behind.first())
            .flatten();
        if *byte == b'"' {
            is_quoted = !is_quoted && is_value_next;
        }
        is_value_next = *byte == b'=' || (is_value_next && byte.is_ascii_whitespace());
        kept.push(*byte);
        kept.extend(escaped);
        rest = &behind[usize::from(escaped.is_some())..];
    }
    kept.extend_from_slice(rest);
    kept.trim_ascii().to_vec().into()
}

/// The length of the comment at the beginning of `text`, if it is closed; comments may be nested.
fn comment_bytes(text: &[u8]) -> Option<usize> {
    let (mut depth, mut is_escaped) = (0_usize, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'(' => depth += 1,
            b')' if depth == 1 => return Some(at + 1),
            b')' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// A field's value of the form `value; name=value; …`, as raw bytes. Nothing of it is copied before it is asked for.
pub struct FieldValue<'a> {
    /// What stands before the first semicolon, without spaces around it.
    pub value: &'a [u8],
    rest: Option<&'a [u8]>,
}

impl<'a> FieldValue<'a> {
    pub fn parse(text: &'a [u8]) -> Self {
        let (value, rest) = split_once(text, memchr::memchr(b';', text));
        let value = value.trim_ascii();
        Self { value, rest }
    }

    /// Names and values, split at semicolons outside quotes. What is no `name=value` is passed over, whatever quotes it has.
    fn parameters(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let mut rest = self.rest;
        std::iter::from_fn(move || {
            loop {
                let text = rest?;
                let name_end = memchr::memchr2(b'=', b';', text);
                let name_end = name_end.filter(|at| text[*at] == b'=');
                let (name, value) = split_once(text, name_end);
                let Some(value) = value else {
                    rest = split_once(text, memchr::memchr(b';', text)).1;
                    continue;
                };
                let (value, behind) = split_once(value, parameter_end(value));
                rest = behind;
                return Some((name.trim_ascii_start(), value.trim_ascii()));
            }
        })
    }

    /// The last parameter of that name, unquoted. Spaces before the `=` make another name, as RFC 9110 has it.
    pub fn strict_parameter(&self, name: &str) -> Option<Vec<u8>> {
        self.find(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The same where spaces around the `=` are allowed: heads of parts (RFC 822).
    pub fn parameter(&self, name: &str) -> Option<Vec<u8>> {
        self.find(|found| found.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes()))
    }

    fn find(&self, is_it: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        let found = self.parameters().filter(|(found, _)| is_it(found)).last();
        found.map(|(_, value)| unquoted(value))
    }

    /// The text of a parameter in its extended form: `name*` (RFC 5987), which old urllib3 and .NET write, or in pieces,
    /// `name*0`, `name*1*` … (RFC 2231), as JavaMail and Python's email package write long ones. `None` where there is
    /// none, or none that can be decoded.
    pub fn extended(&self, name: &str) -> Option<Extended> {
        let mut pieces: Vec<Piece> = self.pieces(name).take(MOST_PIECES).collect();
        pieces.sort_by_key(|piece| piece.number);
        // The last of several with one number counts.
        pieces.reverse();
        pieces.dedup_by_key(|piece| piece.number);
        pieces.reverse();
        let in_order = pieces.into_iter().zip(0..);
        let pieces = in_order.take_while(|(piece, at)| piece.number.unwrap_or(0) == *at);
        let (mut charset, mut bytes, mut has_any) = ("utf-8".to_owned(), Vec::new(), false);
        for (piece, at) in pieces {
            let mut value = piece.value;
            if at == 0 && piece.is_encoded {
                let (named, text) = split_extended(&value)?;
                (charset, value) = (named, text);
            }
            has_any = true;
            bytes.extend(if piece.is_encoded {
                percent_decoded(&value)
            } else {
                value
            });
            if piece.number.is_none() {
                break;
            }
        }
        let is_empty = bytes.is_empty();
        has_any.then(|| Extended {
            is_empty,
            text: text::decode(&charset, bytes).ok(),
        })
    }

    fn pieces<'b>(&'b self, name: &'b str) -> impl Iterator<Item = Piece> + 'b {
        self.parameters().filter_map(move |(found, value)| {
            let (own, number) = found.trim_ascii_end().split_at_checked(name.len())?;
            let number = number.strip_prefix(b"*")?;
            let (number, is_encoded) = match number.strip_suffix(b"*") {
                Some(number) => (number, true),
                None => (number, number.is_empty()),
            };
            let number = match std::str::from_utf8(number).ok()? {
                "" => None,
                digits => Some(digits.parse().ok()?),
            };
            let value = unquoted(value);
            own.eq_ignore_ascii_case(name.as_bytes()).then_some(Piece {
                number,
                is_encoded,
                value,
            })
        })
    }
}

/// A parameter in extended form.
pub struct Extended {
    /// There is nothing in it.
    pub is_empty: bool,
    /// `None` if it cannot be decoded.
    pub text: Option<String>,
}

/// A parameter in extended form, or one piece of it.
struct Piece {
    /// `None`: it is whole.
    number: Option<usize>,
    is_encoded: bool,
    value: Vec<u8>,
}

fn split_once(text: &[u8], at: Option<usize>) -> (&[u8], Option<&[u8]>) {
    at.map_or((text, None), |at| (&text[..at], Some(&text[at + 1..])))
}

/// Where the semicolon behind a parameter's value is. In a value that begins with a quote, semicolons between quotes
/// belong to it.
fn parameter_end(value: &[u8]) -> Option<usize> {
    if !value.trim_ascii_start().starts_with(b"\"") {
        return memchr::memchr(b';', value);
    }
    let (mut is_quoted, mut is_escaped) = (false, false);
    value.iter().position(|byte| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_quoted,
            b'"' => is_quoted = !is_quoted,
            b';' => return !is_quoted,
            _ => {}
        }
        false
    })
}

/// Takes the quotes off; a quote that is not closed belongs to the value. `\"` and `\\` stand for the second character; a
/// backslash before any other is one of a Windows path.
fn unquoted(value: &[u8]) -> Vec<u8> {
    let inner = value.strip_prefix(b"\"");
    let Some(inner) = inner.and_then(|rest| rest.strip_suffix(b"\"")) else {
        return value.to_vec();
    };
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escaped = match byte {
            b'\\' => bytes.next_if(|next| matches!(next, b'"' | b'\\')),
            _ => None,
        };
        plain.push(escaped.unwrap_or(byte));
    }
    plain
}

/// `charset'language'text`; a value of another form is no extended one.
fn split_extended(value: &[u8]) -> Option<(String, Vec<u8>)> {
    let mut pieces = value.splitn(3, |byte| *byte == b'\'');
    let (charset, _language, text) = (pieces.next()?, pieces.next()?, pieces.next()?);
    let charset = String::from_utf8_lossy(charset).into_owned();
    (!charset.is_empty()).then(|| (charset, text.to_vec()))
}

/// Bytes for `%41` and the like; what is no escape stays.
pub fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let hex = |byte: u8| {
        let digit = char::from(byte).to_digit(16);
        digit.and_then(|digit| u8::try_from(digit).ok())
    };
    let (mut decoded, mut rest) = (Vec::with_capacity(text.len()), text);
    while let Some((first, behind)) = rest.split_first() {
        let escape = match behind {
            [high, low, ..] if *first == b'%' => hex(*high).zip(hex(*low)),
            _ => None,
        };
        decoded.push(escape.map_or(*first, |(high, low)| high << 4 | low));
        rest = if escape.is_some() {
            &behind[2..]
        } else {
            behind
        };
    }
    decoded
}
