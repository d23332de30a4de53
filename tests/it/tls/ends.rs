//! How connections end: signed or cut, and when the process has to stop.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use rustix::process::Signal;

use super::{Scene, head};
use crate::support::crash::Crash;
use crate::support::stored::objects_below;
use crate::support::tls::Secure;
use crate::support::wait::wait_for;

const DISCONNECTED: &str = r#"breakpad_resource_outcome{outcome="disconnected"}"#;

/// A report that is whole, of which the head says that more was to come.
fn shortened() -> Vec<u8> {
    let request = Crash::accepted().request();
    let text = String::from_utf8_lossy(&request);
    let (_, rest) = text.split_once("Content-Length: ").unwrap();
    let length = rest.split_once("\r\n").unwrap().0;
    let more = length.parse::<usize>().unwrap() + 1000;
    let lines = [length, &more.to_string()].map(|it| format!("Content-Length: {it}"));
    text.replacen(&lines[0], &lines[1], 1).into_bytes()
}

/// The rest of what comes.
fn rest(client: &mut Secure) -> String {
    let mut answer = Vec::new();
    // Whether the end is signed does not matter here.
    let _ = client.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn a_body_that_was_cut_is_not_kept_even_if_it_looks_whole() {
    let scene = Scene::start(&[]);
    for chunked in [false, true] {
        let mut request = shortened();
        if chunked {
            request = Crash::accepted().chunked(100).request();
            request.truncate(request.len() - b"0\r\n\r\n".len());
        }
        let mut client = scene.connect();
        client.write_all(&request).unwrap();
        client.sock.shutdown(Shutdown::Write).unwrap();
        let answer = rest(&mut client);
        assert!(!answer.contains("CrashID"), "{answer}");
    }
    wait_for("both have an outcome", || {
        (scene.counted(DISCONNECTED) == 2).then_some(())
    });
    assert!(objects_below(&scene.collector.crashes()).is_empty());
    scene.collector.stop();
}

#[test]
fn a_body_whose_client_signs_its_early_end_is_judged_by_what_came() {
    let scene = Scene::start(&[]);
    let mut client = scene.connect();
    client.write_all(&shortened()).unwrap();
    client.conn.send_close_notify();
    client.flush().unwrap();
    let answer = rest(&mut client);
    assert!(answer.contains("CrashID=bp-"), "{answer}");
    scene.collector.stop();
}

#[test]
fn a_client_that_ends_its_side_after_the_request_gets_its_answer() {
    let scene = Scene::start(&[]);
    let requests = [
        Crash::accepted().request(),
        Crash::accepted().chunked(50).request(),
        Crash::accepted().header("Connection", "close").request(),
    ];
    for request in &requests {
        for is_signed in [false, true] {
            let mut client = scene.connect();
            client.write_all(request).unwrap();
            if is_signed {
                client.conn.send_close_notify();
                client.flush().unwrap();
            }
            client.sock.shutdown(Shutdown::Write).unwrap();
            let answer = rest(&mut client);
            assert!(answer.contains("CrashID=bp-"), "{is_signed}: {answer}");
        }
    }
    scene.collector.stop();
}

#[test]
fn the_end_is_signed_when_the_collector_closes() {
    let scene = Scene::start(&[]);
    let mut client = scene.connect();
    let crash = Crash::accepted().header("Connection", "close");
    client.write_all(&crash.request()).unwrap();
    let mut answer = String::new();
    // rustls makes an error of an end without signature.
    client.read_to_string(&mut answer).expect("a signed end");
    assert!(answer.contains("CrashID=bp-"), "{answer}");
    scene.collector.stop();
}

#[test]
fn an_upload_under_way_is_finished_before_the_stop() {
    let scene = Scene::start(&[]);
    let crash = Crash::accepted().header("Expect", "100-continue");
    let request = crash.request();
    let (start, body) = request.split_at(request.len() - crash.body().len());
    let mut client = scene.connect();
    client.write_all(start).unwrap();
    assert!(head(&mut client).unwrap().starts_with("HTTP/1.1 100"));
    // Half a handshake must not hold up the end.
    let mut silent = TcpStream::connect(scene.collector.address()).unwrap();
    silent.write_all(b"\x16\x03\x01").unwrap();
    scene.collector.signal(Signal::TERM);
    wait_for("the collector takes no more connections", || {
        TcpStream::connect(scene.collector.address())
            .is_err()
            .then_some(())
    });
    client.write_all(body).unwrap();
    assert!(head(&mut client).unwrap().starts_with("HTTP/1.1 200"));
    assert_eq!(objects_below(&scene.collector.crashes()).len(), 3);
    scene.collector.stop();
}
