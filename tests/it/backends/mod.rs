//! One suite of behaviour for every place where reports can be saved, and what is special about each place.

mod disk;
mod memory;
mod small_disk;
mod suite;
//! Storage and queue backends against real servers, and against a network that fails.

mod aws;
mod s3;
mod s3_faults;
mod sqs;
mod sqs_faults;
