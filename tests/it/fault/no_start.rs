//! A collector that could not keep reports does not start, and says what is wrong and what to do; `antenna check` says
//! the same.

use std::process::{Command, Output};
use std::time::Duration;

use super::rig::SPOOL;
use super::scene::{Scene, Settings, settings};
use crate::backends::aws::{REGION, s3_error, sqs_error};
use crate::support::fault_proxy::Fault;
use crate::support::wait::wait_for;

/// Neither a start nor a check succeeds, and both say these words.
fn assert_refused(scene: &Scene, words: &[&str]) {
    let failed = scene.refused_start(&[]);
    assert_eq!(failed.status.code(), Some(1));
    let told = failed.log.iter();
    let told = told.filter(|line| line.contains("Unhandled startup exception"));
    let told = told.cloned().collect::<Vec<_>>().join("\n");
    let checked = check(&scene.settings());
    assert_eq!(checked.status.code(), Some(1));
    let said = String::from_utf8(checked.stdout).unwrap();
    for word in [&[REGION], words].concat() {
        assert!(
            told.contains(word),
            "{word:?} is not in the log: {:#?}",
            failed.log
        );
        assert!(
            said.contains(word),
            "{word:?} is not in what check says: {said}"
        );
    }
    let errors = String::from_utf8(checked.stderr).unwrap();
    assert!(errors.contains("a start would fail"), "{errors}");
}

fn check(settings: &Settings) -> Output {
    let folder = tempfile::tempdir().unwrap();
    Command::new(env!("CARGO_BIN_EXE_antenna"))
        .arg("check")
        .env_clear()
        .env("PORT", "0")
        .envs(settings.iter().map(|(name, value)| (name, value)))
        .current_dir(folder.path())
        .output()
        .expect("the binary can be started")
}

#[test]
fn a_check_of_what_works_says_so() {
    let scene = Scene::new();
    let checked = check(&scene.settings());
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(checked.status.success(), "{said}");
    for words in [
        "settings: fine",
        "throttle rules: fine",
        "storage: fine",
        "queue: fine",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert!(
        said.contains(&scene.bucket) && said.contains(&scene.queue),
        "{said}"
    );
}

#[test]
fn wrong_keys_for_the_bucket_stop_the_start() {
    let scene = Scene::new();
    let message = "The AWS Access Key Id you provided does not exist in our records.";
    scene.s3(s3_error("403 Forbidden", "InvalidAccessKeyId", message));
    let advice = "check the access key and its secret";
    let place = [scene.bucket.as_str(), &scene.s3_url()];
    assert_refused(&scene, &[place[0], place[1], "InvalidAccessKeyId", advice]);
}

#[test]
fn a_missing_permission_on_the_bucket_stops_the_start() {
    let scene = Scene::new();
    scene.s3(s3_error("403 Forbidden", "AccessDenied", "Access Denied"));
    let permission = format!("arn:aws:s3:::{}", scene.bucket);
    let url = scene.s3_url();
    assert_refused(
        &scene,
        &[
            &url,
            "AccessDenied",
            "the credentials need s3:",
            &permission,
        ],
    );
}

#[test]
fn a_missing_permission_on_the_queue_stops_the_start() {
    let scene = Scene::new();
    scene.sqs(sqs_error(
        "400 Bad Request",
        "AccessDeniedException",
        "Not authorized",
    ));
    let (url, permission) = (scene.sqs_url(), "the credentials need sqs:");
    assert_refused(
        &scene,
        &[&scene.queue, &url, "AccessDeniedException", permission],
    );
}

#[test]
fn a_missing_bucket_stops_the_start() {
    let scene = Scene::without_bucket_and_queue();
    scene.make_queue();
    let advice = "create the bucket or correct CRASHMOVER_CRASHSTORAGE_BUCKET_NAME";
    let url = scene.s3_url();
    assert_refused(&scene, &[&scene.bucket, &url, "NoSuchBucket", advice]);
}

#[test]
fn a_missing_queue_stops_the_start() {
    let scene = Scene::without_bucket_and_queue();
    scene.make_bucket();
    let (url, code) = (scene.sqs_url(), "NonExistentQueue");
    assert_refused(
        &scene,
        &[
            &scene.queue,
            &url,
            code,
            "CRASHMOVER_CRASHPUBLISH_QUEUE_NAME",
        ],
    );
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let scene = Scene::without_bucket_and_queue();
    assert_refused(
        &scene,
        &[
            &scene.bucket,
            "NoSuchBucket",
            &scene.queue,
            "NonExistentQueue",
        ],
    );
}

#[test]
fn a_spool_does_not_make_up_for_a_missing_bucket() {
    let scene = Scene::without_bucket_and_queue();
    scene.make_queue();
    let failed = scene.refused_start(&SPOOL);
    assert!(
        failed.log.join("\n").contains("NoSuchBucket"),
        "{:?}",
        failed.log
    );
}

#[test]
fn storage_that_is_away_for_good_stops_the_start_after_a_while() {
    let scene = Scene::new();
    scene.s3(Fault::Refuse);
    let failed = scene.refused_start(&[]);
    assert_eq!(failed.status.code(), Some(1));
    let log = failed.log.join("\n");
    for words in [
        "storage or queue is not there yet",
        "Unhandled startup exception",
        "refused",
    ] {
        assert!(log.contains(words), "{words}: {log}");
    }
}

#[test]
fn storage_that_comes_up_later_is_waited_for() {
    let scene = Scene::new();
    scene.s3(s3_error(
        "503 Service Unavailable",
        "ServiceUnavailable",
        "Starting",
    ));
    let rig = std::thread::scope(|scope| {
        let (before, scene) = (scene.s3_connections(), &scene);
        scope.spawn(move || {
            wait_for("the first attempt", || {
                (scene.s3_connections() > before).then_some(())
            });
            // The answer to the attempt under way may be cut by this; there are more.
            scene.s3(Fault::Pass);
        });
        let settings = [scene.settings(), settings(&[])].concat();
        super::rig::Rig::start(None, &settings)
    });
    let (answer, took) = rig.submit_timed(0);
    assert_eq!(answer.status, 200);
    assert!(took < Duration::from_secs(20));
    rig.end();
}
