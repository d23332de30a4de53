//! A statsd server that only remembers: the lines of every datagram, in the order of arrival.

use std::net::UdpSocket;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Listens on a free UDP port until it is dropped.
pub struct StatsdReceiver {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
    done: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl StatsdReceiver {
    pub fn start() -> Self {
        Self::start_at("127.0.0.1")
    }

    /// At another address of this machine.
    pub fn start_at(address: &str) -> Self {
        let socket = UdpSocket::bind((address, 0)).expect("a free UDP port");
        let port = socket.local_addr().expect("a bound socket").port();
        // So that the thread sees that it is no longer needed.
        let timeout = Some(Duration::from_millis(50));
        socket.set_read_timeout(timeout).expect("a socket option");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let done = Arc::new(AtomicBool::new(false));
        let thread = std::thread::spawn({
            let (lines, done) = (lines.clone(), done.clone());
            move || receive(&socket, &lines, &done)
        });
        Self {
            port,
            lines,
            done,
            thread: Some(thread),
        }
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The lines since the last call.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().expect("no panic while locked"))
    }
}

impl Drop for StatsdReceiver {
    fn drop(&mut self) {
        self.done.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn receive(socket: &UdpSocket, lines: &Mutex<Vec<String>>, done: &AtomicBool) {
    let mut datagram = [0; 64 * 1024];
    while !done.load(Ordering::Relaxed) {
        if let Ok(length) = socket.recv(&mut datagram) {
            let text = String::from_utf8_lossy(&datagram[..length]);
            let new = text.lines().filter(|line| !line.is_empty());
            lines
                .lock()
                .expect("no panic while locked")
                .extend(new.map(str::to_owned));
        }
    }
}
