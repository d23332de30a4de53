//! The words of the domain: what a crash report is, before any network or disk.
//!
//! Pure data and rules. Nothing here waits, logs, reads a clock or rolls dice.

mod annotations;
mod buffer;
mod crash_id;
mod dump;
mod pieces;
mod python_json;
mod raw_crash;
mod report;

pub use annotations::{Annotations, text_of};
pub use buffer::Buffer;
pub use crash_id::{CrashId, InvalidCrashId, ThrottleDigit};
pub use dump::{Dump, DumpHasher, DumpName, ReservedDumpName};
pub use python_json::{to_python_json, write_python_json};
pub use raw_crash::{Metadata, NoMemory, Payload, RawCrash};
pub use report::CrashReport;
