//! Disks for tests.
//!
//! Not part of a production build.

mod faulty_disk;

pub use faulty_disk::{FaultyDisk, Operation};
