//! Disks for tests: one that fails on demand, one that loses what was not made durable when the power goes.
//!
//! Not part of a production build.

mod faulty_disk;
mod simulated_disk;

pub use faulty_disk::{FaultyDisk, Operation};
pub use simulated_disk::SimulatedDisk;
