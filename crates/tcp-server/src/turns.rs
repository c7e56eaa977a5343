//! Whose turn it is in a dialogue, and how long the client has made the server wait. A client's thread only counts; somebody
//! else looks at all clients now and then, so that a message costs no look at the clock, and the kernel no timer.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The turns of one dialogue, counted by the client's thread: odd ones are the client's, even ones the server's.
#[derive(Debug, Default)]
pub(crate) struct Turns(AtomicU64);

impl Turns {
    /// The server waits for the client from now on, unless it did already.
    pub(crate) fn wait_for_client(&self) {
        self.next_if(|turn| turn.is_multiple_of(2));
    }

    /// The client did its part: what time passes now is not its own.
    pub(crate) fn end_of_wait(&self) {
        self.next_if(|turn| turn % 2 == 1);
    }

    /// Only one thread counts, so that no atomic addition is needed; and the count guards nothing else.
    fn next_if(&self, condition: fn(u64) -> bool) {
        let turn = self.0.load(Ordering::Relaxed);
        if condition(turn) {
            self.0.store(turn + 1, Ordering::Relaxed);
        }
    }
}

/// What is known of a dialogue's time from looking at its turns now and then.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    turn: u64,
    /// When the turn was first seen.
    since: Option<Instant>,
}

impl Watch {
    /// Whether the client's turn has lasted for `limit`: never too early, and late by two looks at most.
    pub(crate) fn is_over(&mut self, turns: &Turns, limit: Duration, now: Instant) -> bool {
        let turn = turns.0.load(Ordering::Relaxed);
        if turn.is_multiple_of(2) {
            return false;
        }
        match self.since {
            Some(since) if turn == self.turn => now.duration_since(since) >= limit,
            _ => {
                (self.turn, self.since) = (turn, Some(now));
                false
            }
        }
    }
}

/// How long to wait between two looks: a twentieth of the limit, and a second at most.
pub(crate) fn interval(limit: Duration) -> Duration {
    (limit / 20).clamp(Duration::from_millis(1), Duration::from_secs(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMIT: Duration = Duration::from_millis(1000);

    #[derive(Clone, Debug)]
    enum Step {
        Wait,
        EndOfWait,
        Look,
    }

    proptest! {
        /// The same decisions as those of somebody who notes the moment of every turn, two looks late at most.
        #[test]
        fn a_client_is_given_its_time_and_two_looks_more(
            steps in prop::collection::vec(
                (0..60u64, prop_oneof![1 => Just(Step::Wait), 1 => Just(Step::EndOfWait), 40 => Just(Step::Look)]),
                0..400,
            ),
        ) {
            let (turns, mut watch) = (Turns::default(), Watch::default());
            let (mut now, mut waiting_since) = (Instant::now(), None);
            let (mut longest_pause, mut last_look) = (Duration::ZERO, now);
            for (millis, step) in steps {
                now += Duration::from_millis(millis);
                match step {
                    Step::Wait => {
                        turns.wait_for_client();
                        waiting_since.get_or_insert(now);
                    }
                    Step::EndOfWait => {
                        turns.end_of_wait();
                        waiting_since = None;
                    }
                    Step::Look => {
                        longest_pause = longest_pause.max(now - last_look);
                        last_look = now;
                        let over = watch.is_over(&turns, LIMIT, now);
                        let waited = waiting_since.map_or(Duration::ZERO, |since| now - since);
                        prop_assert!(!over || waited >= LIMIT, "over after {waited:?}");
                        prop_assert!(over || waited < LIMIT + longest_pause, "not over after {waited:?}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_servers_time_is_not_the_clients() {
        let (turns, mut watch) = (Turns::default(), Watch::default());
        let start = Instant::now();
        turns.wait_for_client();
        assert!(!watch.is_over(&turns, LIMIT, start));
        turns.end_of_wait();
        assert!(!watch.is_over(&turns, LIMIT, start + 9 * LIMIT));
        turns.wait_for_client();
        assert!(!watch.is_over(&turns, LIMIT, start + 10 * LIMIT));
        assert!(!watch.is_over(&turns, LIMIT, start + 11 * LIMIT - Duration::from_millis(1)));
        assert!(watch.is_over(&turns, LIMIT, start + 11 * LIMIT));
    }

    #[test]
    fn looks_are_frequent_enough_to_be_exact_and_rare_enough_to_cost_nothing() {
        for (limit, expected) in [(300_000, 1000), (1000, 50), (0, 1)] {
            let limit = Duration::from_millis(limit);
            assert_eq!(interval(limit), Duration::from_millis(expected));
        }
    }
}
