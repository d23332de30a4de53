//! A client that puts exactly the given bytes on the wire, in the given pieces, and reads what comes back.
//! It knows just enough HTTP to find the end of an answer; it corrects nothing.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// What the client does once everything is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Then {
    #[default]
    Listen,
    /// Closes its sending half, then listens.
    HalfClose,
    /// Goes away without listening.
    Close,
}

/// One connection's worth of traffic.
#[derive(Clone, Debug)]
pub struct Exchange {
    pub bytes: Vec<u8>,
    /// Pauses before the byte at an offset, in ascending order.
    pub pauses: Vec<(usize, Duration)>,
    pub then: Then,
    /// How many answers are expected on this connection.
    pub answers: usize,
    /// How long one answer may take.
    pub read_timeout: Duration,
}

impl Exchange {
    /// Sends `bytes` at once and waits for one answer.
    pub fn of(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            pauses: Vec::new(),
            then: Then::Listen,
            answers: 1,
            read_timeout: Duration::from_secs(60),
        }
    }
}

/// How one expected answer turned out.
#[derive(Clone, Debug)]
pub enum Answer {
    Response(Response),
    /// The server closed or reset the connection without (the whole of) an answer.
    Closed,
    TimedOut,
    /// The client left before, on purpose.
    ClientClosed,
}

impl Answer {
    /// The response, or a panic that says what came instead.
    pub fn response(&self) -> &Response {
        match self {
            Self::Response(response) => response,
            other => panic!("no response but {other:?}"),
        }
    }
}

/// One response as it came, chunks joined.
#[derive(Clone, Debug, Default)]
pub struct Response {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Statuses of interim responses (100) before this one.
    pub interim: Vec<u16>,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The body as text; bytes that are not UTF-8 are replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The crash id of a yes, without the prefix `bp-`.
    pub fn crash_id(&self) -> Option<String> {
        let text = self.text();
        let id = text.strip_prefix("CrashID=bp-")?.strip_suffix('\n')?;
        Some(id.to_owned())
    }
}

/// Plays `exchange` on a connection of its own.
pub fn play(address: SocketAddr, exchange: &Exchange) -> Vec<Answer> {
    let stream = TcpStream::connect(address).expect("the collector listens");
    stream.set_nodelay(true).expect("a TCP option");
    if exchange.then == Then::Close {
        send(&stream, exchange);
        return vec![Answer::ClientClosed; exchange.answers];
    }
    // Writing and reading at once: an early answer must be read although the rest is still being sent.
    std::thread::scope(|scope| {
        scope.spawn(|| send(&stream, exchange));
        let answers = receive(&stream, exchange);
        // A writer that still waits for a server that reads no more must not keep the test.
        let _ = stream.shutdown(Shutdown::Both);
        answers
    })
}

fn send(mut stream: &TcpStream, exchange: &Exchange) {
    let mut sent = 0;
    for (offset, pause) in &exchange.pauses {
        let end = (*offset).min(exchange.bytes.len());
        if stream.write_all(&exchange.bytes[sent..end]).is_err() {
            return;
        }
        sent = end;
        std::thread::sleep(*pause);
    }
    // An error shows in what is read: the server may have answered and closed.
    let _ = stream.write_all(&exchange.bytes[sent..]);
    if exchange.then == Then::HalfClose {
        let _ = stream.shutdown(Shutdown::Write);
    }
}

fn receive(stream: &TcpStream, exchange: &Exchange) -> Vec<Answer> {
    let bodiless = exchange.bytes.starts_with(b"HEAD ");
    let mut reader = Reader::of(stream);
    let mut answers = Vec::new();
    while answers.len() < exchange.answers {
        reader.deadline = Instant::now() + exchange.read_timeout;
        answers.push(match reader.response(bodiless) {
            Ok(response) => Answer::Response(response),
            Err(Cut::Closed) => Answer::Closed,
            Err(Cut::TimedOut) => Answer::TimedOut,
        });
    }
    answers
}

/// Why no (more) bytes came.
enum Cut {
    Closed,
    TimedOut,
}

struct Reader<'a> {
    stream: &'a TcpStream,
    buffer: Vec<u8>,
    deadline: Instant,
}

impl<'a> Reader<'a> {
    fn of(stream: &'a TcpStream) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            deadline: Instant::now(),
        }
    }

    fn response(&mut self, bodiless: bool) -> Result<Response, Cut> {
        let mut interim = Vec::new();
        loop {
            let head = self.until(b"\r\n\r\n")?;
            let mut response = parse_head(&head);
            if (100..200).contains(&response.status) {
                interim.push(response.status);
                continue;
            }
            response.interim = interim;
            if !bodiless {
                response.body = self.body(&response)?;
            }
            return Ok(response);
        }
    }

    fn body(&mut self, head: &Response) -> Result<Vec<u8>, Cut> {
        if head.header("transfer-encoding").is_some() {
            return self.chunks();
        }
        match head.header("content-length") {
            Some(length) => self.exactly(length.parse().expect("a numeric Content-Length")),
            None => self.rest(),
        }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Cut> {
        let mut body = Vec::new();
        loop {
            let line = String::from_utf8_lossy(&self.until(b"\r\n")?).into_owned();
            let size = usize::from_str_radix(line.trim(), 16).expect("a chunk size");
            body.extend(self.exactly(size)?);
            self.until(b"\r\n")?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn until(&mut self, mark: &[u8]) -> Result<Vec<u8>, Cut> {
        loop {
            if let Some(at) = self.buffer.windows(mark.len()).position(|w| w == mark) {
                let end = at + mark.len();
                return Ok(self.buffer.drain(..end).collect());
            }
            self.more()?;
        }
    }

    fn exactly(&mut self, length: usize) -> Result<Vec<u8>, Cut> {
        while self.buffer.len() < length {
            self.more()?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    fn rest(&mut self) -> Result<Vec<u8>, Cut> {
        loop {
            match self.more() {
                Ok(()) => {}
                Err(Cut::Closed) => return Ok(std::mem::take(&mut self.buffer)),
                Err(cut) => return Err(cut),
            }
        }
    }

    fn more(&mut self) -> Result<(), Cut> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Cut::TimedOut);
        }
        self.stream
            .set_read_timeout(Some(left))
            .expect("a TCP option");
        let mut piece = [0; 16 * 1024];
        let mut stream = self.stream;
        match stream.read(&mut piece) {
            Ok(0) => Err(Cut::Closed),
            Ok(length) => {
                self.buffer.extend(&piece[..length]);
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(Cut::TimedOut)
            }
            Err(_) => Err(Cut::Closed),
        }
    }
}

fn parse_head(head: &[u8]) -> Response {
    let text = String::from_utf8_lossy(head);
    let mut lines = text.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.split(' ').nth(1).unwrap_or_default();
    let headers = lines.filter_map(|line| line.split_once(':'));
    Response {
        status: status
            .parse()
            .unwrap_or_else(|_| panic!("not a status line: {status_line:?}")),
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect(),
        ..Response::default()
    }
}
