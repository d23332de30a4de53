//! `Content-Type` and other headers of the form `value; name=value`: which kind of multipart, which boundary.

use super::Malformed;

const LONGEST_BOUNDARY: usize = 70;

/// The boundary of a crash report's `Content-Type`.
///
/// Type and parameter names are compared without regard to case and parameters may stand in any order (RFC 9110); the
/// original wants lower case and `boundary` first.
///
/// # Errors
/// `NoContentType`, `WrongContentType` or `NoBoundary`, checked in this order.
pub fn boundary_of(content_type: Option<&[u8]>) -> Result<Vec<u8>, Malformed> {
    let header = content_type
        .map(<[u8]>::trim_ascii)
        .filter(|header| !header.is_empty());
    let header = HeaderValue::parse(header.ok_or(Malformed::NoContentType)?);
    let is_multipart = ["multipart/form-data", "multipart/mixed"]
        .iter()
        .any(|known| header.value.eq_ignore_ascii_case(known.as_bytes()));
    if !is_multipart {
        return Err(Malformed::WrongContentType);
    }
    header.parameter("boundary").ok_or(Malformed::NoBoundary)
}

/// A boundary has 1 to 70 characters (RFC 2046). The original looks at this after length and encoding.
///
/// # Errors
/// `BadBoundary`.
pub fn check_length(boundary: &[u8]) -> Result<(), Malformed> {
    let is_fine = (1..=LONGEST_BOUNDARY).contains(&boundary.len());
    if is_fine {
        Ok(())
    } else {
        Err(Malformed::BadBoundary)
    }
}

/// A header's value and its parameters, as raw bytes.
pub struct HeaderValue<'a> {
    /// What stands before the first semicolon, without blanks around it.
    pub value: &'a [u8],
    parameters: Vec<(&'a [u8], &'a [u8])>,
}

impl<'a> HeaderValue<'a> {
    /// Splits at semicolons that are not inside quotes. What is no `name=value` is passed over.
    pub fn parse(header: &'a [u8]) -> Self {
        let mut pieces = split_outside_quotes(header).into_iter();
        let value = pieces.next().unwrap_or_default().trim_ascii();
        let parameters = pieces.filter_map(|piece| {
            let at = piece.iter().position(|byte| *byte == b'=')?;
            Some((piece[..at].trim_ascii_start(), piece[at + 1..].trim_ascii()))
        });
        Self {
            value,
            parameters: parameters.collect(),
        }
    }

    /// The last parameter of that name, unquoted. Blanks before the `=` make another name, as RFC 9110 has it.
    pub fn parameter(&self, name: &str) -> Option<Vec<u8>> {
        self.find(|found| found.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// The same where blanks around the `=` are forgiven: part headers, which Python parses so.
    pub fn lenient_parameter(&self, name: &str) -> Option<Vec<u8>> {
        self.find(|found| found.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes()))
    }

    fn find(&self, is_it: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
        self.parameters
            .iter()
            .rev()
            .find(|(found, _)| is_it(found))
            .map(|(_, value)| unquote(value))
    }
}

fn split_outside_quotes(header: &[u8]) -> Vec<&[u8]> {
    let (mut pieces, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in header.iter().enumerate() {
        match byte {
            b'\\' if quoted && !escaped => {
                escaped = true;
                continue;
            }
            b'"' if !escaped => quoted = !quoted,
            b';' if !quoted => {
                pieces.push(&header[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        escaped = false;
    }
    pieces.push(&header[start..]);
    pieces
}

/// Takes the quotes off; a quote that is not closed belongs to the value. `\"` and `\\` stand for the second character.
fn unquote(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value
        .strip_prefix(b"\"")
        .and_then(|rest| rest.strip_suffix(b"\""))
    else {
        return value.to_vec();
    };
    let mut plain = Vec::with_capacity(inner.len());
    let mut bytes = inner.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        let escaped = if byte == b'\\' {
            bytes.next_if(|next| matches!(next, b'"' | b'\\'))
        } else {
            None
        };
        plain.push(escaped.unwrap_or(byte));
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_found_as_clients_write_them() {
        for (header, boundary) in [
            ("multipart/form-data; boundary=xyz", "xyz"),
            ("multipart/mixed;boundary=xyz", "xyz"),
            ("  multipart/form-data;\tboundary=xyz  ", "xyz"),
            ("Multipart/Form-Data; BOUNDARY=xyz", "xyz"),
            ("multipart/form-data; type=x; boundary=xyz;", "xyz"),
            (
                "multipart/form-data; boundary=\"a b:c/d?e=f\"",
                "a b:c/d?e=f",
            ),
            ("multipart/form-data; boundary=\"x\\\"y\"", "x\"y"),
            (
                "multipart/form-data; boundary=\"x;y\"; charset=utf-8",
                "x;y",
            ),
            ("multipart/form-data; boundary=\"xyz", "\"xyz"),
            ("multipart/form-data; boundary='xyz'", "'xyz'"),
            ("multipart/form-data; boundary=xyz; boundary=abc", "abc"),
            ("multipart/form-data; boundary=\"  xyz\"", "  xyz"),
        ] {
            assert_eq!(
                boundary_of(Some(header.as_bytes())),
                Ok(boundary.as_bytes().to_vec()),
                "{header}"
            );
        }
    }

    #[test]
    fn everything_else_has_its_reason() {
        for (header, reason) in [
            (None, Malformed::NoContentType),
            (Some(" "), Malformed::NoContentType),
            (
                Some("text/plain; boundary=xyz"),
                Malformed::WrongContentType,
            ),
            (
                Some("multipart/form-data, boundary=xyz"),
                Malformed::WrongContentType,
            ),
            (Some("multipart/form-data"), Malformed::NoBoundary),
            (Some("multipart/form-data; foo=bar"), Malformed::NoBoundary),
            (
                Some("multipart/form-data; boundary =xyz"),
                Malformed::NoBoundary,
            ),
        ] {
            assert_eq!(
                boundary_of(header.map(str::as_bytes)),
                Err(reason),
                "{header:?}"
            );
        }
    }

    #[test]
    fn boundaries_have_1_to_70_characters() {
        let fine = [0, 1, 70, 71].map(|length| check_length(&vec![b'b'; length]).is_ok());
        assert_eq!(fine, [false, true, true, false]);
    }
}
