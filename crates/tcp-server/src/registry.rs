//! All live connections: the accept loop waits for room here, and the stop and the idle watch reach every client
//! through it. Nothing of a client stays here once it is deregistered.

use std::collections::HashMap;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::connection::Connection;
use crate::idle_watch::IdleWatch;
use crate::stop::StopHandle;
use crate::totals::Totals;

#[derive(Debug)]
pub(crate) struct Registry {
    stop: StopHandle,
    state: Mutex<State>,
    /// A connection was deregistered, or the stop began.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    entries: HashMap<u64, Entry>,
    totals: Totals,
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
        (is_idle && !connection.is_timed_out()).then(|| Arc::clone(connection))
    }
}

/// A connection as it was registered.
pub(crate) struct Registered {
    pub(crate) connection: Arc<Connection>,
    /// Counted from 1.
    pub(crate) number: u64,
    /// How many connections are live, with this one.
    pub(crate) connected: usize,
}

impl Registry {
    pub(crate) fn new(stop: StopHandle) -> Self {
        Self {
            stop,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Adds a connection and gives it a number.
    pub(crate) fn register(&self, stream: TcpStream, peer: SocketAddr) -> Registered {
        let mut state = self.lock();
        state.totals.clients += 1;
        let number = state.totals.clients;
        let connection = Arc::new(Connection::new(stream, peer, number));
        let entry = Entry {
            connection: Arc::clone(&connection),
            watch: IdleWatch::default(),
        };
        state.entries.insert(number, entry);
        Registered {
            connection,
            number,
            connected: state.entries.len(),
        }
    }

    /// Removes a connection and adds its traffic to the totals.
    pub(crate) fn deregister(&self, number: u64) {
        let mut state = self.lock();
        let entry = state.entries.remove(&number);
        if let Some(Entry { connection, .. }) = &entry {
            state.totals.bytes_received += connection.received.bytes();
            state.totals.bytes_sent += connection.sent.bytes();
        }
        // The socket is closed after the lock is released, because closing is a system call.
        drop(state);
        drop(entry);
        self.changed.notify_all();
    }

    /// Takes one client out of the totals again, because no thread could be started for it.
    pub(crate) fn cancel(&self) {
        self.lock().totals.clients -= 1;
    }

    pub(crate) fn connected(&self) -> usize {
        self.lock().entries.len()
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
        idle.iter().for_each(|connection| connection.time_out());
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
        let live = |entry: &Entry| Arc::clone(&entry.connection);
        let connections: Vec<_> = self.lock().entries.values().map(live).collect();
        for connection in &connections {
            connection.shut_down(how);
        }
        connections.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
