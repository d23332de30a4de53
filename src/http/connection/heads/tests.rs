//! Which heads are changed, that nothing else of a connection is, and that it makes no difference how the bytes come.

use proptest::prelude::*;

use super::*;

const OLD_CHUNKED: &str =
    "POST /submit HTTP/1.0\r\nTransfer-Encoding: chunked\r\nX: y\r\n\r\n1\r\na\r\n0\r\n\r\n";
const CLOSING: &str = "HTTP/1.1\r\nConnection: close";
const WITH_LENGTH: &str = "POST /submit?a HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc";
const CHUNKED: &str =
    "POST /submit HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n0\r\n\r\n";
const ODD_TARGET: &str = "GET /a?b c HTTP/1.1\r\nX: y\r\n\r\n";

/// What is handed on of `bytes` that come in pieces.
fn handed_on(bytes: &[u8], piece_bytes: usize) -> (Vec<u8>, Heads) {
    let (mut heads, mut all) = (Heads::new(), Vec::new());
    for piece in bytes.chunks(piece_bytes.max(1)) {
        let passed = heads.take(piece);
        all.extend_from_slice(&piece[..passed]);
        let mut room = [0; 7];
        loop {
            let mut out = ReadBuf::new(&mut room);
            if !heads.hand_out(&mut out) {
                break;
            }
            all.extend_from_slice(out.filled());
        }
    }
    (all, heads)
}

fn assert_handed_on(sent: &str, expected: &str) {
    for piece_bytes in 1..=sent.len() {
        let (all, _) = handed_on(sent.as_bytes(), piece_bytes);
        assert_eq!(String::from_utf8_lossy(&all), expected, "by {piece_bytes}");
    }
}

#[test]
fn every_head_of_a_connection_is_mended() {
    let mended_target = ODD_TARGET.replace("b c", "b%20c");
    let mended_version = OLD_CHUNKED.replace("HTTP/1.0", CLOSING);
    for before in ["", WITH_LENGTH, CHUNKED, "GET / HTTP/1.1\r\n\r\n"] {
        for (odd, mended) in [
            (ODD_TARGET, &mended_target),
            (OLD_CHUNKED, &mended_version),
            (&format!("\r\n\n{ODD_TARGET}"), &mended_target),
        ] {
            assert_handed_on(
                &format!("{before}{odd}{ODD_TARGET}"),
                &format!("{before}{mended}{mended_target}"),
            );
        }
    }
}

#[test]
fn nothing_is_mended_inside_a_body_or_behind_framing_that_can_be_read_in_two_ways() {
    for (head, body) in [
        ("Content-Length: 300", ""),
        ("Transfer-Encoding: chunked", "ff\r\n"),
        (
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "0\r\n\r\n",
        ),
        ("Content-Length: 1\r\nContent-Length: 2", "a"),
        ("Content-Length: +0", ""),
        ("Transfer-Encoding: gzip, chunked", "0\r\n\r\n"),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "0\r\n\r\n",
        ),
        ("Transfer-Encoding: chunked", "0\r\nX: y\r\n\r\n"),
        ("Transfer-Encoding: chunked", "0\r\n\n"),
        ("X : y", ""),
    ] {
        let sent = format!("POST / HTTP/1.1\r\n{head}\r\n\r\n{body}{ODD_TARGET}{OLD_CHUNKED}");
        assert_handed_on(&sent, &sent);
    }
}

#[test]
fn old_requests_that_are_not_plainly_chunked_stay_as_they_are() {
    for lines in [
        "Content-Length: 3\r\n",
        "",
        "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
        "transfer-encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip, chunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Transfer-Encoding:\r\n chunked\r\n",
        "Transfer-Encoding: chunked\r\n folded\r\n",
        "Transfer-Encoding: chunked\rContent-Length: 3\r\n",
        "Transfer-Encoding: chunked\r\nno colon\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\nX: y\r\n",
    ] {
        let sent = format!("POST / HTTP/1.0\r\n{lines}\r\n");
        assert_handed_on(&sent, &sent);
    }
    let sent = format!("\r\n{OLD_CHUNKED}");
    assert_handed_on(&sent, &sent);
}

#[test]
fn a_head_is_too_large_beyond_its_limit_however_it_comes() {
    for head_bytes in MAX_HEAD_BYTES - 2..MAX_HEAD_BYTES + 3 {
        let start = "POST /submit?a b HTTP/1.1\r\nX: ";
        let filler = "y".repeat(head_bytes - start.len() - 4);
        let sent = format!("{start}{filler}\r\n\r\n{}", "z".repeat(5000));
        for piece_bytes in [1, 4000, MAX_HEAD_BYTES - 1, sent.len()] {
            let (_, heads) = handed_on(sent.as_bytes(), piece_bytes);
            let is_within = head_bytes <= MAX_HEAD_BYTES;
            assert_eq!(heads.is_too_large(), !is_within, "{head_bytes}");
            assert!(heads.cost_bytes() <= 2 * MAX_HEAD_BYTES as u64 + 160);
        }
    }
    let lines = "X: y\r\n".repeat(101);
    let sent = format!("POST / HTTP/1.1\r\n{lines}\r\n");
    assert!(handed_on(sent.as_bytes(), sent.len()).1.is_too_large());
}

#[test]
fn a_head_is_waited_for_until_it_is_whole() {
    let head = WITH_LENGTH.find("abc").unwrap();
    for cut in 0..WITH_LENGTH.len() {
        let (all, heads) = handed_on(&WITH_LENGTH.as_bytes()[..cut], cut);
        assert_eq!(heads.is_waiting(), cut < head, "{cut}");
        assert_eq!(heads.has_begun(), (1..head).contains(&cut), "{cut}");
        assert_eq!(all.is_empty(), cut < head, "{cut}");
    }
}

proptest! {
    #[test]
    fn any_requests_are_the_same_however_they_are_cut(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                OLD_CHUNKED, WITH_LENGTH, CHUNKED, ODD_TARGET, "\r\n", "\n", "\r", " ", "POST / HTTP/1.1\r\n",
                "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "a:\n", "0\r\n", "2\r\nab\r\n", "\u{e9}",
            ]),
            0..12,
        ),
        piece_bytes in 1..40usize,
    ) {
        let bytes = pieces.concat();
        let whole = handed_on(bytes.as_bytes(), bytes.len()).0;
        prop_assert_eq!(handed_on(bytes.as_bytes(), piece_bytes).0, whole);
    }
}
