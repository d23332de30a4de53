//! What stands in an entry's file, format v1: header with checksums, raw crash, dumps. `docs/spool.md` has the table.
//!
//! Knows bytes only, neither folders nor names. Reading trusts nothing: no length is believed before the header's own
//! hash fits and all lengths together make up the file.

mod cursor;

use std::io::{self, Read};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::crash::{CrashId, CrashReport, Dump, DumpName, RawCrash};
use cursor::Cursor;

const MAGIC: &[u8; 8] = b"ANTSPOOL";
const VERSION: u16 = 1;
const KIND_REPORT: u16 = 1;
const KIND_PUBLISH: u16 = 2;
/// Magic, version, kind, number of dumps, header length.
const PREFIX_BYTES: usize = 24;
const ID_BYTES: usize = 36;
const SHA256_BYTES: usize = 32;
/// A header without dumps.
const LEAST_HEADER_BYTES: usize = PREFIX_BYTES + ID_BYTES + 8 + SHA256_BYTES + SHA256_BYTES;

/// A file's content, ready to be written without copying the report.
pub(super) struct Encoded {
    pub frames: Vec<Bytes>,
    pub length_bytes: u64,
}

/// What an entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A report that is still to be saved (or was, when there was no room for a smaller entry).
    Report(CrashReport),
    /// The id of a report that is saved already and still to be published.
    Publish(CrashId),
}

impl Content {
    pub fn crash_id(&self) -> &CrashId {
        match self {
            Self::Report(report) => &report.id,
            Self::Publish(id) => id,
        }
    }
}

/// A file could not be read as an entry.
#[derive(Debug)]
pub(super) enum DecodeError {
    Corrupt(String),
    Io(io::Error),
}

/// A report with everything that is needed to save it.
pub(super) fn encode_report(report: &CrashReport) -> Encoded {
    let header = header(
        KIND_REPORT,
        &report.id,
        report.raw_crash.pieces(),
        &report.dumps,
    );
    let mut frames = vec![header.into()];
    frames.extend_from_slice(report.raw_crash.pieces());
    frames.extend(report.dumps.iter().flat_map(|dump| dump.frames.clone()));
    Encoded::of(frames)
}

/// The id of a report that only has to be published.
pub(super) fn encode_publish(id: &CrashId) -> Encoded {
    Encoded::of(vec![header(KIND_PUBLISH, id, &[], &[]).into()])
}

impl Encoded {
    fn of(frames: Vec<Bytes>) -> Self {
        let length_bytes = length_of(&frames);
        Self {
            frames,
            length_bytes,
        }
    }
}

fn length_of(frames: &[Bytes]) -> u64 {
    frames.iter().map(|frame| frame.len() as u64).sum()
}

fn header(kind: u16, id: &CrashId, raw_crash: &[Bytes], dumps: &[Dump]) -> Vec<u8> {
    let described: Vec<u8> = dumps.iter().flat_map(describe).collect();
    let header_bytes = LEAST_HEADER_BYTES + described.len();
    let mut header = Vec::with_capacity(header_bytes);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&kind.to_le_bytes());
    header.extend_from_slice(&(dumps.len() as u32).to_le_bytes());
    header.extend_from_slice(&(header_bytes as u64).to_le_bytes());
    header.extend_from_slice(id.as_str().as_bytes());
    header.extend_from_slice(&length_of(raw_crash).to_le_bytes());
    header.extend_from_slice(&sha256_of(raw_crash));
    header.extend_from_slice(&described);
    header.extend_from_slice(&sha256(&header));
    header
}

fn describe(dump: &Dump) -> Vec<u8> {
    let name = dump.name.as_str().as_bytes();
    // Counted rather than taken from the dump: a wrong length would make the whole entry unreadable.
    let length = length_of(&dump.frames);
    let mut described = vec![name.len() as u8];
    described.extend_from_slice(name);
    described.extend_from_slice(&length.to_le_bytes());
    described.extend_from_slice(&dump.sha256);
    described
}

fn sha256(bytes: &[u8]) -> [u8; SHA256_BYTES] {
    Sha256::digest(bytes).into()
}

fn sha256_of(pieces: &[Bytes]) -> [u8; SHA256_BYTES] {
    let hasher = Sha256::new();
    let hasher = pieces
        .iter()
        .fold(hasher, |hasher, piece| hasher.chain_update(piece));
    hasher.finalize().into()
}

/// Reads a file of `length_bytes` and checks every length and hash in it.
///
/// Allocates no more than the file is long.
pub(super) fn decode(file: &mut dyn Read, length_bytes: u64) -> Result<Content, DecodeError> {
    let header = read_header(file, length_bytes)?;
    let parsed = parse_header(&header).ok_or_else(|| corrupt("the header contradicts itself"))?;
    let expected = parsed.file_bytes(header.len() as u64);
    if expected != Some(length_bytes) {
        return Err(corrupt(format!(
            "the file has {length_bytes} bytes, its header speaks of {}",
            expected.map_or("more than can be".to_owned(), |bytes| bytes.to_string())
        )));
    }
    let payload = read(file, length_bytes - header.len() as u64)?;
    parsed.fill(payload.into())
}

fn corrupt(reason: impl Into<String>) -> DecodeError {
    DecodeError::Corrupt(reason.into())
}

/// The header's bytes, once its closing hash fits.
fn read_header(file: &mut dyn Read, length_bytes: u64) -> Result<Vec<u8>, DecodeError> {
    if length_bytes < LEAST_HEADER_BYTES as u64 {
        return Err(corrupt(format!(
            "the file ends after {length_bytes} bytes, within the header"
        )));
    }
    let mut header = read(file, PREFIX_BYTES as u64)?;
    let mut prefix = Cursor::over(&header);
    if prefix.take(MAGIC.len()) != Some(MAGIC) {
        return Err(corrupt("the file does not begin like a spool entry"));
    }
    let version = prefix.u16().unwrap_or_default();
    if version != VERSION {
        return Err(corrupt(format!(
            "the entry has format version {version}, this collector reads {VERSION}"
        )));
    }
    let header_bytes = Cursor::over(&header[PREFIX_BYTES - 8..])
        .u64()
        .unwrap_or_default();
    if !(LEAST_HEADER_BYTES as u64..=length_bytes).contains(&header_bytes) {
        return Err(corrupt(format!(
            "a header of {header_bytes} bytes in a file of {length_bytes}"
        )));
    }
    header.extend(read(file, header_bytes - PREFIX_BYTES as u64)?);
    let (described, hash) = header.split_at(header.len() - SHA256_BYTES);
    if sha256(described) != hash {
        return Err(corrupt("the header does not fit its SHA-256"));
    }
    Ok(header)
}

fn read(file: &mut dyn Read, length_bytes: u64) -> Result<Vec<u8>, DecodeError> {
    let mut bytes = Vec::with_capacity(length_bytes as usize);
    file.take(length_bytes)
        .read_to_end(&mut bytes)
        .map_err(DecodeError::Io)?;
    if bytes.len() as u64 == length_bytes {
        Ok(bytes)
    } else {
        Err(corrupt("the file ends too early"))
    }
}

struct Header {
    kind: u16,
    id: CrashId,
    raw_crash: Part,
    dumps: Vec<(DumpName, Part)>,
}

struct Part {
    length_bytes: u64,
    sha256: [u8; SHA256_BYTES],
}

fn parse_header(header: &[u8]) -> Option<Header> {
    let mut cursor = Cursor::over(header.get(MAGIC.len() + 2..header.len() - SHA256_BYTES)?);
    let kind = cursor.u16()?;
    let dump_count = cursor.u32()?;
    cursor.u64()?;
    let id = CrashId::parse(std::str::from_utf8(cursor.take(ID_BYTES)?).ok()?).ok()?;
    let raw_crash = cursor.part()?;
    let dumps: Vec<_> = (0..dump_count)
        .map_while(|_| Some((cursor.dump_name()?, cursor.part()?)))
        .collect();
    let whole = dumps.len() == dump_count as usize && cursor.is_at_end();
    let fitting = match kind {
        KIND_REPORT => true,
        KIND_PUBLISH => dumps.is_empty() && raw_crash.length_bytes == 0,
        _ => false,
    };
    (whole && fitting).then_some(Header {
        kind,
        id,
        raw_crash,
        dumps,
    })
}

impl Header {
    /// `None`: more than can be counted.
    fn file_bytes(&self, header_bytes: u64) -> Option<u64> {
        let parts = self.dumps.iter().map(|(_, part)| part.length_bytes);
        parts.fold(
            header_bytes.checked_add(self.raw_crash.length_bytes),
            |sum, length| sum?.checked_add(length),
        )
    }

    fn fill(self, mut payload: Bytes) -> Result<Content, DecodeError> {
        if self.kind == KIND_PUBLISH {
            return Ok(Content::Publish(self.id));
        }
        let json = payload.split_to(self.raw_crash.length_bytes as usize);
        if sha256(&json) != self.raw_crash.sha256 {
            return Err(corrupt("the raw crash does not fit its SHA-256"));
        }
        let mut dumps = Vec::with_capacity(self.dumps.len());
        for (name, part) in self.dumps {
            let dump = Dump::whole(name, payload.split_to(part.length_bytes as usize));
            if dump.sha256 != part.sha256 {
                return Err(corrupt(format!(
                    "the dump {} does not fit its SHA-256",
                    dump.name
                )));
            }
            dumps.push(dump);
        }
        Ok(Content::Report(CrashReport::new(
            self.id,
            RawCrash::written(json),
            dumps,
        )))
    }
}

#[cfg(test)]
mod tests;
