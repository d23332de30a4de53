//! A rules file of any text: reading it never panics, mistakes name lines that the file has, and accepted rules settle
//! whatever is submitted.
//!
//! Input: the file, a NUL byte, annotations as a JSON object. What follows a further NUL byte is the dice.
#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use antenna_fuzz::crash::Annotations;
use antenna_fuzz::throttle::{RulesError, Throttler};
use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

/// The throttler reads files, so there is one, in memory where the machine has such a folder.
static FILE: LazyLock<String> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let folder = match memory.is_dir() {
        true => memory.to_owned(),
        false => std::env::temp_dir(),
    };
    let name = format!("antenna-fuzz-rules-{}.toml", std::process::id());
    folder.join(name).display().to_string()
});
/// Intake takes no deeper JSON than 900; this is enough to be deep.
const DEEPEST: usize = 200;

fuzz_target!(|data: &[u8]| {
    let mut fields = data.splitn(3, |byte| *byte == 0);
    let [text, annotations, dice] = [(); 3].map(|()| fields.next().unwrap_or_default());
    std::fs::write(&*FILE, text).expect("a writable folder");
    for (products, package_names) in [("all", "all"), ("mozilla", &*FILE), (&*FILE, &*FILE)] {
        match Throttler::new(&FILE, products, package_names) {
            Ok(throttler) => assert_settles(&throttler, annotations, dice),
            Err(error) => assert_helpful(&error, text),
        }
    }
    let _ = std::fs::remove_file(&*FILE);
});

/// There is at least one mistake; each has a line of the file, and is one line itself.
fn assert_helpful(error: &RulesError, text: &[u8]) {
    let lines = 1 + memchr::memchr_iter(b'\n', text).count();
    assert!(!error.mistakes().is_empty());
    let mut last = 0;
    for mistake in error.mistakes() {
        let line = mistake.line.unwrap_or(1);
        assert!((1..=lines).contains(&line), "{mistake} of {lines} lines");
        assert!(line >= last, "not from top to bottom");
        last = line;
        assert!(!mistake.what.is_empty() && !mistake.advice.is_empty());
        assert!(!mistake.to_string().contains('\n'), "{mistake:?}");
    }
}

fn assert_settles(throttler: &Throttler, annotations: &[u8], dice: &[u8]) {
    let Some(annotations) = annotations_of(annotations) else {
        return;
    };
    let roll = |at: usize| f64::from(dice.get(at).copied().unwrap_or_default()) / 256.0;
    let seconds = dice.iter().fold(0_i64, |n, byte| n << 5 ^ i64::from(*byte));
    let now = DateTime::from_timestamp(seconds >> 20, 0).unwrap_or_default();
    let mut rolled = 0..;
    let mut next = || roll(rolled.next().unwrap_or_default());
    let verdict = throttler.throttle(&annotations, now, &mut next);
    assert!(throttler.rule_names().any(|name| name == verdict.rule()));
    let mut rolled = 0..;
    let mut next = || roll(rolled.next().unwrap_or_default());
    let explained = throttler.explain(&annotations, now, &mut next);
    assert_eq!(explained.verdict, verdict);
    assert!(explained.steps.len() <= throttler.rule_names().count());
}

fn annotations_of(json: &[u8]) -> Option<Annotations> {
    let depth = json.iter().filter(|byte| b"[{".contains(byte)).count();
    if depth > DEEPEST {
        return None;
    }
    match serde_json::from_slice(json) {
        Ok(Value::Object(members)) => Some(members.into_iter().collect()),
        _ => Some(Annotations::default()),
    }
}
