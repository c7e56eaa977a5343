//! Idle detection that costs a message neither a clock read nor a kernel timer.
//!
//! Each connection has a counter: odd while the server waits for the client, even otherwise. The connection's thread
//! makes it odd before a read, and even once a whole message has come or a write made progress. A watchdog thread
//! polls all counters. A counter that keeps the same odd value for the idle time-out belongs to an idle client, whose
//! socket is then shut down. A read time-out of the socket would not do: any byte restarts it, and the kernel arms a
//! timer for every read.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Counts when the server begins and stops waiting for one client: odd while it waits.
#[derive(Debug, Default)]
pub(crate) struct WaitCounter(AtomicU64);

impl WaitCounter {
    /// The server waits for the client from now on, if it did not already.
    pub(crate) fn begin(&self) {
        self.next_if(|count| count.is_multiple_of(2));
    }

    /// The client did its part. Time that passes now is the server's own.
    pub(crate) fn end(&self) {
        self.next_if(|count| count % 2 == 1);
    }

    /// Only one thread counts, so this needs no atomic addition; and the counter guards nothing else.
    fn next_if(&self, condition: fn(u64) -> bool) {
        let count = self.0.load(Ordering::Relaxed);
        if condition(count) {
            self.0.store(count + 1, Ordering::Relaxed);
        }
    }
}

/// The watchdog's view of one counter.
#[derive(Debug, Default)]
pub(crate) struct IdleWatch {
    count: u64,
    /// When a poll first saw this count.
    since: Option<Instant>,
}

impl IdleWatch {
    /// Polls the counter: whether the wait has lasted for `limit`. Never true too early; late by two polls at most.
    pub(crate) fn has_timed_out(
        &mut self,
        counter: &WaitCounter,
        limit: Duration,
        now: Instant,
    ) -> bool {
        let count = counter.0.load(Ordering::Relaxed);
        if count.is_multiple_of(2) {
            return false;
        }
        match self.since {
            Some(since) if count == self.count => now.duration_since(since) >= limit,
            _ => {
                (self.count, self.since) = (count, Some(now));
                false
            }
        }
    }
}

/// The time between two polls: a twentieth of the limit, and a second at most.
pub(crate) fn poll_interval(limit: Duration) -> Duration {
    (limit / 20).clamp(Duration::from_millis(1), Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(1000);

    #[derive(Clone, Debug)]
    enum Step {
        Begin,
        End,
        Poll,
    }

    proptest! {
        /// The same decisions as those of a model that notes the time of every step, at most two polls late.
        #[test]
        fn a_client_times_out_after_its_time_and_at_most_two_polls_later(
            steps in prop::collection::vec(
                (0..60u64, prop_oneof![1 => Just(Step::Begin), 1 => Just(Step::End), 40 => Just(Step::Poll)]),
                0..400,
            ),
        ) {
            let (counter, mut watch) = (WaitCounter::default(), IdleWatch::default());
            let (mut now, mut waiting_since) = (Instant::now(), None);
            let (mut longest_pause, mut last_poll) = (Duration::ZERO, now);
            for (millis, step) in steps {
                now += Duration::from_millis(millis);
                match step {
                    Step::Begin => {
                        counter.begin();
                        waiting_since.get_or_insert(now);
                    }
                    Step::End => {
                        counter.end();
                        waiting_since = None;
                    }
                    Step::Poll => {
                        longest_pause = longest_pause.max(now - last_poll);
                        last_poll = now;
                        let over = watch.has_timed_out(&counter, LIMIT, now);
                        let waited = waiting_since.map_or(Duration::ZERO, |since| now - since);
                        prop_assert!(!over || waited >= LIMIT, "over after {waited:?}");
                        prop_assert!(over || waited < LIMIT + longest_pause, "not over after {waited:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn time_that_the_server_takes_does_not_count() {
        let (counter, mut watch) = (WaitCounter::default(), IdleWatch::default());
        let start = Instant::now();
        counter.begin();
        assert!(!watch.has_timed_out(&counter, LIMIT, start));
        counter.end();
        assert!(!watch.has_timed_out(&counter, LIMIT, start + 9 * LIMIT));
        counter.begin();
        assert!(!watch.has_timed_out(&counter, LIMIT, start + 10 * LIMIT));
        assert!(!watch.has_timed_out(
            &counter,
            LIMIT,
            start + 11 * LIMIT - Duration::from_millis(1)
        ));
        assert!(watch.has_timed_out(&counter, LIMIT, start + 11 * LIMIT));
    }

    #[test]
    fn polls_are_a_twentieth_of_the_limit_apart_within_bounds() {
        for (limit, expected) in [(300_000, 1000), (1000, 50), (0, 1)] {
            let limit = Duration::from_millis(limit);
            assert_eq!(poll_interval(limit), Duration::from_millis(expected));
        }
    }
}
