//! `/metrics` is read by Prometheus' own parser, and says what StatsD was told.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use super::{ADMIN, get};
use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::statsd::StatsdReceiver;
use crate::support::wait::{PATIENCE, wait_for, wait_within};

const PYTHON: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/venv/bin/python");
/// Prints a line for each sample: kind, name, tag values but `host`'s and `le`'s, value. Fails where the text is wrong.
const READER: &str = "
import sys
from prometheus_client.parser import text_string_to_metric_families as read
for family in read(sys.stdin.read()):
    assert family.documentation, family.name
    for name, labels, value, *_ in family.samples:
        assert labels.get('host') == 'collector-1', labels
        # The parser names counters as its newer format wants them.
        name = name.removesuffix('_total')
        tags = [v for k, v in sorted(labels.items()) if k not in ('host', 'le')]
        print(family.type, ' '.join([name, *tags, labels.get('le', '')]).strip(), value, sep='|')
";

/// Samples by name with tag and class, of one kind.
fn samples(text: &str, kind: &str) -> BTreeMap<String, f64> {
    let mut reader = Command::new(PYTHON)
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("tests/run.sh installs prometheus_client in target/venv");
    let mut stdin = reader.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).unwrap();
    drop(stdin);
    let read = reader.wait_with_output().unwrap();
    assert!(
        read.status.success(),
        "Prometheus cannot read this:\n{text}"
    );
    let lines = String::from_utf8(read.stdout).unwrap();
    let fields = lines
        .lines()
        .map(|line| line.split('|').collect::<Vec<_>>());
    let wanted = fields.filter(|fields| fields[0] == kind);
    wanted
        .map(|fields| (fields[1].to_owned(), fields[2].parse().unwrap()))
        .collect()
}

/// `a.b:2|c|#host:h,tag:value` → `a_b value`, 2.
fn counted(line: &str) -> Option<(String, f64)> {
    let mut fields = line.split('|');
    let (name, count) = fields.next()?.split_once(':')?;
    if fields.next()? != "c" {
        return None;
    }
    let tags = fields.next().unwrap_or_default().trim_start_matches('#');
    let tags = tags.split(',').filter_map(|tag| tag.split_once(':'));
    let values: Vec<_> = tags
        .filter(|(tag, _)| *tag != "host")
        .map(|it| it.1)
        .collect();
    let name = [name.replace('.', "_"), values.join(" ")].join(" ");
    Some((name.trim().to_owned(), count.parse().ok()?))
}

fn scene() -> (StatsdReceiver, TestCollector) {
    let statsd = StatsdReceiver::start();
    let port = statsd.port().to_string();
    let collector = TestCollector::start(&[
        ADMIN,
        ("STATSD_HOST", "127.0.0.1"),
        ("STATSD_PORT", &port),
        ("STATSD_NAMESPACE", "socorro.collector"),
        ("HOSTNAME", "collector-1"),
    ]);
    (statsd, collector)
}

#[test]
fn prometheus_reads_the_sums_that_statsd_was_told() {
    let (statsd, collector) = scene();
    for product in ["Firefox", "Firefox", "Nobody's \"product\""] {
        let crash = Crash::default().annotation("ProductName", product);
        assert_eq!(collector.send(crash.request()).status, 200);
    }
    let nonsense =
        b"POST /submit HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert_eq!(collector.send(nonsense.to_vec()).status, 400);
    collector.get("/__version__");

    let mut told = BTreeMap::new();
    let agreed = wait_within(PATIENCE, "both say the same", || {
        for (name, count) in statsd.take().iter().filter_map(|line| counted(line)) {
            *told.entry(name).or_insert(0.0) += count;
        }
        let scraped = samples(&get(collector.admin(), "/metrics").text(), "counter");
        let has_all = [
            "health_version_count",
            "breakpad_resource_outcome malformed",
        ]
        .iter()
        .all(|name| scraped[&format!("socorro_collector_{name}")] == 1.0)
            && scraped["socorro_collector_crashmover_save_crash_count"] > 0.0;
        (has_all && scraped == told).then_some(())
    });
    let scraped = get(collector.admin(), "/metrics").text();
    agreed.unwrap_or_else(|problem| panic!("{problem}\ntold: {told:#?}\nscraped: {scraped}"));
}

#[test]
fn every_counter_is_there_and_told_as_0_from_the_start() {
    let (statsd, collector) = scene();
    let scraped = samples(&get(collector.admin(), "/metrics").text(), "counter");
    for name in [
        "breakpad_resource_outcome not_kept",
        "breakpad_resource_malformed bad_gzip",
        "breakpad_resource_throttle reject",
        "breakpad_resource_throttle_rule unsupported_product",
        "crashmover_fate failed",
        "crashmover_retry_count save_crash_exception.count",
        "crashmover_save_crash_dropped_count",
        "crashmover_publish_crash_dropped_count",
    ] {
        let name = format!("socorro_collector_{name}");
        assert_eq!(scraped.get(&name), Some(&0.0), "{name}");
    }
    let mut told = BTreeMap::new();
    wait_for("StatsD was told the same", || {
        told.extend(statsd.take().iter().filter_map(|line| counted(line)));
        (told == scraped).then_some(())
    });
}

#[test]
fn gauges_are_those_of_the_moment() {
    let folder = tempfile::tempdir().unwrap();
    let spool = folder.path().join("spool").display().to_string();
    let settings = [
        ADMIN,
        ("CRASHMOVER_SPOOL_DIR", spool.as_str()),
        ("CRASHMOVER_ACKNOWLEDGE", "spooled"),
        ("CRASHMOVER_RETRY_SLEEP_SECONDS", "60"),
        ("HOSTNAME", "collector-1"),
    ];
    let collector = TestCollector::start(&settings);
    // Nothing can be saved where a file is in the way.
    let _ = std::fs::remove_dir_all(collector.crashes());
    std::fs::write(collector.crashes(), "").unwrap();
    for sent in 1..=3_u64 {
        assert_eq!(collector.send(Crash::accepted().request()).status, 200);
        let spool: serde_json::Value =
            serde_json::from_slice(&get(collector.admin(), "/spool").body).unwrap();
        assert_eq!(spool["save"]["entries"], sent);
        let gauges = samples(&get(collector.admin(), "/metrics").text(), "gauge");
        assert_eq!(gauges["spool_save_entries"], sent as f64);
    }
}

#[test]
fn durations_sizes_and_gauges_are_there() {
    let (_statsd, collector) = scene();
    let id = collector.send(Crash::accepted().request()).crash_id();
    assert!(id.is_some());
    let text = wait_for("gauges were told", || {
        let text = get(collector.admin(), "/metrics").text();
        text.contains("crashmover_save_queue_size").then_some(text)
    });
    let distributions = samples(&text, "histogram");
    let value = |name: &str| distributions[&format!("socorro_collector_{name}")];
    assert_eq!(value("breakpad_resource_on_post_time_count"), 1.0);
    assert_eq!(value("breakpad_resource_on_post_time_bucket +Inf"), 1.0);
    let seconds = value("breakpad_resource_on_post_time_sum");
    assert!(seconds > 0.0 && seconds < 60.0, "{seconds}");
    let bytes = value("breakpad_resource_crash_size_sum uncompressed");
    assert!(bytes > 100.0, "{bytes}");
    let gauges = samples(&text, "gauge");
    assert!(gauges.contains_key("socorro_collector_breakpad_resource_connections"));
}
