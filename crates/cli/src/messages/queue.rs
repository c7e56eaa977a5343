//! Finished log lines on their way from many threads to one writer. It knows nothing of where they are written.
//!
//! Nobody waits for the disk: a line is copied into a buffer, and the writer swaps the whole buffer for an empty one. The first
//! line of a batch wakes the writer, which then gathers more for a moment; a quiet log wakes nobody.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What may wait while the disk stalls; past it lines are dropped and counted.
const LIMIT_BYTES: usize = 8 << 20;
/// How long a batch is gathered: half of the 100 ms within which a line must stand in the file.
const GATHER: Duration = Duration::from_millis(50);
/// A batch this large is written without gathering further, so that a healthy disk stays far from the limit.
const BATCH_BYTES: usize = 1 << 20;

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
    hurry: bool,
    writing: bool,
    closing: bool,
    ended: bool,
}

impl Queue {
    /// Hands over one line with its newline. An urgent one, and whatever waits before it, is written at once.
    pub(super) fn push(&self, line: &[u8], urgent: bool) {
        let mut state = self.lock();
        if state.closing {
            return;
        }
        if state.waiting.len() + line.len() > LIMIT_BYTES {
            state.dropped += 1;
            return;
        }
        let was_empty = state.waiting.is_empty();
        state.waiting.extend_from_slice(line);
        let hurry = !state.hurry && (urgent || state.waiting.len() >= BATCH_BYTES);
        state.hurry |= hurry;
        drop(state);
        if was_empty || hurry {
            self.work.notify_one();
        }
    }

    /// Waits for lines and swaps them into `batch`, which must be empty. Gives the number of lines dropped after them,
    /// or `None` once the queue is closed and drained.
    pub(super) fn take(&self, batch: &mut Vec<u8>) -> Option<u64> {
        let idle = |state: &mut State| state.waiting.is_empty() && !state.closing;
        let calm = |state: &mut State| !state.hurry && !state.closing;
        let mut state = self.lock();
        state.writing = false;
        self.written.notify_all();
        let state = self.work.wait_while(state, idle);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let state = self.work.wait_timeout_while(state, GATHER, calm);
        let (mut state, _) = state.unwrap_or_else(PoisonError::into_inner);
        if state.waiting.is_empty() {
            return None;
        }
        std::mem::swap(&mut state.waiting, batch);
        state.writing = true;
        state.hurry = false;
        Some(std::mem::take(&mut state.dropped))
    }

    /// Accepts no more lines; the writer is to write what waits at once.
    pub(super) fn close(&self) {
        self.lock().closing = true;
        self.work.notify_one();
    }

    /// The writer's word that it has ended.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.written.notify_all();
    }

    /// Waits at most `timeout` until nothing waits any more, or the writer of a closed queue has ended; whether it came so.
    pub(super) fn drain(&self, timeout: Duration) -> bool {
        let pending = |state: &mut State| match state.closing {
            true => !state.ended,
            false => state.writing || !state.waiting.is_empty(),
        };
        let mut state = self.lock();
        state.hurry = true;
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
                        queue.push(
                            format!("{pusher} {number}\n").as_bytes(),
                            number % 1000 == 0,
                        );
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
    fn past_the_limit_lines_are_counted_not_kept() {
        let queue = Queue::default();
        let line = [b'x'; 1 << 10];
        for _ in 0..(LIMIT_BYTES >> 10) + 5 {
            queue.push(&line, false);
        }
        let mut batch = Vec::new();
        assert_eq!(queue.take(&mut batch), Some(5));
        assert_eq!(batch.len(), LIMIT_BYTES);
        batch.clear();
        queue.push(b"again\n", true);
        assert_eq!(queue.take(&mut batch), Some(0));
        assert_eq!(batch, b"again\n");
    }

    #[test]
    fn calm_lines_are_gathered_and_urgent_ones_are_not() {
        let queue = Queue::default();
        let mut batch = Vec::new();
        let start = Instant::now();
        queue.push(b"calm\n", false);
        queue.take(&mut batch);
        assert!(start.elapsed() >= GATHER);

        batch.clear();
        // Enough tries that a busy machine cannot delay each of them.
        let at_once = (0..50).any(|_| {
            let start = Instant::now();
            queue.push(b"urgent\n", true);
            queue.take(&mut batch);
            batch.clear();
            start.elapsed() < GATHER / 2
        });
        assert!(at_once);
    }

    #[test]
    fn a_closed_queue_gives_what_waits_and_takes_no_more() {
        let queue = Queue::default();
        queue.push(b"last\n", false);
        queue.close();
        queue.push(b"too late\n", true);
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
