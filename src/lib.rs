//! Antenna: takes crash reports over HTTP, keeps them, and tells the processor.

pub mod admin;
pub mod app;
pub mod aws;
pub mod cli;
pub mod crash;
pub mod crash_publish;
pub mod crash_storage;
pub mod crashmover;
pub mod disk;
pub mod fail_point;
pub mod http;
pub mod intake;
pub mod logging;
pub mod metrics;
pub mod sentry;
pub mod settings;
pub mod spool;
pub mod throttle;
pub mod version;
