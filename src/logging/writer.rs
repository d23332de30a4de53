//! The thread that writes log lines, and the bounded queue in front of it.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Lines that may wait: seconds of a busy collector.
const QUEUE_LINES: usize = 20_000;
/// Lines that wait go out together, up to this size.
const LARGEST_WRITE_BYTES: usize = 64 * 1024;
/// After a write, more lines may gather this long: a busy collector would otherwise wake the thread for each of them.
const GATHER_FOR: Duration = Duration::from_millis(5);
/// At the end, a pipe that nobody reads does not hold up the process longer than this.
const LAST_LINES: Duration = Duration::from_secs(2);

enum Message {
    Line(String),
    End,
}

/// The way for lines to the thread. Never waits: what finds the queue full is lost, and counted.
#[derive(Clone)]
pub struct Lines {
    sender: SyncSender<Message>,
    lost: Arc<AtomicU64>,
}

impl Lines {
    pub fn send(&self, line: String) {
        match self.sender.try_send(Message::Line(line)) {
            Ok(()) => {}
            Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => {
                self.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Writer while it lasts; dropping it writes what waits.
pub struct Writer {
    lines: Lines,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Says how many lines found the queue full since the start.
    pub fn lost_lines(&self) -> impl Fn() -> u64 + Send + Sync + use<> {
        let lost = self.lines.lost.clone();
        move || lost.load(Ordering::Relaxed)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let deadline = Instant::now() + LAST_LINES;
        while matches!(
            self.lines.sender.try_send(Message::End),
            Err(TrySendError::Full(_))
        ) && Instant::now() < deadline
        {
            std::thread::sleep(Duration::from_millis(5));
        }
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() && Instant::now() < deadline {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// Starts the thread. `notice` renders the line that says how many lines were lost, in the form of all the others.
pub fn start(
    out: impl Write + Send + 'static,
    notice: impl Fn(u64) -> String + Send + 'static,
) -> (Lines, Writer) {
    start_with(out, notice, QUEUE_LINES)
}

fn start_with(
    out: impl Write + Send + 'static,
    notice: impl Fn(u64) -> String + Send + 'static,
    queue_lines: usize,
) -> (Lines, Writer) {
    let (sender, receiver) = sync_channel(queue_lines);
    let lines = Lines {
        sender,
        lost: Arc::default(),
    };
    let lost = lines.lost.clone();
    let thread = std::thread::Builder::new()
        .name("log".to_owned())
        .spawn(move || write_all(out, &receiver, &lost, notice));
    (
        lines.clone(),
        Writer {
            lines,
            thread: thread.ok(),
        },
    )
}

fn write_all(
    mut out: impl Write,
    receiver: &Receiver<Message>,
    lost: &AtomicU64,
    notice: impl Fn(u64) -> String,
) {
    let (mut buffer, mut told, mut has_ended) = (Vec::new(), 0, false);
    while !has_ended {
        has_ended = receive(receiver, &mut buffer);
        // Checked with every write, or a queue that never runs empty would be silent about what it loses.
        let now = lost.load(Ordering::Relaxed);
        if now > told {
            buffer.extend_from_slice(notice(now - told).as_bytes());
            told = now;
        }
        write(&mut out, &mut buffer);
        if !has_ended {
            std::thread::sleep(GATHER_FOR);
        }
    }
}

/// Waits for a line, and takes along what waits behind it. True after the last one.
fn receive(receiver: &Receiver<Message>, buffer: &mut Vec<u8>) -> bool {
    let mut next = receiver.recv().ok();
    loop {
        match next {
            Some(Message::Line(line)) => buffer.extend_from_slice(line.as_bytes()),
            Some(Message::End) | None => return true,
        }
        if buffer.len() >= LARGEST_WRITE_BYTES {
            return false;
        }
        next = match receiver.try_recv() {
            Ok(message) => Some(message),
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Disconnected) => None,
        };
    }
}

fn write(out: &mut impl Write, buffer: &mut Vec<u8>) {
    // Standard output may be closed; there is nobody left to tell.
    let _ = out.write_all(buffer).and_then(|()| out.flush());
    buffer.clear();
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[derive(Clone, Default)]
    struct Page(Arc<Mutex<Vec<u8>>>);

    impl Write for Page {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn notice(lost: u64) -> String {
        format!("lost {lost}\n")
    }

    #[test]
    fn the_last_lines_are_written_at_the_end() {
        let page = Page::default();
        let (lines, logging) = start(page.clone(), notice);
        (0..1000).for_each(|n| lines.send(format!("{n}\n")));
        assert_eq!(logging.lost_lines()(), 0);
        drop(logging);
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1000);
        assert!(text.ends_with("999\n"));
    }

    #[test]
    fn a_blocked_output_loses_lines_but_holds_up_nobody() {
        let page = Page::default();
        let blocked = page.0.lock().unwrap();
        let (lines, logging) = start_with(page.clone(), notice, 10);
        (0..1000).for_each(|n| lines.send(format!("{n:01000}\n")));
        let lost = logging.lost_lines()();
        assert!((100..1000).contains(&lost), "{lost}");
        drop(blocked);
        drop(logging);
        let text = String::from_utf8(page.0.lock().unwrap().clone()).unwrap();
        let told = text.lines().filter_map(|line| line.strip_prefix("lost "));
        assert_eq!(
            told.map(|count| count.parse::<u64>().unwrap()).sum::<u64>(),
            lost
        );
    }
}
