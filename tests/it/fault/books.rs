//! What a collector has counted, read from the StatsD lines that it sent, and whether that adds up.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::statsd::StatsdReceiver;
use crate::support::wait::wait_within;

/// Lines may be on their way when the process has ended; lost ones never come.
const PATIENCE: Duration = Duration::from_secs(10);

/// Counters with their sums, by name, or by name and tag: `crashmover.fate saved`.
#[derive(Clone, Debug, Default)]
pub struct Books(BTreeMap<String, u64>);

impl Books {
    /// Adds the counters among these lines; gauges, times and histograms are not for adding.
    pub fn add(&mut self, lines: &[String]) {
        for (name, count) in lines.iter().filter_map(|line| counted(line)) {
            *self.0.entry(name).or_default() += count;
        }
    }

    pub fn count(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    pub fn outcome(&self, outcome: &str) -> u64 {
        self.count(&format!("breakpad_resource.outcome {outcome}"))
    }

    pub fn fate(&self, fate: &str) -> u64 {
        self.count(&format!("crashmover.fate {fate}"))
    }

    pub fn all_outcomes(&self) -> u64 {
        self.sum("breakpad_resource.outcome ")
    }

    pub fn all_fates(&self) -> u64 {
        self.sum("crashmover.fate ")
    }

    fn sum(&self, start: &str) -> u64 {
        let counts = self.0.iter().filter(|(name, _)| name.starts_with(start));
        counts.map(|(_, count)| count).sum()
    }

    /// Reads what came until the outcomes are as many as the POSTs; demands that then every kept report has a fate.
    ///
    /// `carried` reports were kept by an earlier process and find their fate in this one, or, when negative, in a later.
    pub fn balance(&mut self, statsd: &StatsdReceiver, posts: u64, carried: i64) {
        let balanced = wait_within(PATIENCE, "the books balance", || {
            self.add(&statsd.take());
            let fates = i64::try_from(self.all_fates()).ok()?;
            let kept = i64::try_from(self.outcome("kept")).ok()?;
            (self.all_outcomes() == posts && kept + carried == fates).then_some(())
        });
        if let Err(problem) = balanced {
            panic!("{problem}: {posts} POSTs, {carried} carried over, {self:#?}");
        }
    }
}

/// `name:1|c|#host:h,tag:value` → `name value`, 1.
fn counted(line: &str) -> Option<(String, u64)> {
    let mut fields = line.split('|');
    let (name, count) = fields.next()?.split_once(':')?;
    if fields.next()? != "c" {
        return None;
    }
    let tags = fields.next().and_then(|field| field.strip_prefix('#'));
    let tags = tags.unwrap_or_default().split(',');
    let value = tags
        .filter_map(|tag| tag.split_once(':'))
        .find_map(|(tag, value)| (tag != "host").then_some(value));
    let name = match value {
        Some(value) => format!("{name} {value}"),
        None => name.to_owned(),
    };
    Some((name, count.parse().ok()?))
}

#[test]
fn counters_are_added_by_name_and_tag() {
    let mut books = Books::default();
    let line = |line: &str| line.to_owned();
    books.add(&[
        line("breakpad_resource.outcome:1|c|#host:h,outcome:kept"),
        line("breakpad_resource.outcome:2|c|#outcome:kept"),
        line("breakpad_resource.outcome:1|c|#outcome:not_kept"),
        line("crashmover.save_queue_size:7|g|#host:h"),
        line("crashmover.saved_late.count:1|c|#host:h"),
    ]);
    assert_eq!(books.outcome("kept"), 3);
    assert_eq!(books.all_outcomes(), 4);
    assert_eq!(books.count("crashmover.saved_late.count"), 1);
}
