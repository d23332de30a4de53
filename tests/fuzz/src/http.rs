//! What stands between a connection's first bytes and hyper. The rest of `http` needs the whole collector.

#[path = "../../../src/http/odd_target.rs"]
pub mod odd_target;
#[path = "../../../src/http/old_chunked.rs"]
pub mod old_chunked;
