//! Finished log lines on their way from many threads to one writer. This module does not know where they are written.
//!
//! No caller waits for the disk: a line is copied into a buffer, and the writer swaps the whole buffer for an empty
//! one. The first line of a batch wakes the writer, which then gathers more for a moment; a quiet log wakes nothing.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What may wait while the disk stalls. Past it, lines are dropped and counted.
const LIMIT_BYTES: usize = 8 << 20;
/// The part of the limit that lines about traffic leave to all others, so that they are dropped first.
const RESERVED_BYTES: usize = 2 << 20;
/// How long a batch is gathered: half of the 100 ms within which a line must be in the file.
const GATHER_TIME: Duration = Duration::from_millis(50);
/// A batch this large is written without gathering further, so that a healthy disk stays far from the limit.
const BATCH_BYTES: usize = 1 << 20;

/// How much a line matters when there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Priority {
    /// About received and sent bytes.
    Traffic,
    Normal,
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    work: Condvar,
    written: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Vec<u8>,
    dropped: u64,
    flush_now: bool,
    writing: bool,
    closing: bool,
    ended: bool,
}

impl Queue {
    /// Takes one line with its newline.
    pub(super) fn push(&self, line: &[u8], priority: Priority) {
        let mut state = self.lock();
        if state.closing {
            return;
        }
        let limit = match priority {
            Priority::Traffic => LIMIT_BYTES - RESERVED_BYTES,
            Priority::Normal => LIMIT_BYTES,
        };
        if state.waiting.len() + line.len() > limit {
            state.dropped += 1;
            return;
        }
        let was_empty = state.waiting.is_empty();
        state.waiting.extend_from_slice(line);
        let is_large = !state.flush_now && state.waiting.len() >= BATCH_BYTES;
        state.flush_now |= is_large;
        drop(state);
        if was_empty || is_large {
            self.work.notify_one();
        }
    }

    /// Waits for lines and swaps them into `batch`, which must be empty. Returns the number of lines that were dropped
    /// after them, or `None` once the queue is closed and drained.
    pub(super) fn take(&self, batch: &mut Vec<u8>) -> Option<u64> {
        let is_idle = |state: &mut State| state.waiting.is_empty() && !state.closing;
        let can_gather = |state: &mut State| !state.flush_now && !state.closing;
        let mut state = self.lock();
        state.writing = false;
        self.written.notify_all();
        let state = self.work.wait_while(state, is_idle);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let state = self.work.wait_timeout_while(state, GATHER_TIME, can_gather);
        let (mut state, _) = state.unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_empty() {
            return None;
        }
        std::mem::swap(&mut state.waiting, batch);
        state.writing = true;
        state.flush_now = false;
        Some(std::mem::take(&mut state.dropped))
    }

    /// Accepts no more lines. The writer writes what waits at once.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_one();
    }

    /// Called by the writer when it ends.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.written.notify_all();
    }

    /// Waits at most `timeout` until no line waits any more, or the writer of a closed queue has ended; returns
    /// whether it is so.
    pub(super) fn drain(&self, timeout: Duration) -> bool {
        let pending = |state: &mut State| match state.closing {
            true => !state.ended,
            false => state.writing || !state.waiting.is_empty(),
        };
        let mut state = self.lock();
        state.flush_now = true;
        self.work.notify_one();
        let waited = self.written.wait_timeout_while(state, timeout, pending);
        let waited = waited.unwrap_or_else(PoisonError::into_inner).1;
        !waited.timed_out()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::Instant;

    use super::*;

    #[test]
    fn lines_leave_in_order_and_all_of_them_leave() {
        let queue = Arc::new(Queue::default());
        let pushers: Vec<_> = (0..4)
            .map(|pusher| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    for number in 0..10_000 {
                        let line = format!("{pusher} {number}\n");
                        queue.push(line.as_bytes(), Priority::Traffic);
                    }
                })
            })
            .collect();
        let closer = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                pushers
                    .into_iter()
                    .for_each(|pusher| pusher.join().unwrap());
                queue.close();
            }
        });

        let mut all = Vec::new();
        let mut batch = Vec::new();
        while let Some(dropped) = queue.take(&mut batch) {
            assert_eq!(dropped, 0);
            all.append(&mut batch);
        }
        closer.join().unwrap();
        let text = String::from_utf8(all).unwrap();
        let mut next = [0; 4];
        for line in text.lines() {
            let (pusher, number) = line.split_once(' ').unwrap();
            let expected = &mut next[pusher.parse::<usize>().unwrap()];
            assert_eq!(number.parse::<u32>().unwrap(), *expected);
            *expected += 1;
        }
        assert_eq!(next, [10_000; 4]);
    }

    #[test]
    fn past_the_limit_lines_are_counted_not_kept_and_traffic_first() {
        let queue = Queue::default();
        let line = [b'x'; 1 << 10];
        for _ in 0..(LIMIT_BYTES >> 10) + 5 {
            queue.push(&line, Priority::Traffic);
        }
        for _ in 0..(RESERVED_BYTES >> 10) + 3 {
            queue.push(&line, Priority::Normal);
        }
        let mut batch = Vec::new();
        assert_eq!(
            queue.take(&mut batch),
            Some((RESERVED_BYTES as u64 >> 10) + 5 + 3)
        );
        assert_eq!(batch.len(), LIMIT_BYTES);
        batch.clear();
        queue.push(b"again\n", Priority::Traffic);
        assert_eq!(queue.take(&mut batch), Some(0));
        assert_eq!(batch, b"again\n");
    }

    #[test]
    fn lines_are_gathered_for_a_moment() {
        let queue = Queue::default();
        let mut batch = Vec::new();
        let start = Instant::now();
        queue.push(b"one\n", Priority::Normal);
        queue.take(&mut batch);
        assert!(start.elapsed() >= GATHER_TIME);
    }

    #[test]
    fn a_closed_queue_gives_what_waits_and_takes_no_more() {
        let queue = Queue::default();
        queue.push(b"last\n", Priority::Normal);
        queue.close();
        queue.push(b"too late\n", Priority::Normal);
        let mut batch = Vec::new();
        assert_eq!(queue.take(&mut batch), Some(0));
        assert_eq!(batch, b"last\n");
        batch.clear();
        assert_eq!(queue.take(&mut batch), None);
        assert!(!queue.drain(Duration::ZERO));
        queue.end();
        assert!(queue.drain(Duration::ZERO));
    }
}
