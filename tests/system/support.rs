//! What this suite takes from `tests/it/support`; not all of each file is needed here.
#![allow(dead_code)]

#[path = "../it/support/collector.rs"]
pub mod collector;
#[path = "../it/support/crash.rs"]
pub mod crash;
#[path = "../it/support/moto.rs"]
pub mod moto;
#[path = "../it/support/process.rs"]
mod process;
#[path = "../it/support/stored.rs"]
pub mod stored;
#[path = "../it/support/wait.rs"]
pub mod wait;
#[path = "../it/support/wire.rs"]
pub mod wire;
