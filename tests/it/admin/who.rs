//! Who is answered by the admin listener of the real binary.

use super::{ADMIN, ask_with};
use crate::support::collector::TestCollector;

#[test]
fn a_foreign_name_or_page_is_refused_and_changes_nothing() {
    let named = ("ADMIN_HOSTS", "collector.internal");
    let collector = TestCollector::start(&[ADMIN, named]);
    let admin = collector.admin();
    let put = |lines: &str| ask_with(admin, "PUT", "/log-level", lines, "DEBUG").status;
    assert_eq!(put("Host: rebound.example\r\n"), 403);
    assert_eq!(
        put("Host: localhost\r\nOrigin: http://page.example\r\n"),
        403
    );
    let level = ask_with(admin, "GET", "/log-level", "Host: [::1]:1\r\n", "");
    assert_eq!(level.text(), "INFO\n");
    for path in ["/live", "/ready", "/metrics", "/settings", "/spool"] {
        let foreign = ask_with(admin, "GET", path, "Host: rebound.example\r\n", "");
        assert_eq!(foreign.status, 403, "{path}");
    }
    assert_eq!(put("Host: Collector.internal:8001\r\n"), 200);
}

#[test]
fn a_token_is_asked_for_where_there_is_one() {
    let collector = TestCollector::start(&[ADMIN, ("ADMIN_TOKEN", "hunter2")]);
    let ask = |path: &str, lines: &str| {
        let lines = format!("Host: localhost\r\n{lines}");
        ask_with(collector.admin(), "GET", path, &lines, "")
    };
    for path in ["/metrics", "/settings", "/spool", "/log-level", "/other"] {
        assert_eq!(ask(path, "").status, 401, "{path}");
        let wrong = ask(path, "Authorization: Bearer hunter3\r\n");
        assert_eq!(wrong.status, 401, "{path}");
    }
    assert_eq!(ask("/live", "").status, 200);
    assert_eq!(ask("/ready", "").status, 200);
    let settings = ask("/settings", "Authorization: Bearer hunter2\r\n");
    assert_eq!(settings.status, 200);
    assert!(!settings.text().contains("hunter2"));
    assert!(!collector.log().join("\n").contains("hunter2"));
}
