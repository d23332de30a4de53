//! Clients that go away before they are answered. Their POSTs have an outcome all the same, and a report that is complete
//! is kept: whoever sent it may never come back.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};

use super::rig::{Rig, crash};
use super::scene::Scene;
use crate::support::fault_proxy::Fault;

/// How a client goes away.
#[derive(Clone, Copy, Debug)]
enum Leaves {
    /// It stops sending, and still reads.
    HalfClosing,
    /// It is gone, and nothing it was sent is left to be read.
    Closing,
    /// It is gone, and its system resets the connection because it has not read everything.
    Resetting,
}

const ALL: [Leaves; 3] = [Leaves::HalfClosing, Leaves::Closing, Leaves::Resetting];

/// Sends all but the last `missing` bytes of a report, after it was asked for its body.
fn send(rig: &Rig, missing: usize, leaves: Leaves) -> TcpStream {
    rig.count_post();
    let crash = crash(0).header("Expect", "100-continue");
    let request = crash.request();
    // A client that may send more on its connection is listened to while it waits.
    let request = without(&request, b"Connection: close\r\n");
    let (head, body) = request.split_at(request.len() - crash.body().len());
    let mut client = TcpStream::connect(rig.collector.address()).unwrap();
    client.write_all(head).unwrap();
    let mut interim = [0; 1024];
    client.peek(&mut interim).unwrap();
    if !matches!(leaves, Leaves::Resetting) {
        let length = client.read(&mut interim).unwrap();
        assert!(interim[..length].ends_with(b"\r\n\r\n"));
    }
    client.write_all(&body[..body.len() - missing]).unwrap();
    client
}

fn without(request: &[u8], line: &[u8]) -> Vec<u8> {
    let at = request.windows(line.len()).position(|piece| piece == line);
    let at = at.expect("the line is there");
    [&request[..at], &request[at + line.len()..]].concat()
}

/// What is kept open, if anything.
fn leave(client: TcpStream, leaves: Leaves) -> Option<TcpStream> {
    match leaves {
        Leaves::HalfClosing => {
            client.shutdown(Shutdown::Write).unwrap();
            Some(client)
        }
        Leaves::Closing | Leaves::Resetting => None,
    }
}

#[test]
fn a_complete_report_is_kept_although_its_client_has_hung_up() {
    for leaves in ALL {
        let rig = Scene::new().start(&[]);
        rig.scene().s3(Fault::Hang);
        let client = send(&rig, 0, leaves);
        rig.wait_until_said("returned ACCEPT", 1);
        let still_open = leave(client, leaves);
        rig.collector.get("/__lbheartbeat__");
        rig.scene().s3(Fault::Pass);
        rig.wait_until_said("published", 1);
        if let Some(mut client) = still_open {
            let mut answer = String::new();
            client.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
        let books = rig.end().books;
        assert_eq!(
            (books.outcome("kept"), books.fate("saved")),
            (1, 1),
            "{leaves:?}"
        );
    }
}

#[test]
fn half_a_report_is_not_kept_and_has_an_outcome() {
    for leaves in ALL {
        let rig = Scene::new().start(&[]);
        drop(leave(send(&rig, 20_000, leaves), leaves));
        let books = rig.end().books;
        assert_eq!(
            (books.outcome("kept"), books.all_outcomes()),
            (0, 1),
            "{leaves:?}"
        );
    }
}
