//! Metrics never stand in the way of a start, and reach a server whatever its address looks like.

use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::statsd::StatsdReceiver;
use crate::support::wait::wait_for;

#[test]
fn lines_arrive_at_an_address_of_each_family() {
    for (listens, host) in [
        ("::1", "::1"),
        ("::1", "[::1]"),
        ("127.0.0.1", "127.0.0.1"),
        ("127.0.0.1", "localhost"),
    ] {
        let statsd = StatsdReceiver::start_at(listens);
        let port = statsd.port().to_string();
        let _collector = TestCollector::start(&[("STATSD_HOST", host), ("STATSD_PORT", &port)]);
        wait_for(&format!("lines for {host}"), || {
            statsd.take().first().map(|_| ())
        });
    }
}

#[test]
fn a_name_without_an_address_is_warned_of_once_and_stops_nothing() {
    let settings = [("STATSD_HOST", "statsd.invalid")];
    let collector = TestCollector::start(&settings);
    assert_eq!(collector.send(Crash::accepted().request()).status, 200);
    let warnings = |log: &[String]| {
        let about =
            |line: &&String| line.contains("metrics do not reach STATSD_HOST=statsd.invalid");
        log.iter().filter(about).count()
    };
    wait_for("the warning", || {
        (warnings(&collector.log()) == 1).then_some(())
    });
    let (_folder, log) = collector.stop();
    assert_eq!(warnings(&log), 1);
}

#[test]
fn a_server_that_does_not_listen_is_warned_of_once_and_counted() {
    let port = StatsdReceiver::start().port().to_string();
    let settings = [
        super::ADMIN,
        ("STATSD_HOST", "127.0.0.1"),
        ("STATSD_PORT", &port),
    ];
    let collector = TestCollector::start(&settings);
    let value = |name: &str| {
        let text = super::get(collector.admin(), "/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|value| value.trim().parse::<f64>().ok())
    };
    wait_for("losses are counted", || {
        (value("statsd_send_failed ") > Some(0.0) && value("statsd_lines_lost ") > Some(0.0))
            .then_some(())
    });
    let log = collector.log().join("\n");
    assert_eq!(log.matches("metrics do not reach").count(), 1, "{log}");
}
