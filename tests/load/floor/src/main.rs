//! What one report costs at least: the CPU time of hashing a body, and of inflating and hashing it, on one thread.
//!
//! Arguments: a plain body, a gzipped body. Prints microseconds per body as JSON. No socket, no disk, no parsing.

use std::time::{Duration, Instant};

use flate2::{Decompress, FlushDecompress};
use sha2::{Digest, Sha256};

/// Long enough for a steady figure.
const RUN_FOR: Duration = Duration::from_secs(1);
/// As the collector hands on what it inflates.
const PIECE_BYTES: usize = 64 * 1024;

fn main() {
    let bodies: Vec<_> = std::env::args()
        .skip(1)
        .map(|path| std::fs::read(path).expect("a readable body"))
        .collect();
    let [plain, gzip] = &bodies[..] else {
        panic!("arguments: plain body, gzipped body");
    };
    let hash = microseconds(|| {
        std::hint::black_box(Sha256::digest(plain));
    });
    let inflate_and_hash = microseconds(|| inflate_and_hash(gzip));
    println!(
        "{{\"hash_microseconds\": {hash:.1}, \"inflate_and_hash_microseconds\": {inflate_and_hash:.1}}}"
    );
}

fn microseconds(work: impl Fn()) -> f64 {
    let (started, mut times) = (Instant::now(), 0_u32);
    while started.elapsed() < RUN_FOR {
        work();
        times += 1;
    }
    started.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}

fn inflate_and_hash(gzip: &[u8]) {
    let (mut inflater, mut hasher) = (Decompress::new_gzip(15), Sha256::new());
    let mut piece = Vec::with_capacity(PIECE_BYTES);
    while (inflater.total_in() as usize) < gzip.len() {
        let rest = &gzip[inflater.total_in() as usize..];
        inflater
            .decompress_vec(rest, &mut piece, FlushDecompress::None)
            .expect("a sound body");
        hasher.update(&piece);
        piece.clear();
    }
    std::hint::black_box(hasher.finalize());
}
