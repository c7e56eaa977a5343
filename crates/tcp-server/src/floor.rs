//! Who is being served: the connections of all live clients, so that room can be waited for, and that a stop and the end of
//! the idle time can reach them. Nothing of a client stays here once it left.

use std::collections::HashMap;
use std::net::Shutdown;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::connection::Connection;
use crate::server::Totals;
use crate::stop::StopHandle;
use crate::turns::Watch;

#[derive(Debug)]
pub(crate) struct Floor {
    stop: StopHandle,
    state: Mutex<State>,
    /// Somebody left, or the stop began.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    live: HashMap<u64, Guest>,
    totals: Totals,
}

#[derive(Debug)]
struct Guest {
    connection: Arc<Connection>,
    watch: Watch,
}

impl Guest {
    /// The connection, if its time is over and nobody noticed yet.
    fn out_of_time(&mut self, limit: Duration, now: Instant) -> Option<Arc<Connection>> {
        let over = self.watch.is_over(&self.connection.turns, limit, now);
        (over && !self.connection.is_out_of_time()).then(|| Arc::clone(&self.connection))
    }
}

impl Floor {
    pub(crate) fn new(stop: StopHandle) -> Self {
        Self {
            stop,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Lets a client in: its number, counted from 1, and how many are served with it.
    pub(crate) fn enter(&self, connection: &Arc<Connection>) -> (u64, usize) {
        let mut state = self.lock();
        state.totals.clients += 1;
        let number = state.totals.clients;
        let guest = Guest {
            connection: Arc::clone(connection),
            watch: Watch::default(),
        };
        state.live.insert(number, guest);
        (number, state.live.len())
    }

    /// One who was let in, and is out again, was not served after all.
    pub(crate) fn turn_away(&self) {
        self.lock().totals.clients -= 1;
    }

    /// Sees a client out, with the bytes that came from it and went to it.
    pub(crate) fn leave(&self, number: u64, bytes_received: u64, bytes_sent: u64) {
        let mut state = self.lock();
        state.totals.bytes_received += bytes_received;
        state.totals.bytes_sent += bytes_sent;
        // Closed only after the lock is released: closing is a system call.
        let guest = state.live.remove(&number);
        drop(state);
        drop(guest);
        self.changed.notify_all();
    }

    /// Waits while `limit` clients or more are served, unless the stop begins.
    pub(crate) fn wait_below(&self, limit: usize) {
        let full = |state: &mut State| state.live.len() >= limit && !self.stop.is_stopping();
        drop(self.changed.wait_while(self.lock(), full));
    }

    pub(crate) fn connected(&self) -> usize {
        self.lock().live.len()
    }

    /// Waits until somebody leaves or the stop begins, at most for `time`.
    pub(crate) fn wait_for_change(&self, time: Duration) {
        let state = self.lock();
        if !self.stop.is_stopping() {
            drop(self.changed.wait_timeout(state, time));
        }
    }

    /// Wakes those who wait here, since the stop began.
    pub(crate) fn wake(&self) {
        drop(self.lock());
        self.changed.notify_all();
    }

    /// Ends the wait for all who let the server wait for `limit` or longer.
    pub(crate) fn end_idle(&self, limit: Duration, now: Instant) {
        let out_of_time = |guest: &mut Guest| guest.out_of_time(limit, now);
        let mut state = self.lock();
        let idle: Vec<_> = state.live.values_mut().filter_map(out_of_time).collect();
        // Without the lock, since it takes a system call each.
        drop(state);
        idle.iter().for_each(|connection| connection.end_wait());
    }

    /// Waits until everybody left, at most until `deadline`; says whether they did.
    pub(crate) fn wait_until_empty(&self, deadline: Instant) -> bool {
        let time = deadline.saturating_duration_since(Instant::now());
        let occupied = |state: &mut State| !state.live.is_empty();
        let waited = self.changed.wait_timeout_while(self.lock(), time, occupied);
        waited
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .live
            .is_empty()
    }

    /// Shuts down every live socket, which wakes the threads that block on them.
    pub(crate) fn shut_down(&self, how: Shutdown) -> usize {
        let live = |guest: &Guest| Arc::clone(&guest.connection);
        let connections: Vec<_> = self.lock().live.values().map(live).collect();
        for connection in &connections {
            connection.shut_down(how);
        }
        connections.len()
    }

    pub(crate) fn totals(&self) -> Totals {
        self.lock().totals
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
