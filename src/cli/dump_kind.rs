//! What a dump is, by its first bytes: also behind gzip and zstd, since dumps are kept as they were sent.

use std::io::Read;

use flate2::read::GzDecoder;
use ruzstd::decoding::StreamingDecoder;

use crate::crash::Dump;

const MINIDUMP: &[u8] = b"MDMP";
/// Enough for the first bytes to be in it: behind gzip's header with a file name, in zstd's first block.
const LOOKED_AT_BYTES: usize = 256 * 1024;

/// In words, for one line of a page.
pub fn kind(dump: &Dump) -> &'static str {
    let bytes = dump.frames.iter().flatten().copied();
    let beginning: Vec<u8> = bytes.take(LOOKED_AT_BYTES).collect();
    let zstd = StreamingDecoder::new(&beginning[..]);
    if beginning.starts_with(MINIDUMP) {
        "a minidump"
    } else if is_minidump(GzDecoder::new(&beginning[..])) {
        "a minidump, compressed by gzip"
    } else if zstd.is_ok_and(is_minidump) {
        "a minidump, compressed by zstd"
    } else {
        "not a minidump"
    }
}

fn is_minidump(mut decoder: impl Read) -> bool {
    let mut decoded = [0; MINIDUMP.len()];
    decoder.read_exact(&mut decoded).is_ok() && decoded == MINIDUMP
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crash::DumpName;
    use flate2::{Compression, read::GzEncoder};
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

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
    fn a_minidump_is_seen_through_what_compressed_it() {
        assert_eq!(kind_of(b"MDMP and more"), "a minidump");
        let compressed = gzipped(b"MDMP and more");
        assert_eq!(kind_of(&compressed), "a minidump, compressed by gzip");
        assert_eq!(kind_of(&compressed[..5]), "not a minidump");
        assert_eq!(kind_of(&gzipped(b"a log")), "not a minidump");
        let compressed = compress_to_vec(&b"MDMP and more"[..], CompressionLevel::Fastest);
        assert_eq!(kind_of(&compressed), "a minidump, compressed by zstd");
        assert_eq!(kind_of(&compressed[..9]), "not a minidump");
        assert_eq!(kind_of(b""), "not a minidump");
    }
}
