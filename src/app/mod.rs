//! The composition root: settings to parts, parts to a running collector, and its orderly end.

mod admin;
mod backends;
mod configs;
mod gauges;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::crashmover::{Crashmover, Leftover};
use crate::disk::RealDisk;
use crate::health::Health;
use crate::http::{Certificates, Collector, Routes, Server, ServerConfig, Tls, TlsError, routes};
use crate::metrics::{Metrics, Statsd, StatsdConfig};
use crate::sentry;
use crate::settings::{self, GeneralSettings, Settings};
use crate::spool::{Spool, SpoolConfig};
use crate::throttle::{ThrottleSettings, Throttler};
use crate::version::Version;

pub use admin::{AdminDoor, AdminParts};
pub use backends::{Backends, backends};
pub use configs::sentry_config;
use configs::{body_limits, crashmover_config, intake_limits};
use gauges::{Losses, tell_gauges};

/// How often gauges are told.
const GAUGES_EVERY: Duration = Duration::from_secs(10);
/// How long a metric may wait to be sent.
const FLUSH_EVERY: Duration = Duration::from_secs(1);
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

/// The spool's settings, where there is one.
pub fn spool_config(settings: &Settings) -> Option<SpoolConfig> {
    settings.spool.as_ref().map(|spool| SpoolConfig {
        dir: spool.dir.clone(),
        max_bytes: spool.max_bytes.get(),
        min_free_bytes: spool.min_free_bytes,
    })
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
        let spool = match spool_config(settings) {
            Some(config) => {
                let take = || Spool::take(config, Arc::new(RealDisk::private(true)));
                Some(tokio::task::spawn_blocking(take).await??)
            }
            None => None,
        };
        let room = spool.clone();
        let health = Health::new(backends.checks(), move || {
            room.as_ref()
                .is_some_and(|spool| spool.stats().room_bytes > 0 && !spool.is_failing())
        });
        let Backends { storage, publisher } = backends;
        let crashmover = Crashmover::start(
            storage,
            publisher,
            spool.clone(),
            &crashmover_config(settings),
            metrics.clone(),
        )
        .await;
        let http = &settings.http;
        let collector = Arc::new(Collector {
            throttler,
            crashmover: crashmover.clone(),
            health,
            metrics: metrics.clone(),
            body_limits: body_limits(settings),
            intake_limits: intake_limits(settings),
            id_prefix: http.dump_id_prefix.clone(),
            bearer_token: http
                .stage_submitter_bearer_token
                .as_ref()
                .map(|token| token.expose().to_owned()),
            version: version(&settings.general).body(),
        });
        let server = ServerConfig {
            max_connections: http.max_connections.get(),
            header_timeout: http.header_timeout,
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
            shutdown_timeout,
            reports_to_sentry: settings.general.sentry_dsn.is_some(),
        })
    }

    /// Speaks TLS with these certificates, if there are any.
    pub fn with_tls(mut self, certificates: Option<Arc<Certificates>>) -> Self {
        self.tls = certificates.map(|it| Tls::new(it, self.metrics.clone()));
        self
    }

    /// Whether connections that nobody has accepted at the stop wait for the next process.
    pub fn leave_waiting(mut self, leaves_waiting: bool) -> Self {
        self.server.leaves_waiting = leaves_waiting;
        self
    }

    /// The spool, if there is one.
    pub fn spool(&self) -> Option<&Spool> {
        self.spool.as_ref()
    }

    /// Serves until `stop` is cancelled, then finishes what was taken; `hurry` shortens that.
    ///
    /// `lost_lines` says how many log lines were lost since the start.
    /// Requests get two thirds of the time to finish, what they left behind gets the rest.
    pub async fn serve(
        self,
        listener: TcpListener,
        stop: CancellationToken,
        hurry: CancellationToken,
        lost_lines: impl Fn() -> u64 + Send + Sync + 'static,
    ) -> Leftover {
        let mut server =
            Server::new(listener, self.routes(), self.server).with_tls(self.tls.clone());
        if self.proxy_protocol {
            server = server.expect_proxy_headers(self.metrics.clone());
        }
        let background = self.background(server.open_connections(), Losses::new(lost_lines));
        let requests_time = self.shutdown_timeout * 2 / 3;
        let abandoned = server
            .serve(stop, async || wait(requests_time, &hurry).await)
            .await;
        if abandoned > 0 {
            tracing::warn!(
                connections = abandoned,
                "connections abandoned: they did not finish in time"
            );
        }
        let leftover = self
            .crashmover
            .drain(self.shutdown_timeout - requests_time, &hurry)
            .await;
        background.abort();
        self.tell_the_rest().await;
        leftover
    }

    fn routes(&self) -> Routes {
        let routes = routes(self.collector.clone());
        if self.reports_to_sentry {
            Routes::new(sentry::watch(routes))
        } else {
            routes
        }
    }

    fn background(
        &self,
        connections: impl Fn() -> usize + Send + Sync + 'static,
        mut losses: Losses,
    ) -> JoinHandle<()> {
        let (crashmover, spool, metrics) = (
            self.crashmover.clone(),
            self.spool.clone(),
            self.metrics.clone(),
        );
        tokio::spawn(async move {
            let mut gauges = tokio::time::interval(GAUGES_EVERY);
            let mut flush = tokio::time::interval(FLUSH_EVERY);
            loop {
                tokio::select! {
                    _ = gauges.tick() => {
                        tell_gauges(&metrics, &crashmover, spool.as_ref(), connections());
                        losses.tell(&metrics);
                    }
                    _ = flush.tick() => metrics.flush(),
                }
            }
        })
    }

    /// Sends the metrics that are still on their way.
    async fn tell_the_rest(&self) {
        let drained = async {
            while !self.metrics.is_drained() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        // Metrics do not hold up the end.
        let _ = tokio::time::timeout(FLUSH_EVERY, drained).await;
        self.metrics.flush();
    }
}

async fn wait(time: Duration, hurry: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = async { hurry.cancelled().await; tokio::time::sleep(IN_A_HURRY).await } => {}
    }
}

/// Where everything is counted, told to StatsD if the settings want it.
///
/// # Errors
/// A StatsD host that is not known.
pub fn metrics(settings: &Settings) -> anyhow::Result<Metrics> {
    let Some(statsd) = &settings.statsd else {
        return Ok(Metrics::default());
    };
    let config = StatsdConfig {
        host: statsd.host.clone(),
        port: statsd.port,
        namespace: statsd.namespace.clone(),
        hostname: settings.general.host_id.clone().unwrap_or_default(),
    };
    let statsd = Statsd::connect(&config).with_context(|| {
        format!(
            "STATSD_HOST={} and STATSD_PORT={} cannot be used",
            statsd.host, statsd.port
        )
    })?;
    Ok(Metrics::with_statsd(statsd))
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
