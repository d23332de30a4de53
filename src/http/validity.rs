//! Until when a certificate is valid: the one date in it that an operator must not miss.
//!
//! Reads just as much of its DER form (RFC 5280, 4.1) as lies before that date; nothing is verified.

use std::time::SystemTime;

use chrono::{DateTime, NaiveDateTime, Utc};

const VERSION: u8 = 0xa0;
/// Two digits for the year, from 1950 on.
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The moment after which a certificate is not valid any more; none if that cannot be read.
pub(super) fn not_after(der: &[u8]) -> Option<SystemTime> {
    let certificate = element(der)?.content;
    let mut rest = element(certificate)?.content;
    if rest.first() == Some(&VERSION) {
        rest = element(rest)?.rest;
    }
    // Serial number, algorithm, issuer.
    for _ in 0..3 {
        rest = element(rest)?.rest;
    }
    let not_before = element(element(rest)?.content)?;
    let not_after = element(not_before.rest)?;
    let text = std::str::from_utf8(not_after.content).ok()?;
    let text = match (not_before.rest.first()?, text.get(..2)?) {
        (&UTC_TIME, year) if year < "50" => format!("20{text}"),
        (&UTC_TIME, _) => format!("19{text}"),
        (&GENERALIZED_TIME, _) => text.to_owned(),
        _ => return None,
    };
    let time = NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok()?;
    Some(DateTime::<Utc>::from_naive_utc_and_offset(time, Utc).into())
}

/// One element, without its tag.
struct Element<'a> {
    content: &'a [u8],
    /// What comes after it.
    rest: &'a [u8],
}

fn element(der: &[u8]) -> Option<Element<'_>> {
    let (&length, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = match usize::from(length) {
        short @ ..=0x7f => (short, rest),
        // The length is that of the length; four bytes are more than any certificate needs.
        long @ 0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(long - 0x80)?;
            let length = bytes
                .iter()
                .fold(0, |all, byte| all << 8 | usize::from(*byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some(Element { content, rest })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    fn sequence(content: &[u8]) -> Vec<u8> {
        let length = u8::try_from(content.len()).unwrap();
        [&[0x30, 0x81, length], content].concat()
    }

    fn certificate(tag: u8, not_after: &str) -> Vec<u8> {
        let time = |tag: u8, text: &str| [&[tag, text.len() as u8], text.as_bytes()].concat();
        let validity = [time(UTC_TIME, "200101000000Z"), time(tag, not_after)].concat();
        let before = [0xa0, 3, 2, 1, 2, 2, 1, 7, 0x30, 0, 0x30, 0];
        sequence(&sequence(&[&before[..], &sequence(&validity)].concat()))
    }

    #[test]
    fn both_forms_of_the_date_are_read() {
        let expected = UNIX_EPOCH + Duration::from_secs(1_784_000_000);
        for (tag, text) in [
            (UTC_TIME, "260714033320Z"),
            (GENERALIZED_TIME, "20260714033320Z"),
        ] {
            assert_eq!(not_after(&certificate(tag, text)), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_certificate_has_no_date() {
        let whole = certificate(UTC_TIME, "260714033320Z");
        for end in 0..whole.len() {
            assert_eq!(not_after(&whole[..end]), None, "{end}");
        }
        assert_eq!(not_after(&certificate(UTC_TIME, "261314033320Z")), None);
        assert_eq!(not_after(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
