//! Collectors that come and go behind nginx under load: nothing that was answered `CrashID=` is lost.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use rustix::process::Signal;

use super::SETTINGS;
use super::load::{Load, Told};
use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::nginx::{TestNginx, own_address};
use crate::support::report;
use crate::support::stored::objects_below;

fn say(what: &str, told: &Told, duplicates: usize) {
    report(&format!(
        "nginx: {what}: {} kept, refused {:?}, {duplicates} stored twice",
        told.kept.len(),
        told.refused
    ));
}

/// Nginx has each report whole and gives it to the other one: no client notices.
#[test]
fn of_two_collectors_one_is_killed_under_load_and_no_client_notices() {
    let mut killed = TestCollector::start(&SETTINGS);
    let other = TestCollector::start(&SETTINGS);
    let nginx = TestNginx::before(&[killed.address(), other.address()]);
    let told = Load::during(nginx.address(), |load| {
        load.wait_for_more(60);
        killed.signal(Signal::KILL);
        killed.wait_for_end();
        load.wait_for_more(60);
    });
    drop(nginx);
    let stores = [
        objects_below(&killed.crashes()),
        objects_below(&other.crashes()),
    ];
    let duplicates = told.assert_all_stored(&stores);
    say("one of two killed", &told, duplicates);
    assert!(told.refused.is_empty(), "{:?}", told.refused);
    assert!(
        stores.iter().all(|store| !store.is_empty()),
        "both were used"
    );
}

/// An address that stays the same over restarts, and that nobody else takes meanwhile.
fn at_home() -> Vec<(&'static str, String)> {
    let home = own_address();
    let mut settings: Vec<_> = SETTINGS
        .map(|(name, value)| (name, value.to_owned()))
        .into();
    settings.push(("HOST", home.ip().to_string()));
    settings.push(("PORT", home.port().to_string()));
    settings
}

/// Restarts a collector in good order, three times under load. Gives back the last one.
fn restart_under_load(
    mut collector: TestCollector,
    settings: &[(&str, String)],
    nginx: &TestNginx,
) -> (TestCollector, Told) {
    let mut last = None;
    let told = Load::during(nginx.address(), |load| {
        for _ in 0..3 {
            load.wait_for_more(30);
            let (folder, _log) = collector.stop();
            collector = TestCollector::start_in(folder, settings);
        }
        load.wait_for_more(30);
        last = Some(collector);
    });
    (last.expect("a collector"), told)
}

/// Alone: who comes while it is away is told so by nginx, and nobody else.
#[test]
fn a_collector_that_restarts_under_load_loses_nothing_that_was_answered() {
    let settings = at_home();
    let collector = TestCollector::start(&settings);
    let nginx = TestNginx::before(&[collector.address()]);
    let (collector, told) = restart_under_load(collector, &settings, &nginx);
    drop(nginx);
    let duplicates = told.assert_all_stored(&[objects_below(&collector.crashes())]);
    say("restarted alone", &told, duplicates);
    assert!(
        told.refused.keys().all(|status| status == "502"),
        "{:?}",
        told.refused
    );
}

/// As `upstream.conf` advises: with a neighbour as backup nobody is told no.
#[test]
fn a_collector_that_restarts_beside_a_backup_refuses_nobody() {
    let settings = at_home();
    let (collector, neighbour) = (
        TestCollector::start(&settings),
        TestCollector::start(&SETTINGS),
    );
    let backup = format!("    server {} max_fails=0 backup;", neighbour.address());
    let changes = [(
        "    # server 10.0.1.12:8000 max_fails=0 backup;",
        &backup[..],
    )];
    let nginx = TestNginx::changed(&[collector.address()], &changes);
    let (collector, told) = restart_under_load(collector, &settings, &nginx);
    drop(nginx);
    let stores = [
        objects_below(&collector.crashes()),
        objects_below(&neighbour.crashes()),
    ];
    let duplicates = told.assert_all_stored(&stores);
    say("restarted beside a backup", &told, duplicates);
    assert!(told.refused.is_empty(), "{:?}", told.refused);
    assert!(!stores[1].is_empty(), "the backup was never asked");
}

/// A collector without room is asked, says so, and the other one takes the report.
#[test]
fn what_an_overloaded_collector_refuses_the_other_one_keeps() {
    // No report fits.
    let full = ("BREAKPAD_MAX_IN_FLIGHT_BYTES", "1");
    let full = TestCollector::start(&[&SETTINGS[..], &[full]].concat());
    let other = TestCollector::start(&SETTINGS);
    let nginx = TestNginx::before(&[full.address(), other.address()]);
    let told = Load::during(nginx.address(), |load| load.wait_for_more(40));
    let log = nginx.log();
    drop(nginx);
    let duplicates = told.assert_all_stored(&[objects_below(&other.crashes())]);
    say("one of two overloaded", &told, duplicates);
    assert!(told.refused.is_empty(), "{:?}", told.refused);
    assert!(log.contains(r#""answers":"503, 200""#), "{log}");
}

/// Sends a report in two halves to nginx, whose first collector dies as soon as it has read something of it.
fn upload_to_one_that_dies(buffering: &str) -> u16 {
    let dying = TcpListener::bind("127.0.0.1:0").unwrap();
    let other = TestCollector::start(&SETTINGS);
    let collectors = [dying.local_addr().unwrap(), other.address()];
    let changes = [
        ("worker_processes auto", "worker_processes 1"),
        ("proxy_request_buffering on", buffering),
    ];
    let nginx = TestNginx::changed(&collectors, &changes);
    let dies = std::thread::spawn(move || {
        let (mut connection, _) = dying.accept().unwrap();
        let read = connection.read(&mut [0; 2000]).unwrap();
        assert!(read > 0);
    });
    let request = Crash::accepted()
        .dump("upload_file_minidump_browser", &[7; 30_000])
        .request();
    let (half, rest) = request.split_at(request.len() / 2);
    let mut client = TcpStream::connect(nginx.address()).unwrap();
    client.write_all(half).unwrap();
    if buffering.ends_with("off") {
        dies.join().unwrap();
        // It may have been answered already.
        let _ = client.write_all(rest);
    } else {
        client.write_all(rest).unwrap();
        dies.join().unwrap();
    }
    let mut answer = String::new();
    client.read_to_string(&mut answer).expect("an answer");
    let status = answer.split(' ').nth(1).expect("a status line");
    status.parse().expect("a status")
}

/// The reason for `proxy_request_buffering on`.
#[test]
fn a_report_outlives_the_collector_that_reads_it_only_if_nginx_keeps_it() {
    assert_eq!(upload_to_one_that_dies("proxy_request_buffering on"), 200);
    assert_eq!(upload_to_one_that_dies("proxy_request_buffering off"), 502);
}
