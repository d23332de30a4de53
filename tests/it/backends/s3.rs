//! The S3 store against two servers that have nothing in common.

use std::sync::Arc;

use antenna::crash_storage::{Blob, BlobStore, Layout, S3Store, StorageError, StorageErrorKind};
use antenna::settings::{AwsSettings, S3Settings};
use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::aws::{self, LONG};
use super::suite;
use crate::support::moto::{Moto, unique};
use crate::support::s3s::{self, S3s};

pub(super) const BUCKET: &str = "crashes";
pub(super) const RAW_CRASH: &str = "v1/raw_crash/20260709/de1bb258-cbbf-4589-a673-34f800260709";
pub(super) const DUMP: &str = "v1/dump/de1bb258-cbbf-4589-a673-34f800260709";

/// A store on a new bucket of the shared moto.
pub(super) async fn on_moto() -> S3Store {
    let bucket = unique("crashes");
    let url = Moto::shared().url();
    create_bucket(&bucket).await;
    store(aws::settings(&url, LONG), &bucket).await
}

/// A store on an s3s server, which lives as long as the first value.
pub(super) async fn on_s3s() -> (S3s, S3Store) {
    let server = S3s::start(&[BUCKET]).await;
    let store = store(s3s_settings(&server), BUCKET).await;
    (server, store)
}

pub(super) fn s3s_settings(server: &S3s) -> AwsSettings {
    AwsSettings {
        access_key: aws::access_key(s3s::ACCESS_KEY, s3s::SECRET_ACCESS_KEY),
        ..aws::settings(&server.url(), LONG)
    }
}

pub(super) async fn store(aws: AwsSettings, bucket: &str) -> S3Store {
    let bucket_name = bucket.to_owned();
    S3Store::connect(&S3Settings { bucket_name, aws }).await
}

pub fn moto_client() -> aws_sdk_s3::Client {
    let config = aws::plain_sdk_config(&Moto::shared().url());
    let config = aws_sdk_s3::config::Builder::from(&config).force_path_style(true);
    aws_sdk_s3::Client::from_conf(config.build())
}

pub async fn create_bucket(bucket: &str) {
    use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
    let place = CreateBucketConfiguration::builder()
        .location_constraint(BucketLocationConstraint::from(aws::REGION))
        .build();
    let create = moto_client().create_bucket().bucket(bucket);
    let create = create.create_bucket_configuration(place);
    create.send().await.unwrap();
}

pub(super) fn whole(key: &str, bytes: &'static str) -> Blob {
    Blob::whole(key.to_owned(), Bytes::from_static(bytes.as_bytes()))
}

/// `bytes` in pieces of `frame_bytes`, with their hash, as a dump comes from intake.
fn in_frames(key: &str, bytes: &Bytes, frame_bytes: usize) -> Blob {
    Blob {
        key: key.to_owned(),
        frames: (0..bytes.len())
            .step_by(frame_bytes)
            .map(|from| bytes.slice(from..bytes.len().min(from + frame_bytes)))
            .collect(),
        length_bytes: bytes.len() as u64,
        sha256: Some(Sha256::digest(bytes).into()),
    }
}

pub(super) fn bytes_of_every_value(length: usize) -> Bytes {
    (0..length).map(|at| (at % 251) as u8).collect()
}

pub(super) async fn put_error(store: &S3Store) -> StorageError {
    store.put(&[], &whole(RAW_CRASH, "{}")).await.unwrap_err()
}

async fn gives_back_what_it_was_given(store: &S3Store) {
    let big = bytes_of_every_value(5 * 1024 * 1024);
    let small = bytes_of_every_value(1000);
    let first = [
        whole("v1/dump_names/id", "[]"),
        in_frames("v1/dump/id", &big, 16 * 1024),
        in_frames("v1/one_frame/id", &small, 5000),
        in_frames("v1/empty/id", &Bytes::new(), 1),
        Blob {
            sha256: None,
            ..in_frames("v1/hash_not_known/id", &small, 7)
        },
    ];
    store.put(&first, &whole(RAW_CRASH, "{}")).await.unwrap();
    for blob in first {
        let expected: Vec<u8> = blob.frames.concat();
        assert!(
            store.get(&blob.key).await.unwrap() == expected,
            "{}",
            blob.key
        );
    }
    assert_eq!(store.get(RAW_CRASH).await.unwrap(), "{}");
}

#[tokio::test]
async fn moto_gives_back_what_it_was_given() {
    gives_back_what_it_was_given(&on_moto().await).await;
}

#[tokio::test]
async fn s3s_gives_back_what_it_was_given() {
    let (_server, store) = on_s3s().await;
    gives_back_what_it_was_given(&store).await;
}

async fn overwrites_and_misses(store: &S3Store) {
    for text in ["older and longer", "newer"] {
        store.put(&[], &whole(RAW_CRASH, text)).await.unwrap();
        assert_eq!(store.get(RAW_CRASH).await.unwrap(), text);
    }
    let missing = store.get(DUMP).await.unwrap_err();
    assert_eq!(missing.kind, StorageErrorKind::NotFound);
    assert!(missing.to_string().contains(DUMP), "{missing}");
    store.check().await.unwrap();
}

#[tokio::test]
async fn moto_overwrites_and_knows_what_it_does_not_have() {
    overwrites_and_misses(&on_moto().await).await;
}

#[tokio::test]
async fn s3s_overwrites_and_knows_what_it_does_not_have() {
    let (_server, store) = on_s3s().await;
    overwrites_and_misses(&store).await;
}

#[tokio::test]
async fn more_dumps_than_connections_all_arrive() {
    let (server, store) = on_s3s().await;
    let first: Vec<_> = (0..40)
        .map(|at| whole(&format!("dump_{at}"), "MDMP"))
        .collect();
    store.put(&first, &whole("last", "{}")).await.unwrap();
    let files = server.files(BUCKET);
    assert!(first.iter().all(|blob| files.contains(&blob.key)));
}

#[tokio::test]
async fn a_blob_that_arrives_damaged_is_refused_and_the_last_one_is_not_written() {
    let (server, store) = on_s3s().await;
    let not_its_hash = Blob {
        sha256: Some([7; 32]),
        ..in_frames("dump", &bytes_of_every_value(1000), 100)
    };
    let put = store.put(&[not_its_hash], &whole("last", "{}")).await;
    assert_eq!(put.unwrap_err().kind, StorageErrorKind::Transient);
    let files = server.files(BUCKET);
    assert!(!files.iter().any(|file| file == "last" || file == "dump"));
}

#[tokio::test]
async fn objects_are_stored_plainly() {
    let bucket = unique("crashes");
    create_bucket(&bucket).await;
    let store = store(aws::settings(&Moto::shared().url(), LONG), &bucket).await;
    let dump = in_frames("dump", &bytes_of_every_value(100_000), 1000);
    store.put(&[dump], &whole("raw_crash", "{}")).await.unwrap();
    for (key, length_bytes) in [("dump", 100_000), ("raw_crash", 2)] {
        let head = moto_client().head_object().bucket(&bucket).key(key);
        let head = head.send().await.unwrap();
        assert_eq!(head.content_encoding(), None);
        assert_eq!(head.content_type(), Some("application/octet-stream"));
        assert_eq!(head.content_length(), Some(length_bytes));
    }
}

#[tokio::test]
async fn a_bucket_that_was_never_there_is_a_mistake_in_the_settings() {
    let url = Moto::shared().url();
    let bucket = unique("missing");
    let store = store(aws::settings(&url, LONG), &bucket).await;
    for error in [put_error(&store).await, store.check().await.unwrap_err()] {
        assert_eq!(error.kind, StorageErrorKind::Permanent);
        aws::assert_names_the_place(&error, &bucket, &url);
        assert!(error.to_string().contains("create the bucket"), "{error}");
    }
    assert_eq!(
        aws::aws_error(put_error(&store).await.source.as_ref()).code(),
        Some("NoSuchBucket")
    );
    let got = store.get(RAW_CRASH).await.unwrap_err();
    assert_eq!(got.kind, StorageErrorKind::Permanent);
}

#[tokio::test]
async fn a_bucket_that_went_away_may_come_back() {
    let bucket = unique("crashes");
    create_bucket(&bucket).await;
    let store = store(aws::settings(&Moto::shared().url(), LONG), &bucket).await;
    store.check().await.unwrap();
    moto_client()
        .delete_bucket()
        .bucket(&bucket)
        .send()
        .await
        .unwrap();
    assert_eq!(put_error(&store).await.kind, StorageErrorKind::Transient);
    assert_eq!(
        store.check().await.unwrap_err().kind,
        StorageErrorKind::Transient
    );
    create_bucket(&bucket).await;
    store.put(&[], &whole(RAW_CRASH, "{}")).await.unwrap();
}

#[tokio::test]
async fn a_wrong_secret_is_permanent_and_not_shown() {
    let server = S3s::start(&[BUCKET]).await;
    let aws = AwsSettings {
        access_key: aws::access_key(s3s::ACCESS_KEY, aws::SECRET_ACCESS_KEY),
        ..s3s_settings(&server)
    };
    let error = put_error(&store(aws, BUCKET).await).await;
    assert_eq!(error.kind, StorageErrorKind::Permanent);
    aws::assert_names_the_place(&error, BUCKET, &server.url());
    let text = error.to_string();
    assert!(text.contains("SignatureDoesNotMatch"), "{text}");
    assert!(text.contains("check the access key"), "{text}");
}

#[tokio::test]
async fn a_store_says_where_it_is() {
    let store = store(aws::settings("http://127.0.0.1:1", LONG), BUCKET).await;
    assert_eq!(
        store.describe(),
        "S3 bucket crashes (region eu-west-3, endpoint http://127.0.0.1:1)"
    );
    assert!(!format!("{store:?}").contains(aws::SECRET_ACCESS_KEY));
}

/// What holds for disk and memory holds for a bucket.
#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_behaves_like_every_other_store() {
    suite::behaves(Arc::new(on_moto().await), Layout::S3).await;
    let (_server, store) = on_s3s().await;
    suite::behaves(Arc::new(store), Layout::S3).await;
}
