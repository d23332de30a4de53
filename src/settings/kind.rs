//! The kinds of value a setting can have: how a text is read, and how an operator is told what would fit.
//!
//! Texts arrive without blanks around them. Words with a meaning of their own are in `choice`, addresses in `network`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use super::secret::Secret;

/// How one kind of value is read.
#[derive(Clone, Copy)]
pub(super) struct Kind<T: 'static> {
    /// What fits, as it continues "expected: "; also shown on the page, so Markdown.
    pub form: &'static str,
    /// For settings without a default, which would be the better example.
    pub example: &'static str,
    /// Never shown to anybody.
    pub secret: bool,
    pub parse: fn(&str) -> Result<T, Unfit>,
}

/// A text is not of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfit {
    /// It has not the form that the kind states.
    Form,
    /// There is more to say than that.
    Because(&'static str),
}

/// The most that any count may be: far above every sensible value, far below what the runtime's queues can hold.
const MOST: usize = 1_000_000;
/// More than any machine has processors.
const MOST_THREADS: usize = 1024;
/// One tebibyte: no limit on memory is meant to be above it.
const MOST_MEMORY_BYTES: usize = 1 << 40;
/// A year. Timers much longer than that overflow.
const MOST_SECONDS: f64 = 31_536_000.0;

pub(super) const COUNT: Kind<NonZeroUsize> = Kind {
    form: "a whole number from 1 to 1000000",
    example: "8",
    secret: false,
    parse: |text| number(text).and_then(|count: NonZeroUsize| at_most(count, MOST)),
};

pub(super) const OPTIONAL_THREADS: Kind<Option<NonZeroUsize>> = Kind {
    form: "a whole number from 1 to 1024",
    example: "4",
    secret: false,
    parse: |text| {
        optional(text, |text| {
            number(text).and_then(|count| at_most(count, MOST_THREADS))
        })
    },
};

pub(super) const MEMORY_BYTES: Kind<NonZeroUsize> = Kind {
    form: "a whole number of bytes from 1 to 1099511627776",
    example: "26214400",
    secret: false,
    parse: |text| number(text).and_then(|bytes: NonZeroUsize| at_most(bytes, MOST_MEMORY_BYTES)),
};

pub(super) const OPTIONAL_MEMORY_BYTES: Kind<Option<NonZeroUsize>> = Kind {
    form: MEMORY_BYTES.form,
    example: "536870912",
    secret: false,
    parse: |text| optional(text, MEMORY_BYTES.parse),
};

pub(super) const DISK_BYTES: Kind<NonZeroU64> = Kind {
    form: "a whole number of bytes, at least 1",
    example: "10737418240",
    secret: false,
    parse: number,
};

pub(super) const BYTES_OR_ZERO: Kind<u64> = Kind {
    form: "a whole number of bytes; 0 switches it off",
    example: "500",
    secret: false,
    parse: number,
};

pub(super) const SECONDS: Kind<Duration> = Kind {
    form: "seconds above 0, such as `8` or `0.5`",
    example: "8",
    secret: false,
    parse: |text| match seconds(text)? {
        Duration::ZERO => Err(Unfit::Form),
        time => Ok(time),
    },
};

pub(super) const PAUSE: Kind<Duration> = Kind {
    form: "seconds, such as `2` or `0.5`; `0` for no pause",
    example: "2",
    secret: false,
    parse: seconds,
};

/// The words the original takes.
pub(super) const SWITCH: Kind<bool> = Kind {
    form: "`true`, `t`, `yes`, `y`, `on`, `1` or `false`, `f`, `no`, `n`, `off`, `0`",
    example: "true",
    secret: false,
    parse: |text| match text.to_ascii_lowercase().as_str() {
        "true" | "t" | "yes" | "y" | "on" | "1" => Ok(true),
        "false" | "f" | "no" | "n" | "off" | "0" => Ok(false),
        _ => Err(Unfit::Form),
    },
};

/// The owner keeps all rights, or nothing could be written.
pub(super) const UMASK: Kind<u32> = Kind {
    form: "three octal digits, the first of them `0`",
    example: "027",
    secret: false,
    parse: |text| match u32::from_str_radix(text, 8) {
        Ok(umask) if umask <= 0o077 && text.len() == 3 && text.starts_with('0') => Ok(umask),
        _ => Err(Unfit::Form),
    },
};

pub(super) const TEXT: Kind<String> = Kind {
    form: "a text without control characters",
    example: "mozilla",
    secret: false,
    parse: |text| match text.is_empty() || text.contains(char::is_control) {
        true => Err(Unfit::Form),
        false => Ok(text.to_owned()),
    },
};

pub(super) const OPTIONAL_TEXT: Kind<Option<String>> = Kind {
    form: TEXT.form,
    example: TEXT.example,
    secret: false,
    parse: |text| optional(text, TEXT.parse),
};

pub(super) const FOLDER: Kind<PathBuf> = Kind {
    form: "a path",
    example: "/var/lib/antenna",
    secret: false,
    parse: |text| (TEXT.parse)(text).map(PathBuf::from),
};

pub(super) const OPTIONAL_FOLDER: Kind<Option<PathBuf>> = Kind {
    form: FOLDER.form,
    example: FOLDER.example,
    secret: false,
    parse: |text| optional(text, FOLDER.parse),
};

pub(super) const OPTIONAL_SECRET: Kind<Option<Secret>> = Kind {
    form: TEXT.form,
    example: "xxxxxxxx",
    secret: true,
    parse: |text| optional(text, |text| (TEXT.parse)(text).map(Secret::new)),
};

/// A value for which the empty text means "unset".
pub(super) fn optional<T>(
    text: &str,
    parse: fn(&str) -> Result<T, Unfit>,
) -> Result<Option<T>, Unfit> {
    if text.is_empty() {
        Ok(None)
    } else {
        parse(text).map(Some)
    }
}

pub(super) fn number<T: FromStr>(text: &str) -> Result<T, Unfit> {
    text.parse().map_err(|_| Unfit::Form)
}

fn at_most(count: NonZeroUsize, most: usize) -> Result<NonZeroUsize, Unfit> {
    match count.get() <= most {
        true => Ok(count),
        false => Err(Unfit::Form),
    }
}

fn seconds(text: &str) -> Result<Duration, Unfit> {
    let seconds: f64 = number(text)?;
    match (0.0..=MOST_SECONDS).contains(&seconds) {
        true => Duration::try_from_secs_f64(seconds).map_err(|_| Unfit::Form),
        false => Err(Unfit::Form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken<T>(kind: &Kind<T>, text: &str) -> Option<T> {
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
        assert_eq!(taken(&COUNT, "1000000").map(NonZeroUsize::get), Some(MOST));
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
