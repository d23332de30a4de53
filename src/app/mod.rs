//! The composition root: settings to parts, parts to a running collector, and its orderly end.

mod admin;
mod backends;
mod certificate;
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
use tower::util::ServiceExt;
use tracing::Instrument;

use crate::admin::Figures;
use crate::crashmover::{Budget, Crashmover, Leftover};
use crate::disk::RealDisk;
use crate::http::{
    Certificates, Collector, FirstDiscards, Health, Routes, Server, Tls, TlsError, routes,
};
use crate::intake::Heavy;
use crate::logging::OnceIn;
use crate::metrics::Metrics;
use crate::sentry;
use crate::settings::{self, GeneralSettings, Settings};
use crate::spool::Spool;
use crate::throttle::Throttler;
use crate::version::Version;

pub use admin::{AdminParts, open_admin};
pub use backends::{Backends, backends};
pub use certificate::{days_left, ends_soon};
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
    let names = &settings.throttle;
    Throttler::new(&names.rules, &names.products, &names.product_packagenames)
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
    spool: Option<Spool>,
    certificates: Option<Arc<Certificates>>,
}

impl App {
    /// Puts the parts together. What waits in the spool is taken up as soon as it is found. With certificates TLS is spoken.
    ///
    /// # Errors
    /// A spool that cannot be opened.
    pub async fn build(
        settings: &Settings,
        throttler: Throttler,
        backends: Backends,
        metrics: Metrics,
        certificates: Option<Arc<Certificates>>,
    ) -> anyhow::Result<Self> {
        let memory = memory(settings);
        tracing::info!("memory: {memory}");
        if let Some(warning) = memory.warning() {
            tracing::warn!("{warning}");
        }
        let spool = match settings.spool.clone() {
            Some(settings) => {
                let take = || Spool::take(settings, Arc::new(RealDisk::private(true)));
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
        let collector = Collector {
            throttler,
            first_discards: FirstDiscards::default(),
            health: Health::new(health::checks(outside, crashmover.clone())),
            crashmover,
            metrics,
            settings: settings.clone(),
            heavy: Heavy::default(),
            version: version(&settings.general).body(),
            breaks: OnceIn::new(Duration::from_secs(1)),
        };
        Ok(Self {
            collector: Arc::new(collector),
            spool,
            certificates,
        })
    }

    /// Serves until `stop` is cancelled, then finishes what was taken; `hurry` shortens that.
    ///
    /// With `leaves_waiting` connections that nobody has accepted at the stop wait for the next process. `lost_lines` says how
    /// many log lines were lost since the start; `figures` is filled for those who look at them. Requests get two thirds
    /// of the time to finish, what they left behind gets all that is left of it.
    pub async fn serve(
        self,
        listener: TcpListener,
        leaves_waiting: bool,
        stop: CancellationToken,
        hurry: CancellationToken,
        lost_lines: impl Fn() -> u64 + Send + Sync + 'static,
        figures: Arc<OnceLock<Figures>>,
    ) -> Leftover {
        let server = self.server(listener).leave_waiting(leaves_waiting);
        let _ = figures.set(self.figures(server.open_connections()));
        let background = self.background(figures, Losses::new(lost_lines));
        let Collector {
            crashmover,
            metrics,
            settings,
            ..
        } = &*self.collector;
        let shutdown_timeout = settings.crashmover.shutdown_timeout;
        let requests_time = shutdown_timeout * 2 / 3;
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
        let left = shutdown_timeout.saturating_sub(stopped.elapsed());
        let leftover = crashmover.drain(left, &hurry).await;
        background.abort();
        let metrics = metrics.clone();
        // Metrics do not hold up the end.
        let _ = tokio::task::spawn_blocking(move || metrics.flush(LAST_METRICS)).await;
        leftover
    }

    fn server(&self, listener: TcpListener) -> Server {
        let Collector {
            crashmover,
            metrics,
            settings,
            ..
        } = &*self.collector;
        let mut http = settings.http.clone();
        http.max_connections = OpenFiles::of(settings).connections();
        let tls = self.certificates.clone();
        let tls = tls.map(|certificates| Tls::new(certificates, metrics.clone()));
        let (budget, metrics) = (crashmover.budget().clone(), metrics.clone());
        Server::new(listener, self.routes(), http, tls, budget, metrics)
    }

    fn routes(&self) -> Routes {
        let is_watched = self.collector.settings.general.sentry_dsn.is_some();
        routes(self.collector.clone(), |routes| {
            if !is_watched {
                return routes;
            }
            Routes::new(tower::service_fn(move |request| {
                let span = sentry::span_of(&request);
                routes.clone().oneshot(request).instrument(span)
            }))
        })
    }

    fn figures(&self, connections: impl Fn() -> usize + Send + Sync + 'static) -> Figures {
        let certificates = self.certificates.clone();
        Figures {
            crashmover: self.collector.crashmover.clone(),
            spool: self.spool.clone(),
            connections: Box::new(connections),
            certificate_days_left: Box::new(move || days_left(certificates.as_deref()?)),
        }
    }

    fn background(&self, figures: Arc<OnceLock<Figures>>, mut losses: Losses) -> JoinHandle<()> {
        let (metrics, certificates) = (self.collector.metrics.clone(), self.certificates.clone());
        let once_a_day = OnceIn::new(certificate::DAY);
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(GAUGES_EVERY);
            loop {
                tick.tick().await;
                metrics.tell(&figures.get().map(Figures::gauges).unwrap_or_default());
                losses.tell(&metrics);
                if let Some(warning) = certificates.as_deref().and_then(ends_soon)
                    && once_a_day.count().is_some()
                {
                    tracing::warn!("{warning}");
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

/// `version:commit`, for Sentry.
pub fn release(general: &GeneralSettings) -> String {
    version(general).release()
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
