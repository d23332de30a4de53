//! The SQS publisher against moto.

use std::collections::HashMap;

use antenna::crash::CrashId;
use antenna::crash_publish::{CrashPublisher, PublishError, PublishErrorKind, SqsPublisher};
use antenna::settings::{AwsSettings, SqsSettings};

use super::aws::{self, LONG};
use crate::support::moto::{Moto, unique};

pub(super) async fn publisher(aws: AwsSettings, queue: &str) -> SqsPublisher {
    let queue_name = queue.to_owned();
    SqsPublisher::connect(&SqsSettings { queue_name, aws }).await
}

/// A publisher to a new queue of the shared moto.
async fn on_moto() -> (SqsPublisher, String) {
    let queue = unique("crashes");
    create_queue(&queue).await;
    let aws = aws::settings(&Moto::shared().url(), LONG);
    (publisher(aws, &queue).await, queue)
}

fn moto_client() -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&aws::plain_sdk_config(&Moto::shared().url()))
}

pub async fn create_queue(queue: &str) {
    let create = moto_client().create_queue().queue_name(queue);
    create.send().await.unwrap();
}

async fn queue_url(queue: &str) -> String {
    let url = moto_client().get_queue_url().queue_name(queue);
    url.send().await.unwrap().queue_url.unwrap()
}

pub async fn delete_queue(queue: &str) {
    let delete = moto_client()
        .delete_queue()
        .queue_url(queue_url(queue).await);
    delete.send().await.unwrap();
}

/// Takes everything out of the queue: each text with how often it was there.
pub async fn messages(queue: &str) -> HashMap<String, usize> {
    let url = queue_url(queue).await;
    let mut texts = HashMap::new();
    loop {
        let receive = moto_client().receive_message().queue_url(&url);
        let answer = receive.max_number_of_messages(10).send().await.unwrap();
        if answer.messages().is_empty() {
            return texts;
        }
        for message in answer.messages() {
            *texts.entry(message.body().unwrap().to_owned()).or_default() += 1;
        }
    }
}

pub(super) fn ids(count: usize) -> Vec<CrashId> {
    (0..count)
        .map(|at| CrashId::parse(&format!("{at:08x}-cbbf-4589-a673-34f800260709")).unwrap())
        .collect()
}

pub(super) fn each_once(ids: &[CrashId]) -> HashMap<String, usize> {
    ids.iter().map(|id| (id.to_string(), 1)).collect()
}

pub(super) async fn publish_one(publisher: &SqsPublisher) -> Result<(), PublishError> {
    publisher.publish(&ids(1)).await.remove(0)
}

#[tokio::test]
async fn messages_are_the_bare_ids_however_many_go_at_once() {
    for count in [1, 2, 10, 11] {
        let (publisher, queue) = on_moto().await;
        let ids = ids(count);
        let results = publisher.publish(&ids).await;
        assert_eq!(results.len(), count);
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        assert_eq!(messages(&queue).await, each_once(&ids));
    }
}

#[tokio::test]
async fn verify_sends_the_message_test_and_check_sends_nothing() {
    let (publisher, queue) = on_moto().await;
    publisher.check().await.unwrap();
    assert!(messages(&queue).await.is_empty());
    publisher.verify().await.unwrap();
    assert_eq!(messages(&queue).await, HashMap::from([("test".into(), 1)]));
}

#[tokio::test]
async fn a_queue_that_was_never_there_is_a_mistake_in_the_settings() {
    let (url, queue) = (Moto::shared().url(), unique("missing"));
    let publisher = publisher(aws::settings(&url, LONG), &queue).await;
    for error in [
        publisher.verify().await.unwrap_err(),
        publisher.check().await.unwrap_err(),
        publish_one(&publisher).await.unwrap_err(),
    ] {
        assert_eq!(error.kind, PublishErrorKind::Permanent);
        aws::assert_names_the_place(&error, &queue, &url);
        assert!(error.to_string().contains("create the queue"), "{error}");
    }
    create_queue(&queue).await;
    publish_one(&publisher).await.unwrap();
}

#[tokio::test]
async fn a_queue_that_went_away_may_come_back() {
    let (publisher, queue) = on_moto().await;
    publish_one(&publisher).await.unwrap();
    delete_queue(&queue).await;
    for _ in 0..2 {
        for result in publisher.publish(&ids(3)).await {
            let error = result.unwrap_err();
            assert_eq!(error.kind, PublishErrorKind::Transient, "{error}");
            let code = aws::aws_error(error.source.as_ref()).code();
            assert!(code.is_some_and(|code| code.contains("Queue")), "{error}");
        }
    }
    create_queue(&queue).await;
    let ids = ids(3);
    assert!(publisher.publish(&ids).await.iter().all(Result::is_ok));
    assert_eq!(messages(&queue).await, each_once(&ids));
}

#[tokio::test]
async fn a_publisher_says_where_it_is() {
    let publisher = publisher(aws::settings("http://127.0.0.1:1", LONG), "crashes").await;
    assert_eq!(
        publisher.describe(),
        "SQS queue crashes (region eu-west-3, endpoint http://127.0.0.1:1)"
    );
    assert!(!format!("{publisher:?}").contains(aws::SECRET_ACCESS_KEY));
}
