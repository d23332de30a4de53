//! One suite of behaviour for every place where reports can be saved, and what is special about each place.

mod memory;
mod suite;
