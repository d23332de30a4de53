//! What the tests stand on: other people's servers, and a network that can be made to fail.

pub mod fault_proxy;
pub mod moto;
pub mod s3s;
