//! `antenna submit --repeat`: every report is counted once, and a terminal sees how far it is.

use std::process::Command;

use super::{antenna, url};
use crate::support::collector::TestCollector;
use crate::support::stored::objects_below;

#[test]
fn all_reports_arrive_and_the_summary_adds_up() {
    let collector = TestCollector::start(&[("BREAKPAD_THROTTLER_RULES", "all")]);
    let url = url(&collector);
    let args = [
        "submit",
        &url,
        "-a",
        "ProductName=Firefox",
        "-d",
        "Cargo.toml",
        "--gzip",
    ];
    let args = [&args[..], &["--repeat", "40", "--concurrency", "8"]].concat();
    let said = antenna(&[], &args);
    assert_eq!(said.err, "", "no terminal, no progress");
    let out = said.fine();
    let lines: Vec<_> = out.lines().collect();
    assert!(lines[0].starts_with("40 reports in "), "{out}");
    for word in ["/s; answers: p50 ", " ms, p99 ", " ms, slowest "] {
        assert!(lines[0].contains(word), "{word} in {out}");
    }
    assert_eq!(lines[1..], ["accepted   40"]);
    let objects = objects_below(&collector.crashes());
    let raw_crashes = objects.keys().filter(|path| path.contains("/raw_crash/"));
    assert_eq!(raw_crashes.count(), 40);
    collector.stop();
}

#[test]
fn the_worst_outcome_decides_about_the_exit_code() {
    let collector = TestCollector::start::<&str, &str>(&[]);
    let url = url(&collector);
    let discarded = ["submit", &url, "-a", "ProductName=Editor", "--repeat", "3"];
    let said = antenna(&[], &discarded);
    assert_eq!((said.code, said.err.as_str()), (Some(3), ""));
    assert!(
        said.out
            .ends_with("accepted   0\ndiscarded  3  rule_unsupported_product\n"),
        "{said:?}"
    );

    // A sample: nine of ten are rejected, so some of 200 are rejected and some kept, but for once in 10^9 runs.
    let sampled = [
        "submit",
        &url,
        "-a",
        "ProductName=Firefox",
        "-a",
        "ReleaseChannel=release",
    ];
    let sampled = [&sampled[..], &["--repeat", "200", "--concurrency", "4"]].concat();
    let said = antenna(&[], &sampled);
    assert_eq!(said.code, Some(3), "{said:?}");
    let counts = said
        .out
        .lines()
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    assert_eq!(counts.sum::<u64>(), 200, "{said:?}");
    collector.stop();

    let said = antenna(
        &[],
        &["submit", &url, "-a", "ProductName=Firefox", "--repeat", "5"],
    );
    assert_eq!(said.code, Some(1));
    assert!(
        said.out
            .contains("\nfailed     5  cannot connect to 127.0.0.1:"),
        "{said:?}"
    );
}

#[test]
fn a_terminal_is_told_how_far_it_is() {
    let collector = TestCollector::start(&[("BREAKPAD_THROTTLER_RULES", "all")]);
    let command = format!(
        "{} submit {} -a ProductName=Firefox --repeat 20",
        env!("CARGO_BIN_EXE_antenna"),
        url(&collector)
    );
    // `script` runs it on a terminal of its own and copies what is shown there.
    let shown = Command::new("script")
        .args(["-qec", &command, "/dev/null"])
        .output();
    let shown = shown.expect("script, which every Debian has");
    let shown = String::from_utf8(shown.stdout).expect("text");
    assert!(shown.contains(" of 20: accepted "), "{shown:?}");
    assert!(shown.contains("accepted   20"), "{shown:?}");
    collector.stop();
}
