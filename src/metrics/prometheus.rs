//! All metrics as Prometheus reads them (text format 0.0.4).
//!
//! Names and labels are those that Prometheus' own statsd_exporter makes of our StatsD lines, so that one dashboard fits
//! both ways: dots become underscores, durations are in seconds, nothing is appended to counters.

use std::fmt::Write;

use super::catalog::{Described, Gauge};
use super::sums::{Classes, Sums};

/// What all metrics of this process have in common.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// Put before every name. May be empty.
    pub namespace: String,
    /// Value of the label `host`; none where it is empty.
    pub host: String,
}

/// The page.
pub(super) fn text(sums: &Sums, gauges: &[(Gauge, u64)], labels: &Labels) -> String {
    let mut page = Page {
        labels,
        text: String::new(),
        told: String::new(),
    };
    for (count, total) in sums.counts() {
        page.head(&count, "counter", count.help());
        page.sample(&count, "", &[], total);
    }
    for (timing, classes) in sums.timings() {
        page.head(timing, "histogram", timing.help());
        page.distribution(timing, &classes);
    }
    // Kinds of one name come one after the other in the catalog, as the format wants it.
    for (histogram, classes) in sums.histograms() {
        page.head(histogram, "histogram", histogram.help());
        page.distribution(histogram, &classes);
    }
    for (gauge, value) in gauges {
        page.head(gauge, "gauge", gauge.help());
        page.sample(gauge, "", &[], value);
    }
    page.text
}

struct Page<'a> {
    labels: &'a Labels,
    text: String,
    /// The name whose head was written last.
    told: String,
}

impl Page<'_> {
    fn name(&self, metric: &impl Described) -> String {
        let namespace = &self.labels.namespace;
        let dot = if namespace.is_empty() { "" } else { "." };
        format!("{namespace}{dot}{}", metric.name())
            .replace(|c: char| !c.is_ascii_alphanumeric() && c != '_', "_")
    }

    fn head(&mut self, metric: &impl Described, kind: &str, help: &str) {
        let name = self.name(metric);
        if name == self.told {
            return;
        }
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
        self.told = name;
    }

    fn sample(
        &mut self,
        metric: &impl Described,
        suffix: &str,
        more: &[(&str, &str)],
        value: impl std::fmt::Display,
    ) {
        let host = Some(("host", self.labels.host.as_str())).filter(|(_, host)| !host.is_empty());
        let labels: Vec<_> = host
            .into_iter()
            .chain(metric.tag())
            .chain(more.iter().copied())
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let name = self.name(metric);
        let labels = match labels.is_empty() {
            true => String::new(),
            false => format!("{{{}}}", labels.join(",")),
        };
        let _ = writeln!(self.text, "{name}{suffix}{labels} {value}");
    }

    fn distribution(&mut self, metric: &impl Described, classes: &Classes) {
        for (bound, count) in &classes.up_to {
            self.sample(metric, "_bucket", &[("le", &bound.to_string())], count);
        }
        self.sample(metric, "_bucket", &[("le", "+Inf")], classes.count);
        self.sample(metric, "_sum", &[], classes.sum);
        self.sample(metric, "_count", &[], classes.count);
    }
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::catalog::{Count, Gauge, Histogram, Timing};
    use super::*;

    #[test]
    fn a_page_has_names_labels_and_distributions() {
        let sums = Sums::default();
        sums.count(Count::ThrottleRule("a \"rule\"\\".into()), 2);
        sums.count(Count::IncomingCrash, 3);
        sums.time(Timing::OnPost, 0.02);
        let size = Histogram::CrashSize {
            is_compressed: true,
        };
        sums.histogram(size, 400_000.0);
        let labels = Labels {
            namespace: "socorro.collector".into(),
            host: "h".into(),
        };
        let gauges = [(Gauge::SaveQueueSize, 7)];
        let page = text(&sums, &gauges, &labels);
        for line in [
            "# TYPE socorro_collector_breakpad_resource_incoming_crash counter",
            "socorro_collector_breakpad_resource_incoming_crash{host=\"h\"} 3",
            "socorro_collector_breakpad_resource_throttle_rule{host=\"h\",rule=\"a \\\"rule\\\"\\\\\"} 2",
            "socorro_collector_breakpad_resource_on_post_time_bucket{host=\"h\",le=\"0.01\"} 0",
            "socorro_collector_breakpad_resource_on_post_time_bucket{host=\"h\",le=\"0.025\"} 1",
            "socorro_collector_breakpad_resource_on_post_time_bucket{host=\"h\",le=\"+Inf\"} 1",
            "socorro_collector_breakpad_resource_on_post_time_sum{host=\"h\"} 0.02",
            "socorro_collector_breakpad_resource_crash_size_count{host=\"h\",payload=\"compressed\"} 1",
            "socorro_collector_crashmover_save_queue_size{host=\"h\"} 7",
        ] {
            assert!(
                page.lines().any(|it| it == line),
                "{line} is not in\n{page}"
            );
        }
        let plain = text(&sums, &[], &Labels::default());
        assert!(
            plain.contains("\nbreakpad_resource_incoming_crash 3\n"),
            "{plain}"
        );
        let heads = page.matches("# TYPE socorro_collector_breakpad_resource_crash_size ");
        assert_eq!(heads.count(), 1);
    }
}
