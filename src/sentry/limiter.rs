//! How many events go out: a flood of equal ones says nothing new, costs money, and hides the others.

use std::collections::HashMap;
use std::time::{Duration, Instant};

const MINUTE: Duration = Duration::from_secs(60);
/// Of one kind in a minute: enough to see that it goes on, and with which reports and requests.
const PER_KIND: u32 = 5;
/// Of all kinds together in a minute: a collector with this many different errors needs a person, not more events.
const ALL: u32 = 30;
/// Kinds that are remembered; further ones share one. Ours are some dozen.
const MOST_KINDS: usize = 200;
const FURTHER: &str = "";

/// Counts events by kind.
#[derive(Default)]
pub struct Limiter {
    kinds: HashMap<String, KindTally>,
    all: KindTally,
}

#[derive(Default)]
struct KindTally {
    /// When the minute began that is counted.
    since: Option<Instant>,
    sent: u32,
    suppressed: u64,
}

impl Limiter {
    /// Whether an event of this kind may go out now: the number of its kind that were held back since the last one that
    /// did. None if it may not.
    pub fn admit(&mut self, kind: &str, now: Instant) -> Option<u64> {
        let kind = self.known(kind, now);
        let tally = self.kinds.entry(kind.to_owned()).or_default();
        if tally.has_room(PER_KIND, now) && self.all.has_room(ALL, now) {
            tally.sent += 1;
            self.all.sent += 1;
            return Some(std::mem::take(&mut tally.suppressed));
        }
        tally.suppressed += 1;
        None
    }

    /// The kind itself, or the one for further kinds where there are too many.
    fn known<'a>(&mut self, kind: &'a str, now: Instant) -> &'a str {
        if self.kinds.contains_key(kind) || self.kinds.len() < MOST_KINDS {
            return kind;
        }
        self.kinds
            .retain(|_, tally| !tally.is_over(now) || tally.suppressed > 0);
        if self.kinds.len() < MOST_KINDS {
            kind
        } else {
            FURTHER
        }
    }
}

impl KindTally {
    fn is_over(&self, now: Instant) -> bool {
        self.since
            .is_none_or(|since| now.saturating_duration_since(since) >= MINUTE)
    }

    fn has_room(&mut self, most: u32, now: Instant) -> bool {
        if self.is_over(now) {
            self.since = Some(now);
            self.sent = 0;
        }
        self.sent < most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_one_kind_is_cut_and_the_next_event_says_how_many() {
        let (mut limiter, start) = (Limiter::default(), Instant::now());
        let admitted = (0..100).filter_map(|_| limiter.admit("a", start)).count();
        assert_eq!(admitted, PER_KIND as usize);
        assert_eq!(limiter.admit("b", start), Some(0), "another kind");
        let almost = start + MINUTE - Duration::from_millis(1);
        assert_eq!(limiter.admit("a", almost), None);
        assert_eq!(limiter.admit("a", start + MINUTE), Some(100 - 5 + 1));
        assert_eq!(limiter.admit("a", start + MINUTE), Some(0));
    }

    #[test]
    fn a_flood_of_many_kinds_is_cut_too() {
        let (mut limiter, start) = (Limiter::default(), Instant::now());
        let kinds = (0..10_000).map(|n| format!("kind {n}"));
        let admitted = kinds.filter_map(|kind| limiter.admit(&kind, start)).count();
        assert_eq!(admitted, ALL as usize);
        assert!(limiter.kinds.len() <= MOST_KINDS + 1);
        let later = start + MINUTE;
        assert_eq!(limiter.admit("kind 0", later), Some(0), "it went out");
        assert_eq!(limiter.admit("kind 50", later), Some(1));
        assert!(limiter.admit("a new kind", later).is_some());
    }

    #[test]
    fn kinds_that_are_over_are_forgotten() {
        let (mut limiter, start) = (Limiter::default(), Instant::now());
        for n in 0..1000 {
            let now = start + MINUTE * n;
            assert_eq!(limiter.admit(&format!("kind {n}"), now), Some(0));
        }
        assert!(limiter.kinds.len() <= MOST_KINDS);
        assert!(!limiter.kinds.contains_key(FURTHER));
    }
}
