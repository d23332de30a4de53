//! What the operator reads: JSON lines in Mozilla's mozlog form in production, text for people elsewhere.
//!
//! Lines are written by a thread of their own, so that a slow terminal or a full pipe never holds up a request.

mod event;
mod human;
mod mozlog;
mod once_in;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::Registry;
use tracing_subscriber::reload;
use tracing_subscriber::util::SubscriberInitExt;

use crate::settings::LogLevel;
pub use event::Event;
pub use mozlog::Mozlog;
pub use once_in::OnceIn;
use writer::{Lines, Writer};

/// Logging while it lasts; dropping it writes what waits.
pub struct Logging {
    writer: Writer,
    level: LevelHandle,
}

impl Logging {
    /// Says how many lines were lost since the start, because the output was too slow.
    pub fn lost_lines(&self) -> impl Fn() -> u64 + Send + Sync + use<> {
        self.writer.lost_lines()
    }

    /// With this the level can be changed.
    pub fn level(&self) -> LevelHandle {
        self.level.clone()
    }
}

/// Somebody who hears events, through a filter of its own.
pub type Also = Box<dyn Layer<Registry> + Send + Sync>;

/// Starts logging to standard output, and has panics logged as errors. To be called once, first of all.
///
/// `also` hears the same events, through a filter of its own. What is returned writes the last lines when it is dropped.
pub fn init(format: Format, level: LogLevel, also: Option<Also>) -> Logging {
    let format = Arc::new(format);
    let lost = {
        let format = format.clone();
        move |lost| format.line(&Event::lost_lines(lost))
    };
    let (lines, writer) = writer::start(std::io::stdout(), lost);
    let (output, level) = at_level(Output { format, lines }, level);
    let layers: Vec<_> = [Some(output), also].into_iter().flatten().collect();
    // Fails only if somebody logs already: then their lines are as good.
    let _ = tracing_subscriber::registry().with(layers).try_init();
    log_panics();
    Logging { writer, level }
}

/// A listener behind the level that the operator chose, and with what it can be changed.
fn at_level(
    listener: impl Layer<Registry> + Send + Sync + 'static,
    level: LogLevel,
) -> (Also, LevelHandle) {
    let (filter, handle) = reload::Layer::new(targets(level));
    let listener = listener.with_filter(filter).boxed();
    let handle = LevelHandle {
        filter: Arc::new(handle),
        level: Arc::new(Mutex::new(level)),
    };
    (listener, handle)
}

/// Ours at the chosen level, everybody else's only if something is wrong.
fn targets(level: LogLevel) -> Targets {
    let level = match level {
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warning => LevelFilter::WARN,
        LogLevel::Error | LogLevel::Critical => LevelFilter::ERROR,
    };
    Targets::new()
        .with_target("antenna", level)
        .with_default(level.min(LevelFilter::WARN))
}

/// Changes the level while the collector runs.
#[derive(Clone)]
pub struct LevelHandle {
    filter: Arc<reload::Handle<Targets, Registry>>,
    level: Arc<Mutex<LogLevel>>,
}

impl LevelHandle {
    pub fn get(&self) -> LogLevel {
        *self.level.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn set(&self, level: LogLevel) {
        // Held until the filter has it too, so that the two agree whoever comes at once.
        let mut current = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        *current = level;
        // Fails only when logging has ended.
        let _ = self.filter.reload(targets(level));
    }
}

/// How lines are written.
pub enum Format {
    /// JSON.
    Mozlog(Mozlog),
    /// Text, on a terminal perhaps in colours.
    Human { has_colours: bool },
}

impl Format {
    fn line(&self, event: &Event) -> String {
        match self {
            Self::Mozlog(mozlog) => mozlog.line(event),
            Self::Human { has_colours } => human::line(event, *has_colours),
        }
    }
}

/// Renders events and hands the lines to the writer.
struct Output {
    format: Arc<Format>,
    lines: Lines,
}

impl<S: tracing::Subscriber> Layer<S> for Output {
    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        self.lines.send(self.format.line(&Event::of(event)));
    }
}

fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic
            .location()
            .map(ToString::to_string)
            .unwrap_or_default();
        let message = panic.payload_as_str();
        match panic.payload().downcast_ref::<&'static str>() {
            Some(message) => tracing::error!(location, "panicked: {message}"),
            // Put together where it happened, perhaps from what a client sent: a field, which stays in the log.
            None => tracing::error!(location, detail = message, "panicked"),
        }
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[test]
    fn ours_are_logged_at_the_level_and_others_only_when_they_warn() {
        let targets = targets(LogLevel::Info);
        let is_logged = |target: &str, level| targets.would_enable(target, &level);
        assert!(is_logged("antenna::http", tracing::Level::INFO));
        assert!(!is_logged("antenna::http", tracing::Level::DEBUG));
        assert!(is_logged("aws_config", tracing::Level::WARN));
        assert!(!is_logged("hyper", tracing::Level::INFO));
    }

    /// Remembers how often it heard something.
    #[derive(Clone, Default)]
    struct Ear(Arc<AtomicUsize>);

    impl Ear {
        fn heard(&self) -> usize {
            self.0.swap(0, Ordering::Relaxed)
        }
    }

    impl<S: tracing::Subscriber> Layer<S> for Ear {
        fn on_event(&self, _event: &tracing::Event<'_>, _context: Context<'_, S>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn the_level_can_be_changed_and_is_no_concern_of_others_who_listen() {
        let (log, other) = (Ear::default(), Ear::default());
        let (filtered, level) = at_level(log.clone(), LogLevel::Error);
        let also = other.clone().with_filter(LevelFilter::WARN).boxed();
        let subscriber = tracing_subscriber::registry().with(vec![filtered, also]);
        tracing::subscriber::with_default(subscriber, || {
            for (level_now, expected) in [
                (LogLevel::Error, 1),
                (LogLevel::Debug, 4),
                (LogLevel::Info, 3),
            ] {
                level.set(level_now);
                assert_eq!(level.get(), level_now);
                tracing::error!("1");
                tracing::warn!("2");
                tracing::info!("3");
                tracing::debug!("4");
                assert_eq!(log.heard(), expected, "{level_now:?}");
                assert_eq!(other.heard(), 2, "{level_now:?}");
            }
        });
    }
}
