//! Who is told that a report was saved: the queue from which the processor takes its work.

mod memory;
mod publisher;
mod sqs;

pub use memory::MemoryPublisher;
pub use publisher::{CrashPublisher, NoPublisher, PublishError, PublishErrorKind};
pub use sqs::SqsPublisher;
