//! What happens to a connection before, between and after its requests: every head is looked at, places are given up by who
//! does nothing with them, and every POST has its account.

mod accounts;
mod heads;
mod open_files;
mod places;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::support::wait::PATIENCE;

const ALL: (&str, &str) = ("BREAKPAD_THROTTLER_RULES", "accept_all");
const ADMIN: (&str, &str) = ("ADMIN_LISTEN", "127.0.0.1:0");

/// A report with this request line, on a connection that stays open.
fn report(line: &str) -> String {
    with_lines(line, "Host: test\r\n")
}

fn with_lines(line: &str, lines: &str) -> String {
    let body =
        "--b\r\nContent-Disposition: form-data; name=\"ProductName\"\r\n\r\nFirefox\r\n--b--\r\n";
    format!(
        "{line}\r\n{lines}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn connect(address: SocketAddr) -> TcpStream {
    let client = TcpStream::connect(address).expect("the collector listens");
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    client.set_nodelay(true).unwrap();
    client
}

/// Sends a request and reads its answer, whose body must end with `end`.
fn ask(client: &mut TcpStream, request: &str, end: &str) -> String {
    client.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    let mut piece = [0; 4096];
    while !answer.contains("\r\n\r\n") || !answer.ends_with(end) {
        let length = client.read(&mut piece).expect("an answer");
        assert!(length > 0, "closed after {answer:?}");
        answer += &String::from_utf8_lossy(&piece[..length]);
    }
    answer
}

/// Waits until the collector closes; what came before.
fn rest(client: &mut TcpStream) -> String {
    let mut all = Vec::new();
    match client.read_to_end(&mut all) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    String::from_utf8_lossy(&all).into_owned()
}
