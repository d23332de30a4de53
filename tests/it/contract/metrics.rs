//! The corpus against a collector that reports to a statsd server: the same metrics, by name, kind and tags, as recorded.
//! Ours has more of them; those whose names the recording does not know are not looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::case::corpus;
use super::expectations::{Expectations, Source};
use super::replay::{Circumstances, Planned, Played, by_circumstances, play_all, play_one};
use super::tally::Tally;
use super::{prepared_folder, settings_of};
use crate::support::collector::TestCollector;
use crate::support::statsd::StatsdReceiver;
use crate::support::wait::wait_within;

const HOST: &str = "antenna-1";
const NAMESPACE: &str = "socorro.collector";
/// Metrics are sent in batches, so cases are compared in batches: one wait for many.
const BATCH: usize = 100;
/// Several times the pause between two sendings.
const PATIENCE: Duration = Duration::from_secs(15);

/// `name|kind|tags` to how often.
type Counted = BTreeMap<String, usize>;

#[test]
fn every_recorded_metric_is_sent_under_its_old_name() {
    let corpus = corpus();
    let expectations = Expectations::read();
    let cases = corpus.iter().filter(|case| case.applies_to("fs"));
    let planned = cases.map(|case| Planned::of(case, &expectations));
    let planned: Vec<Planned> = planned.filter(Planned::has_metrics).collect();
    let known = known_names(&planned);
    let mut tally = Tally::default();
    for (circumstances, group) in by_circumstances(&planned) {
        let mut metered = Metered::start(&circumstances, &known);
        for batch in group.chunks(BATCH) {
            metered.compare(batch, &mut tally);
        }
    }
    tally.finish("metrics");
}

impl Planned<'_> {
    /// What we do otherwise than the original is counted otherwise, too.
    fn has_metrics(&self) -> bool {
        self.source == Source::Recorded || self.outcomes.iter().any(|o| o.statsd.is_some())
    }
}

fn known_names(planned: &[Planned]) -> BTreeSet<String> {
    let outcomes = planned.iter().flat_map(|planned| &planned.outcomes);
    let lines = outcomes.flat_map(|outcome| outcome.statsd.iter().flatten());
    lines.map(|line| name_of(line).to_owned()).collect()
}

fn name_of(line: &str) -> &str {
    line.split('|').next().unwrap_or_default()
}

struct Metered<'a> {
    collector: TestCollector,
    receiver: StatsdReceiver,
    known: &'a BTreeSet<String>,
}

impl<'a> Metered<'a> {
    fn start(circumstances: &Circumstances, known: &'a BTreeSet<String>) -> Self {
        let receiver = StatsdReceiver::start();
        let folder = prepared_folder(circumstances);
        let mut settings = settings_of(circumstances, &folder);
        let port = receiver.port().to_string();
        for (name, value) in [
            ("STATSD_HOST", "127.0.0.1"),
            ("STATSD_PORT", &port),
            ("STATSD_NAMESPACE", NAMESPACE),
            ("HOSTNAME", HOST),
        ] {
            settings.push((name.to_owned(), value.to_owned()));
        }
        Self {
            collector: TestCollector::start_in(folder, &settings),
            receiver,
            known,
        }
    }

    /// Compares the sum over a batch, and where it is wrong each of its cases.
    fn compare(&mut self, batch: &[&Planned], tally: &mut Tally) {
        let played = play_all(batch, self.collector.address());
        let together = self.differences(&played);
        let single = batch.len() == 1;
        let mut blamed = false;
        for planned in batch {
            let differences = match (together.is_empty(), single) {
                (true, _) => vec![],
                (false, true) => together.clone(),
                (false, false) => {
                    let alone = play_one(planned, self.collector.address());
                    self.differences(&[alone])
                }
            };
            blamed |= !differences.is_empty();
            tally.count(&planned.case.name, planned.source, differences);
        }
        if !together.is_empty() && !blamed {
            tally.fail("(a batch, but none of its cases alone)", together);
        }
    }

    /// Waits until exactly the metrics have come that belong to the cases.
    fn differences(&self, played: &[Played]) -> Vec<String> {
        let outcomes = played.iter().map(Played::best_outcome);
        let lines = outcomes.flat_map(|outcome| outcome.statsd.iter().flatten());
        let expected = counted(lines.map(|line| normal(&line.replace("<HOST>", HOST))));
        let mut lines = Vec::new();
        let mut actual = Counted::new();
        let came = wait_within(PATIENCE, "the metrics", || {
            lines.extend(self.receiver.take());
            let known = lines.iter().filter(|line| self.is_known(line));
            actual = counted(known.map(|line| received(line)));
            (actual == expected).then_some(())
        });
        match came {
            Ok(()) => vec![],
            Err(_) => differences(&expected, &actual),
        }
    }

    /// Counters are told as 0 at the start, which counts nothing.
    fn is_known(&self, line: &str) -> bool {
        let name = line.split(':').next().unwrap_or_default();
        self.known.contains(name) && !line.contains(":0|c")
    }
}

fn counted(lines: impl Iterator<Item = String>) -> Counted {
    let mut counted = Counted::new();
    for line in lines {
        *counted.entry(line).or_default() += 1;
    }
    counted
}

/// A recorded `name|kind|tags`, tags in order.
fn normal(line: &str) -> String {
    let mut parts = line.splitn(3, '|');
    let mut next = || parts.next().unwrap_or_default();
    let (name, kind, tags) = (next(), next(), next());
    format!("{name}|{kind}|{}", in_order(tags))
}

/// A line as it came, `name:value|kind|#tags`, in the form of the recording.
fn received(line: &str) -> String {
    let (name, rest) = line.split_once(':').unwrap_or((line, ""));
    let mut parts = rest.split('|').skip(1);
    let kind = parts.next().unwrap_or_default();
    let tags = parts.find_map(|part| part.strip_prefix('#'));
    format!("{name}|{kind}|{}", in_order(tags.unwrap_or_default()))
}

fn in_order(tags: &str) -> String {
    let mut tags: Vec<&str> = tags.split(',').filter(|tag| !tag.is_empty()).collect();
    tags.sort_unstable();
    tags.join(",")
}

fn differences(expected: &Counted, actual: &Counted) -> Vec<String> {
    let lines: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
    let times = |counted: &Counted, line: &str| counted.get(line).copied().unwrap_or(0);
    let difference = |line: &&String| {
        let (expected, actual) = (times(expected, line), times(actual, line));
        (expected != actual).then(|| format!("{line}: {expected} expected, {actual} came"))
    };
    lines.iter().filter_map(difference).collect()
}
