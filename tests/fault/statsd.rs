//! Listens to what the collector tells StatsD, and adds up its counters.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use super::support::wait::wait_for;

/// What only this test sends: everything before it has been read when it has.
const MARK: &str = "mark:1|c";

/// A receiver on a port of its own. It ends when dropped.
pub struct Statsd {
    socket: UdpSocket,
    counters: Arc<Mutex<BTreeMap<String, i64>>>,
    reader: Option<JoinHandle<()>>,
}

impl Statsd {
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
        let own = socket.try_clone().expect("a second handle");
        let counters = Arc::new(Mutex::new(BTreeMap::new()));
        let sums = counters.clone();
        let reader = std::thread::spawn(move || {
            let mut datagram = [0; 65536];
            while let Ok(length @ 1..) = own.recv(&mut datagram) {
                let text = String::from_utf8_lossy(&datagram[..length]);
                let mut sums = sums.lock().expect("no panic while locked");
                for (key, value) in text.lines().filter_map(counter) {
                    *sums.entry(key).or_default() += value;
                }
            }
        });
        let reader = Some(reader);
        Self {
            socket,
            counters,
            reader,
        }
    }

    pub fn port(&self) -> u16 {
        self.socket.local_addr().expect("a bound socket").port()
    }

    /// The sums since the last call, as `name` or `name tag`; the collector must have ended.
    pub fn take(&self) -> BTreeMap<String, i64> {
        self.send(MARK.as_bytes());
        let has_mark = || {
            let mut sums = self.counters.lock().expect("no panic while locked");
            sums.remove("mark").map(|_| std::mem::take(&mut *sums))
        };
        wait_for("all metrics are read", has_mark)
    }

    fn send(&self, bytes: &[u8]) {
        let address = self.socket.local_addr().expect("a bound socket");
        self.socket.send_to(bytes, address).expect("loopback");
    }
}

impl Drop for Statsd {
    fn drop(&mut self) {
        // An empty datagram ends the reader.
        self.send(b"");
        let _ = self.reader.take().map(JoinHandle::join);
    }
}

/// `crashmover.fate:1|c|#fate:saved,host:x` is (`crashmover.fate saved`, 1). None for what is no counter.
fn counter(line: &str) -> Option<(String, i64)> {
    let (name, rest) = line.split_once(':')?;
    let mut fields = rest.split('|');
    let value = fields.next()?.parse().ok()?;
    if fields.next()? != "c" {
        return None;
    }
    let last_word = name.rsplit('.').next()?;
    let tags = fields
        .find_map(|field| field.strip_prefix('#'))
        .unwrap_or_default();
    let tag = tags
        .split(',')
        .find_map(|tag| tag.strip_prefix(last_word)?.strip_prefix(':'));
    let key = tag.map_or_else(|| name.to_owned(), |tag| format!("{name} {tag}"));
    Some((key, value))
}
