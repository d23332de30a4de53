//! The collector's binary: parses the command line and hands over.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    antenna::cli::run(antenna::cli::Cli::parse())
}
