//! The collector's binary: parses the command line and hands over.

use std::process::ExitCode;

use clap::Parser;

/// Memory that a report leaves goes back to the system at once, whichever thread frees it. The system's allocator keeps
/// it in arenas, by which the process outgrows its budget.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    antenna::cli::run(antenna::cli::Cli::parse())
}
