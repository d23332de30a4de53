//! Events as they leave the client, without a network: what becomes one, how many, and what the end waits for.

use std::sync::{Arc, Condvar};

use ::sentry::protocol::{EnvelopeItem, Event};
use ::sentry::{Envelope, Transport};
use tracing::Instrument;
use tracing_subscriber::layer::SubscriberExt;

use super::*;
use crate::settings::Settings;

/// Never waited for, unless something is broken.
const PATIENCE: Duration = Duration::from_secs(60);

/// Keeps what it is given.
#[derive(Default)]
struct Kept(Mutex<Vec<Event<'static>>>);

impl Transport for Kept {
    fn send_envelope(&self, envelope: Envelope) {
        let mut events = self.0.lock().unwrap();
        events.extend(envelope.items().filter_map(|item| match item {
            EnvelopeItem::Event(event) => Some(Event::clone(event)),
            _ => None,
        }));
    }
}

fn settings() -> GeneralSettings {
    let given = [
        (
            "SECRET_SENTRY_DSN",
            "https://hunter2@sentry.example.com:9000/7",
        ),
        ("HOST_ID", "collector-1"),
        ("SENTRY_ENVIRONMENT", "stage"),
    ];
    let given = given.map(|(name, value)| (name.into(), value.into()));
    Settings::load(given, None).unwrap().0.general
}

/// The events that come of what is said in there.
fn events(say: impl FnOnce()) -> Vec<Event<'static>> {
    let kept = Arc::new(Kept::default());
    let sentry =
        Sentry::with_transport(&settings(), "v1:5cc6f517".to_owned(), kept.clone()).unwrap();
    let subscriber = tracing_subscriber::registry().with(vec![sentry.layer()]);
    tracing::subscriber::with_default(subscriber, say);
    assert!(sentry.sender.flush(PATIENCE));
    let events = kept.0.lock().unwrap();
    events.clone()
}

#[test]
fn the_destination_is_shown_without_the_key() {
    let dsn = settings().sentry_dsn.unwrap();
    assert_eq!(destination(&dsn), "sentry.example.com:9000, project 7");
}

#[test]
fn an_error_of_ours_is_an_event_and_nothing_else_is() {
    let events = events(|| {
        tracing::warn!("only odd");
        tracing::error!(target: "hyper", "somebody else's");
        let id = "95cb0486-acbb-46ae-8d2e-727da0261123";
        tracing::error!(
            crash_id = id,
            error = "disk full",
            attempts = 3,
            "{id} dropped"
        );
    });
    assert_eq!(events.len(), 1, "{events:?}");
    let event = &events[0];
    assert_eq!(event.release.as_deref(), Some("v1:5cc6f517"));
    assert_eq!(event.server_name.as_deref(), Some("collector-1"));
    assert_eq!(event.environment.as_deref(), Some("stage"));
    assert_eq!(event.logger.as_deref(), Some("antenna.sentry.tests"));
    assert_eq!(
        event.message.as_deref(),
        Some("95cb0486-acbb-46ae-8d2e-727da0261123 dropped")
    );
    assert_eq!(
        event.tags["crash_id"],
        "95cb0486-acbb-46ae-8d2e-727da0261123"
    );
    assert_eq!(event.fingerprint[0], "antenna.sentry.tests: # dropped");
    assert_eq!(event.extra["error"], "disk full");
    assert_eq!(event.extra["attempts"], "3");
    assert!(event.request.is_none() && event.user.is_none() && event.breadcrumbs.is_empty());
}

#[test]
fn what_a_request_says_names_the_request_also_from_a_task_of_its_own() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let events = events(|| {
        let serve = async {
            let task = async { tracing::error!("from a task") };
            tokio::spawn(task.in_current_span()).await.unwrap();
            tracing::error!("directly");
        };
        let request = hyper::Request::post("/submit?hunter2").body(()).unwrap();
        runtime.block_on(serve.instrument(span_of(&request)));
        tracing::error!("afterwards");
    });
    let titles: Vec<_> = events.iter().map(|it| it.transaction.as_deref()).collect();
    let title = Some("POST /submit");
    assert_eq!(titles, [title, title, None]);
}

#[test]
fn the_number_held_back_stands_in_the_next_event() {
    let events = events(|| (0..50).for_each(|n| tracing::error!("number {n}")));
    assert_eq!(events.len(), 5);
    assert!(!events[4].extra.contains_key("suppressed_before"));
}

/// Does not come back from `flush` until it is let go, as a client with a full queue does not.
#[derive(Default)]
struct Stuck(Mutex<bool>, Condvar);

impl Transport for Stuck {
    fn send_envelope(&self, _envelope: Envelope) {}

    fn flush(&self, _timeout: Duration) -> bool {
        let mut is_free = self.0.lock().unwrap();
        while !*is_free {
            is_free = self.1.wait(is_free).unwrap();
        }
        true
    }
}

struct Factory(Arc<Stuck>);

impl TransportFactory for Factory {
    fn create_transport_with_options(
        &self,
        _options: ::sentry::TransportOptions,
    ) -> Arc<dyn Transport> {
        self.0.clone()
    }
}

#[test]
fn the_end_does_not_wait_for_a_stuck_client() {
    let stuck = Arc::new(Stuck::default());
    let factory = Factory(stuck.clone());
    let sentry = Sentry::with_transport(&settings(), "v1".to_owned(), factory).unwrap();
    assert!(!sentry.sender.flush(Duration::from_millis(20)));
    *stuck.0.lock().unwrap() = true;
    stuck.1.notify_all();
    assert!(sentry.sender.flush(PATIENCE));
}
