//! How long to wait for an acknowledgement: RFC 6298.
//!
//! It is told round-trip times and time-outs, and gives the next time-out. Which acknowledgements
//! measure a round trip (Karn's rule) is its caller's business.

use std::time::Duration;

/// Before the first measurement (RFC 6298, 2.1).
const INITIAL: Duration = Duration::from_secs(1);

/// RFC 6298 asks for 1 s to spare congested paths. Here contact is short-lived and loss is the
/// enemy: on a fast network a lost datagram should be missed soon.
const MIN: Duration = Duration::from_millis(200);

/// RFC 6298 allows 60 s or more, which is when contact counts as lost.
const MAX: Duration = Duration::from_secs(3);

/// The least allowance for variation (RFC 6298's G): the peer may hold an acknowledgement back
/// for 25 ms, and the schedulers of two hosts take their share. Without it a steady path would
/// drive the variation to zero, and each late acknowledgement would cost a resend.
const GRANULARITY: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
pub(super) struct RoundTrip {
    estimate: Option<Estimate>,
    /// How many time-outs passed since the last measurement.
    backed_off: u32,
}

#[derive(Debug)]
struct Estimate {
    smoothed: Duration,
    variation: Duration,
    minimum: Duration,
}

impl RoundTrip {
    /// How long to wait for an acknowledgement now.
    pub(super) fn timeout(&self) -> Duration {
        let base = match &self.estimate {
            None => INITIAL,
            Some(e) => (e.smoothed + GRANULARITY.max(4 * e.variation)).clamp(MIN, MAX),
        };
        // 200 ms doubled four times is past the maximum.
        MAX.min(base * (1 << self.backed_off.min(4)))
    }

    /// Takes a measurement in, which also ends the back-off.
    pub(super) fn measured(&mut self, sample: Duration) {
        self.backed_off = 0;
        self.estimate = Some(match &self.estimate {
            None => Estimate {
                smoothed: sample,
                variation: sample / 2,
                minimum: sample,
            },
            Some(e) => Estimate {
                variation: (3 * e.variation + e.smoothed.abs_diff(sample)) / 4,
                smoothed: (7 * e.smoothed + sample) / 8,
                minimum: e.minimum.min(sample),
            },
        });
    }

    /// A time-out passed: the next one is twice as long (5.5). It stays so until a measurement,
    /// however many resent datagrams are acknowledged: were it shortened by them, a path that
    /// has become slower than the time-out would have every datagram resent for ever.
    pub(super) fn back_off(&mut self) {
        self.backed_off = self.backed_off.saturating_add(1);
    }

    /// The smoothed round-trip time.
    pub(super) fn smoothed(&self) -> Option<Duration> {
        self.estimate.as_ref().map(|e| e.smoothed)
    }

    /// The shortest round trip so far, zero before the first.
    pub(super) fn minimum(&self) -> Duration {
        self.estimate.as_ref().map_or(Duration::ZERO, |e| e.minimum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn after(samples: &[Duration]) -> RoundTrip {
        let mut round_trip = RoundTrip::default();
        samples
            .iter()
            .for_each(|&sample| round_trip.measured(sample));
        round_trip
    }

    #[test]
    fn the_formulas_are_those_of_rfc_6298() {
        assert_eq!(after(&[]).timeout(), ms(1000));
        // First R: smoothed R, variation R/2, so R + 4 R/2.
        assert_eq!(after(&[ms(400)]).timeout(), ms(1200));
        // Then R' = 480: variation 3/4 200 + 1/4 80 = 170, smoothed 7/8 400 + 1/8 480 = 410.
        assert_eq!(after(&[ms(400), ms(480)]).timeout(), ms(1090));
        assert_eq!(after(&[ms(400), ms(480)]).smoothed(), Some(ms(410)));
    }

    #[test]
    fn the_timeout_stays_within_its_bounds() {
        assert_eq!(after(&[ms(1)]).timeout(), MIN);
        assert_eq!(after(&[ms(60_000)]).timeout(), MAX);
        let steady = after(&[ms(300); 100]).timeout();
        assert!((ms(350)..ms(351)).contains(&steady), "{steady:?}");
    }

    #[test]
    fn it_doubles_until_the_next_measurement() {
        let mut round_trip = after(&[ms(10)]);
        let timeouts: Vec<_> = (0..6)
            .map(|_| {
                round_trip.back_off();
                round_trip.timeout()
            })
            .collect();
        assert_eq!(timeouts, [400, 800, 1600, 3000, 3000, 3000].map(ms));
        round_trip.measured(ms(10));
        assert_eq!(round_trip.timeout(), MIN);
    }
}
