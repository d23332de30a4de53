//! Clients send over TLS what they send without it.

use std::path::Path;
use std::process::{Command, Output};

use super::Scene;
use crate::clients::capture::captures;
use crate::support::crash::{Crash, gzip};
use crate::support::report;
use crate::support::stored::{objects_below, objects_of};
use crate::support::tls::{CERTIFICATE, Tunnel};
use crate::support::wire::{Exchange, play};

const DUMP: &[u8] = b"MDMP and some bytes";

fn curl(scene: &Scene, args: &[&str]) -> Output {
    let port = scene.collector.address().port();
    Command::new("curl")
        .args(["-sS", "-w", " %{http_code} %{http_version}", "--cacert"])
        .arg(scene.folder.path().join(CERTIFICATE))
        .args(args)
        .arg(format!("https://localhost:{port}/submit"))
        .current_dir(scene.folder.path())
        .output()
        .expect("curl")
}

/// A form of the crash in a file beside the certificate, plain or gzipped; its content type.
fn write_form(folder: &Path, name: &str, is_gzip: bool) -> String {
    let crash = Crash::default()
        .annotation("ProductName", "Firefox")
        .dump("upload_file_minidump", DUMP);
    let request = crash.request();
    let text = String::from_utf8_lossy(&request);
    let (_, value) = text.split_once("Content-Type: ").unwrap();
    let (value, _) = value.split_once("\r\n").unwrap();
    let body = crash.body();
    let body = if is_gzip { gzip(&body, 6) } else { body };
    std::fs::write(folder.join(name), body).unwrap();
    format!("Content-Type: {value}")
}

#[test]
fn curl_sends_reports_in_every_form() {
    let scene = Scene::start(&[]);
    let folder = scene.folder.path();
    std::fs::write(folder.join("some.dmp"), DUMP).unwrap();
    let media = write_form(folder, "body", false);
    write_form(folder, "body.gz", true);
    let form = [
        "-F",
        "ProductName=Firefox",
        "-F",
        "upload_file_minidump=@some.dmp",
    ];
    let expect = ["-H", "Expect: 100-continue"];
    let chunked = ["-H", "Transfer-Encoding: chunked"];
    let plain = ["-H", &media, "--data-binary", "@body"];
    let gzipped = ["-H", &media, "-H", "Content-Encoding: gzip"];
    let gzipped = [&gzipped[..], &["--data-binary", "@body.gz"]].concat();
    let versions = [["--tls-max", "1.2"], ["--tlsv1.3", "--http2"]];
    for args in [
        form.to_vec(),
        [&form[..], &versions[0]].concat(),
        [&form[..], &versions[1]].concat(),
        [&form[..], &expect].concat(),
        [&plain[..], &chunked].concat(),
        gzipped.clone(),
        [&gzipped[..], &chunked, &expect].concat(),
    ] {
        let output = curl(&scene, &args);
        let said = String::from_utf8_lossy(&output.stdout);
        let id = said.strip_prefix("CrashID=bp-").and_then(|said| {
            // HTTP/1.1 also for who would like HTTP/2.
            said.strip_suffix("\n 200 1.1")
        });
        let id = id.unwrap_or_else(|| panic!("{args:?}: {output:?}"));
        let stored = objects_of(&objects_below(&scene.collector.crashes()), id);
        assert!(stored.values().any(|bytes| bytes == DUMP), "{args:?}");
    }
    scene.collector.stop();
}

#[test]
fn every_capture_of_a_real_client_is_understood_over_tls() {
    let scene = Scene::start(&[]);
    let tunnel = Tunnel::to(scene.collector.address(), scene.folder.path());
    let captures = captures();
    let mut problems = Vec::new();
    for capture in &captures {
        let answers = play(tunnel.address(), &Exchange::of(capture.bytes.clone()));
        let stored = objects_below(&scene.collector.crashes());
        problems.extend(capture.problems(answers[0].response(), &stored));
    }
    scene.collector.stop();
    let count = captures.len();
    report(&format!(
        "tls: {count} captures, {} differences",
        problems.len()
    ));
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// As behind a load balancer that passes TLS on: its header comes first, in the clear.
#[test]
fn a_proxy_header_comes_before_the_handshake() {
    let scene = Scene::start(&[("PROXY_PROTOCOL", "on")]);
    std::fs::write(scene.folder.path().join("some.dmp"), DUMP).unwrap();
    let form = [
        "-F",
        "ProductName=Firefox",
        "-F",
        "upload_file_minidump=@some.dmp",
    ];
    let said = curl(&scene, &[&form[..], &["--haproxy-protocol"]].concat());
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.starts_with("CrashID=bp-"), "{said}");
    let without = curl(&scene, &form);
    assert!(!without.status.success());
    assert_eq!(scene.counted("breakpad_resource_proxy_header_failed"), 1);
}
