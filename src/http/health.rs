//! Whether a report could be kept now. Asked by probes, so answers are remembered for a few seconds.

use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, join_all};
use tokio::sync::Mutex;

/// Probes of several load balancers come together; storage need not be asked for each.
const REMEMBERED_FOR: Duration = Duration::from_secs(3);
/// Longer than this no probe waits.
const LONGEST_CHECK: Duration = Duration::from_secs(5);

/// Something that keeps reports from being kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name of the check that failed.
    pub name: &'static str,
    pub message: String,
}

/// Asks one part of the outside world; the error is for an operator.
pub type Check = Box<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The checks that tell whether a report could be kept.
pub struct Health {
    checks: Vec<(&'static str, Check)>,
    last: Mutex<Option<(Instant, Vec<Problem>)>>,
}

impl Health {
    pub fn new(checks: Vec<(&'static str, Check)>) -> Self {
        Self {
            checks,
            last: Mutex::new(None),
        }
    }

    /// What is wrong; nothing if all is well. Callers that come together share one check.
    pub async fn check(&self) -> Vec<Problem> {
        let mut last = self.last.lock().await;
        if let Some((when, problems)) = &*last
            && when.elapsed() < REMEMBERED_FOR
        {
            return problems.clone();
        }
        let problems = self.problems().await;
        *last = Some((Instant::now(), problems.clone()));
        problems
    }

    async fn problems(&self) -> Vec<Problem> {
        let checks = self
            .checks
            .iter()
            .map(|(name, check)| problem(name, check()));
        join_all(checks).await.into_iter().flatten().collect()
    }
}

async fn problem(
    name: &'static str,
    check: BoxFuture<'static, Result<(), String>>,
) -> Option<Problem> {
    let message = match tokio::time::timeout(LONGEST_CHECK, check).await {
        Ok(Ok(())) => return None,
        Ok(Err(message)) => message,
        Err(_) => format!("no answer within {} seconds", LONGEST_CHECK.as_secs()),
    };
    Some(Problem { name, message })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn failing(asked: &Arc<AtomicUsize>) -> Vec<(&'static str, Check)> {
        let asked = asked.clone();
        let check: Check = Box::new(move || {
            asked.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { Err("away".to_owned()) })
        });
        vec![("storage", check)]
    }

    #[tokio::test]
    async fn answers_are_remembered() {
        let asked = Arc::new(AtomicUsize::new(0));
        let health = Health::new(failing(&asked));
        let problems = [Problem {
            name: "storage",
            message: "away".to_owned(),
        }];
        assert_eq!(health.check().await, problems);
        assert_eq!(health.check().await, problems);
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}
