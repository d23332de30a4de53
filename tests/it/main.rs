//! Tests of the collector as a whole, mostly of the real binary over real sockets. One binary, because linking it is
//! what takes long.

mod admin;
mod backends;
mod cli;
mod clients;
mod contract;
mod fault;
mod hostile;
mod image;
mod nginx;
mod proxy;
mod sentry;
mod smuggling;
mod start_stop;
mod support;
mod tidy;
mod tls;
