//! Clients that post one report after the other to whichever collector is there.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use super::reports::{Ledger, post, report};
use super::site::Place;
use super::support::wait::wait_for;

const CLIENTS: usize = 4;
/// Between two reports of a client, so that a long run stays light.
const PACE: Duration = Duration::from_millis(15);
/// The same where storage is moto: it takes a few objects a second on a busy machine, and each is read back.
const PACE_ON_MOTO: Duration = Duration::from_millis(100);

/// Running clients. They stop when this is dropped.
pub struct Load {
    state: Arc<State>,
    stops: Vec<Sender<()>>,
    clients: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    ledger: Ledger,
    /// Where the collector listens, while there is one.
    address: RwLock<Option<SocketAddr>>,
    /// Requests under way.
    busy: AtomicUsize,
    /// The number of the next report.
    next: AtomicU64,
}

impl Load {
    /// Starts the clients; `first` is the number of their first report, so that no two loads send the same.
    pub fn start(place: Place, first: u64) -> Self {
        let pace = match place {
            Place::Disk => PACE,
            Place::Moto => PACE_ON_MOTO,
        };
        let state = Arc::new(State {
            next: AtomicU64::new(first),
            ..State::default()
        });
        let (mut stops, mut clients) = (Vec::new(), Vec::new());
        for _ in 0..CLIENTS {
            let (stop, stopped) = channel();
            let state = state.clone();
            stops.push(stop);
            clients.push(std::thread::spawn(move || {
                while stopped.recv_timeout(pace) == Err(RecvTimeoutError::Timeout) {
                    state.post_one();
                }
            }));
        }
        Self {
            state,
            stops,
            clients,
        }
    }

    pub fn ledger(&self) -> &Ledger {
        &self.state.ledger
    }

    /// From now on reports go there.
    pub fn aim(&self, address: SocketAddr) {
        *self.state.address.write().expect("no panic while locked") = Some(address);
    }

    /// From now on nothing is sent; waits until every request under way has ended.
    pub fn pause(&self) {
        *self.state.address.write().expect("no panic while locked") = None;
        wait_for("all requests end", || {
            (self.state.busy.load(Ordering::SeqCst) == 0).then_some(())
        });
    }
}

impl State {
    fn post_one(&self) {
        let aim = self.address.read().expect("no panic while locked");
        let Some(address) = *aim else {
            return;
        };
        self.busy.fetch_add(1, Ordering::SeqCst);
        drop(aim);
        let (request, expected) = report(self.next.fetch_add(1, Ordering::Relaxed));
        self.ledger.enter(post(address, &request), expected);
        self.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stops.clear();
        for client in self.clients.drain(..) {
            let _ = client.join();
        }
    }
}
