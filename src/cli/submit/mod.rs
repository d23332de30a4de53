//! `antenna submit`: posts a crash report as a crash reporter would, once or many times, and says what became of it.

mod form;
mod many;
mod outcome;
mod post;
mod tally;

use std::num::NonZeroU16;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::app;
use crate::settings::Settings;

use super::client::{Client, Trust};
use super::{CommandError, raw_crash};
use outcome::SubmitOutcome;
use post::Post;
use tally::SubmitTally;

/// Times are kept for each answer, to tell the slowest.
const MOST_REPORTS: i64 = 10_000_000;
const LONGEST_TIMEOUT_SECONDS: f64 = 86_400.0;

#[derive(Debug, Args)]
pub struct SubmitArgs {
    /// Where to; `/submit` if there is no path. Without it: this machine, and PORT of the settings
    url: Option<String>,
    /// What is said about the crash. KEY=@FILE takes the value from a file. May be repeated
    #[arg(short, long = "annotation", value_name = "KEY=VALUE")]
    annotations: Vec<String>,
    /// A minidump or another file; its name is upload_file_minidump if none is given. May be repeated
    #[arg(short, long = "dump", value_name = "[NAME=]FILE")]
    dumps: Vec<String>,
    /// Send the annotations of a stored raw crash again (- is standard input); -a replaces single ones
    #[arg(long, value_name = "FILE")]
    raw_crash: Option<PathBuf>,
    /// Send annotations in one JSON part, as Firefox does
    #[arg(long)]
    json: bool,
    /// Compress the body
    #[arg(long)]
    gzip: bool,
    /// Send the body in chunks, as Crashpad does
    #[arg(long)]
    chunked: bool,
    /// Choose the crash id; takes BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN of the settings as proof
    #[arg(long, value_name = "ID", conflicts_with = "repeat")]
    crash_id: Option<String>,
    /// Send it so many times, and print a summary instead of the id
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..=MOST_REPORTS))]
    repeat: Option<i64>,
    /// So many at the same time
    #[arg(long, value_name = "N", default_value = "1", requires = "repeat")]
    concurrency: NonZeroU16,
    /// How long to wait for an answer
    #[arg(long, value_name = "SECONDS", default_value = "60", value_parser = seconds)]
    timeout: Duration,
}

impl SubmitArgs {
    /// All that matters is on the command line, so the settings of this machine may be wrong.
    pub fn needs_settings(&self) -> bool {
        self.url.is_none() || self.crash_id.is_some()
    }
}

/// Posts the report and prints the id, or a summary of many.
///
/// # Errors
/// By what became of the report; of many reports the worst counts.
pub fn submit(settings: Option<&Settings>, args: &SubmitArgs) -> Result<(), CommandError> {
    let post = prepared(settings, args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)?;
    match args.repeat {
        None => told(runtime.block_on(post.send())),
        Some(repeat) => {
            let repeat = repeat.unsigned_abs();
            let (tally, took) = runtime.block_on(many::post(post, repeat, args.concurrency));
            super::say(&tally.summary(took));
            worst(&tally)
        }
    }
}

fn told(outcome: SubmitOutcome) -> Result<(), CommandError> {
    match outcome {
        SubmitOutcome::Accepted(id) => super::say(&format!("{id}\n")),
        SubmitOutcome::Discarded(reason) => return Err(CommandError::Discarded(reason)),
        SubmitOutcome::Failed(reason) => return Err(anyhow::anyhow!("not kept: {reason}").into()),
    }
    Ok(())
}

fn worst(tally: &SubmitTally) -> Result<(), CommandError> {
    if !tally.failed.is_empty() {
        Err(CommandError::Told(super::EXIT_FAILED))
    } else if !tally.discarded.is_empty() {
        Err(CommandError::Told(super::EXIT_DISCARDED))
    } else {
        Ok(())
    }
}

fn prepared(settings: Option<&Settings>, args: &SubmitArgs) -> Result<Post, CommandError> {
    let url = match (&args.url, settings) {
        (Some(url), _) => url.clone(),
        (None, Some(settings)) => this_machine(settings),
        (None, None) => "http://localhost:8000".to_owned(),
    };
    let uri = post::target(&url).map_err(CommandError::Usage)?;
    let mut stored = raw_crash::gather(args.raw_crash.as_deref(), &args.annotations)?;
    let mut bearer_token = None;
    if let Some(id) = &args.crash_id {
        stored
            .annotations
            .insert("uuid", super::parse_id(id)?.as_str());
        bearer_token = Some(token(settings)?);
    }
    if stored.annotations.is_empty() {
        let advice = "a report needs an annotation: -a ProductName=Firefox, or --raw-crash";
        return Err(CommandError::Usage(anyhow::anyhow!(advice)));
    }
    let dumps = args.dumps.iter().map(|dump| form::read_dump(dump));
    let dumps: Vec<_> = dumps.collect::<Result<_, _>>()?;
    let mut form = form::write(&stored.annotations, &dumps, args.json || stored.is_json)?;
    if args.gzip {
        form.body = form::gzip(&form.body)?;
    }
    // Who is named on the command line is no collector with these settings.
    let is_proxied = args.url.is_none() && settings.is_some_and(|it| it.http.proxy_protocol);
    Ok(Post {
        client: Client::new(&uri, Trust::System, is_proxied, args.timeout)?,
        uri,
        form,
        is_gzip: args.gzip,
        is_chunked: args.chunked,
        bearer_token,
    })
}

/// Where a collector with these settings can be reached from here.
fn this_machine(settings: &Settings) -> String {
    let (host, port) = (settings.http.host, settings.http.port);
    let scheme = app::scheme(settings);
    if host.is_unspecified() {
        format!("{scheme}://localhost:{port}")
    } else {
        format!("{scheme}://{}", std::net::SocketAddr::new(host, port))
    }
}

fn token(settings: Option<&Settings>) -> Result<String, CommandError> {
    let token = settings.and_then(|it| it.http.stage_submitter_bearer_token.as_ref());
    let token = token.map(|token| token.expose().to_owned());
    token.ok_or_else(|| {
        CommandError::Usage(anyhow::anyhow!(
            "--crash-id needs BREAKPAD_STAGE_SUBMITTER_BEARER_TOKEN, the same as the collector's"
        ))
    })
}

fn seconds(text: &str) -> Result<Duration, String> {
    let number = text.parse().ok();
    let number = number.filter(|number| *number > 0.0 && *number <= LONGEST_TIMEOUT_SECONDS);
    number
        .map(Duration::from_secs_f64)
        .ok_or_else(|| "a number of seconds above 0".to_owned())
}
