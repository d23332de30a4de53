//! What stands between a connection and hyper. The rest of `http` needs the whole collector.

#[path = "../../../src/http/connection/chunks.rs"]
pub mod chunks;
#[path = "../../../src/http/connection/framed_head.rs"]
pub mod framed_head;
#[path = "../../../src/http/connection/heads.rs"]
pub mod heads;
#[path = "../../../src/http/connection/http10_chunked.rs"]
pub mod http10_chunked;
#[path = "../../../src/http/connection/odd_target.rs"]
pub mod odd_target;
