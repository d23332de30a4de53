//! One suite of behaviour for every place where reports can be saved, and what is special about each place.

mod disk;
mod memory;
mod small_disk;
mod suite;
