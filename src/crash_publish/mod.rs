//! Who is told that a report was saved: the queue from which the processor takes its work.

mod memory;
mod publisher;

pub use memory::MemoryPublisher;
pub use publisher::{CrashPublisher, NoPublisher, PublishError, PublishErrorKind};
