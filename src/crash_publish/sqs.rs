//! Crash ids as messages in an SQS queue: the text of each is the bare id. Retries come from outside.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchOutput;
use aws_sdk_sqs::types::{BatchResultErrorEntry, SendMessageBatchRequestEntry};

use super::publisher::{CrashPublisher, PublishError, PublishErrorKind};
use crate::aws::{Aws, AwsError, AwsErrorKind};
use crate::crash::CrashId;
use crate::settings::SqsSettings;

/// As many entries as AWS takes in one batch. Their bytes do not matter: 10 ids are 360 of the allowed 1,048,576.
const LARGEST_BATCH: usize = 10;

/// One standard queue. Ids may arrive more than once and in any order, which the processor expects.
#[derive(Debug)]
pub struct SqsPublisher {
    client: Client,
    aws: Aws,
    queue: String,
    /// What GetQueueUrl said; forgotten when the queue turns out to be missing.
    url: Mutex<Option<String>>,
    /// The queue has answered before, so that "no such queue" or "no such key" is an outage rather than a mistake in the
    /// settings.
    was_there: AtomicBool,
}

impl SqsPublisher {
    /// Prepares everything but does not use the network.
    pub async fn connect(settings: &SqsSettings) -> Self {
        let aws = Aws::prepare(&settings.aws).await;
        Self {
            client: Client::new(&aws.sdk),
            aws,
            queue: settings.queue_name.clone(),
            url: Mutex::new(None),
            was_there: AtomicBool::new(false),
        }
    }

    async fn url(&self) -> Result<String, PublishError> {
        let known = self.known_url().clone();
        match known {
            Some(url) => Ok(url),
            None => self.ask_for_url().await,
        }
    }

    async fn ask_for_url(&self) -> Result<String, PublishError> {
        let answer = self.client.get_queue_url().queue_name(&self.queue);
        let answer = answer
            .send()
            .await
            .map_err(|error| self.failed("looking for", AwsError::of(&error), "sqs:GetQueueUrl"))?;
        let no_url = || AwsError::passing("the answer holds no queue URL".to_owned());
        let url = answer
            .queue_url
            .ok_or_else(|| self.failed("looking for", no_url(), "sqs:GetQueueUrl"))?;
        *self.known_url() = Some(url.clone());
        self.was_there.store(true, Ordering::Relaxed);
        Ok(url)
    }

    fn known_url(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.url.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, text: &str) -> Result<(), PublishError> {
        let message = self.client.send_message().queue_url(self.url().await?);
        match message.message_body(text).send().await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.not_sent(AwsError::of(&error))),
        }
    }

    /// One call for up to [`LARGEST_BATCH`] ids. `Err` if the whole call failed.
    async fn send_batch(
        &self,
        ids: &[CrashId],
    ) -> Result<Vec<Result<(), PublishError>>, PublishError> {
        let entries = ids.iter().enumerate().map(|(at, id)| {
            SendMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .message_body(id.as_str())
                .build()
                .expect("id and body are set")
        });
        let batch = self
            .client
            .send_message_batch()
            .queue_url(self.url().await?)
            .set_entries(Some(entries.collect()));
        match batch.send().await {
            Ok(answer) => Ok(self.of_each(ids.len(), &answer)),
            Err(error) => Err(self.not_sent(AwsError::of(&error))),
        }
    }

    /// An entry counts as sent only if the answer says so.
    fn of_each(
        &self,
        entries: usize,
        answer: &SendMessageBatchOutput,
    ) -> Vec<Result<(), PublishError>> {
        (0..entries)
            .map(|at| {
                let id = at.to_string();
                if answer.successful().iter().any(|entry| entry.id() == id) {
                    return Ok(());
                }
                let told = answer.failed().iter().find(|entry| entry.id() == id);
                Err(self.not_sent(entry_error(told)))
            })
            .collect()
    }

    fn not_sent(&self, error: AwsError) -> PublishError {
        if error.kind() == AwsErrorKind::Missing {
            *self.known_url() = None;
        }
        self.failed("sending to", error, "sqs:SendMessage")
    }

    fn failed(&self, doing: &str, error: AwsError, permission: &str) -> PublishError {
        let kind = match error.kind() {
            AwsErrorKind::Transient => PublishErrorKind::Transient,
            // A key that was made just now is not known everywhere at once.
            AwsErrorKind::Missing | AwsErrorKind::BadCredentials
                if self.was_there.load(Ordering::Relaxed) =>
            {
                PublishErrorKind::Transient
            }
            _ => PublishErrorKind::Permanent,
        };
        let error = error.advising(
            permission,
            &format!("the queue {}", self.queue),
            "create the queue, correct CRASHMOVER_CRASHPUBLISH_QUEUE_NAME, or grant sqs:GetQueueUrl on it",
        );
        PublishError::new(kind, format!("{doing} {}", self.describe()), error)
    }
}

#[async_trait]
impl CrashPublisher for SqsPublisher {
    async fn publish(&self, ids: &[CrashId]) -> Vec<Result<(), PublishError>> {
        if let [id] = ids {
            return vec![self.send(id.as_str()).await];
        }
        let mut results = Vec::with_capacity(ids.len());
        for batch in ids.chunks(LARGEST_BATCH) {
            match self.send_batch(batch).await {
                Ok(each) => results.extend(each),
                Err(error) => results.extend(batch.iter().map(|_| Err(error.clone()))),
            }
        }
        results
    }

    fn largest_batch(&self) -> usize {
        LARGEST_BATCH
    }

    /// GetQueueUrl, which needs no further permission and counts nothing.
    async fn check(&self) -> Result<(), PublishError> {
        self.ask_for_url().await.map(drop)
    }

    async fn verify(&self) -> Result<(), PublishError> {
        self.ask_for_url().await?;
        self.send("test").await
    }

    fn describe(&self) -> String {
        format!("SQS queue {} ({})", self.queue, self.aws.place)
    }
}

fn entry_error(told: Option<&BatchResultErrorEntry>) -> AwsError {
    match told {
        Some(entry) => AwsError::of_entry(entry.code(), entry.message(), entry.sender_fault()),
        None => AwsError::passing("the answer does not speak of this message".to_owned()),
    }
}
