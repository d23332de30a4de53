//! Tests of the collector as a whole.

mod backends;
mod support;
