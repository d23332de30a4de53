//! The modules under test, compiled from the collector's own files, and what the fuzz targets share.
//!
//! Possible because of who may import whom: none of these modules knows the rest of the collector.

// Each target uses a part of each module.
#![allow(dead_code, unused_imports)]

#[path = "../../../src/crash/mod.rs"]
pub mod crash;
pub mod cuts;
pub mod http;
#[path = "../../../src/intake/mod.rs"]
pub mod intake;
pub mod meter;
#[path = "../../../src/throttle/mod.rs"]
pub mod throttle;
