//! What happens to a connection before, between and after its requests.
//!
//! From the outside in: a place among `BREAKPAD_MAX_CONNECTIONS` (`places`); the PROXY header (`proxied`); TLS (`tls`);
//! deadlines, memory and heads (`stream`); hyper, which reads requests and writes answers. What surrounds a request is in
//! [`routes`](super::routes).

mod accepting;
mod chunks;
mod framed_head;
mod heads;
mod http10_chunked;
mod memory;
mod odd_target;
mod patience;
mod places;
mod proxied;
mod proxy_header;
mod server;
mod stream;
mod tls;
mod validity;

pub use server::Server;
pub use tls::{Certificates, Tls, TlsError};
