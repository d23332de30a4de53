//! What this suite takes from `tests/it/support`; not all of each file is needed here.
#![allow(dead_code)]

#[path = "../it/support/crash.rs"]
pub mod crash;
#[path = "../it/support/fault_proxy.rs"]
pub mod fault_proxy;
#[path = "../it/support/moto.rs"]
pub mod moto;
#[path = "../it/support/stored.rs"]
pub mod stored;
#[path = "../it/support/volatile_disk/mod.rs"]
pub mod volatile_disk;
#[path = "../it/support/wait.rs"]
pub mod wait;
