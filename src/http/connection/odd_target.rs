//! Request targets with bytes that no URL may have: blanks, quotes, backslashes, UTF-8 that was not encoded.
//!
//! Crash clients put product names and versions into the query as they are. The query means nothing to the collector, so
//! such bytes are percent-encoded before hyper sees them, instead of losing the report to a 400. Control characters are
//! left to hyper, which refuses them.

/// The head with its first line's target encoded; `None` where there is nothing to do.
pub fn mended(head: &[u8]) -> Option<Vec<u8>> {
    let line = &head[..memchr::memmem::find(head, b"\r\n")?];
    let method_end = line.iter().position(|byte| *byte == b' ')?;
    let target_end = line.iter().rposition(|byte| *byte == b' ')?;
    let target = line.get(method_end + 1..target_end)?;
    let is_http = line[target_end + 1..].starts_with(b"HTTP/1.");
    if !is_http
        || !target.iter().any(|byte| is_odd(*byte))
        || target.iter().any(u8::is_ascii_control)
    {
        return None;
    }
    let mut mended = Vec::with_capacity(head.len() + 2 * target.len());
    mended.extend_from_slice(&head[..=method_end]);
    for byte in target {
        if is_odd(*byte) {
            mended.extend_from_slice(format!("%{byte:02X}").as_bytes());
        } else {
            mended.push(*byte);
        }
    }
    mended.extend_from_slice(&head[target_end..]);
    Some(mended)
}

fn is_odd(byte: u8) -> bool {
    !byte.is_ascii() || b" \"<>\\^`{|}".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_bytes_are_encoded() {
        let read = b"POST /submit?p=My \"App\"&v={1}\\\xc3\xa9\xff HTTP/1.1\r\nX: a b\r\n\r\n{}";
        let mended = mended(read).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&mended),
            "POST /submit?p=My%20%22App%22&v=%7B1%7D%5C%C3%A9%FF HTTP/1.1\r\nX: a b\r\n\r\n{}"
        );
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        for read in [
            &b"POST /submit?a=b%20c HTTP/1.1\r\n\r\n"[..],
            b"POST /submit?a=\x01 b HTTP/1.1\r\n\r\n",
            b"POST /submit?a=b c HTTP/2.0\r\n\r\n",
            b"POST /sub",
            b"POST\r\n",
            b"POST \r\n",
            b"\xff\xff \r\n",
        ] {
            assert_eq!(mended(read), None, "{}", String::from_utf8_lossy(read));
        }
    }
}
