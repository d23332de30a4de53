//! The types of value that a setting can have: how a text is read, and how an operator is told what would fit.
//!
//! Texts arrive without spaces around them. Words with a meaning of their own are in `choice`, addresses in `network`.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::secret::Secret;

/// How one type of value is read.
#[derive(Clone, Copy)]
pub(super) struct ValueType<T: 'static> {
    /// What fits, as it continues "expected: "; also shown on the page, so Markdown.
    pub form: &'static str,
    /// For settings without a default, which would be the better example.
    pub example: &'static str,
    /// Never shown to anybody.
    pub is_secret: bool,
    pub parse: fn(&str) -> Result<T, ParseError>,
}

/// Why a text is not of its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ParseError {
    /// It has not the form that the type states.
    Form,
    /// There is more to say than that.
    Because(&'static str),
}

/// The most that any count may be: far above every sensible value, far below what the runtime's queues can hold.
const MOST: usize = 1_000_000;
/// More than any machine has processors.
const MOST_THREADS: usize = 1024;
/// One tebibyte: no limit on memory is meant to be above it.
const MOST_MEMORY_BYTES: u64 = 1 << 40;
/// A year. Timers much longer than that overflow.
const MOST_SECONDS: f64 = 31_536_000.0;

pub(super) const COUNT: ValueType<usize> = ValueType {
    form: "a whole number from 1 to 1000000",
    example: "8",
    is_secret: false,
    parse: |text| from_1_to(MOST, text),
};

pub(super) const OPTIONAL_THREADS: ValueType<Option<usize>> = ValueType {
    form: "a whole number from 1 to 1024",
    example: "4",
    is_secret: false,
    parse: |text| optional(text, |text| from_1_to(MOST_THREADS, text)),
};

pub(super) const MEMORY_BYTES: ValueType<u64> = ValueType {
    form: "a whole number of bytes from 1 to 1099511627776",
    example: "26214400",
    is_secret: false,
    parse: |text| from_1_to(MOST_MEMORY_BYTES, text),
};

pub(super) const OPTIONAL_MEMORY_BYTES: ValueType<Option<u64>> = ValueType {
    form: MEMORY_BYTES.form,
    example: "536870912",
    is_secret: false,
    parse: |text| optional(text, MEMORY_BYTES.parse),
};

pub(super) const DISK_BYTES: ValueType<u64> = ValueType {
    form: "a whole number of bytes, at least 1",
    example: "10737418240",
    is_secret: false,
    parse: |text| from_1_to(u64::MAX, text),
};

pub(super) const BYTES_OR_ZERO: ValueType<u64> = ValueType {
    form: "a whole number of bytes; 0 switches it off",
    example: "500",
    is_secret: false,
    parse: parsed,
};

pub(super) const SECONDS: ValueType<Duration> = ValueType {
    form: "seconds above 0, such as `8` or `0.5`",
    example: "8",
    is_secret: false,
    parse: |text| match seconds(text)? {
        Duration::ZERO => Err(ParseError::Form),
        time => Ok(time),
    },
};

pub(super) const PAUSE: ValueType<Duration> = ValueType {
    form: "seconds, such as `2` or `0.5`; `0` for no pause",
    example: "2",
    is_secret: false,
    parse: seconds,
};

/// The words that Mozilla's Antenna takes.
pub(super) const SWITCH: ValueType<bool> = ValueType {
    form: "`true`, `t`, `yes`, `y`, `on`, `1` or `false`, `f`, `no`, `n`, `off`, `0`",
    example: "true",
    is_secret: false,
    parse: |text| {
        let on = ["true", "t", "yes", "y", "on", "1"].map(|word| (word, true));
        let off = ["false", "f", "no", "n", "off", "0"].map(|word| (word, false));
        word(text, &[on, off].concat())
    },
};

/// The owner keeps all rights, or nothing could be written.
pub(super) const UMASK: ValueType<u32> = ValueType {
    form: "three octal digits, the first of them `0`",
    example: "027",
    is_secret: false,
    parse: |text| match u32::from_str_radix(text, 8) {
        Ok(umask) if umask <= 0o077 && text.len() == 3 && text.starts_with('0') => Ok(umask),
        _ => Err(ParseError::Form),
    },
};

pub(super) const TEXT: ValueType<String> = ValueType {
    form: "a text without control characters",
    example: "mozilla",
    is_secret: false,
    parse: |text| match text.is_empty() {
        true => Err(ParseError::Form),
        false => text_of(text, |c| !c.is_control()),
    },
};

pub(super) const OPTIONAL_TEXT: ValueType<Option<String>> = ValueType {
    form: TEXT.form,
    example: TEXT.example,
    is_secret: false,
    parse: |text| optional(text, TEXT.parse),
};

pub(super) const FOLDER: ValueType<PathBuf> = ValueType {
    form: "a path",
    example: "/var/lib/antenna",
    is_secret: false,
    parse: |text| (TEXT.parse)(text).map(PathBuf::from),
};

pub(super) const OPTIONAL_FOLDER: ValueType<Option<PathBuf>> = ValueType {
    form: FOLDER.form,
    example: FOLDER.example,
    is_secret: false,
    parse: |text| optional(text, FOLDER.parse),
};

pub(super) const OPTIONAL_SECRET: ValueType<Option<Secret>> = ValueType {
    form: TEXT.form,
    example: "xxxxxxxx",
    is_secret: true,
    parse: |text| optional(text, |text| (TEXT.parse)(text).map(Secret::new)),
};

/// A value for which the empty text means "unset".
pub(super) fn optional<T>(
    text: &str,
    parse: fn(&str) -> Result<T, ParseError>,
) -> Result<Option<T>, ParseError> {
    match text.is_empty() {
        true => Ok(None),
        false => parse(text).map(Some),
    }
}

/// Values with commas between them; none for the empty text.
pub(super) fn list<T>(
    text: &str,
    parse: fn(&str) -> Result<T, ParseError>,
) -> Result<Vec<T>, ParseError> {
    let items = text.split(',').map(str::trim);
    items.filter(|_| !text.is_empty()).map(parse).collect()
}

/// What one of a few words stands for, in any case.
pub(super) fn word<T: Copy>(text: &str, words: &[(&str, T)]) -> Result<T, ParseError> {
    let known = words
        .iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text));
    known.map(|(_, meaning)| *meaning).ok_or(ParseError::Form)
}

/// The text as it is, if all of its characters are allowed.
pub(super) fn text_of(text: &str, allows: impl Fn(char) -> bool) -> Result<String, ParseError> {
    match text.chars().all(allows) {
        true => Ok(text.to_owned()),
        false => Err(ParseError::Form),
    }
}

/// Letters and digits of ASCII, and `punctuation`.
pub(super) fn name(text: &str, punctuation: &str) -> Result<String, ParseError> {
    text_of(text, |c| {
        c.is_ascii_alphanumeric() || punctuation.contains(c)
    })
}

pub(super) fn parsed<T: FromStr>(text: &str) -> Result<T, ParseError> {
    text.parse().map_err(|_| ParseError::Form)
}

fn from_1_to<T: FromStr + PartialOrd + From<u8>>(most: T, text: &str) -> Result<T, ParseError> {
    let given = parsed(text)?;
    match (T::from(1)..=most).contains(&given) {
        true => Ok(given),
        false => Err(ParseError::Form),
    }
}

fn seconds(text: &str) -> Result<Duration, ParseError> {
    let seconds: f64 = parsed(text)?;
    match (0.0..=MOST_SECONDS).contains(&seconds) {
        true => Duration::try_from_secs_f64(seconds).map_err(|_| ParseError::Form),
        false => Err(ParseError::Form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken<T>(kind: &ValueType<T>, text: &str) -> Option<T> {
        (kind.parse)(text).ok()
    }

    #[test]
    fn switches_know_the_words_of_the_original_in_any_case() {
        for text in ["true", "T", "Yes", "y", "ON", "1"] {
            assert_eq!(taken(&SWITCH, text), Some(true), "{text}");
        }
        for text in ["False", "f", "NO", "n", "off", "0"] {
            assert_eq!(taken(&SWITCH, text), Some(false), "{text}");
        }
        assert_eq!(taken(&SWITCH, ""), None);
        assert_eq!(taken(&SWITCH, "2"), None);
    }

    #[test]
    fn an_umask_leaves_the_owner_all_rights() {
        assert_eq!(taken(&UMASK, "027"), Some(0o027));
        assert_eq!(taken(&UMASK, "000"), Some(0));
        for text in ["", "0", "27", "100", "028", "0027", "+27", "u=rwx"] {
            assert_eq!(taken(&UMASK, text), None, "{text}");
        }
    }

    #[test]
    fn counts_are_whole_positive_and_bounded() {
        assert_eq!(taken(&COUNT, "1000000"), Some(MOST));
        for text in ["", "0", "-1", "1000001", "1e3", "0x10", "1_000", "8.0"] {
            assert_eq!(taken(&COUNT, text), None, "{text}");
        }
        assert_eq!(taken(&OPTIONAL_THREADS, ""), Some(None));
        assert_eq!(taken(&MEMORY_BYTES, "1099511627777"), None);
        assert_eq!(taken(&BYTES_OR_ZERO, "0"), Some(0));
        assert_eq!(taken(&DISK_BYTES, "0"), None);
    }

    #[test]
    fn seconds_may_have_a_fraction_but_not_be_endless() {
        assert_eq!(taken(&SECONDS, "0.5"), Some(Duration::from_millis(500)));
        assert_eq!(taken(&PAUSE, "0"), Some(Duration::ZERO));
        for text in ["0", "-1", "NaN", "inf", "1e99", "8s", ""] {
            assert_eq!(taken(&SECONDS, text), None, "{text}");
        }
    }
}
