//! Handshakes that fail, that never come, and what they cost others.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::{Command, Output, Stdio};

use super::Scene;
use crate::support::wait::{PATIENCE, wait_for};

const FAILED: &str = "breakpad_resource_tls_failed";

fn s_client(scene: &Scene, args: &[&str]) -> Output {
    Command::new("openssl")
        .args(["s_client", "-connect"])
        .arg(scene.collector.address().to_string())
        .args(args)
        .stdin(Stdio::null())
        .output()
        .expect("openssl")
}

#[test]
fn tls_1_1_is_refused_and_counted() {
    let scene = Scene::start(&[("LOGGING_LEVEL", "DEBUG")]);
    // OpenSSL itself speaks it at its lowest level of security only.
    let lowest = ["-cipher", "DEFAULT@SECLEVEL=0"];
    let old = s_client(&scene, &[&["-tls1_1"][..], &lowest].concat());
    let said = String::from_utf8_lossy(&old.stderr);
    assert!(!old.status.success(), "{said}");
    assert!(said.contains("SSL alert number"), "{said}");
    wait_for("it is counted", || {
        (scene.counted(FAILED) == 1).then_some(())
    });
    assert!(scene.log_has("TLS handshake failed"));
    let new = s_client(&scene, &[&["-tls1_2"][..], &lowest].concat());
    assert!(new.status.success(), "{new:?}");
    assert_eq!(scene.counted(FAILED), 1);
    scene.collector.stop();
}

#[test]
fn who_speaks_http_2_only_is_refused() {
    let scene = Scene::start(&[]);
    let output = s_client(&scene, &["-alpn", "h2"]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("no application protocol"), "{said}");
    scene.collector.stop();
}

#[test]
fn plain_http_gets_no_answer_and_no_redirect() {
    let scene = Scene::start(&[]);
    let mut client = TcpStream::connect(scene.collector.address()).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = b"POST /submit HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n";
    client.write_all(request).unwrap();
    let mut answer = Vec::new();
    // A reset is an end, too; a timeout is none.
    if let Err(error) = client.read_to_end(&mut answer) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"));
    wait_for("it is counted", || {
        (scene.counted(FAILED) == 1).then_some(())
    });
    scene.collector.stop();
}

#[test]
fn a_client_without_a_handshake_keeps_nobody_waiting() {
    let scene = Scene::start(&[("BREAKPAD_HEADER_TIMEOUT_SECONDS", "3600")]);
    let mut silent = Vec::new();
    for start in [&b""[..], b"\x16\x03\x01\x02\x00\x01"] {
        let mut client = TcpStream::connect(scene.collector.address()).unwrap();
        client.write_all(start).unwrap();
        silent.push(client);
    }
    assert!(scene.is_answered());
    assert_eq!(scene.counted(FAILED), 0);
    scene.collector.stop();
}

#[test]
fn a_client_without_a_handshake_is_let_go_and_its_place_is_free_again() {
    let scene = Scene::start(&[
        ("BREAKPAD_HEADER_TIMEOUT_SECONDS", "1"),
        ("BREAKPAD_MAX_CONNECTIONS", "1"),
    ]);
    let mut silent = TcpStream::connect(scene.collector.address()).unwrap();
    silent.set_read_timeout(Some(PATIENCE)).unwrap();
    // The only place is taken until the silent client is let go; nobody is accepted above the limit.
    assert!(scene.is_answered());
    assert_eq!(scene.counted(FAILED), 1);
    let mut answer = Vec::new();
    silent.read_to_end(&mut answer).expect("the end");
    assert!(answer.is_empty());
    scene.collector.stop();
}
