//! The thread that finds the StatsD server and sends to it: again and again, because servers move.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use super::Losses;

/// Fits everywhere; whole lines only.
const PACKET_BYTES: usize = 512;
/// How long a line may wait for others to share its packet.
const SEND_EVERY: Duration = Duration::from_secs(1);
/// A server that moves is found within this time.
const RESOLVE_EVERY: Duration = Duration::from_secs(30);
/// While the name has no address.
const RETRY_EVERY: Duration = Duration::from_secs(5);

/// What the thread is told.
pub(super) enum Message {
    Line(String),
    /// Send what is here, then say so.
    Flush(SyncSender<()>),
}

/// The thread's state.
pub(super) struct Sender {
    host: String,
    port: u16,
    losses: Arc<Losses>,
    /// All addresses of the name, the one in use first.
    addresses: Vec<SocketAddr>,
    /// Connected to the first address, after the first packet.
    socket: Option<UdpSocket>,
    resolved: Instant,
    packet: String,
    /// Trouble is said once, until it is over.
    is_in_trouble: bool,
}

impl Sender {
    pub fn new(host: &str, port: u16, losses: Arc<Losses>) -> Self {
        Self {
            host: host.to_owned(),
            port,
            losses,
            addresses: Vec::new(),
            socket: None,
            resolved: Instant::now(),
            packet: String::new(),
            is_in_trouble: false,
        }
    }

    /// Sends what comes, until nobody can send any more. Lines wait in the channel until the name has an address.
    pub fn run(mut self, messages: &Receiver<Message>) {
        while !self.resolve() {
            std::thread::sleep(RETRY_EVERY);
        }
        let mut next = Instant::now() + SEND_EVERY;
        loop {
            match messages.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(Message::Line(line)) => self.add(&line),
                Ok(Message::Flush(done)) => {
                    self.send();
                    // Whoever asked may have gone.
                    let _ = done.send(());
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return self.send(),
            }
            if Instant::now() >= next {
                self.send();
                if self.resolved.elapsed() >= RESOLVE_EVERY {
                    self.resolve();
                }
                next = Instant::now() + SEND_EVERY;
            }
        }
    }

    /// Looks the name up. False while it has never had an address; what was found before stays when the lookup fails.
    fn resolve(&mut self) -> bool {
        self.resolved = Instant::now();
        match (self.host.as_str(), self.port).to_socket_addrs() {
            Ok(found) => self.found(found.collect()),
            Err(error) if self.addresses.is_empty() => self.trouble(&error),
            Err(error) => tracing::debug!(%error, "StatsD's name was not found again"),
        }
        !self.addresses.is_empty()
    }

    /// The address in use stays in use while the name has it.
    fn found(&mut self, mut found: Vec<SocketAddr>) {
        let in_use = self.addresses.first();
        if let Some(at) = found.iter().position(|address| Some(address) == in_use) {
            found.rotate_left(at);
        } else {
            self.socket = None;
        }
        if !found.is_empty() {
            self.addresses = found;
        }
    }

    fn add(&mut self, line: &str) {
        if self.packet.len() + 1 + line.len() > PACKET_BYTES {
            self.send();
        }
        if !self.packet.is_empty() {
            self.packet.push('\n');
        }
        self.packet.push_str(line);
    }

    /// Sends the packet to the first address that does not refuse it.
    fn send(&mut self) {
        let packet = std::mem::take(&mut self.packet);
        if packet.is_empty() {
            return;
        }
        // Once more than there are addresses: a failure may be that of the packet before.
        for attempt in 0..=self.addresses.len() {
            let Err(error) = self.try_send(&packet) else {
                return self.works();
            };
            if attempt == self.addresses.len() {
                self.trouble(&error);
            }
            self.addresses.rotate_left(1);
        }
        let lines = packet.lines().count() as u64;
        self.losses.lines.fetch_add(lines, Ordering::Relaxed);
        self.losses.failed_sends.fetch_add(1, Ordering::Relaxed);
    }

    fn try_send(&mut self, packet: &str) -> io::Result<()> {
        let socket = match self.socket.take() {
            Some(socket) => socket,
            None => connect(self.addresses[0])?,
        };
        socket.send(packet.as_bytes())?;
        // Where the server is on this machine, the kernel knows at once that nobody listens.
        match socket.take_error()? {
            Some(refused) => Err(refused),
            None => {
                self.socket = Some(socket);
                Ok(())
            }
        }
    }

    fn trouble(&mut self, error: &io::Error) {
        if !std::mem::replace(&mut self.is_in_trouble, true) {
            let (host, port) = (&self.host, self.port);
            tracing::warn!(
                %error,
                "metrics do not reach STATSD_HOST={host}, STATSD_PORT={port}: it is tried again, reports are not affected"
            );
        }
    }

    fn works(&mut self) {
        if std::mem::take(&mut self.is_in_trouble) {
            tracing::info!("metrics reach StatsD at {}", self.addresses[0]);
        }
    }
}

/// A socket of the address's family, which sees when nobody listens there.
fn connect(address: SocketAddr) -> io::Result<UdpSocket> {
    let own = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let socket = UdpSocket::bind(own)?;
    socket.connect(address)?;
    socket.set_write_timeout(Some(SEND_EVERY))?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listening(address: &str) -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind(address).unwrap();
        let patience = Some(Duration::from_secs(5));
        socket.set_read_timeout(patience).unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    fn sender(addresses: &[SocketAddr]) -> Sender {
        let mut sender = Sender::new("statsd.invalid", 1, Arc::default());
        sender.found(addresses.to_vec());
        sender
    }

    fn heard(socket: &UdpSocket) -> String {
        let mut buffer = [0; 2048];
        let length = socket.recv(&mut buffer).expect("a packet in time");
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    fn say(sender: &mut Sender, line: &str) {
        sender.add(line);
        sender.send();
    }

    #[test]
    fn an_address_of_each_family_is_reached() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let (socket, address) = listening(address);
            say(&mut sender(&[address]), "a:1|c");
            assert_eq!(heard(&socket), "a:1|c");
        }
    }

    #[test]
    fn the_next_address_is_taken_where_nobody_listens_at_the_first() {
        let (gone, nobody) = listening("[::1]:0");
        drop(gone);
        let (socket, address) = listening("127.0.0.1:0");
        let mut sender = sender(&[nobody, address]);
        say(&mut sender, "a:1|c");
        assert_eq!(heard(&socket), "a:1|c");
        assert_eq!(sender.losses.lines.load(Ordering::Relaxed), 0);
        assert_eq!(sender.addresses, [address, nobody]);
    }

    #[test]
    fn a_server_that_moves_is_followed() {
        let (_old, first) = listening("127.0.0.1:0");
        let (new, second) = listening("127.0.0.1:0");
        let mut sender = sender(&[first]);
        say(&mut sender, "a:1|c");
        sender.found(vec![second, first]);
        assert_eq!(sender.addresses, [first, second], "it is still there");
        sender.found(vec![second]);
        say(&mut sender, "b:1|c");
        assert_eq!(heard(&new), "b:1|c");
        sender.found(Vec::new());
        assert_eq!(sender.addresses, [second], "better than none");
    }

    #[test]
    fn what_nobody_takes_is_counted() {
        let (gone, nobody) = listening("127.0.0.1:0");
        drop(gone);
        let mut sender = sender(&[nobody]);
        sender.add("a:1|c");
        say(&mut sender, "b:1|c");
        assert_eq!(sender.losses.lines.load(Ordering::Relaxed), 2);
        assert_eq!(sender.losses.failed_sends.load(Ordering::Relaxed), 1);
        assert!(sender.is_in_trouble);
    }

    #[test]
    fn a_packet_holds_whole_lines_only() {
        let (socket, address) = listening("127.0.0.1:0");
        let mut sender = sender(&[address]);
        let line = "x".repeat(300);
        sender.add(&line);
        sender.add(&line);
        assert_eq!(heard(&socket), line);
        assert_eq!(sender.packet, line);
    }
}
