//! Tests of loading as a whole. None of them looks at the process's own environment.

use std::io::Write;

use super::*;

pub(super) fn env(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect()
}

pub(super) fn loaded(pairs: &[(&str, &str)]) -> (Settings, ResolvedSettings) {
    Settings::load(env(pairs), None).unwrap()
}

pub(super) fn problems(pairs: &[(&str, &str)]) -> Vec<String> {
    let problems = Settings::load(env(pairs), None).unwrap_err().problems;
    problems.iter().map(ToString::to_string).collect()
}

pub(super) fn warnings(pairs: &[(&str, &str)]) -> Vec<String> {
    loaded(pairs).1.warnings
}

pub(super) fn file(text: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

pub(super) fn shown<'a>(loaded: &'a ResolvedSettings, name: &str) -> (&'a str, &'a str) {
    let value = loaded.values.iter().find(|value| value.name() == name);
    let value = value.unwrap_or_else(|| panic!("{name} is no setting"));
    (&value.shown, &value.source)
}

pub(super) const S3: (&str, &str) = ("CRASHMOVER_CRASHSTORAGE_CLASS", "s3");
pub(super) const BUCKET: (&str, &str) = ("CRASHMOVER_CRASHSTORAGE_BUCKET_NAME", "crashes");

#[test]
fn without_any_setting_there_is_no_problem_and_nothing_odd() {
    let (settings, loaded) = loaded(&[]);
    assert!(loaded.warnings.is_empty());
    assert!(loaded.values.iter().all(|value| value.source == "default"));
    assert_eq!(settings.http.port, 8000);
    assert_eq!(settings.http.dump_id_prefix, "bp-");
    assert_eq!(settings.http.max_in_flight_bytes, None);
    assert_eq!(settings.body.payload_bytes, 25 << 20);
    assert_eq!(settings.crashmover.acknowledge, Acknowledge::Saved);
    assert_eq!(settings.crashmover.publish_backlog, 100_000);
    assert_eq!(settings.general.worker_threads, None);
    assert!(settings.spool.is_none());
    assert!(settings.statsd.is_none());
    let StorageClass::Fs(fs) = settings.crash_storage else {
        panic!("not a folder");
    };
    assert_eq!((fs.root, fs.fsync), ("crashes".into(), true));
    assert!(matches!(settings.crash_publish, PublishClass::None));
}

/// The contract with operators, in the order of the start-up log: renaming one of these breaks somebody's deployment.
const NAMES_AND_DEFAULTS: &str = "
BASEDIR=. WORKER_THREADS= LOCAL_DEV_ENV=false LOGGING_LEVEL=INFO HOST_ID= SECRET_SENTRY_DSN= SENTRY_ENVIRONMENT=
HOST=0.0.0.0 PORT=8000 PROXY_PROTOCOL=false
BREAKPAD_MAX_CONNECTIONS=2000 BREAKPAD_HEADER_TIMEOUT_SECONDS=30 BREAKPAD_KEEP_ALIVE_SECONDS=620
BREAKPAD_MAX_IN_FLIGHT_BYTES= BREAKPAD_DUMP_ID_PREFIX=bp-
BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN=
ADMIN_LISTEN= ADMIN_TOKEN= ADMIN_HOSTS= TLS_CERTIFICATE= TLS_KEY=
BREAKPAD_MAX_PAYLOAD_BYTES=26214400 BREAKPAD_BODY_TIMEOUT_SECONDS=300
BREAKPAD_LEAST_BYTES_PER_SECOND=500 BREAKPAD_MAX_INFLATED_BYTES=104857600
BREAKPAD_MAX_PARTS=2000 BREAKPAD_MAX_DUMPS=64 BREAKPAD_MAX_ANNOTATIONS=2000 BREAKPAD_MAX_ANNOTATION_BYTES=20971520
BREAKPAD_MAX_ANNOTATIONS_BYTES=52428800 BREAKPAD_EXTRA_ENCODINGS= BREAKPAD_SUBMIT_PATHS= BREAKPAD_EXTRA_REPORTS= BREAKPAD_THROTTLER_RULES=mozilla
BREAKPAD_THROTTLER_PRODUCTS=mozilla BREAKPAD_THROTTLER_PRODUCT_PACKAGENAMES=mozilla CRASHMOVER_CONCURRENT_CRASHMOVERS=24 CRASHMOVER_QUEUE_SIZE=1000
CRASHMOVER_ACKNOWLEDGE=saved CRASHMOVER_ACK_TIMEOUT_SECONDS=8 CRASHMOVER_MAX_ATTEMPTS=20
CRASHMOVER_RETRY_SLEEP_SECONDS=2 CRASHMOVER_SAVE_TIMEOUT_SECONDS=30 CRASHMOVER_SHUTDOWN_TIMEOUT_SECONDS=60
CRASHMOVER_PUBLISH_BACKLOG=100000 CRASHMOVER_SPOOL_DIR= CRASHMOVER_SPOOL_MAX_BYTES=10737418240
CRASHMOVER_SPOOL_MIN_FREE_BYTES=1073741824 CRASHMOVER_CRASHSTORAGE_CLASS=fs CRASHMOVER_CRASHSTORAGE_FS_ROOT=crashes
CRASHMOVER_CRASHSTORAGE_FS_FSYNC=true CRASHMOVER_CRASHSTORAGE_FS_UMASK=027 CRASHMOVER_CRASHSTORAGE_BUCKET_NAME=
CRASHMOVER_CRASHSTORAGE_REGION=us-west-2 CRASHMOVER_CRASHSTORAGE_ENDPOINT_URL=
CRASHMOVER_CRASHSTORAGE_ACCESS_KEY= CRASHMOVER_CRASHSTORAGE_SECRET_ACCESS_KEY= CRASHMOVER_CRASHPUBLISH_CLASS=none
CRASHMOVER_CRASHPUBLISH_QUEUE_NAME= CRASHMOVER_CRASHPUBLISH_REGION=us-west-2 CRASHMOVER_CRASHPUBLISH_ENDPOINT_URL=
CRASHMOVER_CRASHPUBLISH_ACCESS_KEY= CRASHMOVER_CRASHPUBLISH_SECRET_ACCESS_KEY= STATSD_HOST= STATSD_PORT=8125
STATSD_NAMESPACE=";

#[test]
fn names_and_defaults_are_those_that_operators_rely_on() {
    let values = loaded(&[]).1.values;
    let lines: Vec<_> = values.iter().map(ToString::to_string).collect();
    let expected: Vec<_> = NAMES_AND_DEFAULTS.split_whitespace().collect();
    assert_eq!(lines, expected);
}

#[test]
fn every_setting_is_declared_once_with_an_example_that_fits() {
    let declared = declared();
    let mut names = BTreeSet::new();
    for info in &declared {
        assert!(names.insert(info.name()), "{} is there twice", info.name());
        let example = [
            (info.name(), info.example),
            // What other choices would need.
            ("CRASHMOVER_SPOOL_DIR", "spool"),
            BUCKET,
            ("CRASHMOVER_CRASHPUBLISH_QUEUE_NAME", "queue"),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("TLS_CERTIFICATE", "cert.pem"),
            ("TLS_KEY", "key.pem"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        if let Err(problems) = Settings::load(env(&example), None) {
            panic!("{problems}");
        }
        for text in [info.help, info.reason, info.form] {
            assert!(!text.trim().is_empty(), "{} says too little", info.name());
        }
        assert!(info.help.ends_with('.'), "{}", info.name());
        assert!(!info.reason.ends_with('.'), "{}", info.name());
    }
}

#[test]
fn the_environment_lies_over_the_file_and_the_file_over_defaults() {
    let file = file("PORT=1111\nexport HOST='127.0.0.1'\n# LOGGING_LEVEL=DEBUG\n");
    let (settings, loaded) =
        Settings::load(env(&[("PORT", " 2222\n")]), Some(file.path())).unwrap();
    assert_eq!(settings.http.port, 2222);
    assert_eq!(settings.http.host.to_string(), "127.0.0.1");
    assert_eq!(shown(&loaded, "PORT"), ("2222", "environment"));
    let line_two = format!("{} line 2", file.path().display());
    assert_eq!(shown(&loaded, "HOST"), ("127.0.0.1", line_two.as_str()));
    assert_eq!(shown(&loaded, "LOGGING_LEVEL"), ("INFO", "default"));
}

#[test]
fn an_empty_value_unsets_what_may_be_unset() {
    let file = file("STATSD_HOST=localhost\nBREAKPAD_DUMP_ID_PREFIX=\n");
    let empty = env(&[("STATSD_HOST", "")]);
    let (settings, _) = Settings::load(empty, Some(file.path())).unwrap();
    assert!(settings.statsd.is_none());
    assert_eq!(settings.http.dump_id_prefix, "");
    assert!(problems(&[("PORT", "")])[0].starts_with("PORT= (environment): expected a port"));
}

#[test]
fn an_unset_secret_is_shown_as_empty() {
    assert_eq!(shown(&loaded(&[]).1, "SECRET_SENTRY_DSN").0, "");
}

#[test]
fn other_names_of_a_setting_are_taken_after_its_own() {
    let (settings, shown_) = loaded(&[("HOSTNAME", "3f2a"), ("HOST_ID", "collector-1")]);
    assert_eq!(settings.general.host_id.as_deref(), Some("collector-1"));
    assert_eq!(shown(&shown_, "HOST_ID"), ("collector-1", "environment"));
    let (settings, shown_) = loaded(&[("HOSTNAME", "3f2a"), ("HOST_ID", "")]);
    assert_eq!(settings.general.host_id.as_deref(), Some("3f2a"));
    assert_eq!(shown(&shown_, "HOST_ID"), ("3f2a", "environment, HOSTNAME"));
}

#[test]
fn the_environments_other_name_lies_over_the_files_own_name() {
    let file = file("HOST_ID=from-file\n");
    let (settings, _) =
        Settings::load(env(&[("HOSTNAME", "from-env")]), Some(file.path())).unwrap();
    assert_eq!(settings.general.host_id.as_deref(), Some("from-env"));
}

#[test]
fn keys_of_a_temporary_session_are_left_to_the_sdk() {
    let keys = [
        S3,
        BUCKET,
        ("AWS_ACCESS_KEY_ID", "id"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "token"),
    ];
    let access_key = |settings: Settings| match settings.crash_storage {
        StorageClass::S3(s3) => s3.aws.access_key,
        other => panic!("{other:?}"),
    };
    assert!(access_key(loaded(&keys).0).is_none());
    let key = access_key(loaded(&keys[..4]).0).unwrap();
    assert_eq!((key.id.expose(), key.secret.expose()), ("id", "secret"));
}

#[test]
fn s3_and_sqs_come_with_what_they_need() {
    let (settings, loaded) = loaded(&[
        S3,
        BUCKET,
        (
            "CRASHMOVER_CRASHPUBLISH_CLASS",
            "antenna.ext.sqs.crashpublish.SQSCrashPublish",
        ),
        ("CRASHMOVER_CRASHPUBLISH_QUEUE_NAME", "ids"),
        ("S3_REGION", "eu-west-1"),
        (
            "CRASHMOVER_CRASHPUBLISH_ENDPOINT_URL",
            "http://localhost:4566",
        ),
    ]);
    let (StorageClass::S3(s3), PublishClass::Sqs(sqs)) =
        (settings.crash_storage, settings.crash_publish)
    else {
        panic!("wrong classes");
    };
    assert_eq!(
        (s3.bucket_name.as_str(), s3.aws.region.as_str()),
        ("crashes", "eu-west-1")
    );
    assert_eq!(
        (s3.aws.endpoint_url, s3.aws.access_key.is_none()),
        (None, true)
    );
    assert_eq!(
        (sqs.queue_name.as_str(), sqs.aws.region.as_str()),
        ("ids", "eu-west-1")
    );
    assert_eq!(
        sqs.aws.endpoint_url.as_deref(),
        Some("http://localhost:4566")
    );
    assert!(loaded.warnings.is_empty());
}

#[test]
fn the_spool_is_on_when_it_has_a_folder() {
    let given = [
        ("CRASHMOVER_ACKNOWLEDGE", "Spooled"),
        ("CRASHMOVER_SPOOL_DIR", "/spool"),
        ("CRASHMOVER_SPOOL_MIN_FREE_BYTES", "0"),
    ];
    let spool = loaded(&given).0.spool.unwrap();
    assert_eq!(spool.dir, Path::new("/spool"));
    assert_eq!((spool.max_bytes, spool.min_free_bytes), (10 << 30, 0));
}

#[test]
fn a_name_given_twice_in_the_file_counts_where_it_stands_last() {
    let file = file("PORT=1\nPORT=2\n");
    let (settings, loaded) = Settings::load(env(&[]), Some(file.path())).unwrap();
    assert_eq!(settings.http.port, 2);
    let warning = &loaded.warnings[0];
    assert!(
        warning.starts_with("PORT stands more than once"),
        "{warning}"
    );
}

#[test]
fn the_list_of_values_has_headings_and_sources() {
    let text = loaded(&[("PORT", "80")]).1.to_string();
    assert!(text.starts_with("# The process\nBASEDIR=.  (default)\n"));
    assert!(text.contains("\n\n# HTTP\nHOST=0.0.0.0  (default)\nPORT=80  (environment)\n"));
}
