//! The captures once more, cut into pieces at random places: what is stored must not depend on how the network delivers.

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::capture::Capture;
use super::{SETTINGS, captures, finish};
use crate::support::collector::TestCollector;
use crate::support::report;
use crate::support::stored::objects_below;
use crate::support::wire::Exchange;

/// Fixed, so that a failure can be repeated; the test says it.
const SEED: u64 = 20_260_714;
/// How often each capture is cut anew.
const ROUNDS: usize = 3;
/// Cuts per round; each costs the test a pause.
const CUTS: usize = 12;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(1);

#[test]
fn a_capture_in_random_pieces_is_understood_as_the_whole_is() {
    let mut random = StdRng::seed_from_u64(SEED);
    let collector = TestCollector::start(&SETTINGS);
    let captures = captures();
    let mut problems = Vec::new();
    for capture in &captures {
        for round in 0..ROUNDS {
            let bytes = with_other_chunks(capture, &mut random);
            let cuts = cuts(bytes.len(), capture.body_offset(), &mut random);
            let mut exchange = Exchange::of(bytes);
            exchange.pauses = cuts.iter().map(|at| (*at, PAUSE)).collect();
            let answers = collector.play(&exchange);
            let stored = objects_below(&collector.crashes());
            let found = capture.problems(answers[0].response(), &stored);
            problems.extend(found.into_iter().map(|p| format!("round {round}: {p}")));
        }
    }
    collector.stop();
    report(&format!("clients in pieces: seed {SEED}"));
    finish("clients in pieces", captures.len() * ROUNDS, &problems);
}

/// Places to pause at, in ascending order; some around the end of the head, where much is decided.
fn cuts(length: usize, body: usize, random: &mut StdRng) -> Vec<usize> {
    let anywhere = (0..CUTS).map(|_| random.random_range(1..length));
    let mut cuts: Vec<usize> = anywhere.collect();
    cuts.extend((0..4).map(|_| (body + random.random_range(0..120)).min(length)));
    cuts.sort_unstable();
    cuts
}

/// A chunked body in chunks of other sizes; any other body as it is.
fn with_other_chunks(capture: &Capture, random: &mut StdRng) -> Vec<u8> {
    let (head, body) = capture.bytes.split_at(capture.body_offset());
    let is_chunked = String::from_utf8_lossy(head)
        .to_ascii_lowercase()
        .contains("transfer-encoding: chunked");
    if !is_chunked {
        return capture.bytes.clone();
    }
    let whole = joined(body);
    let mut request = head.to_vec();
    let mut rest = &whole[..];
    while !rest.is_empty() {
        let length = random.random_range(1..=rest.len().min(5000));
        let (chunk, left) = rest.split_at(length);
        request.extend(format!("{length:x}\r\n").as_bytes());
        request.extend(chunk);
        request.extend(b"\r\n");
        rest = left;
    }
    request.extend(b"0\r\n\r\n");
    request
}

/// The chunks of a body without their framing.
fn joined(mut body: &[u8]) -> Vec<u8> {
    let mut joined = Vec::new();
    loop {
        let line_end = body.windows(2).position(|w| w == b"\r\n");
        let (line, rest) = body.split_at(line_end.expect("a chunk's size"));
        let size = String::from_utf8_lossy(line);
        let size = usize::from_str_radix(size.trim(), 16).expect("a chunk's size");
        if size == 0 {
            return joined;
        }
        joined.extend(&rest[2..2 + size]);
        body = &rest[2 + size + 2..];
    }
}
