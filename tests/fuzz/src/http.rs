//! What stands between a connection's first bytes and hyper. The rest of `http` needs the whole collector.

#[path = "../../../src/http/connection/odd_target.rs"]
pub mod odd_target;
#[path = "../../../src/http/connection/http10_chunked.rs"]
pub mod http10_chunked;
