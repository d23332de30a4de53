//! A real Prometheus scrapes the admin listener: it finds nothing wrong with the page, and sees the first loss.

use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::{ADMIN, get};
use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::wait::wait_for;
use crate::support::wire::{Exchange, play};

/// Scrapes one address every second; ends with the test.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Prometheus {
    fn start(scraped: SocketAddr) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 1s}}\n\
             scrape_configs: [{{job_name: antenna, static_configs: [{{targets: ['{scraped}']}}]}}]\n"
        );
        std::fs::write(&config, text).unwrap();
        let mut child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.tsdb.path={}", folder.path().display()))
            .arg("--web.listen-address=127.0.0.1:0")
            .stderr(Stdio::piped())
            .spawn()
            .expect("tests/run.sh installs prometheus");
        let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = log.by_ref().map_while(Result::ok).find_map(|line| {
            let (_, rest) = line.split_once("msg=\"Listening on\" address=")?;
            rest.parse().ok()
        });
        // Whatever else it says must not fill the pipe.
        std::thread::spawn(move || log.for_each(drop));
        Self {
            child,
            address: address.expect("an address in Prometheus' log"),
            _folder: folder,
        }
    }

    /// The value of an expression that has one.
    fn value(&self, expression: &str) -> Option<f64> {
        let request = format!(
            "GET /api/v1/query?query={expression} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        );
        let answers = play(self.address, &Exchange::of(request.into_bytes()));
        let answer = serde_json::from_slice::<serde_json::Value>(&answers[0].response().body);
        let value = &answer.ok()?["data"]["result"][0]["value"][1];
        value.as_str()?.parse().ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_loss_is_an_increase() {
    let collector = TestCollector::start(&[ADMIN, ("CRASHMOVER_MAX_ATTEMPTS", "1")]);
    let prometheus = Prometheus::start(collector.admin());
    let lost = "crashmover_save_crash_dropped_count";
    wait_for("it is scraped before anything is lost", || {
        (prometheus.value(lost) == Some(0.0)).then_some(())
    });
    // Nothing can be saved where a file is in the way.
    let _ = std::fs::remove_dir_all(collector.crashes());
    std::fs::write(collector.crashes(), "").unwrap();
    assert_eq!(collector.send(Crash::accepted().request()).status, 500);
    wait_for("the increase", || {
        let increase = prometheus.value(&format!("increase({lost}[1m])"));
        increase.filter(|increase| *increase > 0.0)
    });
}

#[test]
fn promtool_finds_no_mistake_in_the_page() {
    let collector = TestCollector::start(&[ADMIN, ("HOST_ID", "collector-1")]);
    let page = get(collector.admin(), "/metrics").text();
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("tests/run.sh installs prometheus");
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(page.as_bytes()).unwrap();
    drop(stdin);
    let said = promtool.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&said.stderr).into_owned();
    // Names are the original's, with which its dashboards were made: style is not to be had.
    let style = [
        "counter metrics should have \"_total\" suffix",
        "abbreviated",
        "non-histogram",
    ];
    let mistakes = text
        .lines()
        .filter(|line| !style.iter().any(|it| line.contains(it)));
    assert_eq!(mistakes.collect::<Vec<_>>(), Vec::<&str>::new());
}
