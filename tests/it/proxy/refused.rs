//! Connections that do not begin with a header, or not with a whole one.

use super::{Door, ON, V1, WARNING, crash, heard, v2};

#[test]
fn a_connection_without_a_proper_header_is_closed_without_an_answer_and_counted() {
    let door = Door::open(&[ON]);
    let long = [b"PROXY UNKNOWN ", &[b'x'; 92][..], b"\r\n"].concat();
    let starts = [
        b"".to_vec(),
        long,
        b"\r\n".to_vec(),
        b"proxy UNKNOWN\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 198.51.100.2 56324\r\n".to_vec(),
        b"PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\n".to_vec(),
        v2(0x22, 0x11, 12),
        v2(0x21, 0x11, 11),
        v2(0x21, 0x77, 12),
        v2(0x21, 0x11, 4097),
    ];
    for start in &starts {
        let answer = heard(door.address(), &[start, &crash().request()[..]].concat());
        assert_eq!(answer, "", "{}", start.escape_ascii());
    }
    let answer = heard(door.address(), &[V1, &crash().request()].concat());
    assert!(answer.contains("CrashID=bp-"), "{answer}");
    let (failed, log) = door.close();
    assert_eq!(failed, starts.len());
    let warnings: Vec<_> = log.iter().filter(|line| line.contains(WARNING)).collect();
    // A second one only if this took a minute.
    assert!((1..=2).contains(&warnings.len()), "{warnings:?}");
    assert!(warnings[0].contains("it begins with something else"));
    for address in ["192.0.2.1", "198.51.100.2"] {
        assert!(!log.iter().any(|line| line.contains(address)), "{log:?}");
    }
}

#[test]
fn a_header_that_does_not_come_in_time_is_not_waited_for() {
    let door = Door::open(&[ON, ("BREAKPAD_HEADER_TIMEOUT_SECONDS", "1")]);
    let starts = [V1[..20].to_vec(), v2(0x21, 0x11, 200)[..100].to_vec()];
    for start in starts {
        assert_eq!(heard(door.address(), &start), "");
    }
    // Balancers that look whether somebody listens, and those that wait for a client's first bytes, send nothing.
    assert_eq!(heard(door.address(), b""), "");
    let (failed, log) = door.close();
    assert_eq!(failed, 2);
    let warning = log.iter().find(|line| line.contains(WARNING)).unwrap();
    assert!(warning.contains("it did not come in time"), "{warning}");
}
