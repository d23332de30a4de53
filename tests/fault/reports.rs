//! Unique reports with known content, one client that posts them, and the list of what clients were told.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, RngCore, SeedableRng};
use sha2::{Digest, Sha256};

use super::support::crash::Crash;

pub const MINIDUMP: &str = "upload_file_minidump";
pub const BROWSER: &str = "upload_file_minidump_browser";
/// Longer than any deadline of the collector in this suite.
const READ_TIMEOUT: Duration = Duration::from_secs(40);

/// What must be in storage for a report.
#[derive(Clone, Debug)]
pub struct Expected {
    /// The value of an annotation that no other report has.
    pub marker: String,
    /// Name and SHA-256 of each dump.
    pub dumps: Vec<(&'static str, [u8; 32])>,
}

/// The request for report `number`, and what must become of it.
pub fn report(number: u64) -> (Vec<u8>, Expected) {
    let mut dice = StdRng::seed_from_u64(number);
    let marker = format!("report {number}");
    let mut crash = Crash::default()
        .annotation("ProductName", "Thunderbird")
        .annotation("Version", "115.6.0")
        .annotation("FaultMarker", &marker);
    let mut dumps = Vec::new();
    for (name, one_in) in [(MINIDUMP, 1), (BROWSER, 4)] {
        if dice.random_range(0..one_in) == 0 {
            let largest = match dice.random_range(0..40) {
                0 => 1_500_000,
                1 | 2 => 200_000,
                _ => 8_000,
            };
            let mut bytes = vec![0; dice.random_range(1..largest)];
            dice.fill_bytes(&mut bytes);
            crash = crash.dump(name, &bytes);
            dumps.push((name, Sha256::digest(&bytes).into()));
        }
    }
    (crash.request(), Expected { marker, dumps })
}

/// How one request ended for its client.
pub enum Told {
    /// 200 and this crash id.
    Kept(String),
    /// An answer without a crash id.
    Refused(u16),
    /// Not even sent as a whole.
    NotSent,
    /// Sent as a whole, and no (whole) answer came.
    NoAnswer,
}

/// Posts `request` on a connection of its own; also when its last byte was handed to the kernel.
pub fn post(address: SocketAddr, request: &[u8]) -> (Told, Instant) {
    let sent = TcpStream::connect(address).and_then(|mut stream| {
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        stream.write_all(request)?;
        Ok(stream)
    });
    let sent_at = Instant::now();
    let Ok(mut stream) = sent else {
        return (Told::NotSent, sent_at);
    };
    let mut answer = Vec::new();
    // The requests ask for the connection to be closed. What came before an error may be a whole answer.
    let _ = stream.read_to_end(&mut answer);
    (told(&String::from_utf8_lossy(&answer)), sent_at)
}

fn told(answer: &str) -> Told {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok());
    let id = body
        .strip_prefix("CrashID=bp-")
        .and_then(|rest| rest.strip_suffix('\n'));
    match (status, id) {
        (Some(200), Some(id)) if id.len() == 36 => Told::Kept(id.to_owned()),
        (Some(200) | None, _) => Told::NoAnswer,
        (Some(status), _) => Told::Refused(status),
    }
}

/// What all clients were told so far.
#[derive(Default)]
pub struct Ledger(Mutex<ToldSums>);

/// The sums, and what was promised.
#[derive(Default)]
pub struct ToldSums {
    pub acknowledged: BTreeMap<String, Expected>,
    /// Status to how often.
    pub refused: BTreeMap<u16, usize>,
    pub not_sent: usize,
    /// When each request was sent to which no answer came.
    pub unanswered: Vec<Instant>,
}

impl Ledger {
    pub fn enter(&self, (told, sent_at): (Told, Instant), expected: Expected) {
        let mut sums = self.sums();
        match told {
            Told::Kept(id) => {
                let before = sums.acknowledged.insert(id, expected);
                assert!(before.is_none(), "one crash id for two reports");
            }
            Told::Refused(status) => *sums.refused.entry(status).or_default() += 1,
            Told::NotSent => sums.not_sent += 1,
            Told::NoAnswer => sums.unanswered.push(sent_at),
        }
    }

    pub fn sums(&self) -> MutexGuard<'_, ToldSums> {
        self.0.lock().expect("no panic while locked")
    }
}
