//! The composition root: settings to parts, parts to a running collector, and its orderly end.

mod admin;
mod backends;
mod certificate;
mod configs;
mod health;
mod memory;
mod metrics;
mod open_files;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::admin::Figures;
use crate::crashmover::{Budget, Crashmover, Leftover};
use crate::disk::RealDisk;
use crate::health::Health;
use crate::http::{
    Certificates, Collector, FirstDiscards, Routes, Server, ServerConfig, SubmitPaths, Tls,
    TlsError, routes,
};
use crate::intake::Heavy;
use crate::logging::OnceIn;
use crate::metrics::Metrics;
use crate::sentry;
use crate::settings::{self, GeneralSettings, Settings};
use crate::spool::Spool;
use crate::throttle::{ThrottleSettings, Throttler};
use crate::version::Version;

pub use admin::{AdminParts, open_admin};
pub use backends::{Backends, backends};
pub use certificate::{days_left, ends_soon};
use configs::{body_limits, intake_limits, takes_foreign_uuids};
pub use configs::{sentry_config, spool_config};
pub use health::REPORT_BYTES;
use memory::{MemoryBudget, memory_budget};
use metrics::Losses;
pub use metrics::{metrics, tag_values};
pub use open_files::OpenFiles;

/// How often StatsD is told the gauges.
const GAUGES_EVERY: Duration = Duration::from_secs(10);
/// For the last metrics.
const LAST_METRICS: Duration = Duration::from_secs(1);
/// After a second signal everything has this long.
const IN_A_HURRY: Duration = Duration::from_secs(2);

/// The rules by which submissions are judged.
///
/// # Errors
/// Every mistake in the rules files.
pub fn throttler(settings: &Settings) -> Result<Throttler, crate::throttle::RulesError> {
    let throttle = &settings.throttle;
    Throttler::new(&ThrottleSettings {
        rules: &throttle.rules,
        products: &throttle.products,
        package_names: &throttle.product_packagenames,
    })
}

/// Certificate and key, where TLS is spoken.
///
/// # Errors
/// What is wrong with the files.
pub fn certificates(settings: &Settings) -> Result<Option<Arc<Certificates>>, TlsError> {
    let tls = settings.tls.as_ref();
    tls.map(|files| Certificates::load(files).map(Arc::new))
        .transpose()
}

/// The memory that reports may take on this machine.
pub fn memory(settings: &Settings) -> MemoryBudget {
    memory_budget(settings.http.max_in_flight_bytes, Path::new("/proc"))
}

/// A collector that is ready to be served.
pub struct App {
    collector: Arc<Collector>,
    crashmover: Arc<Crashmover>,
    spool: Option<Spool>,
    metrics: Metrics,
    server: ServerConfig,
    proxy_protocol: bool,
    tls: Option<Tls>,
    certificates: Option<Arc<Certificates>>,
    shutdown_timeout: Duration,
    reports_to_sentry: bool,
}

impl App {
    /// Puts the parts together. What waits in the spool is taken up as soon as it is found.
    ///
    /// # Errors
    /// A spool that cannot be opened.
    pub async fn build(
        settings: &Settings,
        throttler: Throttler,
        backends: Backends,
        metrics: Metrics,
    ) -> anyhow::Result<Self> {
        let memory = memory(settings);
        tracing::info!("memory: {memory}");
        if let Some(warning) = memory.warning() {
            tracing::warn!("{warning}");
        }
        let spool = match spool_config(settings) {
            Some(config) => {
                let take = || Spool::take(config, Arc::new(RealDisk::private(true)));
                Some(tokio::task::spawn_blocking(take).await??)
            }
            None => None,
        };
        let outside = health::Outside::of(&backends, spool.clone());
        let Backends { storage, publisher } = backends;
        let crashmover = Crashmover::start(
            storage,
            publisher,
            spool.clone(),
            settings.crashmover.clone(),
            Budget::new(memory.bytes),
            metrics.clone(),
        )
        .await;
        let health = Health::new(health::checks(outside, crashmover.clone()));
        let http = &settings.http;
        let collector = Arc::new(Collector {
            throttler,
            first_discards: FirstDiscards::default(),
            crashmover: crashmover.clone(),
            health,
            metrics: metrics.clone(),
            body_limits: body_limits(settings),
            intake_limits: intake_limits(settings),
            heavy: Heavy::default(),
            submit_paths: SubmitPaths::new(settings.clients.submit_paths.clone()),
            takes_foreign_uuids: takes_foreign_uuids(settings),
            id_prefix: http.dump_id_prefix.clone(),
            bearer_token: http
                .stage_submitter_bearer_token
                .as_ref()
                .map(|token| token.expose().to_owned()),
            version: version(&settings.general).body(),
            breaks: OnceIn::new(Duration::from_secs(1)),
        });
        let server = ServerConfig {
            max_connections: OpenFiles::of(settings).connections(),
            header_timeout: http.header_timeout,
            keep_alive: http.keep_alive,
            leaves_waiting: false,
        };
        let shutdown_timeout = settings.crashmover.shutdown_timeout;
        Ok(Self {
            collector,
            crashmover,
            spool,
            metrics,
            server,
            proxy_protocol: http.proxy_protocol,
            tls: None,
            certificates: None,
            shutdown_timeout,
            reports_to_sentry: settings.general.sentry_dsn.is_some(),
        })
    }

    /// Speaks TLS with these certificates, if there are any.
    pub fn with_tls(mut self, certificates: Option<Arc<Certificates>>) -> Self {
        self.certificates.clone_from(&certificates);
        self.tls = certificates.map(|it| Tls::new(it, self.metrics.clone()));
        self
    }

    /// Whether connections that nobody has accepted at the stop wait for the next process.
    pub fn leave_waiting(mut self, leaves_waiting: bool) -> Self {
        self.server.leaves_waiting = leaves_waiting;
        self
    }

    /// Serves until `stop` is cancelled, then finishes what was taken; `hurry` shortens that.
    ///
    /// `lost_lines` says how many log lines were lost since the start; `figures` is filled for those who look at them.
    /// Requests get two thirds of the time to finish, what they left behind gets all that is left of it.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: CancellationToken,
        hurry: CancellationToken,
        lost_lines: impl Fn() -> u64 + Send + Sync + 'static,
        figures: Arc<OnceLock<Figures>>,
    ) -> Leftover {
        let metrics = self.metrics.clone();
        let mut server = Server::new(listener, self.routes(), self.server, metrics)
            .with_budget(self.crashmover.budget().clone())
            .with_tls(self.tls.clone());
        if self.proxy_protocol {
            server = server.expect_proxy_headers();
        }
        let _ = figures.set(self.figures(server.open_connections()));
        let background = self.background(figures, Losses::new(lost_lines));
        let requests_time = self.shutdown_timeout * 2 / 3;
        let stopped = stop.clone().cancelled_owned().map(|()| Instant::now());
        let serving = server.serve(stop, async || wait(requests_time, &hurry).await);
        let (abandoned, stopped) = tokio::join!(serving, stopped);
        if abandoned > 0 {
            tracing::warn!(
                connections = abandoned,
                "connections abandoned: they did not finish in time"
            );
        }
        // What requests did not need of their time belongs to the reports.
        let left = self.shutdown_timeout.saturating_sub(stopped.elapsed());
        let leftover = self.crashmover.drain(left, &hurry).await;
        background.abort();
        let metrics = self.metrics;
        // Metrics do not hold up the end.
        let _ = tokio::task::spawn_blocking(move || metrics.flush(LAST_METRICS)).await;
        leftover
    }

    fn routes(&self) -> Routes {
        routes(self.collector.clone(), |routes| {
            match self.reports_to_sentry {
                true => Routes::new(sentry::watch(routes)),
                false => routes,
            }
        })
    }

    fn figures(&self, connections: impl Fn() -> usize + Send + Sync + 'static) -> Figures {
        let certificates = self.certificates.clone();
        Figures {
            crashmover: self.crashmover.clone(),
            spool: self.spool.clone(),
            connections: Box::new(connections),
            certificate_days_left: Box::new(move || days_left(certificates.as_deref()?)),
        }
    }

    fn background(&self, figures: Arc<OnceLock<Figures>>, mut losses: Losses) -> JoinHandle<()> {
        let (metrics, certificates) = (self.metrics.clone(), self.certificates.clone());
        let mut warning = certificate::DailyWarning::default();
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(GAUGES_EVERY);
            loop {
                tick.tick().await;
                metrics.tell(&figures.get().map(Figures::gauges).unwrap_or_default());
                losses.tell(&metrics);
                if let Some(certificates) = &certificates {
                    warning.tell(certificates);
                }
            }
        })
    }
}

async fn wait(time: Duration, hurry: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = async { hurry.cancelled().await; tokio::time::sleep(IN_A_HURRY).await } => {}
    }
}

/// `version.json` lies in BASEDIR, or beside the binary.
fn version(general: &GeneralSettings) -> Version {
    let folders = [Some(general.basedir.clone()), settings::binary_folder()];
    Version::load(&folders.into_iter().flatten().collect::<Vec<_>>())
}

/// Where the collector listens.
pub fn address(settings: &Settings) -> SocketAddr {
    SocketAddr::new(settings.http.host, settings.http.port)
}

/// What the collector speaks, as it stands in a URL.
pub fn scheme(settings: &Settings) -> &'static str {
    if settings.tls.is_some() {
        "https"
    } else {
        "http"
    }
}
