//! One suite of behaviour for every place where reports can be saved, what is special about each place, and queues:
//! against real servers, and against a network that fails.

pub mod aws;
mod disk;
mod memory;
mod rights;
pub mod s3;
mod s3_faults;
pub mod small_disk;
pub mod sqs;
mod sqs_faults;
mod suite;
