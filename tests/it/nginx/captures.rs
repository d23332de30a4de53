//! What real clients send, through nginx: the same is stored as without it.

use super::SETTINGS;
use crate::clients::capture::captures;
use crate::support::collector::TestCollector;
use crate::support::nginx::TestNginx;
use crate::support::report;
use crate::support::stored::objects_below;

/// Crashpad's socket transport: HTTP/1.0 with chunks, which nginx refuses whatever its configuration.
const REFUSED: &str = "crashpad-socket-nogzip.bin";

#[test]
fn every_capture_of_a_real_client_is_understood_behind_nginx_but_http_1_0_with_chunks() {
    let collector = TestCollector::start(&SETTINGS);
    let nginx = TestNginx::before(&[collector.address()]);
    let captures = captures();
    let mut problems = Vec::new();
    for capture in &captures {
        let answer = nginx.send(capture.bytes.clone());
        if capture.name == REFUSED {
            assert_eq!(answer.status, 400, "nginx takes it now: say so in nginx/");
            continue;
        }
        let stored = objects_below(&collector.crashes());
        problems.extend(capture.problems(&answer, &stored));
    }
    drop(nginx);
    collector.stop();
    report(&format!(
        "nginx: {} captures, 1 refused by nginx, {} differences",
        captures.len(),
        problems.len()
    ));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
