//! The S3 store when the network, S3 or the permissions fail.

use std::time::{Duration, Instant};

use antenna::crash_storage::{Blob, BlobStore, S3Store, StorageErrorKind};

use super::aws::{self, LONG, SHORT, s3_error};
use super::s3::{
    BUCKET, DUMP, RAW_CRASH, bytes_of_every_value, create_bucket, put_error, s3s_settings, store,
    whole,
};
use crate::support::fault_proxy::{Fault, FaultProxy};
use crate::support::moto::{Moto, unique};
use crate::support::s3s::S3s;

/// A store behind a proxy in front of moto, on a bucket that exists.
async fn behind_proxy(call_timeout: Duration) -> (FaultProxy, S3Store, String) {
    let bucket = unique("crashes");
    create_bucket(&bucket).await;
    let proxy = FaultProxy::before(Moto::shared().address()).await;
    let store = store(aws::settings(&proxy.url(), call_timeout), &bucket).await;
    (proxy, store, bucket)
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let (proxy, store, bucket) = behind_proxy(LONG).await;
    proxy
        .set(s3_error("403 Forbidden", "AccessDenied", "Access Denied"))
        .await;
    let on_objects = format!("on arn:aws:s3:::{bucket}/*");
    let on_bucket = format!("s3:ListBucket on arn:aws:s3:::{bucket}");
    for (error, needed) in [
        (
            put_error(&store).await,
            format!("s3:PutObject {on_objects}"),
        ),
        (
            store.get(RAW_CRASH).await.unwrap_err(),
            format!("s3:GetObject {on_objects}"),
        ),
        (store.check().await.unwrap_err(), on_bucket),
    ] {
        assert_eq!(error.kind, StorageErrorKind::Permanent);
        assert!(
            error.to_string().contains(&needed),
            "{needed} is not in {error}"
        );
        aws::assert_names_the_place(&error, &bucket, &proxy.url());
    }
}

#[tokio::test]
async fn answers_of_s3_are_told_apart() {
    use StorageErrorKind::{Permanent, Transient};
    let (proxy, store, _) = behind_proxy(LONG).await;
    for (status, code, kind) in [
        ("503 Slow Down", "SlowDown", Transient),
        ("503 Service Unavailable", "ServiceUnavailable", Transient),
        ("500 Internal Server Error", "InternalError", Transient),
        ("400 Bad Request", "RequestTimeout", Transient),
        ("403 Forbidden", "RequestTimeTooSkewed", Transient),
        ("400 Bad Request", "ExpiredToken", Transient),
        ("400 Bad Request", "XAmzContentSHA256Mismatch", Transient),
        ("403 Forbidden", "InvalidAccessKeyId", Permanent),
        ("403 Forbidden", "SignatureDoesNotMatch", Permanent),
        ("301 Moved Permanently", "PermanentRedirect", Permanent),
        ("400 Bad Request", "EntityTooLarge", Permanent),
    ] {
        proxy.set(s3_error(status, code, "Please read this")).await;
        let before = proxy.accepted();
        let error = put_error(&store).await;
        assert_eq!(error.kind, kind, "{error}");
        assert_eq!(aws::aws_error(error.source.as_ref()).code(), Some(code));
        assert!(error.to_string().contains("Please read this"), "{error}");
        assert_eq!(proxy.accepted() - before, 1, "{code} was tried again");
    }
}

#[tokio::test]
async fn answers_that_are_not_from_s3_are_told_apart_too() {
    use StorageErrorKind::{Permanent, Transient};
    let (proxy, store, _) = behind_proxy(LONG).await;
    for (status, kind) in [
        ("502 Bad Gateway", Transient),
        ("429 Too Many Requests", Transient),
        ("403 Forbidden", Permanent),
    ] {
        proxy
            .set(Fault::answer(status, "text/html", "<html><p>No</html>"))
            .await;
        let error = put_error(&store).await;
        assert_eq!(error.kind, kind, "{error}");
        assert!(error.to_string().contains(&status[..3]), "{error}");
    }
}

#[tokio::test]
async fn every_call_has_a_deadline() {
    let (proxy, store, _) = behind_proxy(SHORT).await;
    let big = Blob::whole(RAW_CRASH.to_owned(), bytes_of_every_value(20 * 1024 * 1024));
    for fault in [
        Fault::Hang,
        Fault::StopReading,
        Fault::Delay(Duration::from_secs(3600)),
    ] {
        proxy.set(fault).await;
        let start = Instant::now();
        for error in [
            store.put(&[], &big).await.unwrap_err(),
            store.get(RAW_CRASH).await.unwrap_err(),
            store.check().await.unwrap_err(),
        ] {
            assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
        }
        aws::assert_soon(start);
    }
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_has_a_deadline() {
    let (proxy, store, _) = behind_proxy(SHORT).await;
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    proxy.set(Fault::AnswerAndHang(half.into())).await;
    let start = Instant::now();
    let error = store.get(RAW_CRASH).await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
    assert!(
        error.to_string().contains("no whole answer within 0.4 s"),
        "{error}"
    );
    aws::assert_soon(start);
}

#[tokio::test]
async fn a_connection_that_breaks_is_transient() {
    let (proxy, store, _) = behind_proxy(LONG).await;
    let dump = Blob::whole(DUMP.to_owned(), bytes_of_every_value(1_000_000));
    store.put(&[], &dump).await.unwrap();
    proxy.set(Fault::CutRequestAfter(300_000)).await;
    let put = store.put(&[], &dump).await.unwrap_err();
    proxy.set(Fault::CutAnswerAfter(300_000)).await;
    let got = store.get(DUMP).await.unwrap_err();
    proxy.set(Fault::CutAnswerAfter(0)).await;
    let checked = store.check().await.unwrap_err();
    for error in [put, got, checked] {
        assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
    }
}

#[tokio::test]
async fn a_store_that_was_away_is_used_again() {
    let (proxy, store, bucket) = behind_proxy(LONG).await;
    store.put(&[], &whole(RAW_CRASH, "1")).await.unwrap();
    proxy.set(Fault::Refuse).await;
    let error = put_error(&store).await;
    assert_eq!(error.kind, StorageErrorKind::Transient);
    aws::assert_names_the_place(&error, &bucket, &proxy.url());
    assert!(error.to_string().contains("refused"), "{error}");
    proxy.set(Fault::Pass).await;
    store.put(&[], &whole(RAW_CRASH, "2")).await.unwrap();
    assert_eq!(store.get(RAW_CRASH).await.unwrap(), "2");
}

/// A key that was just made is not known everywhere at once.
#[tokio::test]
async fn a_key_that_is_not_known_is_an_outage_once_the_store_has_worked() {
    let (proxy, store, _) = behind_proxy(LONG).await;
    store.put(&[], &whole(RAW_CRASH, "1")).await.unwrap();
    proxy
        .set(s3_error("403 Forbidden", "InvalidAccessKeyId", "Unknown"))
        .await;
    assert_eq!(put_error(&store).await.kind, StorageErrorKind::Transient);
}

#[tokio::test]
async fn a_host_without_an_address_is_transient() {
    let aws = aws::settings("http://no-such-host.invalid:9", Duration::from_secs(5));
    let error = put_error(&store(aws, BUCKET).await).await;
    assert_eq!(error.kind, StorageErrorKind::Transient, "{error}");
}

#[tokio::test]
async fn half_an_upload_is_never_visible() {
    let server = S3s::start(&[BUCKET]).await;
    let proxy = FaultProxy::before(server.address()).await;
    let aws = antenna::settings::AwsSettings {
        endpoint_url: Some(proxy.url()),
        ..s3s_settings(&server)
    };
    let store = store(aws, BUCKET).await;
    proxy.set(Fault::CutRequestAfter(50_000)).await;
    let dump = Blob::whole("dump".to_owned(), bytes_of_every_value(100_000));
    store
        .put(&[dump], &whole("raw_crash", "{}"))
        .await
        .unwrap_err();
    proxy.set(Fault::Pass).await;
    for key in ["dump", "raw_crash"] {
        let error = store.get(key).await.unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::NotFound, "{error}");
    }
}

#[tokio::test]
async fn the_region_of_a_bucket_elsewhere_is_named() {
    let (proxy, store, _) = behind_proxy(LONG).await;
    let elsewhere = "HTTP/1.1 301 Moved Permanently\r\nx-amz-bucket-region: us-west-2\r\n\
                     Content-Length: 0\r\nConnection: close\r\n\r\n";
    proxy.set(Fault::Answer(elsewhere.into())).await;
    let error = store.check().await.unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Permanent);
    assert!(
        error.to_string().contains("it is in region us-west-2"),
        "{error}"
    );
}
