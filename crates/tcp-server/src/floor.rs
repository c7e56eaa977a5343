//! Who is being served: the sockets of all live clients, so that room can be waited for and a
//! stop can reach them. Nothing of a client stays here once it left.

use std::collections::HashMap;
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::server::Totals;
use crate::stop::StopHandle;

#[derive(Debug)]
pub(crate) struct Floor {
    stop: StopHandle,
    state: Mutex<State>,
    /// Somebody left, or the stop began.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    live: HashMap<u64, Arc<TcpStream>>,
    totals: Totals,
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
    pub(crate) fn enter(&self, stream: &Arc<TcpStream>) -> (u64, usize) {
        let mut state = self.lock();
        state.totals.clients += 1;
        let number = state.totals.clients;
        state.live.insert(number, Arc::clone(stream));
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
        let stream = state.live.remove(&number);
        drop(state);
        drop(stream);
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
        let streams: Vec<_> = self.lock().live.values().cloned().collect();
        for stream in &streams {
            // Fails when the peer is gone already, and then nobody blocks on it.
            let _ = stream.shutdown(how);
        }
        streams.len()
    }

    pub(crate) fn totals(&self) -> Totals {
        self.lock().totals
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
