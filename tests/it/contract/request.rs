//! From a recorded case to the bytes and pauses of its exchange.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};

use super::case::{Case, Segment};
use crate::support::crash::gzip;
use crate::support::wire::{Exchange, Then};

/// In the head of a generated request: the body's length.
const CONTENT_LENGTH: &str = "@@CL@@";

/// A case made ready for the wire.
pub struct Request {
    pub exchange: Exchange,
    /// What `<BUILDID>` stands for.
    pub build_id: Option<String>,
    /// Length of a generated gzip body: another deflate than the recording one gives another length.
    pub gzip_bytes: Option<usize>,
}

impl Request {
    /// `now` decides the dates in generated build ids.
    pub fn of(case: &Case, now: DateTime<Utc>) -> Self {
        let (bytes, gzip_bytes) = match &case.generate {
            Some(generate) => {
                let body = join(&generate.body, now);
                let head = String::from_utf8(decode(&generate.head_b64)).expect("a text head");
                let head = head.replace(CONTENT_LENGTH, &body.len().to_string());
                let zipped = generate.body.iter().any(|segment| segment.gzip.is_some());
                let length = zipped.then_some(body.len());
                ([head.into_bytes(), body].concat(), length)
            }
            None => {
                let request = case.request_b64.as_ref().expect("a case has a request");
                (decode(request), None)
            }
        };
        Self {
            exchange: exchange(case, bytes),
            build_id: build_id(case, now),
            gzip_bytes,
        }
    }
}

fn exchange(case: &Case, bytes: Vec<u8>) -> Exchange {
    let seconds = Duration::from_secs_f64;
    let pauses = case.send.split.iter();
    let then = match case.send.then.as_deref() {
        None => Then::Listen,
        Some("half_close") => Then::HalfClose,
        Some("close") => Then::Close,
        Some(other) => panic!("{}: unknown `then`: {other}", case.name),
    };
    let mut exchange = Exchange::of(bytes);
    exchange.pauses = pauses.map(|(at, pause)| (*at, seconds(*pause))).collect();
    exchange.then = then;
    exchange.answers = case.n_responses.unwrap_or(1);
    if let Some(timeout) = case.send.read_timeout {
        exchange.read_timeout = seconds(timeout);
    }
    exchange
}

fn join(segments: &[Segment], now: DateTime<Utc>) -> Vec<u8> {
    segments.iter().flat_map(|s| content(s, now)).collect()
}

fn content(segment: &Segment, now: DateTime<Utc>) -> Vec<u8> {
    if let Some(b64) = &segment.b64 {
        decode(b64)
    } else if let Some(text) = &segment.text {
        text.clone().into_bytes()
    } else if let Some(b64) = &segment.repeat_b64 {
        decode(b64).repeat(segment.count.expect("a count"))
    } else if let Some(seed) = &segment.prng {
        random_bytes(seed, segment.len.expect("a length"))
    } else if let Some(inner) = &segment.gzip {
        gzip(&join(inner, now), segment.level.unwrap_or(9))
    } else {
        dated_build_id(segment, now).into_bytes()
    }
}

/// Blocks of SHA-256 over the seed and the block's number, cut to `length`.
pub fn random_bytes(seed: &str, length: usize) -> Vec<u8> {
    let blocks = (0..length.div_ceil(32)).flat_map(|n| Sha256::digest(format!("{seed}:{n}")));
    blocks.take(length).collect()
}

fn dated_build_id(segment: &Segment, now: DateTime<Utc>) -> String {
    let days = segment.buildid_days_ago.expect("a known kind of segment");
    let date = now - chrono::Duration::days(days);
    let time = segment.hms.as_deref().expect("a time");
    format!("{}{time}", date.format("%Y%m%d"))
}

fn build_id(case: &Case, now: DateTime<Utc>) -> Option<String> {
    let segments = &case.generate.as_ref()?.body;
    let dated = segments.iter().find(|s| s.buildid_days_ago.is_some())?;
    Some(dated_build_id(dated, now))
}

pub fn decode(b64: &str) -> Vec<u8> {
    STANDARD.decode(b64).expect("valid base64")
}
