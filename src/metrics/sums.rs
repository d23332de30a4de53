//! Everything that was counted and measured since the process started, for whoever asks.
//!
//! Requests only read-lock and add: whoever asks does not hold them up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

use super::catalog::{Count, Histogram, Timing};

/// Upper ends of the classes for durations, in seconds: from what a disk takes to what no client waits for.
const SECONDS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];
/// For bodies, in bytes: from the smallest minidump to beyond the default limit.
const BYTES: [f64; 9] = [1e4, 5e4, 1e5, 2.5e5, 5e5, 1e6, 5e6, 1e7, 26_214_400.0];
/// For inflating, in milliseconds: as long as the upload takes.
const MILLISECONDS: [f64; 9] = [1.0, 5.0, 10.0, 50.0, 100.0, 500.0, 1e3, 1e4, 1e5];

/// Sums and distributions.
pub struct Sums {
    counts: RwLock<BTreeMap<Count, AtomicU64>>,
    timings: BTreeMap<Timing, Distribution>,
    histograms: BTreeMap<Histogram, Distribution>,
}

impl Default for Sums {
    fn default() -> Self {
        let bounds = |histogram: Histogram| match histogram {
            Histogram::CrashSize { .. } => &BYTES[..],
            Histogram::Decompress { .. } => &MILLISECONDS[..],
        };
        Self {
            counts: RwLock::default(),
            timings: Timing::ALL
                .map(|timing| (timing, Distribution::new(&SECONDS)))
                .into(),
            histograms: Histogram::ALL
                .map(|histogram| (histogram, Distribution::new(bounds(histogram))))
                .into(),
        }
    }
}

impl Sums {
    pub fn count(&self, count: Count, times: u64) {
        let counts = self.counts.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(total) = counts.get(&count) {
            total.fetch_add(times, Ordering::Relaxed);
            return;
        }
        drop(counts);
        let mut counts = self.counts.write().unwrap_or_else(PoisonError::into_inner);
        *counts.entry(count).or_default().get_mut() += times;
    }

    pub fn time(&self, timing: Timing, seconds: f64) {
        if let Some(distribution) = self.timings.get(&timing) {
            distribution.add(seconds);
        }
    }

    pub fn histogram(&self, histogram: Histogram, value: f64) {
        if let Some(distribution) = self.histograms.get(&histogram) {
            distribution.add(value);
        }
    }

    /// In the order of the catalog.
    pub fn counts(&self) -> Vec<(Count, u64)> {
        let counts = self.counts.read().unwrap_or_else(PoisonError::into_inner);
        let totals = counts.iter();
        totals
            .map(|(count, total)| (count.clone(), total.load(Ordering::Relaxed)))
            .collect()
    }

    pub fn total(&self, count: &Count) -> u64 {
        let counts = self.counts.read().unwrap_or_else(PoisonError::into_inner);
        counts
            .get(count)
            .map_or(0, |total| total.load(Ordering::Relaxed))
    }

    pub fn timings(&self) -> impl Iterator<Item = (&Timing, Classes)> {
        self.timings
            .iter()
            .map(|(timing, it)| (timing, it.classes()))
    }

    pub fn histograms(&self) -> impl Iterator<Item = (&Histogram, Classes)> {
        self.histograms
            .iter()
            .map(|(histogram, it)| (histogram, it.classes()))
    }
}

/// How values are spread over classes.
struct Distribution {
    bounds: &'static [f64],
    /// One more than bounds: the last is for everything above.
    classes: Box<[AtomicU64]>,
    sum: Mutex<f64>,
}

/// A distribution as it is now.
#[derive(Clone, Debug, PartialEq)]
pub struct Classes {
    /// Upper end of each class, and how many values lie at or below it.
    pub up_to: Vec<(f64, u64)>,
    pub count: u64,
    pub sum: f64,
}

impl Distribution {
    fn new(bounds: &'static [f64]) -> Self {
        let classes = bounds.len() + 1;
        Self {
            bounds,
            classes: std::iter::repeat_with(AtomicU64::default)
                .take(classes)
                .collect(),
            sum: Mutex::default(),
        }
    }

    fn add(&self, value: f64) {
        let class = self.bounds.partition_point(|bound| *bound < value);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        *self.sum.lock().unwrap_or_else(PoisonError::into_inner) += value;
    }

    fn classes(&self) -> Classes {
        let mut count = 0;
        let mut running = self.classes.iter().map(|class| {
            count += class.load(Ordering::Relaxed);
            count
        });
        let up_to = std::iter::zip(self.bounds.iter().copied(), running.by_ref()).collect();
        running.for_each(drop);
        let sum = *self.sum.lock().unwrap_or_else(PoisonError::into_inner);
        Classes { up_to, count, sum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_in_every_class_that_holds_them() {
        let distribution = Distribution::new(&[1.0, 2.0]);
        for value in [0.5, 1.0, 1.5, 7.0] {
            distribution.add(value);
        }
        assert_eq!(
            distribution.classes(),
            Classes {
                up_to: vec![(1.0, 2), (2.0, 3)],
                count: 4,
                sum: 10.0,
            }
        );
    }

    #[test]
    fn counts_are_added_up() {
        let sums = Sums::default();
        sums.count(Count::Malformed("bad_gzip"), 1);
        sums.count(Count::Malformed("bad_gzip"), 2);
        sums.count(Count::Version, 1);
        let expected = [(Count::Malformed("bad_gzip"), 3), (Count::Version, 1)];
        assert_eq!(sums.counts(), expected);
        assert_eq!(sums.total(&Count::Broken), 0);
    }
}
