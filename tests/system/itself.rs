//! The system test against collectors of its own: it must be content with good ones, tidy up after itself, and find what
//! is wrong with bad ones.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::checks;
use crate::node::Node;
use crate::run;
use crate::support::collector::TestCollector;
use crate::support::moto::{Moto, unique};
use crate::support::stored::objects_below;

/// Makes the checks that have a word in their names; says whether all went as it should.
type Scene = fn(&str) -> bool;
type Settings = Vec<(&'static str, String)>;

/// Says whether all went as it should.
pub fn all(word: &str) -> bool {
    if checks::chosen(word).next().is_none() {
        println!("system: no check has {word:?} in its name");
        return true;
    }
    let scenes: [(&str, Scene); 4] = [
        ("disk, with the token", disk),
        ("S3", s3),
        ("a disk that loses reports is found out", loses_reports),
        (
            "a server that says yes to everything is found out",
            yes_sayer,
        ),
    ];
    let passed = scenes.map(|(name, scene)| {
        println!("--- {name}");
        let is_passed = scene(word);
        if !is_passed {
            println!("FAILED: {name}");
        }
        is_passed
    });
    passed.iter().all(|is_passed| *is_passed)
}

fn node(address: SocketAddr, settings: &Settings) -> Node {
    let variables = settings
        .iter()
        .map(|(name, value)| (OsString::from(name), OsString::from(value)));
    Node::new(&format!("http://{address}/"), variables.collect()).expect("settings of ours")
}

fn disk(word: &str) -> bool {
    let token = (
        "BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN",
        "system-token".to_owned(),
    );
    let collector = TestCollector::start(std::slice::from_ref(&token));
    let root = collector.crashes().display().to_string();
    let settings = vec![
        token,
        ("CRASHMOVER_CRASHSTORAGE_CLASS", "fs".to_owned()),
        ("CRASHMOVER_CRASHSTORAGE_FS_ROOT", root),
    ];
    let summary = run::all(&node(collector.address(), &settings), word);
    let left = objects_below(&collector.crashes());
    collector.stop();
    println!("      left behind: {:?}", left.keys());
    summary.is_passed() && left.is_empty()
}

fn s3(word: &str) -> bool {
    let moto = Moto::start();
    let bucket = unique("system");
    let address = moto.address();
    let made = plain_http(
        address,
        &format!("PUT /{bucket} HTTP/1.1\r\nHost: {address}\r\nContent-Length: 0\r\n"),
    );
    assert!(made.contains(" 200 "), "{made}");
    let settings: Settings = [
        ("CLASS", "s3".to_owned()),
        ("BUCKET_NAME", bucket),
        ("REGION", "us-east-1".to_owned()),
        ("ENDPOINT_URL", moto.url()),
        ("ACCESS_KEY", "fake".to_owned()),
        ("SECRET_ACCESS_KEY", "fake".to_owned()),
    ]
    .map(|(name, value)| (&*format!("CRASHMOVER_CRASHSTORAGE_{name}").leak(), value))
    .into();
    let collector = TestCollector::start(&settings);
    let summary = run::all(&node(collector.address(), &settings), word);
    collector.stop();
    summary.is_passed()
}

/// It says yes, and the report is not where it should be.
fn loses_reports(_: &str) -> bool {
    let collector = TestCollector::start(&[("CRASHMOVER_CRASHSTORAGE_CLASS", "none")]);
    let elsewhere = tempfile::tempdir().expect("a folder");
    let settings = vec![
        ("CRASHMOVER_CRASHSTORAGE_CLASS", "fs".to_owned()),
        (
            "CRASHMOVER_CRASHSTORAGE_FS_ROOT",
            elsewhere.path().display().to_string(),
        ),
    ];
    let summary = run::all(&node(collector.address(), &settings), "plain report");
    collector.stop();
    summary.passed == 1 && summary.failed.len() == 2
}

fn yes_sayer(_: &str) -> bool {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("a bound socket");
    // Ends with the process.
    std::thread::spawn(move || {
        listener
            .incoming()
            .flatten()
            .for_each(|client| drop(say_yes(&client)))
    });
    let summary = run::all(&node(address, &Vec::new()), "");
    summary.failed.len() == checks::ALL.len()
}

fn say_yes(client: &TcpStream) -> std::io::Result<()> {
    let mut request = BufReader::new(client);
    let mut line = String::from("head");
    while !line.trim().is_empty() {
        line.clear();
        request.read_line(&mut line)?;
    }
    let mut client = client;
    client.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nyes")
}

/// Sends a request without a body and reads the answer's first line.
fn plain_http(address: SocketAddr, head: &str) -> String {
    let mut server = TcpStream::connect(address).expect("a server");
    server
        .write_all(format!("{head}Connection: close\r\n\r\n").as_bytes())
        .expect("an open connection");
    let mut line = String::new();
    BufReader::new(server)
        .read_line(&mut line)
        .expect("an answer");
    line
}
