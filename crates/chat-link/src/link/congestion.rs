//! The congestion window, which follows delay and not loss: a wireless path loses at random without being full, and
//! a slow path shows its queue as a longer round trip (the idea of TCP Vegas and LEDBAT, RFC 6817).

use std::time::{Duration, Instant};

use crate::wire::MAX_DATAGRAM_BYTES;

/// Two datagrams keep a slow path busy, and wait less than a second at 20 kbit/s.
const MIN_WINDOW: usize = 2 * MAX_DATAGRAM_BYTES;

/// The first flight. At 20 kbit/s it takes two seconds.
const INITIAL_WINDOW: usize = 4 * MAX_DATAGRAM_BYTES;

/// The receiver takes 128 parts.
const MAX_WINDOW: usize = 128 * MAX_DATAGRAM_BYTES;

/// The queue that the window aims at, as a share of the shortest round trip, and at least.
const MIN_TARGET: Duration = Duration::from_millis(20);

/// The shortest round trip is forgotten in one to two such spans, since a path may change.
const BASE_SPAN: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Congestion {
    window: usize,
    in_flight: usize,
    /// Doubles with each round trip until a queue shows.
    is_starting: bool,
    /// The shortest round trips of this span and of the one before.
    base: [Option<Duration>; 2],
    span_ends: Option<Instant>,
    /// The shortest round trip since the window was last adapted, and when that will be.
    shortest: Option<Duration>,
    adapts_at: Option<Instant>,
    /// Whether the window was in the way since then.
    was_full: bool,
}

impl Default for Congestion {
    fn default() -> Self {
        Self {
            window: INITIAL_WINDOW,
            in_flight: 0,
            is_starting: true,
            base: [None; 2],
            span_ends: None,
            shortest: None,
            adapts_at: None,
            was_full: false,
        }
    }
}

impl Congestion {
    /// Whether another datagram may leave. Live messages may use as much as the first flight in any case.
    pub(super) fn has_room(&self, live: bool) -> bool {
        let window = if live {
            self.window.max(INITIAL_WINDOW)
        } else {
            self.window
        };
        self.in_flight < window
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        self.in_flight += bytes;
        self.was_full |= self.in_flight + MAX_DATAGRAM_BYTES > self.window;
    }

    /// A packet was acknowledged or lost.
    pub(super) fn gone(&mut self, bytes: usize) {
        self.in_flight = self.in_flight.saturating_sub(bytes);
    }

    pub(super) fn measured(&mut self, sample: Duration, now: Instant) {
        if self.span_ends.is_none_or(|ends| ends <= now) {
            self.base = [None, self.base[0]];
            self.span_ends = Some(now + BASE_SPAN);
        }
        self.base[0] = Some(self.base[0].map_or(sample, |base| base.min(sample)));
        let shortest = self
            .shortest
            .map_or(sample, |shortest| shortest.min(sample));
        self.shortest = Some(shortest);
        let base = self.base.into_iter().flatten().min().unwrap_or(sample);
        match self.adapts_at {
            Some(at) if at <= now => self.adapt(base, shortest),
            Some(_) => return,
            None => {}
        }
        (self.adapts_at, self.shortest, self.was_full) = (Some(now + sample), None, false);
    }

    /// Once in a round trip.
    fn adapt(&mut self, base: Duration, shortest: Duration) {
        let target = MIN_TARGET.max(base / 8);
        if shortest > base + target {
            self.is_starting = false;
            // What would have kept the queue at its target.
            let share = (base + target).as_secs_f64() / shortest.as_secs_f64();
            self.window = (self.window as f64 * share) as usize;
        } else if self.was_full {
            self.window += if self.is_starting {
                self.window
            } else {
                MAX_DATAGRAM_BYTES
            };
        }
        self.window = self.window.clamp(MIN_WINDOW, MAX_WINDOW);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Fills the window for `rounds` round trips of `sample`, and gives the window.
    fn after(
        congestion: &mut Congestion,
        now: &mut Instant,
        sample: Duration,
        rounds: u32,
    ) -> usize {
        for _ in 0..rounds {
            while congestion.has_room(false) {
                congestion.sent(MAX_DATAGRAM_BYTES);
            }
            *now += sample;
            congestion.measured(sample, *now);
            congestion.gone(congestion.in_flight);
        }
        congestion.window
    }

    #[test]
    fn it_grows_while_no_queue_shows_and_shrinks_when_one_does() {
        let (mut congestion, mut now) = (Congestion::default(), Instant::now());
        assert_eq!(after(&mut congestion, &mut now, ms(40), 20), MAX_WINDOW);
        assert!(after(&mut congestion, &mut now, ms(400), 2) < MAX_WINDOW / 5);
        assert_eq!(after(&mut congestion, &mut now, ms(400), 20), MIN_WINDOW);
        assert!(after(&mut congestion, &mut now, ms(40), 20) > MIN_WINDOW);
    }

    #[test]
    fn loss_alone_does_not_change_it() {
        let (mut congestion, mut now) = (Congestion::default(), Instant::now());
        let window = after(&mut congestion, &mut now, ms(40), 3);
        for _ in 0..100 {
            congestion.sent(MAX_DATAGRAM_BYTES);
            congestion.gone(MAX_DATAGRAM_BYTES);
        }
        assert_eq!(congestion.window, window);
    }

    #[test]
    fn a_window_that_nobody_fills_does_not_grow() {
        let (mut congestion, mut now) = (Congestion::default(), Instant::now());
        for _ in 0..100 {
            now += ms(40);
            assert!(congestion.has_room(false));
            congestion.measured(ms(40), now);
        }
        assert_eq!(congestion.window, INITIAL_WINDOW);
    }
}
