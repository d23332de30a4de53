//! The sum of many submissions: what became of them, and how long the answers took.

use std::collections::BTreeMap;
use std::time::Duration;

use super::outcome::SubmitOutcome;

/// Different reasons that are listed; a server of somebody else's could make up any number.
const MOST_REASONS: usize = 20;
const OTHERS: &str = "for other reasons";

/// Counts by outcome and reason.
#[derive(Clone, Debug, Default)]
pub struct SubmitTally {
    pub accepted: u64,
    pub discarded: BTreeMap<String, u64>,
    pub failed: BTreeMap<String, u64>,
    /// Of every answer that came.
    took: Vec<Duration>,
}

impl SubmitTally {
    pub fn add(&mut self, outcome: SubmitOutcome, took: Duration) {
        match outcome {
            SubmitOutcome::Accepted(_) => self.accepted += 1,
            SubmitOutcome::Discarded(reason) => count(&mut self.discarded, reason),
            SubmitOutcome::Failed(reason) => return count(&mut self.failed, reason),
        }
        self.took.push(took);
    }

    pub fn done(&self) -> u64 {
        self.accepted + sum(&self.discarded) + sum(&self.failed)
    }

    /// One line while it goes on.
    pub fn progress(&self, of: u64, since: Duration) -> String {
        format!(
            "{} of {of}: accepted {}, discarded {}, failed {}; {:.0}/s",
            self.done(),
            self.accepted,
            sum(&self.discarded),
            sum(&self.failed),
            rate(self.done(), since)
        )
    }

    /// The end: a line for all, one for each outcome and reason.
    pub fn summary(&self, since: Duration) -> String {
        let done = self.done();
        let (seconds, per_second) = (since.as_secs_f64(), rate(done, since));
        let mut text = format!("{done} reports in {seconds:.2} s: {per_second:.0}/s");
        if let Some([p50, p99, slowest]) = self.quantiles() {
            text.push_str(&format!(
                "; answers: p50 {p50:.1} ms, p99 {p99:.1} ms, slowest {slowest:.1} ms"
            ));
        }
        text.push_str(&format!("\naccepted   {}\n", self.accepted));
        for (reason, count) in &self.discarded {
            text.push_str(&format!("discarded  {count}  {reason}\n"));
        }
        for (reason, count) in &self.failed {
            text.push_str(&format!("failed     {count}  {reason}\n"));
        }
        text
    }

    /// Milliseconds within which half of the answers, 99 % and all of them came.
    fn quantiles(&self) -> Option<[f64; 3]> {
        let mut took = self.took.clone();
        took.sort_unstable();
        let last = took.len().checked_sub(1)?;
        // In range, since a share is at most 1.
        let within = |share: f64| took[(last as f64 * share).ceil() as usize];
        Some([0.5, 0.99, 1.0].map(|share| within(share).as_secs_f64() * 1000.0))
    }
}

fn count(reasons: &mut BTreeMap<String, u64>, reason: String) {
    let is_listed = reasons.contains_key(&reason) || reasons.len() < MOST_REASONS;
    let reason = if is_listed { reason } else { OTHERS.to_owned() };
    *reasons.entry(reason).or_default() += 1;
}

fn sum(reasons: &BTreeMap<String, u64>) -> u64 {
    reasons.values().sum()
}

fn rate(count: u64, since: Duration) -> f64 {
    count as f64 / since.as_secs_f64().max(f64::EPSILON)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_has_a_line_for_each_reason() {
        let mut tally = SubmitTally::default();
        for ms in 1..=100 {
            let id = SubmitOutcome::Accepted("bp-1".to_owned());
            tally.add(id, Duration::from_millis(ms));
        }
        for ms in [900, 1000] {
            let reason = SubmitOutcome::Discarded("rule_x".to_owned());
            tally.add(reason, Duration::from_millis(ms));
        }
        let failed = SubmitOutcome::Failed("answered 503, overloaded".to_owned());
        tally.add(failed, Duration::from_secs(60));
        assert_eq!(
            tally.summary(Duration::from_secs(2)),
            "103 reports in 2.00 s: 52/s; answers: p50 52.0 ms, p99 900.0 ms, slowest 1000.0 ms\n\
             accepted   100\n\
             discarded  2  rule_x\n\
             failed     1  answered 503, overloaded\n"
        );
        assert_eq!(
            tally.progress(200, Duration::from_secs(1)),
            "103 of 200: accepted 100, discarded 2, failed 1; 103/s"
        );
    }

    #[test]
    fn nothing_at_all_can_be_summed_up() {
        let text = SubmitTally::default().summary(Duration::ZERO);
        assert_eq!(text, "0 reports in 0.00 s: 0/s\naccepted   0\n");
    }

    #[test]
    fn reasons_are_bounded() {
        let mut tally = SubmitTally::default();
        for n in 0..1000 {
            tally.add(
                SubmitOutcome::Discarded(format!("reason_{n}")),
                Duration::ZERO,
            );
        }
        assert_eq!(tally.discarded.len(), MOST_REASONS + 1);
        assert_eq!(tally.done(), 1000);
    }
}
