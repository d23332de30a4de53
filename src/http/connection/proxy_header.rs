//! The header of the PROXY protocol, with which a load balancer begins a connection: how long it is, and whether it is one.
//!
//! Both versions, as HAProxy's `proxy-protocol.txt` has them. Nothing is made of the addresses: they are checked, so that
//! what is no header is not taken for one, and forgotten. TLVs are not looked at.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// The longest line of version 1, with its CR LF; the protocol says so.
pub const MOST_LINE_BYTES: usize = 107;
/// Version 2: signature, version and command, family, length.
const FIXED_BYTES: usize = 16;
/// What may follow them. Addresses are 216 bytes at most. The largest TLV is a client's certificate, 1 to 2 KiB; the
/// protocol would allow 64 KiB, which is no header any more.
const MOST_BLOCK_BYTES: usize = 4096;

const LINE_START: &[u8] = b"PROXY ";
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

/// What the first bytes of a connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The beginning of a header, or of what may become one.
    More,
    /// A header of this many bytes, of which [`MOST_LINE_BYTES`] or all have been looked at.
    Header { bytes: usize },
    /// No header, and why.
    Malformed(&'static str),
}

/// Tells what `read` begins with. More bytes do not change an answer other than [`Found::More`].
///
/// After `MOST_LINE_BYTES` bytes there is always another answer.
pub fn look_at(read: &[u8]) -> Found {
    if starts_alike(read, LINE_START) {
        look_at_line(&read[..read.len().min(MOST_LINE_BYTES)])
    } else if starts_alike(read, SIGNATURE) {
        look_at_binary(read)
    } else {
        Found::Malformed("it begins with something else")
    }
}

/// True while nothing speaks against it.
fn starts_alike(read: &[u8], start: &[u8]) -> bool {
    read.iter().zip(start).all(|(one, other)| one == other)
}

fn look_at_line(read: &[u8]) -> Found {
    match memchr::memmem::find(read, b"\r\n") {
        Some(end) if is_line(&read[..end]) => Found::Header { bytes: end + 2 },
        Some(_) => Found::Malformed("its line of version 1 is malformed"),
        None if read.len() < MOST_LINE_BYTES => Found::More,
        None => Found::Malformed("its line of version 1 is too long"),
    }
}

/// `PROXY TCP4 SOURCE DESTINATION PORT PORT`, the same with `TCP6`, or `PROXY UNKNOWN` and whatever.
fn is_line(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(LINE_START) else {
        return false;
    };
    if let Some(rest) = rest.strip_prefix(b"UNKNOWN") {
        // A bare CR or LF ends the line for others.
        return (rest.is_empty() || rest[0] == b' ')
            && memchr::memchr2(b'\r', b'\n', rest).is_none();
    }
    let Ok(rest) = std::str::from_utf8(rest) else {
        return false;
    };
    let words: Vec<_> = rest.split(' ').collect();
    let [family, source, destination, ports @ ..] = words.as_slice() else {
        return false;
    };
    let are_addresses = match *family {
        "TCP4" => are::<Ipv4Addr>(&[source, destination]),
        "TCP6" => are::<Ipv6Addr>(&[source, destination]),
        _ => false,
    };
    are_addresses && ports.len() == 2 && ports.iter().all(|port| is_port(port))
}

fn are<A: FromStr>(texts: &[&str]) -> bool {
    texts.iter().all(|text| text.parse::<A>().is_ok())
}

/// Digits without a zero or a sign before them.
fn is_port(text: &str) -> bool {
    text.parse::<u16>()
        .is_ok_and(|port| port.to_string() == text)
}

fn look_at_binary(read: &[u8]) -> Found {
    let Some((fixed, _)) = read.split_first_chunk::<FIXED_BYTES>() else {
        return Found::More;
    };
    let [.., command, family, high, low] = *fixed;
    let block_bytes = usize::from(u16::from_be_bytes([high, low]));
    let least_bytes = match (command, family) {
        // LOCAL: the load balancer itself asks whether we are well. What else it says is to be ignored.
        (0x20, _) => Some(0),
        (0x21, family) => address_bytes(family),
        _ => return Found::Malformed("its version or command is unknown"),
    };
    match least_bytes {
        None => Found::Malformed("its address family is unknown"),
        Some(least) if block_bytes < least => Found::Malformed("it is too short for its addresses"),
        Some(_) if block_bytes > MOST_BLOCK_BYTES => {
            Found::Malformed("it is longer than 4112 bytes")
        }
        Some(_) => Found::Header {
            bytes: FIXED_BYTES + block_bytes,
        },
    }
}

/// What the addresses of a family and transport take.
fn address_bytes(family: u8) -> Option<usize> {
    match family {
        // Unspecified.
        0x00 => Some(0),
        // IPv4, IPv6 and Unix sockets; streams and datagrams.
        0x11 | 0x12 => Some(2 * 4 + 2 * 2),
        0x21 | 0x22 => Some(2 * 16 + 2 * 2),
        0x31 | 0x32 => Some(2 * 108),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const V1: [&str; 7] = [
        "PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n",
        "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
        "PROXY TCP6 2001:db8::1 ::1 1 0\r\n",
        "PROXY TCP6 ::ffff:192.0.2.1 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        "PROXY UNKNOWN\r\n",
        "PROXY UNKNOWN \r\n",
        "PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
    ];

    fn v2(command: u8, family: u8, announced: u16, block: usize) -> Vec<u8> {
        let mut header = [SIGNATURE, &[command, family]].concat();
        header.extend(announced.to_be_bytes());
        header.resize(header.len() + block, 7);
        header
    }

    fn headers() -> Vec<Vec<u8>> {
        let mut headers: Vec<_> = V1.iter().map(|line| line.as_bytes().to_vec()).collect();
        for (command, family, bytes) in [
            (0x20, 0x00, 0),
            (0x20, 0xff, 3),
            (0x20, 0x11, 12),
            (0x21, 0x00, 0),
            (0x21, 0x11, 12),
            (0x21, 0x12, 12),
            (0x21, 0x11, 84),
            (0x21, 0x21, 36),
            (0x21, 0x22, 300),
            (0x21, 0x31, 216),
            (0x21, 0x32, 216),
            (0x21, 0x11, 4096),
        ] {
            headers.push(v2(command, family, bytes, usize::from(bytes)));
        }
        headers
    }

    #[test]
    fn every_form_is_measured_to_the_byte_and_what_follows_is_left() {
        assert_eq!(V1[6].len(), MOST_LINE_BYTES);
        for header in headers() {
            let bytes = header.len();
            for more in ["", "\r\n", "POST /submit HTTP/1.1\r\n\r\n", V1[0]] {
                let read = [&header, more.as_bytes()].concat();
                let seen = look_at(&read);
                assert_eq!(seen, Found::Header { bytes }, "{}", header.escape_ascii());
            }
        }
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(92));
        let lines = [
            "GET / HTTP/1.1\r\n\r\n",
            "\r\nPROXY UNKNOWN\r\n",
            "proxy UNKNOWN\r\n",
            "PROXY  UNKNOWN\r\n",
            "PROXY \r\n",
            "PROXY UNKNOWNS\r\n",
            "PROXY UNKNOWN \n\r\n",
            "PROXY UNKNOWN \r \r\n",
            "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n",
            "PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.256 1 2\r\n",
            "PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n",
            "PROXY TCP4 ::1 ::1 1 2\r\n",
            "PROXY TCP6 [::1] [::1] 1 2\r\n",
            "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 +1 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n",
            "PROXY TCP4 1.2.3.4 1.2.3.4 1 2\nGET / HTTP/1.1\r\n",
            &long,
        ];
        let mut all: Vec<_> = lines.iter().map(|line| line.as_bytes().to_vec()).collect();
        for (command, family, bytes) in [
            (0x01, 0x11, 12),
            (0x11, 0x11, 12),
            (0x22, 0x11, 12),
            (0x31, 0x11, 12),
            (0x21, 0x01, 12),
            (0x21, 0x13, 12),
            (0x21, 0x41, 12),
            (0x21, 0x11, 11),
            (0x21, 0x21, 35),
            (0x21, 0x31, 215),
            (0x21, 0x11, 4097),
            (0x20, 0x00, 4097),
            (0x21, 0x11, u16::MAX),
        ] {
            all.push(v2(command, family, bytes, 0));
        }
        for bytes in all {
            let seen = look_at(&bytes);
            assert!(
                matches!(seen, Found::Malformed(_)),
                "{}: {seen:?}",
                bytes.escape_ascii()
            );
        }
    }

    /// What the shortest beginning of `bytes` shows that shows anything, and how long that is.
    fn first_answer(bytes: &[u8]) -> Option<(usize, Found)> {
        let answers = (0..=bytes.len()).map(|cut| (cut, look_at(&bytes[..cut])));
        answers.into_iter().find(|(_, look)| *look != Found::More)
    }

    fn assert_cut_makes_no_difference(bytes: &[u8]) {
        match first_answer(bytes) {
            None => assert!(bytes.len() < MOST_LINE_BYTES),
            Some((from, answer)) => {
                assert!(from <= MOST_LINE_BYTES);
                for cut in from..=bytes.len() {
                    assert_eq!(look_at(&bytes[..cut]), answer, "{cut}");
                }
                if let Found::Header { bytes } = answer {
                    assert!(from <= bytes, "bytes beyond the header were needed");
                }
            }
        }
    }

    #[test]
    fn a_header_is_the_same_however_it_is_cut() {
        for header in headers() {
            assert_cut_makes_no_difference(&header);
            assert!(first_answer(&header).is_some());
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_the_same_however_they_are_cut(
            start in proptest::sample::select(vec![
                &b""[..], LINE_START, SIGNATURE, b"PROXY TCP4 ", b"PROXY UNKNOWN", b"\r\n\r\n\0\r\nQUIT\n\x21",
                b"\r\n\r\n\0\r\nQUIT\n\x20\x11\x00",
            ]),
            rest in proptest::collection::vec(any::<u8>(), 0..150),
        ) {
            assert_cut_makes_no_difference(&[start, &rest].concat());
        }

        #[test]
        fn text_like_a_line_is_the_same_however_it_is_cut(line in "PROXY [TCPUNKOW46]{3,8}[ 0-9a-f:.\r\n]{0,110}") {
            assert_cut_makes_no_difference(line.as_bytes());
        }

        #[test]
        fn every_pair_of_addresses_and_ports_is_taken(a: u32, b: u32, c: u128, d: u128, e: u16, f: u16) {
            let (v4, v6) = ((Ipv4Addr::from(a), Ipv4Addr::from(b)), (Ipv6Addr::from(c), Ipv6Addr::from(d)));
            for line in [
                format!("PROXY TCP4 {} {} {e} {f}\r\n", v4.0, v4.1),
                format!("PROXY TCP6 {} {} {e} {f}\r\n", v6.0, v6.1),
            ] {
                assert_eq!(look_at(line.as_bytes()), Found::Header { bytes: line.len() });
            }
        }
    }
}
