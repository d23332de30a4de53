//! The corpus against a collector that saves to S3 and publishes to SQS: the recorded objects in the layout of a bucket,
//! the recorded messages, and the recorded outages.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::case::{Case, Fault, Outcome, corpus};
use super::expectations::Expectations;
use super::moto_client::Cloud;
use super::replay::{Circumstances, Planned, Played, by_circumstances, play_all, play_one};
use super::tally::Tally;
use super::{prepared_folder, settings_of};
use crate::support::collector::TestCollector;
use crate::support::fault_proxy::{self, FaultProxy};
use crate::support::moto::Moto;
use crate::support::stored::crash_id_of;
use crate::support::wait::{PATIENCE, wait_for, wait_within};

#[test]
fn the_recorded_objects_in_a_bucket_are_the_recorded_files_in_another_layout() {
    let mut compared = 0;
    let both = |case: &Case| case.has_2026() && !case.recorded_2024().is_empty();
    let comparable = |case: &&Case| both(case) && case.applies_to("s3") && !case.refs_differ;
    for case in corpus().iter().filter(comparable) {
        let old = case.recorded_2024();
        for new in case.recorded() {
            let mut mapped = in_a_bucket(&new.fs);
            without_user_agent(&mut mapped);
            // The user agent cannot be taken out of a text.
            if mapped
                .values()
                .all(|object| object.get("json_text").is_none())
            {
                let ids = published(&mapped);
                let same = |old: &Outcome| {
                    old.s3.as_ref() == Some(&mapped) && old.sqs.as_ref() == Some(&ids)
                };
                let is_recorded = old.iter().any(same);
                assert!(is_recorded, "{}", case.name);
                compared += 1;
            }
        }
    }
    assert!(compared > 500, "only {compared} cases compared");
}

#[test]
fn every_case_behaves_as_recorded_or_as_we_promise_on_s3_and_sqs() {
    let moto = Moto::start();
    let corpus = corpus();
    let expectations = Expectations::read();
    let cases = corpus.iter().filter(|case| case.applies_to("s3"));
    let planned: Vec<Planned> = cases.map(|case| Planned::of(case, &expectations)).collect();
    let (faulty, sound): (Vec<Planned>, Vec<Planned>) =
        planned.into_iter().partition(|p| p.case.fault.is_some());
    let mut tally = Tally::default();
    for (circumstances, group) in by_circumstances(&sound) {
        replay_in_bucket(&moto, &circumstances, &group, &mut tally);
    }
    for planned in &faulty {
        let problems = replay_with_fault(&moto, planned);
        tally.count(&planned.case.name, planned.source, problems);
    }
    tally.finish("contract, S3 and SQS");
}

fn replay_in_bucket(
    moto: &Moto,
    circumstances: &Circumstances,
    group: &[&Planned],
    tally: &mut Tally,
) {
    let cloud = Cloud::new(moto.address());
    let collector = start(&cloud, circumstances, &moto.url());
    let mut played = play_all(group, collector.address());
    if circumstances.nobody_waits() {
        wait_for("the report of a client that left is saved", || {
            let objects = cloud.objects();
            objects
                .keys()
                .any(|key| key.starts_with("v1/raw_crash/"))
                .then_some(())
        });
    }
    // A graceful stop publishes what is still to be published.
    collector.stop();
    let stored = cloud.objects();
    let mut messages = Messages::taken_from(&cloud);
    let mut claimed = BTreeSet::new();
    for played in &mut played {
        let (own, mut differences) = played.judge(&stored, &layout);
        differences.extend(messages.problems_with(&own));
        claimed.extend(own);
        let planned = played.planned;
        tally.count(&planned.case.name, planned.source, differences);
    }
    let test_file = |key: &&String| key.starts_with("test/testfile-");
    let strays = stored
        .keys()
        .filter(|key| !claimed.contains(*key) && !test_file(key));
    let strays: Vec<String> = strays.cloned().chain(messages.strays()).collect();
    if !strays.is_empty() {
        tally.fail("(objects and messages that belong to no answer)", strays);
    }
}

/// Plays one case during its outage, ends the outage when the case says so, and waits for the expected end.
fn replay_with_fault(moto: &Moto, planned: &Planned) -> Vec<String> {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let proxy = runtime.block_on(FaultProxy::before(moto.address()));
    let cloud = Cloud::new(moto.address());
    let collector = start(&cloud, &planned.circumstances(), &proxy.url());
    let fault = planned.case.fault.as_ref().expect("a case with a fault");
    let outage = Outage {
        fault,
        cloud: &cloud,
        set: &|fault| runtime.block_on(proxy.set(fault)),
    };
    outage.begin();
    let mut played = std::thread::scope(|scope| {
        scope.spawn(|| outage.end_in_time());
        play_one(planned, collector.address())
    });
    if fault.hold.is_none() {
        return played.judge(&BTreeMap::new(), &layout).1;
    }
    let problems = wait_for_end(&cloud, &mut played);
    collector.stop();
    problems
}

fn wait_for_end(cloud: &Cloud, played: &mut Played) -> Vec<String> {
    let mut messages = Messages::default();
    let mut problems = Vec::new();
    let _ = wait_within(PATIENCE, "everything is saved and published", || {
        let (own, differences) = played.judge(&cloud.objects(), &layout);
        messages.add(cloud);
        problems = differences;
        problems.extend(messages.clone().problems_with(&own));
        problems.is_empty().then_some(())
    });
    problems
}

struct Outage<'a> {
    fault: &'a Fault,
    cloud: &'a Cloud,
    set: &'a (dyn Fn(fault_proxy::Fault) + Sync),
}

impl Outage<'_> {
    fn begin(&self) {
        match self.fault.kind.as_str() {
            "bucket_missing" => self.cloud.delete_bucket(),
            "queue_missing" => self.cloud.delete_queue(),
            "down" => (self.set)(fault_proxy::Fault::Refuse),
            other => panic!("unknown fault: {other}"),
        }
    }

    fn end_in_time(&self) {
        let Some(seconds) = self.fault.hold else {
            return;
        };
        std::thread::sleep(Duration::from_secs_f64(seconds));
        match self.fault.kind.as_str() {
            "bucket_missing" => self.cloud.create_bucket(),
            "queue_missing" => self.cloud.create_queue(),
            _ => (self.set)(fault_proxy::Fault::Pass),
        }
    }
}

fn start(cloud: &Cloud, circumstances: &Circumstances, endpoint: &str) -> TestCollector {
    let folder = prepared_folder(circumstances);
    let mut settings = settings_of(circumstances, &folder);
    settings.extend(cloud.settings(endpoint));
    TestCollector::start_in(folder, &settings)
}

/// How often each message was in the queue.
#[derive(Clone, Default)]
struct Messages(BTreeMap<String, usize>);

impl Messages {
    fn taken_from(cloud: &Cloud) -> Self {
        let mut messages = Self::default();
        messages.add(cloud);
        messages
    }

    fn add(&mut self, cloud: &Cloud) {
        for message in cloud.take_messages() {
            *self.0.entry(message).or_default() += 1;
        }
    }

    /// Each saved report is published once, nothing else is. Takes out what has been looked at.
    fn problems_with(&mut self, objects: &BTreeSet<String>) -> Vec<String> {
        let saved = objects
            .iter()
            .filter(|key| key.starts_with("v1/raw_crash/"));
        let ids = saved.filter_map(|key| crash_id_of(key));
        ids.filter_map(|id| match self.0.remove(id) {
            Some(1) => None,
            times => Some(format!("published {} times", times.unwrap_or(0))),
        })
        .collect()
    }

    fn strays(self) -> impl Iterator<Item = String> {
        let strays = self.0.into_keys().filter(|message| message != "test");
        strays.map(|message| format!("message {message:?}"))
    }
}

/// Where the contract wants the objects of an outcome: as recorded by the older version, which did not store the user
/// agent, or as an expectation says, or else the newer version's files in the layout of a bucket.
fn layout(outcome: &Outcome) -> BTreeMap<String, Value> {
    let Some(recorded) = &outcome.s3 else {
        return in_a_bucket(&outcome.fs);
    };
    let mut objects = recorded.clone();
    for metadata in objects.values_mut().filter_map(metadata_of) {
        metadata.entry("user_agent").or_insert(json!("None"));
    }
    objects
}

fn in_a_bucket(files: &BTreeMap<String, Value>) -> BTreeMap<String, Value> {
    files
        .iter()
        .map(|(path, object)| (key_for(path), object.clone()))
        .collect()
}

fn key_for(path: &str) -> String {
    let parts: Vec<&str> = path.split('/').collect();
    match parts[..] {
        [date, "raw_crash", file] => format!("v1/raw_crash/{date}/{}", id_in(file)),
        [_, "dump_names", file] => format!("v1/dump_names/{}", id_in(file)),
        [_, "upload_file_minidump", id] => format!("v1/dump/{id}"),
        [_, name, id] => format!("v1/{name}/{id}"),
        [_, id] => format!("v1/dump/{id}"),
        _ => panic!("not the layout of a disk: {path}"),
    }
}

fn id_in(file: &str) -> &str {
    file.strip_suffix(".json").expect("a JSON document")
}

/// The messages that belong to these objects, in order: one for each raw crash.
fn published(objects: &BTreeMap<String, Value>) -> Vec<String> {
    let keys = objects
        .keys()
        .filter(|key| key.starts_with("v1/raw_crash/"));
    let ids = keys.filter_map(|key| key.rsplit('/').next());
    ids.map(str::to_owned).collect()
}

fn without_user_agent(objects: &mut BTreeMap<String, Value>) {
    for metadata in objects.values_mut().filter_map(metadata_of) {
        metadata.remove("user_agent");
    }
}

fn metadata_of(object: &mut Value) -> Option<&mut serde_json::Map<String, Value>> {
    object.pointer_mut("/json/metadata")?.as_object_mut()
}
