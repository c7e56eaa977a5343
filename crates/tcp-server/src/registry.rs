//! All live connections: the accept loop waits for room here, and the stop and the idle watch reach every client
//! through it. Nothing of a client stays here once it is deregistered.

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use proto::Network;

use crate::connection::{Connection, Eviction};
use crate::frame_budget::{FrameBudget, MAX_UNFINISHED_BYTES};
use crate::idle_watch::IdleWatch;
use crate::service_log::ServiceLog;
use crate::shares::Shares;
use crate::stop::StopHandle;
use crate::totals::Totals;

#[derive(Debug)]
pub(crate) struct Registry {
    stop: StopHandle,
    state: Mutex<State>,
    /// A connection was deregistered, or the stop began.
    changed: Condvar,
    /// A copy of what `state` says, to be read without its lock.
    oversubscribed: AtomicBool,
    processors: usize,
    frames: Mutex<FrameBudget>,
    pub(crate) log: ServiceLog,
}

#[derive(Debug, Default)]
struct State {
    /// By the connection's number.
    entries: BTreeMap<u64, Entry>,
    shares: Shares,
    totals: Totals,
    /// The number of the connection whose turn it is to have its traffic summed in the log.
    next_summed: u64,
}

#[derive(Debug)]
struct Entry {
    connection: Arc<Connection>,
    watch: IdleWatch,
}

impl Entry {
    /// The connection, if it was idle for `limit` and this is the first poll that sees it.
    fn newly_idle(&mut self, limit: Duration, now: Instant) -> Option<Arc<Connection>> {
        let connection = &self.connection;
        let is_idle = self.watch.has_timed_out(&connection.wait, limit, now);
        (is_idle && connection.eviction().is_none()).then(|| Arc::clone(connection))
    }
}

/// A connection as it was registered.
pub(crate) struct Registered {
    pub(crate) connection: Arc<Connection>,
    /// How many connections are live, with this one.
    pub(crate) connected: usize,
}

impl Registry {
    pub(crate) fn new(stop: StopHandle) -> Self {
        Self {
            stop,
            state: Mutex::default(),
            changed: Condvar::new(),
            oversubscribed: AtomicBool::new(false),
            processors: thread::available_parallelism().map_or(1, NonZero::get),
            frames: Mutex::new(FrameBudget::new(MAX_UNFINISHED_BYTES)),
            log: ServiceLog::new(),
        }
    }

    /// Adds a connection and gives it a number.
    ///
    /// # Errors
    ///
    /// Returns the stream if the client's network has reached its limit of connections, a share of `max_clients`.
    pub(crate) fn register(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        max_clients: usize,
    ) -> Result<Registered, TcpStream> {
        let mut state = self.lock();
        if !state.shares.add(Network::of(peer.ip()), max_clients) {
            return Err(stream);
        }
        state.totals.clients += 1;
        let number = state.totals.clients;
        let connection = Arc::new(Connection::new(stream, peer, number));
        let entry = Entry {
            connection: Arc::clone(&connection),
            watch: IdleWatch::default(),
        };
        state.entries.insert(number, entry);
        self.note_clients(&state);
        Ok(Registered {
            connection,
            connected: state.entries.len(),
        })
    }

    /// Removes a connection and adds its traffic to the totals.
    pub(crate) fn deregister(&self, connection: &Connection) {
        self.hold_frame(connection.number, 0);
        let mut state = self.lock();
        let entry = state.entries.remove(&connection.number);
        self.note_clients(&state);
        state.shares.remove(connection.network());
        state.totals.bytes_received += connection.received.total().bytes;
        state.totals.bytes_sent += connection.sent.total().bytes;
        // The socket is closed after the lock is released, because closing is a system call.
        drop(state);
        drop(entry);
        self.changed.notify_all();
    }

    /// Notes that a connection's unfinished frame holds `bytes` bytes of memory. If all of them hold too much, the
    /// largest is given up with its connection.
    pub(crate) fn hold_frame(&self, number: u64, bytes: usize) {
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let evicted = frames.update(number, bytes);
        drop(frames);
        for number in evicted {
            let entry = |state: &State| Some(Arc::clone(&state.entries.get(&number)?.connection));
            let connection = entry(&self.lock());
            if let Some(connection) = connection {
                connection.evict(Eviction::Memory);
            }
        }
    }

    /// Takes one client out of the totals again, because no thread could be started for it.
    pub(crate) fn cancel(&self) {
        self.lock().totals.clients -= 1;
    }

    pub(crate) fn connected(&self) -> usize {
        self.lock().entries.len()
    }

    /// Whether there are more clients, each with a thread, than processors.
    pub(crate) fn is_oversubscribed(&self) -> bool {
        self.oversubscribed.load(Ordering::Relaxed)
    }

    fn note_clients(&self, state: &State) {
        let oversubscribed = state.entries.len() > self.processors;
        self.oversubscribed.store(oversubscribed, Ordering::Relaxed);
    }

    /// All live connections, the oldest first.
    pub(crate) fn connections(&self) -> Vec<Arc<Connection>> {
        let live = |entry: &Entry| Arc::clone(&entry.connection);
        self.lock().entries.values().map(live).collect()
    }

    pub(crate) fn totals(&self) -> Totals {
        self.lock().totals
    }

    /// Waits while `limit` connections or more are live, unless the stop begins.
    pub(crate) fn wait_below(&self, limit: usize) {
        let full = |state: &mut State| state.entries.len() >= limit && !self.stop.is_stopping();
        drop(self.changed.wait_while(self.lock(), full));
    }

    /// Waits until a connection is deregistered or the stop begins, at most for `time`.
    pub(crate) fn wait_for_change(&self, time: Duration) {
        let state = self.lock();
        if !self.stop.is_stopping() {
            drop(self.changed.wait_timeout(state, time));
        }
    }

    /// Wakes the threads that wait here, because the stop began.
    pub(crate) fn wake(&self) {
        drop(self.lock());
        self.changed.notify_all();
    }

    /// Ends the wait for all clients that were idle for `limit`.
    pub(crate) fn time_out_idle(&self, limit: Duration, now: Instant) {
        let newly_idle = |entry: &mut Entry| entry.newly_idle(limit, now);
        let mut state = self.lock();
        let idle: Vec<_> = state.entries.values_mut().filter_map(newly_idle).collect();
        // Without the lock, because each takes a system call.
        drop(state);
        for connection in idle {
            connection.evict(Eviction::Idle);
        }
    }

    /// Begins a new second of the log's budgets, and logs sums, the connections taking turns.
    pub(crate) fn log_sums(&self) {
        let live = |(_, entry): (&u64, &Entry)| Arc::clone(&entry.connection);
        let state = self.lock();
        let (before, from) = (
            state.entries.range(..state.next_summed),
            state.entries.range(state.next_summed..),
        );
        let connections: Vec<_> = from.chain(before).map(live).collect();
        // Without the lock, because formatting takes time.
        drop(state);
        let had_turn = self.log.begin_second(&connections);
        let next = connections.get(had_turn).map_or(0, |next| next.number);
        self.lock().next_summed = next;
    }

    /// Waits until no connection is live, at most until `deadline`; returns whether that is so.
    pub(crate) fn wait_until_empty(&self, deadline: Instant) -> bool {
        let time = deadline.saturating_duration_since(Instant::now());
        let occupied = |state: &mut State| !state.entries.is_empty();
        let waited = self.changed.wait_timeout_while(self.lock(), time, occupied);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        state.entries.is_empty()
    }

    /// Shuts down every live socket, which wakes the threads that block on them; returns their number.
    pub(crate) fn shut_down(&self, how: Shutdown) -> usize {
        let connections = self.connections();
        for connection in &connections {
            connection.shut_down(how);
        }
        connections.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn one_client_more_than_processors_oversubscribes_them() {
        let registry = Registry::new(StopHandle::new());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let connect = || TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let register = |_| {
            let peer = SocketAddr::from(([127, 0, 0, 1], 1));
            let registered = registry.register(connect(), peer, usize::MAX).unwrap();
            (registered.connection, registry.is_oversubscribed())
        };
        let registered: Vec<_> = (0..=registry.processors).map(register).collect();
        let (last, fitting) = registered.split_last().unwrap();
        assert!(
            last.1
                && fitting
                    .iter()
                    .all(|(_, is_oversubscribed)| !is_oversubscribed)
        );
        registry.deregister(&last.0);
        assert!(!registry.is_oversubscribed());
    }
}
