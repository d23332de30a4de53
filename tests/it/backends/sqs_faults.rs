//! The SQS publisher when the network, SQS or the permissions fail.

use std::time::{Duration, Instant};

use antenna::crash_publish::{CrashPublisher, PublishErrorKind, SqsPublisher};

use super::aws::{self, LONG, SHORT, sqs_error};
use super::sqs::{create_queue, each_once, ids, messages, publish_one, publisher};
use crate::support::fault_proxy::{Fault, FaultProxy};
use crate::support::moto::{Moto, unique};

const JSON: &str = "application/x-amz-json-1.0";

/// A publisher behind a proxy in front of moto, to a queue that exists and has answered once.
async fn behind_proxy(call_timeout: Duration) -> (FaultProxy, SqsPublisher, String) {
    let queue = unique("crashes");
    create_queue(&queue).await;
    let proxy = FaultProxy::before(Moto::shared().address()).await;
    let aws = aws::settings(&proxy.url(), call_timeout);
    (proxy, publisher(aws, &queue).await, queue)
}

#[tokio::test]
async fn a_batch_goes_out_in_one_call() {
    let (proxy, publisher, queue) = behind_proxy(LONG).await;
    publisher.check().await.unwrap();
    let ids = ids(publisher.largest_batch());
    let before = proxy.accepted();
    assert!(publisher.publish(&ids).await.iter().all(Result::is_ok));
    // moto closes each connection after one answer.
    assert_eq!(proxy.accepted() - before, 1);
    assert_eq!(messages(&queue).await, each_once(&ids));
}

#[tokio::test]
async fn each_entry_of_a_batch_fails_on_its_own() {
    let (proxy, publisher, _) = behind_proxy(LONG).await;
    publisher.check().await.unwrap();
    let answer = serde_json::json!({
        "Successful": [{"Id": "0", "MessageId": "m", "MD5OfMessageBody": "0"}],
        "Failed": [
            {"Id": "2", "SenderFault": false, "Code": "InternalError", "Message": "It was us"},
            {"Id": "1", "SenderFault": true, "Code": "InvalidMessageContents", "Message": "It was you"},
            {"Id": "3", "SenderFault": true, "Code": "KMS.ThrottlingException", "Message": "Slow"},
        ],
    });
    proxy
        .set(Fault::answer("200 OK", JSON, &answer.to_string()))
        .await;
    let results = publisher.publish(&ids(5)).await;
    let kinds: Vec<_> = results
        .iter()
        .map(|result| result.as_ref().err().map(|error| error.kind))
        .collect();
    let (transient, permanent) = (PublishErrorKind::Transient, PublishErrorKind::Permanent);
    assert_eq!(
        kinds,
        [
            None,
            Some(permanent),
            Some(transient),
            Some(transient),
            Some(transient)
        ]
    );
    let told = results[1].as_ref().unwrap_err().to_string();
    assert!(
        told.contains("InvalidMessageContents: It was you"),
        "{told}"
    );
    let untold = results[4].as_ref().unwrap_err().to_string();
    assert!(
        untold.contains("does not speak of this message"),
        "{untold}"
    );
}

#[tokio::test]
async fn a_missing_permission_is_named() {
    let (proxy, publisher, queue) = behind_proxy(LONG).await;
    publisher.check().await.unwrap();
    proxy
        .set(sqs_error(
            "400 Bad Request",
            "AccessDeniedException",
            "User: x is not authorized",
        ))
        .await;
    for (error, permission) in [
        (
            publish_one(&publisher).await.unwrap_err(),
            "sqs:SendMessage",
        ),
        (
            publisher.publish(&ids(2)).await.remove(1).unwrap_err(),
            "sqs:SendMessage",
        ),
        (publisher.check().await.unwrap_err(), "sqs:GetQueueUrl"),
    ] {
        assert_eq!(error.kind, PublishErrorKind::Permanent);
        assert!(error.to_string().contains(permission), "{error}");
        aws::assert_names_the_place(&error, &queue, &proxy.url());
    }
}

#[tokio::test]
async fn answers_of_sqs_are_told_apart() {
    use PublishErrorKind::{Permanent, Transient};
    let (proxy, publisher, _) = behind_proxy(LONG).await;
    publisher.check().await.unwrap();
    for (status, code, message, kind) in [
        ("400 Bad Request", "RequestThrottled", "Slower", Transient),
        (
            "400 Bad Request",
            "ThrottlingException",
            "Slower",
            Transient,
        ),
        (
            "503 Service Unavailable",
            "ServiceUnavailable",
            "Later",
            Transient,
        ),
        (
            "500 Internal Server Error",
            "InternalFailure",
            "Oh",
            Transient,
        ),
        ("403 Forbidden", "ExpiredTokenException", "Old", Transient),
        (
            "403 Forbidden",
            "InvalidSignatureException",
            "Signature expired: 20260709T000000Z is now earlier than 20260709T001500Z",
            Transient,
        ),
        (
            "403 Forbidden",
            "SignatureDoesNotMatch",
            "These keys have worked, and may just be exchanged",
            Transient,
        ),
        (
            "403 Forbidden",
            "InvalidClientTokenId",
            "These, too",
            Transient,
        ),
        (
            "400 Bad Request",
            "InvalidMessageContents",
            "What?",
            Permanent,
        ),
    ] {
        proxy.set(sqs_error(status, code, message)).await;
        let before = proxy.accepted();
        let error = publish_one(&publisher).await.unwrap_err();
        assert_eq!(error.kind, kind, "{error}");
        let told = aws::aws_error(error.source.as_ref()).code();
        assert_eq!(told, Some(code));
        assert_eq!(proxy.accepted() - before, 1, "{code} was tried again");
    }
}

#[tokio::test]
async fn every_call_has_a_deadline() {
    let (proxy, publisher, _) = behind_proxy(SHORT).await;
    for url_is_known in [false, true] {
        if url_is_known {
            let answer = r#"{"QueueUrl": "http://127.0.0.1:1/123456789012/crashes"}"#;
            proxy.set(Fault::answer("200 OK", JSON, answer)).await;
            publisher.check().await.unwrap();
        }
        for fault in [Fault::Hang, Fault::StopReading] {
            proxy.set(fault).await;
            let start = Instant::now();
            for error in [
                publish_one(&publisher).await.unwrap_err(),
                publisher.publish(&ids(2)).await.remove(0).unwrap_err(),
                publisher.check().await.unwrap_err(),
                publisher.verify().await.unwrap_err(),
            ] {
                assert_eq!(error.kind, PublishErrorKind::Transient, "{error}");
            }
            aws::assert_soon(start);
        }
    }
}

#[tokio::test]
async fn a_queue_that_was_away_is_used_again() {
    let (proxy, publisher, queue) = behind_proxy(LONG).await;
    publisher.check().await.unwrap();
    for fault in [
        Fault::Refuse,
        Fault::CutRequestAfter(100),
        Fault::CutAnswerAfter(0),
    ] {
        proxy.set(fault).await;
        for result in publisher.publish(&ids(2)).await {
            let error = result.unwrap_err();
            assert_eq!(error.kind, PublishErrorKind::Transient, "{error}");
            aws::assert_names_the_place(&error, &queue, &proxy.url());
        }
    }
    proxy.set(Fault::Pass).await;
    publish_one(&publisher).await.unwrap();
    assert!(messages(&queue).await.contains_key(ids(1)[0].as_str()));
}
