//! The collector's binary: sets up the allocator, parses the command line and hands over.

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode};

use clap::Parser;

/// Memory that a report leaves goes back to the system, whichever thread frees it. The system's allocator keeps it in
/// arenas, by which the process outgrows its budget.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// From this many KiB on, memory is the system's own, and is gone when it is freed. mimalloc keeps what is smaller for a
/// second, which is what makes it fast; of whole texts and documents it would keep three times the budget
/// (`docs/performance.md`).
const LARGEST_KEPT: (&str, &str) = ("MIMALLOC_ARENA_MAX_OBJECT_SIZE", "1024");

fn main() -> ExitCode {
    begin_with_allocator_set();
    antenna::cli::run(antenna::cli::Cli::parse())
}

/// Executes the program again in this process, as mimalloc reads its settings before anything of ours runs, and safe code
/// has no other way to set them. Where that cannot be done, the process goes on with the allocator as it is.
fn begin_with_allocator_set() {
    let (name, kibibytes) = LARGEST_KEPT;
    if std::env::var_os(name).is_some() {
        return;
    }
    let mut arguments = std::env::args_os();
    if let (Ok(program), Some(called)) = (std::env::current_exe(), arguments.next()) {
        let mut again = Command::new(program);
        again.arg0(called).args(arguments).env(name, kibibytes);
        // Comes back only if it failed.
        let _ = again.exec();
    }
}
