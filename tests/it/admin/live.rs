//! `antenna check --live` against collectors that live, that are gone, and that hang.

use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Output};

use crate::support::collector::TestCollector;

fn check_live(host: &str, address: SocketAddr) -> Output {
    Command::new(env!("CARGO_BIN_EXE_antenna"))
        .args(["check", "--live"])
        .env_clear()
        .env("HOST", host)
        .env("PORT", address.port().to_string())
        .output()
        .unwrap()
}

fn refused(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[test]
fn a_collector_that_answers_is_live_until_it_is_gone() {
    let collector = TestCollector::start::<&str, &str>(&[]);
    let address = collector.address();
    for host in ["127.0.0.1", "0.0.0.0"] {
        let output = check_live(host, address);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let said = String::from_utf8(output.stdout).unwrap();
        assert_eq!(said, format!("live: the collector at {address} answers\n"));
    }
    collector.stop();
    let said = refused(&check_live("127.0.0.1", address));
    assert!(said.contains("no live collector at"), "{said}");
}

#[test]
fn who_never_answers_is_not_live() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let said = refused(&check_live("127.0.0.1", silent.local_addr().unwrap()));
    assert!(said.contains("no live collector at"), "{said}");
}
