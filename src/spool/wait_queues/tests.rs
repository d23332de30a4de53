//! Order, claims and sums of the queues.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, UNIX_EPOCH};

use std::collections::BTreeSet;

use super::*;

const NO_LIMIT: u64 = u64::MAX;

fn id(number: u8) -> PackedId {
    let text = format!("{number:08x}-0000-4000-8000-000000260709");
    PackedId::pack(&CrashId::parse(&text).unwrap()).unwrap()
}

fn name(micros: u64, number: u8) -> EntryName {
    EntryName {
        micros,
        id: id(number),
    }
}

/// Three reports that came in microseconds 1, 2 and 3.
fn three() -> Arc<WaitQueues> {
    let queues = Arc::new(WaitQueues::default());
    for micros in [2, 1, 3] {
        assert!(queues.found(State::Save, name(micros, micros as u8), 100));
    }
    queues
}

fn claimed_micros(queues: &Arc<WaitQueues>) -> Vec<u64> {
    let claims: Vec<_> = std::iter::from_fn(|| queues.claim(State::Save)).collect();
    claims.iter().map(|entry| entry.claim.name.micros).collect()
}

#[test]
fn the_oldest_is_taken_first_and_nobody_twice() {
    let queues = three();
    let first = queues.claim(State::Save).unwrap();
    assert_eq!(first.claim.name, name(1, 1));
    assert_eq!(claimed_micros(&queues), [2, 3]);
}

#[test]
fn a_dropped_claim_goes_back_to_its_place() {
    let queues = three();
    drop(queues.claim(State::Save));
    assert_eq!(claimed_micros(&queues), [1, 2, 3]);
}

#[test]
fn a_deferred_claim_goes_to_the_end_and_stays_the_oldest() {
    let queues = three();
    queues.claim(State::Save).unwrap().defer();
    let oldest = queues.tally(State::Save).oldest;
    assert_eq!(oldest, Some(UNIX_EPOCH + Duration::from_micros(1)));
    assert_eq!(claimed_micros(&queues), [2, 3, 1]);
    assert_eq!(queues.tally(State::Save).entries, 3);
}

#[test]
fn a_deferred_claim_keeps_its_new_place_when_it_is_dropped_later() {
    let queues = three();
    queues.claim(State::Save).unwrap().defer();
    for _ in 0..2 {
        queues.claim(State::Save).unwrap().forget();
    }
    drop(queues.claim(State::Save));
    queues.found(State::Save, name(4, 4), 100);
    assert_eq!(claimed_micros(&queues), [4, 1]);
}

#[test]
fn sums_follow_every_move() {
    let queues = three();
    let entry = queues.claim(State::Save).unwrap();
    let mut entry = queues.advanced(entry);
    assert_eq!(queues.tally(State::Save).entries, 2);
    assert_eq!(queues.tally(State::Publish).bytes, 4096);
    queues.resized(&mut entry, 5000);
    assert_eq!(queues.tally(State::Publish).bytes, 8192);
    drop(entry);
    assert_eq!(queues.tally(State::Publish).entries, 1);
    queues.claim(State::Publish).unwrap().forget();
    assert_eq!(queues.tally(State::Publish), Tally::default());
    assert_eq!(queues.tally(State::Save).bytes, 8192);
}

#[test]
fn a_place_is_reserved_within_the_limit_only() {
    let queues = three();
    let refused = queues.reserve(State::Save, id(9), 1, 4 * 4096 - 1);
    assert_eq!(refused.unwrap_err(), 3 * 4096);
    let reserved = queues.reserve(State::Publish, id(9), 1, 4 * 4096).unwrap();
    assert!(queues.claim(State::Publish).is_none());
    drop(reserved);
    assert!(queues.claim(State::Publish).is_some());
}

#[test]
fn the_same_id_put_twice_at_once_gets_two_names() {
    let queues = Arc::new(WaitQueues::default());
    let entries: Vec<_> = (0..100)
        .map(|_| queues.reserve(State::Save, id(1), 1, NO_LIMIT).unwrap())
        .collect();
    let names: BTreeSet<_> = entries.iter().map(|entry| entry.claim.name).collect();
    assert_eq!(names.len(), 100);
}

#[test]
fn what_is_known_is_not_found_again_in_either_line() {
    let queues = three();
    let _claimed = queues.claim(State::Save);
    for number in [1, 2] {
        assert!(!queues.found(State::Save, name(number.into(), number), 100));
        assert!(!queues.found(State::Publish, name(number.into(), number), 100));
    }
}

#[test]
fn every_arrival_wakes_one_who_waits() {
    let queues = Arc::new(WaitQueues::default());
    let (mut one, mut two) = (
        pin!(queues.next(State::Save)),
        pin!(queues.next(State::Save)),
    );
    let mut context = Context::from_waker(Waker::noop());
    assert!(one.as_mut().poll(&mut context).is_pending());
    queues.found(State::Save, name(1, 1), 1);
    queues.found(State::Save, name(2, 2), 1);
    let Poll::Ready(first) = one.as_mut().poll(&mut context) else {
        panic!("nobody told the first");
    };
    let Poll::Ready(second) = two.as_mut().poll(&mut context) else {
        panic!("nobody told the second");
    };
    assert_ne!(first.claim.name, second.claim.name);
}
