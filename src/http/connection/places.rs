//! Places for connections, and which connection gives way when none is left: of those without a request under way the one
//! that has waited longest. So clients that hold places and send nothing keep no other client
//! out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

/// One connection's place; free again when dropped.
pub type Place = OwnedSemaphorePermit;

/// All places of a listener.
pub struct Places {
    free: Arc<Semaphore>,
    waiting: Mutex<WaitingConnections>,
    one_waits: Notify,
}

#[derive(Default)]
struct WaitingConnections {
    next: u64,
    /// Those that have waited longest come first.
    by_age: BTreeMap<u64, Arc<Notify>>,
}

impl Places {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self {
            free: Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))),
            waiting: Mutex::default(),
            one_waits: Notify::new(),
        })
    }

    /// A place; another connection gives way for it if it must.
    pub async fn take(&self) -> Place {
        loop {
            let mut one_waits = std::pin::pin!(self.one_waits.notified());
            one_waits.as_mut().enable();
            if let Ok(place) = self.free.clone().try_acquire_owned() {
                return place;
            }
            self.evict_one();
            tokio::select! {
                place = self.free.clone().acquire_owned() => return place.expect("never closed"),
                () = one_waits => {}
            }
        }
    }

    fn evict_one(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, evicted)) = waiting.by_age.pop_first() {
            evicted.notify_one();
        }
    }

    /// From now on this connection waits for a request.
    pub fn wait(self: &Arc<Self>) -> Waiting {
        let evicted = Arc::new(Notify::new());
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let number = waiting.next;
        waiting.next += 1;
        waiting.by_age.insert(number, evicted.clone());
        drop(waiting);
        self.one_waits.notify_waiters();
        Waiting {
            places: self.clone(),
            number,
            evicted,
        }
    }
}

/// A connection without a request under way, until dropped.
pub struct Waiting {
    places: Arc<Places>,
    number: u64,
    evicted: Arc<Notify>,
}

impl Waiting {
    /// Ends when the connection has to make room for another one.
    pub async fn evicted(&self) {
        self.evicted.notified().await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut waiting = self
            .places
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        waiting.by_age.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_has_waited_longest_gives_way() {
        let places = Places::new(2);
        let held = [places.take().await, places.take().await];
        let (older, younger) = (places.wait(), places.wait());
        let leaves = async {
            older.evicted().await;
            drop(held);
        };
        let (_place, ()) = tokio::join!(places.take(), leaves);
        let stays = younger.evicted();
        assert!(futures_util::FutureExt::now_or_never(stays).is_none());
    }

    #[tokio::test]
    async fn one_that_begins_to_wait_while_another_wants_in_gives_way_at_once() {
        let places = Places::new(1);
        let held = places.take().await;
        let leaves = async {
            tokio::task::yield_now().await;
            places.wait().evicted().await;
            drop(held);
        };
        let _ = tokio::join!(places.take(), leaves);
    }
}
