//! Clients that were not made for this collector, with the one step that its operator takes: docs/clients.md.

use super::unusual::{kept, post};
use crate::support::collector::{TestCollector, new_folder};
use crate::support::crash::Crash;

/// The file that docs/clients.md shows.
fn documented_products() -> String {
    let page = include_str!("../../../docs/clients.md");
    let file = page.split("```toml\n").nth(1).expect("a file");
    file.split("```").next().expect("its end").to_owned()
}

fn post_crash(
    collector: &TestCollector,
    target: &str,
    crash: &Crash,
) -> crate::support::wire::Response {
    let content_type = format!("Content-Type: {}", Crash::content_type());
    post(collector, target, &[&content_type], &crash.body())
}

/// As Electron's Crashpad sends it; it is told nothing of ProductName.
fn electron() -> Crash {
    let crash = Crash::default().annotation("prod", "Electron");
    let crash = crash.annotation("ver", "31.0.0").annotation("guid", "0");
    let crash = crash
        .annotation("_productName", "Editor")
        .annotation("_version", "1.2.3");
    crash.dump("upload_file_minidump", b"MDMP")
}

#[test]
fn the_first_report_of_an_electron_app_is_kept_after_one_step() {
    let folder = new_folder();
    let file = folder.path().join("products.toml");
    std::fs::write(&file, documented_products()).expect("a writable folder");
    let file = file.display().to_string();
    let collector = TestCollector::start_in(folder, &[("BREAKPAD_THROTTLER_PRODUCTS", &*file)]);
    let answer = post_crash(&collector, "/submit", &electron());
    let kept = kept(&collector, &answer);
    assert_eq!(kept.raw_crash["ProductName"], "Editor");
    assert_eq!(kept.raw_crash["Version"], "1.2.3");
    assert_eq!(kept.raw_crash["prod"], "Electron");
    let notes = [
        "ProductName is taken from _productName",
        "Version is taken from _version",
    ];
    assert_eq!(kept.notes(), notes);
    collector.stop();
}

#[test]
fn without_it_the_log_says_once_what_is_missing() {
    let collector = TestCollector::start::<&str, &str>(&[]);
    for _ in 0..3 {
        let answer = post_crash(&collector, "/submit", &electron());
        assert_eq!(answer.text(), "Discarded=rule_unsupported_product");
    }
    let unlisted = Crash::default().annotation("ProductName", "Private name");
    post_crash(&collector, "/submit", &unlisted);
    let (_folder, log) = collector.stop();
    let said = |words: &str| log.iter().filter(|line| line.contains(words)).count();
    assert_eq!(
        said("ProductName is missing, but there is _productName and prod"),
        1,
        "{log:#?}"
    );
    assert_eq!(
        said("ProductName is not in the list of products"),
        1,
        "{log:#?}"
    );
    assert_eq!(said("Private name") + said("Editor"), 0, "{log:#?}");
}

#[test]
fn reports_are_taken_at_other_paths_too() {
    let all = ("BREAKPAD_THROTTLER_PRODUCTS", "all");
    let paths = ("BREAKPAD_SUBMIT_PATHS", "/api/*/minidump/, /crash");
    let collector = TestCollector::start(&[all, paths]);
    for path in [
        "/submit",
        "/api/42/minidump/?sentry_key=k&guid=g",
        "/api/42/minidump",
        "/crash/",
    ] {
        let answer = post_crash(&collector, path, &electron());
        kept(&collector, &answer);
    }
    for path in ["/api/42/envelope/", "/crash/x", "/api//minidump/"] {
        assert_eq!(
            post_crash(&collector, path, &electron()).status,
            404,
            "{path}"
        );
    }
    assert_eq!(collector.get("/api/42/minidump/").status, 405);
    collector.stop();
}

const EXTRA: (&str, &str) = (
    "BREAKPAD_EXTRA_REPORTS",
    "bare_dumps, no_annotations, foreign_uuids",
);
const ALL: (&str, &str) = ("BREAKPAD_THROTTLER_PRODUCTS", "all");

#[test]
fn extra_reports_are_taken_where_a_setting_says_so() {
    let uuid = Crash::accepted().annotation("uuid", "not a crash id");
    let nothing = Crash::default().dump("upload_file_minidump", b"MDMP");
    let target = "/submit?ProductName=My+Editor&Version=1%2E2";
    let lines = ["Content-Type: application/x-dmp"];
    let collector = TestCollector::start(&[ALL, EXTRA]);
    let of_uuid = kept(&collector, &post_crash(&collector, "/submit", &uuid));
    assert_eq!(of_uuid.raw_crash["client_uuid"], "not a crash id");
    kept(&collector, &post_crash(&collector, "/submit", &nothing));
    let bare = kept(
        &collector,
        &post(&collector, target, &lines, b"MDMP bare\r\n--"),
    );
    assert_eq!(bare.raw_crash["ProductName"], "My Editor");
    assert_eq!(bare.raw_crash["Version"], "1.2");
    assert_eq!(bare.dumps["upload_file_minidump"], b"MDMP bare\r\n--");
    assert!(bare.notes().is_empty(), "{:?}", bare.notes());
    collector.stop();

    let collector = TestCollector::start(&[ALL]);
    let told = |answer: crate::support::wire::Response| (answer.status, answer.text());
    let refused = |status, why: &str| (status, format!("Discarded={why}"));
    let answer = post_crash(&collector, "/submit", &uuid);
    assert_eq!(told(answer), refused(401, "unauthorized_uuid"));
    let answer = post_crash(&collector, "/submit", &nothing);
    assert_eq!(told(answer), refused(400, "malformed_no_annotations"));
    let answer = post(&collector, target, &lines, b"MDMP");
    assert_eq!(told(answer), refused(400, "malformed_wrong_content_type"));
    collector.stop();
}
