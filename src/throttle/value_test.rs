//! Questions that a condition puts to one value. Not where the value comes from.

use std::collections::BTreeSet;

use chrono::{DateTime, Days, NaiveDate, NaiveTime, Utc};
use regex_lite::Regex;

/// Searching takes time in proportion to pattern and text. What rules search (versions, channels) is far shorter.
const LONGEST_SEARCHED_BYTES: usize = 8 * 1024;
const BUILD_ID_DIGITS: usize = 14;

/// A question to a text. A missing value answers every one with no.
#[derive(Clone, Debug)]
pub(super) enum TextTest {
    Equals(String),
    /// ASCII letters only.
    EqualsIgnoringCase(String),
    OneOf(BTreeSet<String>),
    StartsWith(Vec<String>),
    Matches(Regex),
    /// Sorts before, by code point; an empty text does not.
    Before(String),
    /// A build id whose day began more than so many days ago.
    OlderThanDays(u32),
}

/// A question to a whole number.
#[derive(Clone, Copy, Debug)]
pub(super) enum IntegerTest {
    Equals(i64),
    AtLeast(i64),
    AtMost(i64),
}

impl TextTest {
    pub fn holds(&self, text: &str, now: DateTime<Utc>) -> bool {
        match self {
            Self::Equals(wanted) => text == wanted,
            Self::EqualsIgnoringCase(wanted) => text.eq_ignore_ascii_case(wanted),
            Self::OneOf(wanted) => wanted.contains(text),
            Self::StartsWith(prefixes) => prefixes.iter().any(|prefix| text.starts_with(prefix)),
            Self::Matches(regex) => text.len() <= LONGEST_SEARCHED_BYTES && regex.is_match(text),
            Self::Before(end) => !text.is_empty() && text < end.as_str(),
            Self::OlderThanDays(days) => build_day(text).is_some_and(|day| {
                now.checked_sub_days(Days::new((*days).into()))
                    .is_some_and(|limit| day.and_time(NaiveTime::MIN).and_utc() < limit)
            }),
        }
    }
}

impl IntegerTest {
    pub fn holds(self, number: i128) -> bool {
        match self {
            Self::Equals(wanted) => number == i128::from(wanted),
            Self::AtLeast(least) => number >= i128::from(least),
            Self::AtMost(most) => number <= i128::from(most),
        }
    }
}

/// The day of a build id, `20yymmddHHMMSS`. The time of day is not looked at: clients send impossible ones.
///
/// One line end may follow, as in the original, whose pattern ended in `$`.
fn build_day(text: &str) -> Option<NaiveDate> {
    let digits = text.strip_suffix('\n').unwrap_or(text);
    let well_formed = digits.len() == BUILD_ID_DIGITS
        && digits.starts_with("20")
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !well_formed {
        return None;
    }
    let number = |from, to| digits.get(from..to)?.parse::<u32>().ok();
    let year = digits.get(..4)?.parse().ok()?;
    NaiveDate::from_ymd_opt(year, number(4, 6)?, number(6, 8)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> DateTime<Utc> {
        DateTime::parse_from_rfc3339("2026-07-14T03:33:20Z")
            .unwrap()
            .to_utc()
    }

    #[test]
    fn texts_are_compared_exactly() {
        let one_of = TextTest::OneOf(["gpu".to_owned()].into());
        let starts = TextTest::StartsWith(vec!["52.".into(), "53.".into()]);
        let before = TextTest::Before("20171226".into());
        let any_case = TextTest::EqualsIgnoringCase("B2G".into());
        let version = TextTest::Matches(Regex::new(r"^5[2-9]\.").unwrap());
        for (test, text, expected) in [
            (&one_of, "gpu", true),
            (&one_of, "gpu ", false),
            (&starts, "53.1", true),
            (&starts, "5.3", false),
            (&before, "20171225", true),
            (&before, "1", true),
            (&before, "20171226", false),
            (&before, "", false),
            (&any_case, "b2G", true),
            (&any_case, "B2GX", false),
            (&version, "57.0", true),
            (&version, "x57.0", false),
        ] {
            assert_eq!(test.holds(text, now()), expected, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_not_searched() {
        let anything = TextTest::Matches(Regex::new("x").unwrap());
        assert!(anything.holds(&"x".repeat(LONGEST_SEARCHED_BYTES), now()));
        assert!(!anything.holds(&"x".repeat(LONGEST_SEARCHED_BYTES + 1), now()));
    }

    #[test]
    fn a_build_is_old_when_its_day_began_before_the_limit() {
        let old = TextTest::OlderThanDays(730);
        for (build_id, expected) in [
            ("20240714000000", true),
            ("20240714235959", true),
            ("20240715000000", false),
            ("20100101999999", true),
            ("20100101000000\n", true),
            ("20100101000000\r\n", false),
            ("20100101000000\n\n", false),
            ("20100101000000 ", false),
            ("2010010100000", false),
            ("201001010000000", false),
            ("19990101000000", false),
            ("20100001000000", false),
            ("20110229000000", false),
            ("20100101abcdef", false),
            ("20２10101000000", false),
            ("20991231235959", false),
            ("", false),
        ] {
            assert_eq!(old.holds(build_id, now()), expected, "{build_id:?}");
        }
    }

    #[test]
    fn no_date_is_too_early_for_the_age_of_a_build() {
        let old = TextTest::OlderThanDays(u32::MAX);
        assert!(!old.holds("20100101000000", DateTime::<Utc>::MIN_UTC));
    }

    #[test]
    fn integers_are_compared_with_their_limit_included() {
        for (test, number, expected) in [
            (IntegerTest::Equals(0), 0, true),
            (IntegerTest::Equals(0), -1, false),
            (IntegerTest::AtMost(9600), 9600, true),
            (IntegerTest::AtMost(9600), i128::MAX, false),
            (IntegerTest::AtLeast(9600), 9600, true),
            (IntegerTest::AtLeast(9600), 9599, false),
        ] {
            assert_eq!(test.holds(number), expected, "{test:?} {number}");
        }
    }
}
