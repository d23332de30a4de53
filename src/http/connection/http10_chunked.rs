//! HTTP/1.0 requests with chunked bodies, as Crashpad's socket transport sends them (Android, old Linux builds).
//!
//! RFC 9112 §6.1 says that such framing is to be handled with caution, and hyper answers 400. Here a head with exactly one
//! `Transfer-Encoding`, exactly `chunked`, and no `Content-Length` is made one of HTTP/1.1, behind which the connection is
//! closed. Other framing stays as it is, so nothing that hyper would refuse is let through in another form.

/// The head, which hyper's parser has read, as one of HTTP/1.1; `None` if its lines can be read in two ways.
pub fn mended(head: &[u8]) -> Option<Vec<u8>> {
    // A bare LF ends a line for hyper and not for others.
    let is_plain = memchr::memchr_iter(b'\n', head).all(|at| head[..at].ends_with(b"\r"));
    let line_end = memchr::memchr(b'\r', head).filter(|_| is_plain)?;
    let line = head[..line_end].strip_suffix(b"HTTP/1.0")?;
    let mut mended = [line, b"HTTP/1.1\r\nConnection: close"].concat();
    let headers = mended.len();
    mended.extend_from_slice(&head[line_end..]);
    forget_expectation(&mut mended[headers..]);
    Some(mended)
}

/// Nothing of HTTP/1.0 knows `100 Continue`, so an expectation there means nothing (RFC 9110 §10.1.1), and the answer to it
/// would be taken for the final one.
fn forget_expectation(headers: &mut [u8]) {
    const EXPECT: &[u8] = b"\r\nexpect:";
    for at in 0..headers.len().saturating_sub(EXPECT.len()) {
        let name = &mut headers[at..at + EXPECT.len()];
        if name.eq_ignore_ascii_case(EXPECT) {
            name.copy_from_slice(b"\r\nx-none:");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_changes_and_the_connection_ends_and_nothing_is_expected() {
        let head = b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nX: Expect:\r\nTransfer-Encoding: chunked\r\nEXPECT:1\r\n\r\n";
        assert_eq!(
            String::from_utf8(mended(head).unwrap()).unwrap(),
            "POST / HTTP/1.1\r\nConnection: close\r\nx-none: 100-continue\r\nX: Expect:\r\nTransfer-Encoding: chunked\r\nx-none:1\r\n\r\n"
        );
    }

    #[test]
    fn lines_that_can_be_read_in_two_ways_stay_as_they_are() {
        for head in [
            "POST / HTTP/1.0\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.0\r\nX: y\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        ] {
            assert_eq!(mended(head.as_bytes()), None, "{head}");
        }
    }
}
