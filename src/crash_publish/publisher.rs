//! The seam to message queues, and the publisher that tells nobody.

use std::fmt;

use async_trait::async_trait;

use crate::crash::CrashId;

/// A queue that takes crash ids. A backend classifies its own failures and never retries by itself.
#[async_trait]
pub trait CrashPublisher: Send + Sync {
    /// Sends one message per id, its text the bare id. The answers stand in the order of `ids`, one for each.
    ///
    /// `ids` holds 1 to [`CrashPublisher::largest_batch`] ids.
    async fn publish(&self, ids: &[CrashId]) -> Vec<Result<(), PublishError>>;

    /// How many ids one call of `publish` may take.
    fn largest_batch(&self) -> usize;

    /// True if nobody is told anything, so that nothing need be remembered about publishing.
    fn is_silent(&self) -> bool {
        false
    }

    /// Cheap look whether the queue answers; for the heartbeat.
    async fn check(&self) -> Result<(), PublishError>;

    /// Really sends the message `test`, as the original does at start; consumers know to skip it.
    async fn verify(&self) -> Result<(), PublishError>;

    /// One line for the start log: what this queue is and where.
    fn describe(&self) -> String;
}

/// What a failure means for whoever asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublishErrorKind {
    /// It may work when tried again.
    Transient,
    /// Trying again cannot help before somebody acts.
    Permanent,
}

/// A queue did not take a message. Cheap to clone, since one failed call fails many messages.
#[derive(Clone, Debug)]
pub struct PublishError {
    pub kind: PublishErrorKind,
    /// What was being done, with the queue's name, and what to do about it where that is known.
    pub doing: String,
    pub source: std::sync::Arc<dyn std::error::Error + Send + Sync>,
}

impl PublishError {
    pub fn new(
        kind: PublishErrorKind,
        doing: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            kind,
            doing: doing.into(),
            source: std::sync::Arc::from(source.into()),
        }
    }
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.source)
    }
}

impl std::error::Error for PublishError {
    /// What is behind the source: `Display` says the source itself, and whoever prints the chain must not say it twice.
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(self.source.as_ref())
    }
}

/// Publishes nothing: for disk storage, where whoever processes reports looks at the folder.
#[derive(Debug)]
pub struct NoPublisher;

#[async_trait]
impl CrashPublisher for NoPublisher {
    async fn publish(&self, ids: &[CrashId]) -> Vec<Result<(), PublishError>> {
        ids.iter().map(|_| Ok(())).collect()
    }

    fn largest_batch(&self) -> usize {
        usize::MAX
    }

    fn is_silent(&self) -> bool {
        true
    }

    async fn check(&self) -> Result<(), PublishError> {
        Ok(())
    }

    async fn verify(&self) -> Result<(), PublishError> {
        Ok(())
    }

    fn describe(&self) -> String {
        "none".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_of_causes_says_each_of_them_once() {
        let error = PublishError::new(PublishErrorKind::Permanent, "sending to q", "no");
        let text = format!("{:#}", anyhow::Error::from(error));
        assert_eq!(text, "sending to q: no");
    }
}
