//! What a dump is, by its first bytes: also behind gzip, since dumps are kept as they were sent.

use std::io::Read;

use crate::crash::Dump;

const MINIDUMP: &[u8] = b"MDMP";
/// Enough for gzip to have its first bytes in it, behind a header with a file name.
const LOOKED_AT_BYTES: usize = 64 * 1024;

/// In words, for one line of a page.
pub fn kind(dump: &Dump) -> &'static str {
    let bytes = dump.frames.iter().flatten().copied();
    let beginning: Vec<u8> = bytes.take(LOOKED_AT_BYTES).collect();
    if beginning.starts_with(MINIDUMP) {
        return "a minidump";
    }
    let mut inflated = [0; MINIDUMP.len()];
    let mut inflater = flate2::read::GzDecoder::new(&beginning[..]);
    match inflater.read_exact(&mut inflated) {
        Ok(()) if inflated == MINIDUMP => "a minidump, compressed by gzip",
        _ => "not a minidump",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crash::DumpName;
    use flate2::{Compression, read::GzEncoder};

    fn kind_of(bytes: &[u8]) -> &'static str {
        let name = DumpName::sanitise("d").unwrap();
        kind(&Dump::whole(name, bytes.to_vec().into()))
    }

    fn gzipped(bytes: &[u8]) -> Vec<u8> {
        let mut gzipped = Vec::new();
        let mut encoder = GzEncoder::new(bytes, Compression::fast());
        encoder.read_to_end(&mut gzipped).unwrap();
        gzipped
    }

    #[test]
    fn a_minidump_is_seen_through_gzip() {
        assert_eq!(kind_of(b"MDMP and more"), "a minidump");
        let compressed = gzipped(b"MDMP and more");
        assert_eq!(kind_of(&compressed), "a minidump, compressed by gzip");
        assert_eq!(kind_of(&compressed[..5]), "not a minidump");
        assert_eq!(kind_of(&gzipped(b"a log")), "not a minidump");
        assert_eq!(kind_of(b""), "not a minidump");
    }
}
