//! The request's `Content-Type`: which kind of multipart, which boundary.

use super::Malformed;
use super::header_field::FieldValue;

const LONGEST_BOUNDARY: usize = 70;

/// The boundary of a crash report's `Content-Type`.
///
/// Type and parameter names are compared without regard to case and parameters may stand in any order (RFC 9110); the
/// original wants lower case and `boundary` first. No boundary ends with spaces (RFC 2046, 5.1.1): they are taken off.
///
/// # Errors
/// `NoContentType`, `WrongContentType` or `NoBoundary`, checked in this order.
pub fn boundary_of(content_type: Option<&[u8]>) -> Result<Vec<u8>, Malformed> {
    let header = content_type
        .map(<[u8]>::trim_ascii)
        .filter(|header| !header.is_empty());
    let header = FieldValue::parse(header.ok_or(Malformed::NoContentType)?);
    let is_multipart = ["multipart/form-data", "multipart/mixed"]
        .iter()
        .any(|known| header.value.eq_ignore_ascii_case(known.as_bytes()));
    if !is_multipart {
        return Err(Malformed::WrongContentType);
    }
    let boundary = header.strict_parameter("boundary");
    let boundary = boundary.ok_or(Malformed::NoBoundary)?;
    Ok(boundary.trim_ascii_end().to_vec())
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
            ("multipart/form-data; boundary=\"xyz \t \"", "xyz"),
            ("multipart/form-data; a\"b; c; d=e\"; boundary=xyz", "xyz"),
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
                Some("multipart/form-data; foo=\"; boundary=xyz\""),
                Malformed::NoBoundary,
            ),
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
