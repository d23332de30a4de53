//! The process from outside: how it starts, refuses to start, and stops.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::process::Signal;

use crate::support::collector::{TestCollector, new_folder};
use crate::support::crash::Crash;
use crate::support::stored::objects_below;
use crate::support::wait::wait_for;

const NONE: [(&str, &str); 0] = [];

#[test]
fn a_report_is_kept_under_the_id_that_its_client_is_told() {
    let collector = TestCollector::start(&NONE);
    for crash in [
        Crash::accepted(),
        Crash::accepted().gzip(),
        Crash::accepted().chunked(7),
        Crash::accepted().header("Expect", "100-continue"),
    ] {
        let answer = collector.send(crash.request());
        let id = answer.crash_id().unwrap_or_else(|| panic!("{answer:?}"));
        let stored = objects_below(&collector.crashes());
        let raw_crash = stored
            .keys()
            .find(|path| path.contains(&format!("raw_crash/{id}")));
        assert!(raw_crash.is_some(), "{id} is not among {:?}", stored.keys());
    }
    collector.stop();
}

#[test]
fn annotations_in_json_are_kept_too() {
    let collector = TestCollector::start(&NONE);
    let crash = Crash::default().extra(r#"{"ProductName": "Thunderbird"}"#);
    assert_eq!(collector.send(crash.request()).status, 200);
    collector.stop();
}

#[test]
fn the_load_balancer_is_answered() {
    let collector = TestCollector::start(&NONE);
    assert_eq!(collector.get("/__lbheartbeat__").status, 200);
    collector.stop();
}

#[test]
fn bad_settings_are_told_together_and_end_the_start_with_78() {
    let settings = [
        ("PORT", "sixty"),
        ("CRASHMOVER_CONCURRENT_CRASHMOVERS", "-1"),
    ];
    let failed = TestCollector::try_start(&settings).err().expect("no start");
    assert_eq!(failed.status.code(), Some(78));
    let log = failed.log.join("\n");
    for words in [
        "Unhandled startup exception",
        "PORT",
        "CRASHMOVER_CONCURRENT_CRASHMOVERS",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
}

#[test]
fn a_port_that_is_taken_ends_the_start() {
    let other = TestCollector::start(&NONE);
    let port = other.address().port().to_string();
    let failed = TestCollector::try_start(&[("PORT", &port)])
        .err()
        .expect("no start");
    assert!(!failed.status.success());
    let log = failed.log.join("\n");
    assert!(log.contains("Unhandled startup exception"), "{log}");
    other.stop();
}

#[test]
fn an_interrupt_from_the_keyboard_is_a_graceful_stop_too() {
    let mut collector = TestCollector::start(&NONE);
    collector.signal(Signal::INT);
    assert_eq!(collector.wait_for_end().code(), Some(0));
}

#[test]
fn a_hangup_ends_nothing() {
    let collector = TestCollector::start(&NONE);
    collector.signal(Signal::HUP);
    wait_for("the signal is seen", || {
        let log = collector.log().join("\n");
        log.contains("SIGHUP changes nothing").then_some(())
    });
    assert_eq!(collector.send(Crash::accepted().request()).status, 200);
    let (_folder, log) = collector.stop();
    // Nothing is published here, so nothing says so.
    assert!(!log.iter().any(|line| line.contains(" published")));
}

#[test]
fn a_secret_is_not_in_the_log() {
    let token = ("BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN", "sekrit-token");
    let collector = TestCollector::start(&[token]);
    let log = collector.log().join("\n");
    assert!(
        log.contains("BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN"),
        "{log}"
    );
    let (_folder, log) = collector.stop();
    assert!(!log.join("\n").contains("sekrit-token"));
}

#[test]
fn an_upload_under_way_is_finished_before_the_stop() {
    let collector = TestCollector::start(&NONE);
    let crash = Crash::accepted().header("Expect", "100-continue");
    let request = crash.request();
    let (head, body) = request.split_at(request.len() - crash.body().len());
    let mut client = TcpStream::connect(collector.address()).expect("the collector listens");
    client.write_all(head).expect("an open connection");
    // The 100 says that the collector waits for the body.
    assert!(read(&mut client).starts_with("HTTP/1.1 100"));
    collector.signal(Signal::TERM);
    wait_for("the collector takes no more connections", || {
        TcpStream::connect(collector.address())
            .is_err()
            .then_some(())
    });
    client.write_all(body).expect("an open connection");
    let answer = read(&mut client);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(objects_below(&collector.crashes()).len(), 3);
    collector.stop();
}

#[test]
fn a_request_that_waits_in_the_kernel_is_answered_after_the_stop_signal() {
    let collector = TestCollector::start(&NONE);
    // While the process is frozen, the kernel accepts the connection and takes the whole request in its place.
    collector.signal(Signal::STOP);
    let mut client = TcpStream::connect(collector.address()).expect("the kernel listens");
    let request = Crash::accepted().request();
    client.write_all(&request).expect("the kernel takes it");
    collector.signal(Signal::TERM);
    collector.signal(Signal::CONT);
    let answer = read(&mut client);
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    collector.stop();
}

#[test]
fn all_requests_that_wait_in_the_kernel_are_answered_though_there_are_fewer_places() {
    let collector = TestCollector::start(&[("BREAKPAD_MAX_CONNECTIONS", "1")]);
    collector.signal(Signal::STOP);
    let request = Crash::accepted().request();
    let clients = [(); 4].map(|()| {
        let mut client = TcpStream::connect(collector.address()).expect("the kernel listens");
        client.write_all(&request).expect("the kernel takes it");
        client
    });
    collector.signal(Signal::TERM);
    collector.signal(Signal::CONT);
    for mut client in clients {
        let answer = read(&mut client);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    collector.stop();
}

/// Else a signal that comes with the first clients ends the process under them.
#[test]
fn signals_are_listened_to_before_a_client_can_connect() {
    let folder = new_folder();
    let trace = folder.path().join("trace");
    let through = [
        "strace",
        // Not between us and the collector: signals are for that one.
        "-D",
        "-f",
        "-e",
        "trace=rt_sigaction,listen",
        "-o",
        trace.to_str().expect("a path of ours"),
    ];
    let binary = Path::new(env!("CARGO_BIN_EXE_antenna"));
    let collector = TestCollector::try_start_through(&through, binary, folder, &NONE);
    let (_folder, _log) = collector.expect("a start").stop();
    let calls = std::fs::read_to_string(&trace).expect("what strace wrote");
    let listens = calls.find(" listen(").expect("it listens");
    for signal in ["SIGTERM", "SIGINT", "SIGHUP"] {
        let handled = calls.find(&format!("rt_sigaction({signal}, {{sa_handler=0x"));
        assert!(handled.is_some_and(|handled| handled < listens), "{signal}");
    }
}

#[test]
fn who_comes_during_a_restart_waits_in_the_socket_that_was_handed_over() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let start = |folder| {
        let socket = listener.try_clone().expect("a second handle");
        TestCollector::try_start_on(socket, folder, &NONE).expect("a start")
    };
    let collector = start(new_folder());
    let address = listener.local_addr().expect("an address");
    assert_eq!(collector.address(), address);
    assert_eq!(collector.send(Crash::accepted().request()).status, 200);
    // One comes while the collector does not accept any more, one when it is gone.
    collector.signal(Signal::STOP);
    let request = Crash::accepted().request();
    let come = || {
        let mut client = TcpStream::connect(address).expect("the socket is still there");
        client.write_all(&request).expect("the kernel takes it");
        client
    };
    let first = come();
    collector.signal(Signal::TERM);
    collector.signal(Signal::CONT);
    let (folder, _log) = collector.stop();
    let second = come();
    let collector = start(folder);
    for mut client in [first, second] {
        let answer = read(&mut client);
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    let (_folder, log) = collector.stop();
    let log = log.join("\n");
    assert!(log.contains("the socket was handed over"), "{log}");
}

#[test]
fn what_is_no_listener_is_not_taken_for_one() {
    let file = std::fs::File::open("/dev/zero").expect("a file");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    // As with Accept=yes.
    let connection = TcpStream::connect(address).expect("a connection");
    for socket in [OwnedFd::from(file), OwnedFd::from(connection)] {
        let failed = TestCollector::try_start_on(socket, new_folder(), &NONE);
        let log = failed.err().expect("no start").log.join("\n");
        assert!(
            log.contains("is no TCP socket that is listened on"),
            "{log}"
        );
    }
}

/// What comes next, up to the first pause.
fn read(client: &mut TcpStream) -> String {
    let mut piece = [0; 4096];
    let length = client.read(&mut piece).expect("an open connection");
    String::from_utf8_lossy(&piece[..length]).into_owned()
}
