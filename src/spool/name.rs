//! The name of an entry's file: `<unix microseconds, 16 digits>-<crash id>`.
//!
//! The name alone tells order, age and crash id, so a restart lists folders and opens nothing. In memory it is packed
//! into 24 bytes, because 100,000 of them may wait.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use uuid::Uuid;

use crate::crash::CrashId;

const DIGITS: usize = 16;
/// November 2286; later clocks are taken for this one rather than breaking the order of the names.
const LAST_MICROS: u64 = 9_999_999_999_999_999;

/// When the report came into the spool, and whose it is. Sorts by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct EntryName {
    pub micros: u64,
    pub id: PackedId,
}

/// A crash id as the 16 bytes that its 32 hex digits spell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PackedId(Uuid);

impl PackedId {
    /// `None` for the ids of fakeaccepted crashes: those are never kept, so they are not read back either.
    pub fn pack(id: &CrashId) -> Option<Self> {
        let id = CrashId::parse(id.as_str()).ok()?;
        Uuid::try_parse(id.as_str()).ok().map(Self)
    }

    pub fn crash_id(self) -> CrashId {
        CrashId::parse(&self.0.to_string()).expect("only well-formed ids are packed")
    }
}

impl EntryName {
    /// `None`: somebody else's file.
    pub fn parse(text: &str) -> Option<Self> {
        let (time, rest) = text.split_at_checked(DIGITS)?;
        if !time.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let id = CrashId::parse(rest.strip_prefix('-')?).ok()?;
        Some(Self {
            micros: time.parse().ok()?,
            id: PackedId::pack(&id)?,
        })
    }

    pub fn since(self) -> SystemTime {
        time_of(self.micros)
    }
}

impl fmt::Display for EntryName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:0DIGITS$}-{}", self.micros, self.id.0)
    }
}

/// Microseconds since 1970, within what a name can hold.
pub(super) fn micros_of(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros())
        .unwrap_or(LAST_MICROS)
        .min(LAST_MICROS)
}

/// The reverse of `micros_of`.
pub(super) fn time_of(micros: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(micros)
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::NaiveDate;
    use proptest::prelude::*;

    use crate::crash::ThrottleDigit;

    #[test]
    fn a_name_tells_time_and_id() {
        let text = "1784000000000005-de1bb258-cbbf-4589-a673-34f800160918";
        let name = EntryName::parse(text).unwrap();
        assert_eq!(name.to_string(), text);
        assert_eq!(
            name.id.crash_id().as_str(),
            "de1bb258-cbbf-4589-a673-34f800160918"
        );
        assert_eq!(micros_of(name.since()), 1_784_000_000_000_005);
    }

    #[test]
    fn names_of_others_are_not_taken_for_ours() {
        for foreign in [
            "",
            "lost+found",
            "1784000000000005",
            "1784000000000005-",
            "+784000000000005-de1bb258-cbbf-4589-a673-34f800160918",
            "178400000000005-de1bb258-cbbf-4589-a673-34f800160918",
            "1784000000000005-de1bb258-cbbf-4589-a673-34f800160918.reason",
            "178400000000000é-de1bb258-cbbf-4589-a673-34f800160918",
        ] {
            assert_eq!(EntryName::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_fakeaccepted_id_cannot_be_packed() {
        let date = NaiveDate::from_ymd_opt(2026, 7, 9).unwrap();
        let id = CrashId::make([1; 16], ThrottleDigit::FakeAccept, date);
        assert_eq!(PackedId::pack(&id), None);
    }

    #[test]
    fn a_clock_beyond_reason_still_gives_a_name() {
        assert_eq!(micros_of(UNIX_EPOCH - Duration::from_secs(5)), 0);
        let far = UNIX_EPOCH + Duration::from_secs(40_000_000_000);
        assert_eq!(micros_of(far), LAST_MICROS);
    }

    proptest! {
        #[test]
        fn every_name_is_read_back_and_sorts_as_its_text(
            a in 0..=LAST_MICROS, b in 0..=LAST_MICROS, random: [u8; 16], defer: bool, days in 0..20_000i64,
        ) {
            let date = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap() + chrono::Duration::days(days);
            let digit = if defer { ThrottleDigit::Defer } else { ThrottleDigit::Accept };
            let id = PackedId::pack(&CrashId::make(random, digit, date)).unwrap();
            let (a, b) = (EntryName { micros: a, id }, EntryName { micros: b, id });
            prop_assert_eq!(EntryName::parse(&a.to_string()), Some(a));
            prop_assert_eq!(a.cmp(&b), a.to_string().cmp(&b.to_string()));
        }

        #[test]
        fn no_text_makes_parsing_panic(text: String) {
            let _ = EntryName::parse(&text);
        }
    }
}
