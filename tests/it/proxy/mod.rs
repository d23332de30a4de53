//! The PROXY protocol: behind haproxy and nginx, and byte by byte. What has a header is served as if it had none; what has
//! none is closed without an answer.

mod balancers;
mod commands;
mod headers;
mod refused;

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::support::collector::TestCollector;
use crate::support::crash::Crash;
use crate::support::statsd::StatsdReceiver;
use crate::support::stored::{objects_below, objects_of};
use crate::support::wait::PATIENCE;

const ON: (&str, &str) = ("PROXY_PROTOCOL", "on");
const V1: &[u8] = b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n";
const FAILED: &str = "breakpad_resource.proxy_header_failed:1|c";
const WARNING: &str = "no PROXY header, though PROXY_PROTOCOL is on";

/// A header of version 2 with a block of this length.
fn v2(command: u8, family: u8, block_bytes: u16) -> Vec<u8> {
    let start = [b"\r\n\r\n\0\r\nQUIT\n", &[command, family][..]].concat();
    let block = vec![b'\n'; usize::from(block_bytes)];
    [start, block_bytes.to_be_bytes().to_vec(), block].concat()
}

/// Every byte there is, more than one packet of them.
fn dump() -> Vec<u8> {
    (0..100_000_u32).map(|at| (at * 7 % 256) as u8).collect()
}

fn crash() -> Crash {
    Crash::accepted().dump("upload_file_minidump_browser", &dump())
}

/// A collector and what it counts.
struct Door {
    collector: TestCollector,
    statsd: StatsdReceiver,
}

impl Door {
    fn open(more: &[(&str, &str)]) -> Self {
        let statsd = StatsdReceiver::start();
        let port = statsd.port().to_string();
        let own = [("STATSD_HOST", "127.0.0.1"), ("STATSD_PORT", &*port)];
        Self {
            collector: TestCollector::start(&[&own, more].concat()),
            statsd,
        }
    }

    fn address(&self) -> SocketAddr {
        self.collector.address()
    }

    /// The report of this answer lies there as [`crash`] made it.
    fn assert_stored(&self, crash_id: &str) {
        let objects = objects_of(&objects_below(&self.collector.crashes()), crash_id);
        let contents: Vec<_> = objects.values().collect();
        assert_eq!(contents.len(), 4, "{:?}", objects.keys());
        assert!(contents.contains(&&dump()), "the dump differs");
    }

    /// Stops the collector: how many connections it counted as begun without a header, and its log.
    fn close(self) -> (usize, Vec<String>) {
        let (_folder, log) = self.collector.stop();
        let lines = self.statsd.take();
        let failed = lines.iter().filter(|line| line.contains(FAILED));
        (failed.count(), log)
    }
}

/// Everything that is answered to these bytes, until the collector closes.
fn heard(address: SocketAddr, bytes: &[u8]) -> String {
    let mut client = TcpStream::connect(address).expect("the collector listens");
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    // It may be closed already.
    let _ = client.write_all(bytes);
    let mut answer = Vec::new();
    match client.read_to_end(&mut answer) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
    String::from_utf8_lossy(&answer).into_owned()
}
