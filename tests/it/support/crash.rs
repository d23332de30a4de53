//! Builds reports to submit, for tests that care about a report and not about its bytes.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

const BOUNDARY: &str = "01659896d5dc42cabd7f3d8a3dcdd3bb";

/// A submission as a well-behaved client makes it.
#[derive(Clone, Debug, Default)]
pub struct Crash {
    parts: Vec<Part>,
    headers: Vec<(String, String)>,
    gzip: bool,
    chunk_bytes: Option<usize>,
}

#[derive(Clone, Debug)]
struct Part {
    head: String,
    content: Vec<u8>,
}

impl Crash {
    /// A report that Mozilla's rules always accept, with one small minidump.
    pub fn accepted() -> Self {
        Self::default()
            .annotation("ProductName", "Thunderbird")
            .annotation("Version", "115.6.0")
            .dump("upload_file_minidump", b"MDMP\x93\xa7 a small dump")
    }

    pub fn annotation(self, name: &str, value: &str) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{name}\"");
        self.part(head, value.as_bytes())
    }

    /// Annotations as one JSON part, as Firefox sends them.
    pub fn extra(self, json: &str) -> Self {
        let head = "Content-Disposition: form-data; name=\"extra\"; filename=\"extra.json\"\r\n\
                    Content-Type: application/json";
        self.part(head.to_owned(), json.as_bytes())
    }

    pub fn dump(self, name: &str, content: &[u8]) -> Self {
        let head = format!(
            "Content-Disposition: form-data; name=\"{name}\"; filename=\"{name}.dmp\"\r\n\
             Content-Type: application/octet-stream"
        );
        self.part(head, content)
    }

    /// A request header besides those that the body needs.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    pub fn gzip(mut self) -> Self {
        self.gzip = true;
        self
    }

    /// Sends chunks of this size in place of a Content-Length.
    pub fn chunked(mut self, chunk_bytes: usize) -> Self {
        self.chunk_bytes = Some(chunk_bytes);
        self
    }

    /// The whole request, from request line to the body's last byte.
    pub fn request(&self) -> Vec<u8> {
        let body = self.body();
        let mut head = format!(
            "POST /submit HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\
             Content-Type: {}\r\n",
            Self::content_type()
        );
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if self.gzip {
            head.push_str("Content-Encoding: gzip\r\n");
        }
        match self.chunk_bytes {
            Some(size) => {
                head.push_str("Transfer-Encoding: chunked\r\n\r\n");
                [head.as_bytes(), &chunks(&body, size)].concat()
            }
            None => {
                head.push_str(&format!("Content-Length: {}\r\n\r\n", body.len()));
                [head.as_bytes(), &body].concat()
            }
        }
    }

    /// What the request's `Content-Type` says.
    pub fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    /// The body as it goes over the wire, before any chunk framing.
    pub fn body(&self) -> Vec<u8> {
        let mut body = Vec::new();
        for part in &self.parts {
            body.extend(format!("--{BOUNDARY}\r\n{}\r\n\r\n", part.head).as_bytes());
            body.extend(&part.content);
            body.extend(b"\r\n");
        }
        body.extend(format!("--{BOUNDARY}--\r\n").as_bytes());
        if self.gzip { gzip(&body, 6) } else { body }
    }

    fn part(mut self, head: String, content: &[u8]) -> Self {
        let content = content.to_vec();
        self.parts.push(Part { head, content });
        self
    }
}

/// One gzip member.
pub fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(bytes).expect("memory");
    encoder.finish().expect("memory")
}

/// `body` in chunk framing, with the last chunk.
pub fn chunks(body: &[u8], size: usize) -> Vec<u8> {
    let mut framed = Vec::new();
    for chunk in body.chunks(size) {
        framed.extend(format!("{:x}\r\n", chunk.len()).as_bytes());
        framed.extend(chunk);
        framed.extend(b"\r\n");
    }
    framed.extend(b"0\r\n\r\n");
    framed
}
