//! Replays the recorded behaviour of the original (`tests/data/contract`) against the real binary: exact bytes over a
//! real socket, compared with what the original answered, stored, queued and counted. Where ours differs on purpose,
//! `expectations.jsonl` says what we expect of ourselves and why, and `docs/compatibility.md` explains it.

mod aws;
mod case;
mod compare;
mod expectations;
mod metrics;
mod moto_client;
mod pages;
mod replay;
mod request;
mod tally;
mod tokens;

use std::collections::BTreeSet;

use case::{Outcome, corpus};
use expectations::Expectations;
use replay::{Circumstances, Planned, by_circumstances, play_all};
use tally::Tally;
use tempfile::TempDir;

use crate::support::collector::TestCollector;
use crate::support::stored::objects_below;
use crate::support::wait::wait_for;

#[test]
fn every_case_behaves_as_recorded_or_as_we_promise_on_the_file_system() {
    let corpus = corpus();
    let expectations = Expectations::read();
    let planned: Vec<Planned> = corpus
        .iter()
        .filter(|case| case.applies_to("fs"))
        .map(|case| Planned::of(case, &expectations))
        .collect();
    let mut tally = Tally::default();
    for (circumstances, group) in by_circumstances(&planned) {
        replay_on_disk(&circumstances, &group, &mut tally);
    }
    tally.finish("contract, file system");
}

#[test]
fn every_improvement_has_an_expectation_and_every_expectation_a_case() {
    let problems = Expectations::read().problems(&corpus());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

fn replay_on_disk(circumstances: &Circumstances, group: &[&Planned], tally: &mut Tally) {
    let collector = start(circumstances);
    let mut played = play_all(group, collector.address());
    if circumstances.nobody_waits() {
        wait_for("the report of a client that left is saved", || {
            let saved = objects_below(&collector.crashes());
            saved
                .keys()
                .any(|path| path.contains("/raw_crash/"))
                .then_some(())
        });
    }
    // Who was told yes is safe now, not only after a graceful stop.
    let mut stored = objects_below(&collector.crashes());
    let (folder, _log) = collector.stop();
    let later = objects_below(&folder.path().join("crashes"));
    if stored != later {
        let later = later.into_keys().filter(|path| !stored.contains_key(path));
        tally.fail("(the storage changed at the stop)", later.collect());
    }
    for obstacle in &circumstances.setup.fs_file {
        stored.remove(obstacle);
    }
    let layout = |outcome: &Outcome| outcome.fs.clone();
    let mut claimed = BTreeSet::new();
    for played in &mut played {
        let (own, differences) = played.judge(&stored, &layout);
        claimed.extend(own);
        let planned = played.planned;
        tally.count(&planned.case.name, planned.source, differences);
    }
    let strays = stored.keys().filter(|path| !claimed.contains(*path));
    let strays: Vec<String> = strays.cloned().collect();
    if !strays.is_empty() {
        tally.fail("(objects that belong to no answer)", strays);
    }
}

fn start(circumstances: &Circumstances) -> TestCollector {
    let folder = prepared_folder(circumstances);
    let settings = settings_of(circumstances, &folder);
    TestCollector::start_in(folder, &settings)
}

fn settings_of(circumstances: &Circumstances, folder: &TempDir) -> Vec<(String, String)> {
    let files = folder.path().join("files").display().to_string();
    let settings = circumstances.settings.iter();
    let own = settings.map(|(name, value)| (name.clone(), value.replace("@files", &files)));
    // An unoptimised build beside other tests takes its time to save 20 MB.
    let patience = ("CRASHMOVER_ACK_TIMEOUT_SECONDS".to_owned(), "60".to_owned());
    std::iter::once(patience).chain(own).collect()
}

fn prepared_folder(circumstances: &Circumstances) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::create_dir(folder.path().join("files")).expect("a new folder");
    for (name, content) in &circumstances.files {
        let path = folder.path().join("files").join(name);
        std::fs::write(path, request::decode(content)).expect("a writable folder");
    }
    for obstacle in &circumstances.setup.fs_file {
        let path = folder.path().join("crashes").join(obstacle);
        std::fs::create_dir_all(path.parent().expect("a path in the folder")).expect("new folders");
        std::fs::write(path, b"").expect("a writable folder");
    }
    folder
}
