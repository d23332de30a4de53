//! The other door: commands for people.

mod check;
mod client;
mod completions;
mod config;
mod dump_kind;
mod help;
mod listener;
mod live;
mod metrics;
mod raw_crash;
mod serve;
mod show;
mod signals;
mod spool;
mod spool_verify;
mod submit;
mod throttle;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::crash::CrashId;
use crate::settings::{self, Problems, ResolvedSettings, Settings};

/// Settings or rules that cannot work (`EX_CONFIG` of sysexits.h).
const EXIT_SETTINGS: u8 = 78;
const EXIT_FAILED: u8 = 1;
/// What clap ends with when the command line is wrong.
const EXIT_USAGE: u8 = 2;
/// `submit`: the collector is well and does not want the report.
const EXIT_DISCARDED: u8 = 3;

/// Takes crash reports over HTTP, keeps them, and tells the processor.
#[derive(Debug, Parser)]
#[command(name = "antenna", version, after_help = help::ANTENNA)]
pub struct Cli {
    /// A file of NAME=value lines. Variables of the environment win over it.
    #[arg(long, global = true, value_name = "FILE")]
    settings: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the collector (what `antenna` alone does, too)
    #[command(after_help = help::SERVE)]
    Serve,
    /// Check settings, storage, queue and spool as a start would, and say what is wrong
    #[command(after_help = help::CHECK)]
    Check {
        /// Ask the collector that is running on this machine instead, and nothing else: for health checks
        #[arg(long)]
        live: bool,
    },
    /// Print what was kept of a report: annotations, dumps, checksums
    #[command(after_help = help::SHOW)]
    Show {
        /// As a client was told it, with or without bp-
        crash_id: String,
    },
    /// Send a crash report to a collector, and print the id that it answers
    #[command(after_help = help::SUBMIT)]
    Submit(Box<submit::SubmitArgs>),
    /// Say which throttle rule decides about a report, and why
    #[command(after_help = help::THROTTLE)]
    Throttle(throttle::ThrottleArgs),
    /// Print the settings and where each comes from
    #[command(after_help = help::CONFIG)]
    Config {
        /// The reference page instead: every setting, its default and what it is for
        #[arg(long)]
        markdown: bool,
    },
    /// Look after the spool; the collector may be running
    #[command(subcommand, after_help = help::SPOOL)]
    Spool(spool::SpoolCommand),
    /// Print the script with which a shell completes commands and options
    #[command(after_help = help::COMPLETIONS)]
    Completions { shell: completions::Shell },
    /// Print the reference page of all metrics
    #[command(hide = true)]
    Metrics,
}

/// Runs a command to its end.
pub fn run(cli: Cli) -> ExitCode {
    let settings = Settings::load(settings::environment(), cli.settings.as_deref());
    let result = match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => return serve::serve(settings),
        Command::Config { markdown: true } => {
            say(&settings::markdown());
            return ExitCode::SUCCESS;
        }
        Command::Metrics => {
            say(&metrics::page());
            return ExitCode::SUCCESS;
        }
        Command::Completions { shell } => {
            say(&completions::completions(shell));
            return ExitCode::SUCCESS;
        }
        Command::Submit(args) => submit(settings, &args),
        command => settings
            .map_err(CommandError::Settings)
            .and_then(|settings| with_settings(command, &settings)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            if !matches!(failed, CommandError::Told(_)) {
                complain(&format!("{failed}\n"));
            }
            failed.exit_code()
        }
    }
}

fn with_settings(
    command: Command,
    (settings, resolved): &(Settings, ResolvedSettings),
) -> Result<(), CommandError> {
    match command {
        Command::Check { live: true } => live::live(settings).map_err(CommandError::Other),
        Command::Check { live: false } => check::check(settings, resolved),
        Command::Show { crash_id } => {
            show::show(settings, &parse_id(&crash_id)?).map_err(CommandError::Other)
        }
        Command::Spool(command) => spool::spool(settings, command).map_err(CommandError::Other),
        Command::Throttle(args) => throttle::throttle(settings, &args).map(|page| say(&page)),
        Command::Config { .. }
        | Command::Metrics
        | Command::Serve
        | Command::Submit(_)
        | Command::Completions { .. } => {
            config::config(resolved);
            Ok(())
        }
    }
}

/// All that matters may be on the command line; then wrong settings of this machine are no obstacle.
fn submit(
    settings: Result<(Settings, ResolvedSettings), Problems>,
    args: &submit::SubmitArgs,
) -> Result<(), CommandError> {
    match settings {
        Err(problems) if args.needs_settings() => Err(CommandError::Settings(problems)),
        settings => submit::submit(settings.ok().map(|(settings, _)| settings).as_ref(), args),
    }
}

/// Prints to standard output. Whoever reads it may stop reading, as `head` does.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}

/// Prints to standard error, which may be closed as well.
fn complain(text: &str) {
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// `1 rule`, `2 rules`.
fn counted(number: usize, one: &str, many: &str) -> String {
    let what = if number == 1 { one } else { many };
    format!("{number} {what}")
}

/// Why a command failed.
enum CommandError {
    Settings(Problems),
    Rules(crate::throttle::RulesError),
    Tls(crate::http::TlsError),
    /// The command line can be parsed but makes no sense.
    Usage(anyhow::Error),
    /// A collector does not want a report: its reason.
    Discarded(String),
    /// Everything is printed already; the exit code is left.
    Told(u8),
    Other(anyhow::Error),
}

impl From<anyhow::Error> for CommandError {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

impl CommandError {
    fn exit_code(&self) -> ExitCode {
        match self {
            Self::Settings(_) | Self::Rules(_) | Self::Tls(_) => ExitCode::from(EXIT_SETTINGS),
            Self::Usage(_) => ExitCode::from(EXIT_USAGE),
            Self::Discarded(_) => ExitCode::from(EXIT_DISCARDED),
            Self::Told(code) => ExitCode::from(*code),
            Self::Other(_) => ExitCode::from(EXIT_FAILED),
        }
    }
}

impl std::fmt::Display for CommandError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Settings(problems) => problems.fmt(f),
            Self::Rules(mistakes) => write!(f, "mistakes in the throttle rules:\n{mistakes}"),
            Self::Tls(error) => error.fmt(f),
            Self::Discarded(reason) => write!(f, "discarded: {reason}"),
            Self::Told(_) => Ok(()),
            Self::Usage(error) | Self::Other(error) => f.write_str(&causes(error)),
        }
    }
}

/// The whole chain, each cause once: some libraries' errors also say what is behind them.
fn causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if text.is_empty() {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

fn parse_id(text: &str) -> Result<CrashId, CommandError> {
    let bare = text.strip_prefix("bp-").unwrap_or(text);
    CrashId::parse(bare).map_err(|error| CommandError::Other(anyhow::anyhow!("{text}: {error}")))
}

/// A runtime for one command.
fn runtime(settings: &Settings) -> std::io::Result<tokio::runtime::Runtime> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    if let Some(threads) = settings.general.worker_threads {
        builder.worker_threads(threads);
    }
    // JSON annotations may be nested 900 deep; what is not touched costs nothing.
    builder.thread_stack_size(8 << 20).enable_all().build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_said_already_is_not_said_again() {
        let talkative = anyhow::anyhow!("gone").context("cannot ask: gone");
        let error = talkative.context("S3 cannot be used");
        assert_eq!(format!("{error:#}").matches("gone").count(), 2);
        assert_eq!(causes(&error), "S3 cannot be used: cannot ask: gone");
        let plain = anyhow::anyhow!("c").context("b").context("a");
        assert_eq!(causes(&plain), "a: b: c");
    }
}
