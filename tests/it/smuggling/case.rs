//! One case: bytes on a connection, and what must come of them.

/// What is sent after a case's bytes: answered, it shows that the connection is open and that both sides agree where the
/// last request ended.
pub const PROBE: &str = "probe";
/// The report that must never be taken: a whole request inside another one's body.
pub const SMUGGLED: &str = "smuggled";

/// Bytes, and the answers that they must get.
///
/// An outcome names the answers in their order: the marker of the report that a `CrashID=` was given for (`outer`,
/// `pipelined`), or else the status; then `open` if the probe was kept too, or `closed`.
pub struct Case {
    pub name: &'static str,
    /// The rule, or the attack that it is known as.
    pub source: &'static str,
    pub bytes: Vec<u8>,
    /// Sent to the collector.
    pub direct: &'static str,
    /// Sent to nginx in front of a collector.
    pub nginx: &'static str,
}

impl Case {
    pub fn new(
        name: &'static str,
        source: &'static str,
        bytes: impl Into<Vec<u8>>,
        direct: &'static str,
        nginx: &'static str,
    ) -> Self {
        Self {
            name,
            source,
            bytes: bytes.into(),
            direct,
            nginx,
        }
    }
}

/// A multipart body with one annotation that says which report this is, and one dump.
pub fn form(marker: &str, dump: &str) -> String {
    format!(
        "--b\r\nContent-Disposition: form-data; name=\"Marker\"\r\n\r\n{marker}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"dump\"; filename=\"d.dmp\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{dump}\r\n--b--\r\n"
    )
}

/// A request with these header lines besides those of every report.
pub fn post_as(version: &str, lines: &str, body: &str) -> String {
    format!(
        "POST /submit {version}\r\nHost: test\r\nContent-Type: multipart/form-data; boundary=b\r\n{lines}\r\n{body}"
    )
}

pub fn post(lines: &str, body: &str) -> String {
    post_as("HTTP/1.1", lines, body)
}

/// A whole, plain request with a Content-Length.
pub fn plain(marker: &str) -> String {
    with_length("", &form(marker, "MDMP"))
}

pub fn with_length(lines: &str, body: &str) -> String {
    post(&format!("{lines}Content-Length: {}\r\n", body.len()), body)
}

/// The request that is not to be found. Its boundary is another one, so that it may stand inside a dump.
pub fn smuggled() -> String {
    plain(SMUGGLED)
        .replace("boundary=b", "boundary=s")
        .replace("--b", "--s")
}

pub fn chunk(data: &str) -> String {
    format!("{:x}\r\n{data}\r\n", data.len())
}

/// One chunk with the report, and the last chunk.
pub fn chunked(marker: &str) -> String {
    format!("{}0\r\n\r\n", chunk(&form(marker, "MDMP")))
}

/// The last bytes on the connection.
pub fn probe() -> String {
    with_length("Connection: close\r\n", &form(PROBE, "MDMP"))
}
