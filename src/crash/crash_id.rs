//! Crash ids: a random UUID whose last seven characters are the throttle digit and the date of receipt.

use std::fmt;

use chrono::NaiveDate;

/// How a crash came to be kept; the seventh character from the end of its id.
///
/// Socorro's processor reads the digit: 0 is processed, 1 was deferred; 3 marks ids that were never kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThrottleDigit {
    Accept,
    Defer,
    FakeAccept,
}

impl ThrottleDigit {
    fn as_char(self) -> char {
        match self {
            Self::Accept => '0',
            Self::Defer => '1',
            Self::FakeAccept => '3',
        }
    }
}

/// `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxdyymmdd`: 36 characters, lower-case hex, `d` the throttle digit, then the UTC date.
///
/// The type is the proof that the text is safe in a path or an object key.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrashId(String);

/// The text is not a crash id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCrashId;

impl fmt::Display for InvalidCrashId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a crash id looks like de1bb258-cbbf-4589-a673-34f800160918: 8-4-4-4-12 lower-case hex digits, the last seven being 0 or 1 and a date as yymmdd")
    }
}

impl std::error::Error for InvalidCrashId {}

const LENGTH: usize = 36;
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const DIGIT_AT: usize = LENGTH - 7;
const DATE_AT: usize = LENGTH - 6;

impl CrashId {
    /// Makes an id from 16 random bytes; their last seven half-bytes give way to digit and date.
    pub fn make(random: [u8; 16], digit: ThrottleDigit, received: NaiveDate) -> Self {
        let mut text = uuid::Builder::from_random_bytes(random)
            .into_uuid()
            .hyphenated()
            .to_string();
        text.truncate(DIGIT_AT);
        text.push(digit.as_char());
        text.push_str(&received.format("%y%m%d").to_string());
        Self(text)
    }

    /// Takes an id that somebody else made: of the right form, with throttle digit 0 or 1.
    ///
    /// # Errors
    /// Anything else, such as upper case, braces, a line end, another throttle digit, or a date that never was.
    pub fn parse(text: &str) -> Result<Self, InvalidCrashId> {
        let bytes = text.as_bytes();
        let well_formed = bytes.len() == LENGTH
            && bytes.iter().enumerate().all(|(at, byte)| match byte {
                b'-' => HYPHENS.contains(&at),
                b'0'..=b'9' => !HYPHENS.contains(&at),
                b'a'..=b'f' => !HYPHENS.contains(&at) && at < DIGIT_AT,
                _ => false,
            })
            && matches!(bytes[DIGIT_AT], b'0' | b'1')
            && NaiveDate::parse_from_str(&format!("20{}", &text[DATE_AT..]), "%Y%m%d").is_ok();
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidCrashId)
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The date of receipt as `yyyymmdd`, the folder under which a report is stored.
    pub fn date_folder(&self) -> String {
        format!("20{}", &self.0[DATE_AT..])
    }
}

impl fmt::Display for CrashId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_made_id_carries_digit_and_date() {
        let date = NaiveDate::from_ymd_opt(2026, 7, 9).unwrap();
        let id = CrashId::make([0xab; 16], ThrottleDigit::FakeAccept, date);
        assert_eq!(id.as_str(), "abababab-abab-4bab-abab-ababa3260709");
        assert_eq!(id.date_folder(), "20260709");
    }

    #[test]
    fn ids_of_others_are_taken_only_in_the_exact_form() {
        assert!(CrashId::parse("de1bb258-cbbf-4589-a673-34f800160918").is_ok());
        assert!(CrashId::parse("de1bb258-cbbf-4589-a673-34f801240229").is_ok());
        for bad in [
            "",
            "de1bb258-cbbf-4589-a673-34f802160918",
            "DE1BB258-cbbf-4589-a673-34f800160918",
            "de1bb258-cbbf-4589-a673-34f800160918\n",
            "{de1bb258-cbbf-4589-a673-34f800160918}",
            "de1bb258cbbf-4589-a673-34f8-00160918",
            "de1bb258-cbbf-4589-a673-34f800a60918",
            "de1bb258-cbbf-4589-a673-34f800999999",
            "00000000-0000-0000-0000-000000000000",
        ] {
            assert_eq!(CrashId::parse(bad), Err(InvalidCrashId), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_made_can_be_parsed(random: [u8; 16], days in 0..20_000i64) {
            let date = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() + chrono::Duration::days(days);
            let id = CrashId::make(random, ThrottleDigit::Accept, date);
            prop_assert_eq!(CrashId::parse(id.as_str()), Ok(id));
        }

        #[test]
        fn no_text_gets_a_slash_or_dot_into_an_id(text in "[./a-f0-9-]{36}") {
            if let Ok(id) = CrashId::parse(&text) {
                prop_assert!(!id.as_str().contains(['.', '/']));
            }
        }
    }
}
