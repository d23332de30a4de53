//! Records messages in memory, for tests and for trying things out. Nobody is told anything.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::publisher::{CrashPublisher, PublishError};
use crate::crash::CrashId;

/// As SQS, so that whoever batches does the same work for both.
const LARGEST_BATCH: usize = 10;
/// About a megabyte of ids: enough for any test, and a forgotten setting cannot fill the memory.
const KEPT_MESSAGES: usize = 10_000;

/// The newest 10,000 messages; older ones are forgotten.
#[derive(Debug, Default)]
pub struct MemoryPublisher(Mutex<VecDeque<String>>);

impl MemoryPublisher {
    /// What was sent, oldest first: bare crash ids, and `test` for each `verify`.
    pub fn messages(&self) -> Vec<String> {
        self.queue().iter().cloned().collect()
    }

    fn send(&self, message: &str) {
        let mut queue = self.queue();
        if queue.len() == KEPT_MESSAGES {
            queue.pop_front();
        }
        queue.push_back(message.to_owned());
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CrashPublisher for MemoryPublisher {
    async fn publish(&self, ids: &[CrashId]) -> Vec<Result<(), PublishError>> {
        ids.iter()
            .map(|id| {
                self.send(id.as_str());
                Ok(())
            })
            .collect()
    }

    fn largest_batch(&self) -> usize {
        LARGEST_BATCH
    }

    async fn check(&self) -> Result<(), PublishError> {
        Ok(())
    }

    async fn verify(&self) -> Result<(), PublishError> {
        self.send("test");
        Ok(())
    }

    fn describe(&self) -> String {
        "memory: messages are lost when the process ends".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> CrashId {
        CrashId::parse(&format!("{number:08x}-cbbf-4589-a673-34f800160918")).unwrap()
    }

    #[tokio::test]
    async fn messages_are_kept_in_order() {
        let publisher = MemoryPublisher::default();
        publisher.verify().await.unwrap();
        let answers = publisher.publish(&[id(2), id(1)]).await;
        assert!(answers.len() == 2 && answers.iter().all(Result::is_ok));
        assert_eq!(
            publisher.messages(),
            ["test".to_owned(), id(2).to_string(), id(1).to_string()]
        );
    }

    #[tokio::test]
    async fn the_oldest_messages_are_forgotten() {
        let publisher = MemoryPublisher::default();
        for number in 0..KEPT_MESSAGES + 2 {
            publisher.publish(&[id(number)]).await;
        }
        let messages = publisher.messages();
        assert_eq!(messages.len(), KEPT_MESSAGES);
        assert_eq!(messages.first(), Some(&id(2).to_string()));
    }
}
