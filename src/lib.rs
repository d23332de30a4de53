//! Antenna: takes crash reports over HTTP, keeps them, and tells the processor.

pub mod aws;
pub mod crash;
pub mod crash_publish;
pub mod crash_storage;
pub mod intake;
pub mod throttle;
pub mod fail_point;
pub mod spool;
pub mod settings;
