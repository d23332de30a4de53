//! Events for Sentry: every ERROR of ours becomes one, a panic included, because the log's panic hook makes an ERROR of it.
//!
//! ERROR means that a report was lost or that somebody must act, so there is no second list of what is worth an alert,
//! which could disagree with the log. What libraries say stays in the log: its words are not ours, and may hold anything.
//!
//! Nothing here waits, except for [`Sentry::flush`], which has an end.

mod event;
mod limiter;
mod request;
mod sender;
#[cfg(test)]
mod tests;
mod transport;

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::sentry::integrations::backtrace::ProcessStacktraceIntegration;
use ::sentry::types::Dsn;
use ::sentry::{Client, ClientOptions, TransportFactory};
use backtrace::Backtrace;
use tracing::Subscriber;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, Registry};

use crate::settings::{GeneralSettings, Secret};
use event::Said;
use limiter::Limiter;
use request::Request;
pub use request::span_of;
use sender::{QUEUE_EVENTS, Sender};

/// How long the end of the process may wait for what is not sent yet. Orchestrators kill what takes long to end, and a
/// Sentry that answers at all takes far less.
const FLUSH_WITHIN: Duration = Duration::from_secs(2);

/// Host and project of a DSN, without the key: fit for people.
pub fn destination(dsn: &Secret) -> String {
    let Ok(dsn) = dsn.expose().parse::<Dsn>() else {
        return "nowhere: the DSN is not valid".to_owned();
    };
    format!(
        "{}:{}, project {}",
        dsn.host(),
        dsn.port(),
        dsn.project_id()
    )
}

/// Reporting while the process lasts.
#[derive(Clone)]
pub struct Sentry {
    sender: Sender,
}

impl Sentry {
    /// Starts the threads that send; none without a DSN. Nothing is sent before there is an event, and an unreachable
    /// Sentry is no error. `release` is `version:commit`.
    pub fn start(settings: &GeneralSettings, release: String) -> Option<Self> {
        Self::with_transport(settings, release, transport::Https)
    }

    /// The crate's `init` is not used: it reads settings of its own from the environment, among them one that switches
    /// the check of certificates off, and panics over a DSN.
    fn with_transport(
        settings: &GeneralSettings,
        release: String,
        transport: impl TransportFactory + 'static,
    ) -> Option<Self> {
        let dsn = settings.sentry_dsn.as_ref()?;
        let mut options = ClientOptions::new()
            .release(release)
            .server_name(settings.host_name())
            .default_integrations(false)
            .add_integration(ProcessStacktraceIntegration)
            .in_app_include(["antenna"])
            .max_breadcrumbs(0)
            .send_default_pii(false)
            .transport_channel_capacity(QUEUE_EVENTS)
            .transport(transport);
        options.dsn = dsn.expose().parse().ok();
        // Unset leaves it to Sentry, which says `production`.
        options.environment = settings.sentry_environment.clone().map(Into::into);
        Some(Self {
            sender: Sender::start(Client::with_options(options)),
        })
    }

    /// What listens to the log's events, with a filter of its own: a quiet log still reports.
    pub fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let ours = Targets::new().with_target("antenna", LevelFilter::ERROR);
        let reporter = Reporter {
            sender: self.sender.clone(),
            limiter: Mutex::new(Limiter::default()),
        };
        reporter.with_filter(ours).boxed()
    }

    /// Waits until what was reported is sent, two seconds at most. True if it is.
    pub fn flush(&self) -> bool {
        self.sender.flush(FLUSH_WITHIN)
    }
}

/// Makes events of what is said at ERROR.
struct Reporter {
    sender: Sender,
    limiter: Mutex<Limiter>,
}

impl Reporter {
    fn report(&self, said: Said, request: Option<&Request>) {
        // After a panic the rest of its request only says what follows from it.
        if request.is_some_and(|request| request.has_panicked(said.is_panic)) {
            return;
        }
        let kind = said.kind();
        let admitted = self
            .limiter
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .admit(&kind, Instant::now());
        if let Some(suppressed) = admitted {
            let frames = said.is_panic.then(Backtrace::new_unresolved);
            let event = said.into_event(kind, suppressed, request);
            self.sender.send(event, frames);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Reporter {
    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let said = Said::of(event);
        let mut spans = context.event_scope(event).into_iter().flatten();
        match spans.find(|span| span.extensions().get::<Request>().is_some()) {
            Some(span) => self.report(said, span.extensions().get::<Request>()),
            None => self.report(said, None),
        }
    }
}
