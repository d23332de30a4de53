//! The memory rule, held against an allocator that counts: for any body, however it is made, cut or damaged, the bytes
//! alive at any moment are at most what was asked for and a constant.
//!
//! The constant is one frame of the body and what a step leaves on the stack of whoever called. Everything else that
//! intake or the raw crash keeps has been asked for before it was allocated.

mod bodies;
mod dice;
mod meter;

use antenna::crash::{CrashId, Metadata, RawCrash};
use antenna::intake::{self, Heavy, Limits, Submission, Upload};
use chrono::DateTime;

use bodies::{Body, body};
use dice::Dice;
use meter::{Meter, Refused};

/// Cases of a run; `ANTENNA_MEMORY_CASES` asks for more.
const CASES: u64 = 100_000;

#[test]
fn what_is_alive_was_asked_for() {
    let cases = std::env::var("ANTENNA_MEMORY_CASES");
    let cases = cases.map_or(CASES, |cases| cases.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let (mut kept, mut refused) = (0_u64, 0_u64);
    for seed in 0..cases {
        let mut dice = Dice::new(seed);
        let body = body(&mut dice);
        match runtime.block_on(taken(&body, seed, &mut dice)) {
            Ok(()) => kept += 1,
            Err(Refused) => refused += 1,
        }
    }
    // Both ways have been gone, and not by a few only.
    assert!(kept > cases / 10, "{kept} of {cases} were taken");
    assert!(refused > cases / 10, "{refused} of {cases} were refused");
}

/// From the first byte to the raw crash, as a request goes.
async fn taken(body: &Body, seed: u64, dice: &mut Dice) -> Result<(), Refused> {
    let mut meter = Meter::new(body, seed, dice);
    let heavy = Heavy::default();
    let parsed = intake::parse(body.head(), &mut meter, &body.limits, &heavy).await;
    meter.look();
    let submission = parsed.map_err(|_| Refused)?;
    let Submission { weight, .. } = submission;
    let metadata = Metadata {
        notes: submission.notes,
        payload: submission.payload,
        payload_compressed: submission.encoding.is_some(),
        payload_bytes: submission.payload_bytes,
        throttle_rule: "rule".to_owned(),
        user_agent: None,
        submitted: DateTime::from_timestamp(1_784_000_000, 0).unwrap(),
    };
    let id = CrashId::parse("de1bb258-cbbf-4589-a673-34f800160918").unwrap();
    let (annotations, dumps) = (submission.annotations, submission.dumps);
    let room = |bytes| meter.hold(weight.all_bytes + bytes).is_ok();
    let raw_crash = RawCrash::assemble(&id, annotations, metadata, &dumps, room);
    let raw_crash = raw_crash.map_err(|_| Refused)?;
    meter.hold(weight.dumps_bytes + raw_crash.length_bytes())?;
    meter.look();
    Ok(())
}

/// Limits of all sizes: what a limit cuts off must not be kept either.
fn limits(dice: &mut Dice) -> Limits {
    Limits {
        inflated_bytes: 1 << dice.between(12, 24),
        parts: dice.between(1, 3000) as usize,
        dumps: dice.between(1, 500) as usize,
        annotations: dice.between(1, 3000) as usize,
        annotation_bytes: 1 << dice.between(4, 22),
        annotations_bytes: 1 << dice.between(8, 23),
        extra_encodings: intake::ExtraEncodings::ALL,
        takes_no_annotations: false,
        takes_bare_dumps: false,
    }
}
