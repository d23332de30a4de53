//! The other door: commands for people.

mod check;
mod config;
mod metrics;
mod serve;
mod show;
mod spool;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::crash::CrashId;
use crate::settings::{self, Loaded, Problems, Settings};

/// Settings or rules that cannot work (`EX_CONFIG` of sysexits.h).
const EXIT_SETTINGS: u8 = 78;
const EXIT_FAILED: u8 = 1;

/// Takes crash reports over HTTP, keeps them, and tells the processor.
#[derive(Debug, Parser)]
#[command(name = "antenna", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// A file of NAME=value lines. Variables of the environment win over it.
    #[arg(long, global = true, value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

const AFTER_HELP: &str = "Everything is set by variables of the environment: see docs/configuration.md or `antenna config`.\n\
Exit codes: 0 all is well, 1 it failed, 2 the command line is wrong, 78 the settings or rules are wrong.";

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the collector (the default)
    Serve,
    /// Check settings, storage and queue as a start would, and say what is wrong
    Check,
    /// Print what was kept of a report: annotations, dumps, checksums
    Show {
        /// As a client was told it, with or without bp-
        crash_id: String,
    },
    /// Print the settings and where each comes from
    Config {
        /// The reference page instead: every setting, its default and what it is for
        #[arg(long)]
        markdown: bool,
    },
    /// Print the reference page of all metrics
    #[command(hide = true)]
    Metrics,
    /// Look after the spool; the collector may be running
    #[command(subcommand)]
    Spool(spool::SpoolCommand),
}

/// Runs a command to its end.
pub fn run(cli: Cli) -> ExitCode {
    let settings = Settings::load(settings::environment(), cli.settings.as_deref());
    let result = match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => return serve::serve(settings),
        Command::Config { markdown: true } => {
            print!("{}", settings::markdown());
            return ExitCode::SUCCESS;
        }
        Command::Metrics => {
            print!("{}", metrics::page());
            return ExitCode::SUCCESS;
        }
        command => settings
            .map_err(Failed::Settings)
            .and_then(|settings| with_settings(command, &settings)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            eprintln!("{failed}");
            failed.exit_code()
        }
    }
}

fn with_settings(command: Command, (settings, loaded): &(Settings, Loaded)) -> Result<(), Failed> {
    match command {
        Command::Check => check::check(settings, loaded),
        Command::Show { crash_id } => {
            show::show(settings, &parse_id(&crash_id)?).map_err(Failed::Other)
        }
        Command::Spool(command) => spool::spool(settings, command).map_err(Failed::Other),
        Command::Config { .. } | Command::Metrics | Command::Serve => {
            config::config(loaded);
            Ok(())
        }
    }
}

/// Why a command failed.
enum Failed {
    Settings(Problems),
    Rules(crate::throttle::RulesError),
    Other(anyhow::Error),
}

impl Failed {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Settings(_) | Self::Rules(_) => ExitCode::from(EXIT_SETTINGS),
            Self::Other(_) => ExitCode::from(EXIT_FAILED),
        }
    }
}

impl std::fmt::Display for Failed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Settings(problems) => problems.fmt(f),
            Self::Rules(mistakes) => write!(f, "mistakes in the throttle rules:\n{mistakes}"),
            Self::Other(error) => write!(f, "{error:#}"),
        }
    }
}

fn parse_id(text: &str) -> Result<CrashId, Failed> {
    let bare = text.strip_prefix("bp-").unwrap_or(text);
    CrashId::parse(bare).map_err(|error| Failed::Other(anyhow::anyhow!("{text}: {error}")))
}

/// A runtime for one command.
fn runtime(settings: &Settings) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = settings.general.worker_threads {
        builder.worker_threads(threads.get());
    }
    // JSON annotations may be nested 900 deep; what is not touched costs nothing.
    builder.thread_stack_size(8 << 20).enable_all().build()
}
