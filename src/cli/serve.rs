//! `antenna serve`: start, verify, serve, stop.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::admin::Readiness;
use crate::app::{self, AdminParts, App, Backends, OpenFiles};
use crate::fail_point;
use crate::http::Certificates;
use crate::logging::{self, Format, Logging, Mozlog};
use crate::sentry::{Sentry, destination};
use crate::settings::{self, GeneralSettings, Problems, ResolvedSettings, Settings, StorageClass};
use crate::throttle::Throttler;

use super::CommandError;
use super::listener::InheritedSocket;
use super::signals::{watch_hangups, watch_signals};

/// Attempts to reach storage and queue at start, while containers and networks come up.
const CONNECT_ATTEMPTS: u32 = 5;
const CONNECT_PAUSE: Duration = Duration::from_secs(2);

/// Runs the collector; returns when it was told to stop, or when it cannot start.
pub fn serve(settings: Result<(Settings, ResolvedSettings), Problems>) -> ExitCode {
    let inherited = InheritedSocket::take();
    let (general, has_storage) = match &settings {
        Ok((settings, resolved)) => (&settings.general, resolved.has_storage()),
        Err(problems) => (&*problems.general, problems.has_storage),
    };
    // Also with settings that do not work, as long as the DSN can be read: a failed start is worth an event.
    let sentry = Sentry::start(general, app::release(general));
    let logging = logging::init(
        log_format(general, has_storage),
        general.logging_level,
        sentry.as_ref().map(Sentry::layer),
    );
    let result = match settings {
        Ok((settings, resolved)) => inherited
            .map_err(CommandError::Other)
            .and_then(|inherited| start(&settings, &resolved, inherited, &logging)),
        Err(problems) => Err(CommandError::Settings(problems)),
    };
    let code = match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            tracing::error!("Unhandled startup exception: {failed}");
            failed.exit_code()
        }
    };
    if sentry.is_some_and(|sentry| !sentry.flush()) {
        tracing::warn!("Sentry did not take the last events in time; the log has them");
    }
    code
}

/// Text for people on a terminal, in local development, and where nothing was set at all; JSON lines otherwise.
fn log_format(general: &GeneralSettings, has_storage: bool) -> Format {
    let is_terminal = std::io::stdout().is_terminal();
    match general.local_dev_env || is_terminal || !has_storage {
        true => Format::Human {
            has_colours: is_terminal && !settings::refuses_colours(),
        },
        false => Format::Mozlog(Mozlog::new(&general.host_name())),
    }
}

fn start(
    settings: &Settings,
    resolved: &ResolvedSettings,
    inherited: InheritedSocket,
    logging: &Logging,
) -> Result<(), CommandError> {
    if let Some(wanted) = settings::fail_point() {
        arm(&wanted.to_string_lossy()).map_err(CommandError::Other)?;
    }
    for value in &resolved.values {
        tracing::info!("{value}");
    }
    for warning in &resolved.warnings {
        tracing::warn!("{warning}");
    }
    let general = &settings.general;
    if let Some(dsn) = &general.sentry_dsn {
        tracing::info!(
            release = app::release(general),
            server_name = general.host_name(),
            "errors are reported to Sentry at {}",
            destination(dsn)
        );
    }
    OpenFiles::raise_limit();
    if let Some(warning) = OpenFiles::of(settings).warning() {
        tracing::warn!("{warning}");
    }
    let throttler = app::throttler(settings).map_err(CommandError::Rules)?;
    let certificates = app::certificates(settings).map_err(CommandError::Tls)?;
    let runtime = super::runtime(settings)
        .context("the runtime cannot be started")
        .map_err(CommandError::Other)?;
    let serving = serve_until_stopped(
        (settings, resolved),
        throttler,
        certificates,
        inherited,
        logging,
    );
    let result = runtime.block_on(serving).map_err(CommandError::Other);
    // Blocking work on a disk that hangs must not hold up the end.
    runtime.shutdown_timeout(Duration::from_secs(1));
    result
}

async fn serve_until_stopped(
    (settings, resolved): (&Settings, &ResolvedSettings),
    throttler: Throttler,
    certificates: Option<Arc<Certificates>>,
    inherited: InheritedSocket,
    logging: &Logging,
) -> anyhow::Result<()> {
    // Before anything that takes long: until it is watched for, the signal ends the process.
    let hangups = tokio::spawn(watch_hangups(certificates.clone())?);
    let metrics = app::metrics(settings, &throttler);
    let stop = CancellationToken::new();
    let readiness = Readiness::until(stop.clone());
    let figures = Arc::<OnceLock<_>>::default();
    let parts = AdminParts {
        metrics: metrics.clone(),
        readiness: readiness.clone(),
        level: logging.level(),
        figures: figures.clone(),
    };
    // Before storage and queue are asked, which may take long: somebody may want to know what is going on.
    let admin = app::open_admin(settings, resolved, parts).await?;
    let backends = app::backends(settings).await?;
    verify(&backends, settings).await?;
    let app = App::build(settings, throttler, backends, metrics, certificates).await?;
    let leaves_waiting = inherited.is_there();
    // Before anybody can come: until they are watched for, signals end the process.
    let hurry = CancellationToken::new();
    let signals = tokio::spawn(watch_signals(stop.clone(), hurry.clone())?);
    let listener = inherited.listen(app::address(settings)).await?;
    announce(&listener, settings, resolved)?;
    readiness.set_ready();
    let lost_lines = logging.lost_lines();
    let serving = app.serve(listener, leaves_waiting, stop, hurry, lost_lines, figures);
    let leftover = serving.await;
    tracing::info!(
        spooled = leftover.spooled.len(),
        unsaved = leftover.unsaved.len(),
        unpublished = leftover.unpublished.len(),
        "stopped"
    );
    signals.abort();
    hangups.abort();
    if let Some(admin) = admin {
        admin.close().await;
    }
    Ok(())
}

/// A test wants this process to die at a step. A wish that cannot be granted must not look like one that was.
fn arm(wanted: &str) -> anyhow::Result<()> {
    let (name, nth) = fail_point::parse(wanted)
        .with_context(|| format!("ANTENNA_FAIL_POINT={wanted} is neither NAME nor NAME:n"))?;
    fail_point::arm(name, nth)?;
    tracing::warn!("this process will abort at {name}, time {nth}");
    Ok(())
}

/// Really writes to storage and queue, so that a collector without permissions does not take reports.
///
/// With a spool, storage that is merely away does not stop the start: reports can be kept meanwhile.
async fn verify(backends: &Backends, settings: &Settings) -> anyhow::Result<()> {
    let has_spool = settings.spool.is_some();
    for attempt in 1.. {
        let failures: Vec<_> = backends.verify().await.into_iter().flatten().collect();
        let problems: Vec<_> = failures.iter().map(|failure| &*failure.error).collect();
        let problems = problems.join("; ");
        if problems.is_empty() {
            break;
        }
        let is_transient = failures.iter().all(|failure| failure.is_transient);
        anyhow::ensure!(
            is_transient && (has_spool || attempt < CONNECT_ATTEMPTS),
            "{problems}"
        );
        if has_spool {
            tracing::error!(
                error = problems,
                "storage or queue is away: reports go to the spool until it is back"
            );
            break;
        }
        tracing::warn!(
            error = problems,
            attempt,
            "storage or queue is not there yet, will be tried again"
        );
        tokio::time::sleep(CONNECT_PAUSE).await;
    }
    Ok(())
}

fn announce(
    listener: &TcpListener,
    settings: &Settings,
    resolved: &ResolvedSettings,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let scheme = app::scheme(settings);
    match &settings.crash_storage {
        StorageClass::Fs(fs) => {
            tracing::info!("reports are kept in the folder {}", fs.root.display())
        }
        StorageClass::S3(s3) => tracing::info!("reports are kept in the bucket {}", s3.bucket_name),
        // That they are lost is among the warnings of the settings.
        StorageClass::Memory | StorageClass::None => {}
    }
    if !resolved.has_storage() {
        let port = address.port();
        tracing::info!(
            "try: curl -F ProductName=Firefox -F ReleaseChannel=nightly -F upload_file_minidump=@README.md {scheme}://localhost:{port}/submit"
        );
    }
    tracing::info!("listening on {scheme}://{address}");
    Ok(())
}
