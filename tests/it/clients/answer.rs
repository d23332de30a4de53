//! An answer as an HTTP library hands it on: interim responses skipped, chunks joined.

/// One final answer.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    /// As much came as was announced.
    pub is_whole: bool,
}

impl Answer {
    /// The first final answer in what came; `None` where there is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let head_end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
        let head = String::from_utf8_lossy(&bytes[..head_end]).into_owned();
        let rest = &bytes[head_end + 4..];
        let status: u16 = head.strip_prefix("HTTP/1.")?.get(2..5)?.parse().ok()?;
        if (100..200).contains(&status) {
            return Self::read(rest);
        }
        let (body, is_whole) = if status == 204 || status == 304 {
            (Vec::new(), true)
        } else if header(&head, "transfer-encoding").is_some() {
            chunks(rest)
        } else {
            match header(&head, "content-length") {
                Some(length) => exactly(rest, length.parse().ok()?),
                None => (rest.to_vec(), true),
            }
        };
        Some(Self {
            status,
            body,
            is_whole,
        })
    }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.split("\r\n").filter_map(|line| line.split_once(':'));
    let found = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim())
}

fn exactly(rest: &[u8], length: usize) -> (Vec<u8>, bool) {
    let body = rest[..length.min(rest.len())].to_vec();
    let is_whole = body.len() == length;
    (body, is_whole)
}

fn chunks(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    while let Some(line_end) = rest.windows(2).position(|w| w == b"\r\n") {
        let line = String::from_utf8_lossy(&rest[..line_end]).into_owned();
        let Ok(size) = usize::from_str_radix(line.trim(), 16) else {
            break;
        };
        let (data, is_whole) = exactly(&rest[line_end + 2..], size);
        body.extend(&data);
        if size == 0 || !is_whole {
            return (body, is_whole);
        }
        rest = rest.get(line_end + 2 + size + 2..).unwrap_or_default();
    }
    (body, false)
}
