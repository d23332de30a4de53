//! The format holds what it was given, and notices every kind of damage.

use proptest::prelude::*;

use super::*;

fn id() -> CrashId {
    CrashId::parse("de1bb258-cbbf-4589-a673-34f800160918").unwrap()
}

fn bytes_of(encoded: &Encoded) -> Vec<u8> {
    encoded.frames.concat()
}

fn decoded(bytes: &[u8]) -> Result<Content, DecodeError> {
    decode(&mut &*bytes, bytes.len() as u64)
}

fn is_corrupt(bytes: &[u8]) -> bool {
    matches!(decoded(bytes), Err(DecodeError::Corrupt(_)))
}

fn reason(bytes: &[u8]) -> String {
    match decoded(bytes) {
        Err(DecodeError::Corrupt(reason)) => reason,
        other => panic!("{other:?}"),
    }
}

fn report(json: Vec<u8>, dumps: Vec<(String, Vec<u8>)>) -> CrashReport {
    let dumps = dumps
        .into_iter()
        .filter_map(|(name, bytes)| Some((DumpName::sanitise(&name).ok()?, bytes)))
        .map(|(name, bytes)| Dump::whole(name, bytes.into()))
        .collect();
    CrashReport::new(id(), RawCrash::written(json.into()), dumps)
}

fn any_report() -> impl Strategy<Value = CrashReport> {
    let dump = ("[a-z_]{0,32}", prop::collection::vec(any::<u8>(), 0..100));
    (
        prop::collection::vec(any::<u8>(), 0..100),
        prop::collection::vec(dump, 0..4),
    )
        .prop_map(|(json, dumps)| report(json, dumps))
}

fn small() -> CrashReport {
    report(
        b"{\"uuid\": 1}".to_vec(),
        vec![
            ("upload_file_minidump".into(), b"MDMP".to_vec()),
            ("memory_report".into(), vec![0; 10]),
        ],
    )
}

#[test]
fn a_dump_in_pieces_is_written_piece_by_piece_and_read_as_one() {
    let mut report = small();
    report.dumps[1].frames = vec![Bytes::from_static(b"MD"), Bytes::from_static(b"MP")];
    let encoded = encode_report(&report);
    assert_eq!(encoded.frames.len(), 5);
    assert_eq!(
        encoded.frames[3].as_ptr(),
        report.dumps[1].frames[0].as_ptr()
    );
    let Content::Report(read) = decoded(&bytes_of(&encoded)).unwrap() else {
        panic!("not a report");
    };
    assert_eq!(read, small());
}

#[test]
fn a_publish_entry_is_the_id_and_little_else() {
    let encoded = encode_publish(&id());
    assert_eq!(encoded.length_bytes, 132);
    let content = decoded(&bytes_of(&encoded)).unwrap();
    assert_eq!(content, Content::Publish(id()));
}

#[test]
fn the_layout_on_disk_is_the_documented_one() {
    let bytes = bytes_of(&encode_report(&small()));
    let header_bytes = 132 + (1 + 13 + 40) + (1 + 20 + 40);
    assert_eq!(&bytes[..8], b"ANTSPOOL");
    assert_eq!(&bytes[8..10], &[1, 0], "version");
    assert_eq!(&bytes[10..12], &[1, 0], "kind");
    assert_eq!(&bytes[12..16], &[2, 0, 0, 0], "dumps");
    assert_eq!(bytes[16..24], (header_bytes as u64).to_le_bytes());
    assert_eq!(&bytes[24..60], id().as_str().as_bytes());
    assert_eq!(bytes[60..68], 11u64.to_le_bytes());
    assert_eq!(bytes[100], 13, "length of the first dump's name");
    assert_eq!(&bytes[101..114], b"memory_report");
    assert_eq!(bytes[114..122], 10u64.to_le_bytes());
    assert_eq!(&bytes[header_bytes..][..11], b"{\"uuid\": 1}");
    assert_eq!(bytes.len(), header_bytes + 11 + 10 + 4);
}

#[test]
fn every_single_flipped_bit_is_noticed() {
    for encoded in [encode_report(&small()), encode_publish(&id())] {
        let whole = bytes_of(&encoded);
        for at in 0..whole.len() {
            for bit in 0..8 {
                let mut damaged = whole.clone();
                damaged[at] ^= 1 << bit;
                assert!(is_corrupt(&damaged), "bit {bit} of byte {at}");
            }
        }
    }
}

#[test]
fn the_reason_says_what_is_wrong() {
    let whole = bytes_of(&encode_report(&small()));
    let damaged = |at: usize| {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        reason(&bytes)
    };
    assert!(damaged(0).contains("does not begin like a spool entry"));
    assert!(damaged(8).contains("format version 254, this collector reads 1"));
    assert!(damaged(30).contains("header does not fit its SHA-256"));
    assert!(damaged(whole.len() - 1).contains("upload_file_minidump does not fit"));
    assert!(damaged(whole.len() - 20).contains("raw crash does not fit"));
    assert!(reason(&whole[..40]).contains("ends after 40 bytes"));
    assert!(reason(&whole[..whole.len() - 1]).contains("its header speaks of"));
}

/// Lengths that add up to more than a u64, under a header hash that fits.
#[test]
fn forged_lengths_cannot_overflow() {
    let mut header = header(KIND_REPORT, &id(), &[], &[]);
    header[60..68].copy_from_slice(&u64::MAX.to_le_bytes());
    let hash = sha256(&header[..100]);
    header[100..].copy_from_slice(&hash);
    assert!(reason(&header).contains("speaks of more than can be"));
}

/// The file may shrink between the look at its length and the reading.
#[test]
fn a_file_shorter_than_announced_is_corrupt() {
    let whole = bytes_of(&encode_report(&small()));
    let shortened = decode(&mut &whole[..whole.len() - 5], whole.len() as u64);
    assert!(matches!(shortened, Err(DecodeError::Corrupt(_))));
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(report in any_report()) {
        let encoded = encode_report(&report);
        let bytes = bytes_of(&encoded);
        prop_assert_eq!(bytes.len() as u64, encoded.length_bytes);
        prop_assert_eq!(decoded(&bytes).unwrap(), Content::Report(report));
    }

    #[test]
    fn every_truncation_and_every_extra_byte_is_corrupt(report in any_report(), cut: prop::sample::Index) {
        let mut bytes = bytes_of(&encode_report(&report));
        prop_assert!(is_corrupt(&bytes[..cut.index(bytes.len())]));
        bytes.push(0);
        prop_assert!(is_corrupt(&bytes));
    }

    #[test]
    fn every_changed_byte_is_noticed(report in any_report(), at: prop::sample::Index, change in 1..=255u8) {
        let mut bytes = bytes_of(&encode_report(&report));
        let at = at.index(bytes.len());
        bytes[at] ^= change;
        prop_assert!(is_corrupt(&bytes));
    }

    #[test]
    fn no_bytes_make_reading_panic(tail in prop::collection::vec(any::<u8>(), 0..400), begin_well: bool) {
        let mut bytes = if begin_well { header(KIND_REPORT, &id(), &[], &[])[..12].to_vec() } else { vec![] };
        bytes.extend(tail);
        prop_assert!(is_corrupt(&bytes));
    }
}
