//! Libraries with which people send reports, run for real, each with a minidump, a JSON file and two files in one field. All of
//! it is stored, byte for byte, and the form's annotations are what they were.

use std::process::Command;

use super::capture::folder;
use super::{SETTINGS, in_target};
use crate::support::canonical_json::parse;
use crate::support::collector::TestCollector;
use crate::support::stored::objects_below;

const SETTINGS_JSON: &[u8] = br#"[{"ProductName": "not this one"}]"#;
const LOGS: [&[u8]; 2] = [b"the first log\r\n", b"the longer log\r\n--\xff\r\n"];
/// The longer of two files has the plain name.
const ONE_FIELD: [&str; 2] = ["logs_2", "logs"];

/// A script of `senders`, started by `program`.
fn sender(program: &str, script: &str) -> Command {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/senders/");
    let mut command = Command::new(program);
    command.arg(format!("{folder}{script}"));
    command
}

fn delivers(mut client: Command, log_names: [&str; 2]) {
    let collector = TestCollector::start(&SETTINGS);
    let files = tempfile::tempdir().expect("a temporary folder");
    let file = |name: &str, content: &[u8]| {
        let path = files.path().join(name);
        std::fs::write(&path, content).expect("a writable folder");
        path
    };
    let minidump =
        std::fs::read(folder().join("crashpad-chromium156-segv.dmp")).expect("a minidump");
    client.arg(format!("http://{}/submit", collector.address()));
    client.arg(file("crash.dmp", &minidump));
    client.arg(file("settings.json", SETTINGS_JSON));
    client.args([file("a.log", LOGS[0]), file("b.log", LOGS[1])]);
    let output = client.output();
    let output = output.unwrap_or_else(|error| panic!("{client:?}: {error}; see tests/run.sh"));
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(
        told.starts_with("CrashID=bp-"),
        "{client:?} was told {told:?}: {output:?}"
    );

    let stored = objects_below(&collector.crashes());
    let of_kind = |kind: &str| {
        let kind = format!("/{kind}/");
        let found = stored.iter().find(|(path, _)| path.contains(&kind));
        found
            .unwrap_or_else(|| panic!("{client:?}: no {kind}: {:?}", stored.keys()))
            .1
    };
    assert!(
        of_kind("upload_file_minidump") == &minidump,
        "{client:?}: the minidump differs"
    );
    assert_eq!(of_kind("settings"), SETTINGS_JSON, "{client:?}");
    for (name, log) in log_names.into_iter().zip(LOGS) {
        assert_eq!(of_kind(name), log, "{client:?}: {name}");
    }
    let raw_crash = parse(of_kind("raw_crash")).expect("JSON");
    assert_eq!(raw_crash["ProductName"], "Firefox", "{client:?}");
    assert_eq!(raw_crash["Version"], "128.0", "{client:?}");
    collector.stop();
}

#[test]
fn urllib3_delivers_everything() {
    let python = in_target("venv/bin/python");
    delivers(sender(&python, "send_urllib3.py"), ONE_FIELD);
}

#[test]
fn nodes_form_data_delivers_everything() {
    let mut node = sender("node", "form-data.js");
    node.env("NODE_PATH", in_target("node/node_modules"));
    delivers(node, ONE_FIELD);
}

#[test]
fn nodes_fetch_delivers_everything() {
    delivers(sender("node", "undici.js"), ONE_FIELD);
}

#[test]
fn javas_clients_deliver_everything() {
    for how in ["client", "connection"] {
        let mut java = sender("java", "Send.java");
        java.arg(how);
        delivers(java, ONE_FIELD);
    }
}

/// Debian's jars.
fn java_with(jars: &[&str], script: &str) -> Command {
    let jars: Vec<String> = jars
        .iter()
        .map(|jar| format!("/usr/share/java/{jar}.jar"))
        .collect();
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/senders/");
    let mut java = Command::new("java");
    java.arg("-cp").arg(jars.join(":"));
    java.arg(format!("{folder}{script}"));
    java
}

/// The first two write a transfer encoding for each part.
#[test]
fn apaches_http_client_delivers_everything() {
    let jars = [
        "httpclient",
        "httpmime",
        "httpcore",
        "commons-logging",
        "commons-codec",
    ];
    for mode in ["STRICT", "RFC6532", "BROWSER_COMPATIBLE"] {
        let mut java = java_with(&jars, "Apache.java");
        java.arg(mode);
        delivers(java, ONE_FIELD);
    }
}

#[test]
fn ok_http_delivers_everything() {
    delivers(java_with(&["okhttp", "okio"], "OkHttp.java"), ONE_FIELD);
}

#[test]
fn phps_curl_delivers_everything() {
    delivers(sender("php", "curl.php"), ["logs0", "logs1"]);
}

#[test]
fn rubys_net_http_delivers_everything() {
    delivers(sender("ruby", "net_http.rb"), ONE_FIELD);
}

#[test]
fn go_delivers_everything() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/clients/senders/");
    let cache = in_target("go-cache");
    let mut go = Command::new("go");
    go.arg("run")
        .arg(format!("{folder}send.go"))
        .env("GOCACHE", cache);
    delivers(go, ONE_FIELD);
}

#[test]
fn qt_delivers_everything() {
    delivers(sender("/usr/bin/python3", "qt.py"), ONE_FIELD);
}
