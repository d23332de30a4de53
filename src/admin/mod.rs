//! The side door, for operators and their tools: metrics, readiness, settings, spool, log level.
//!
//! On an address of its own, so that it can be kept from the outside. Nothing here touches reports, and nothing waits for
//! storage: it answers when everything else is stuck, and however many connections are held open.

mod answers;
mod connections;
mod door;
mod figures;
mod guard;
mod readiness;
mod stream;

pub use answers::Admin;
pub use door::AdminDoor;
pub use figures::Figures;
pub use readiness::Readiness;
