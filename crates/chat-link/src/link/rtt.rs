//! The round-trip time, and the probe time-out that follows from it (RFC 9002, sections 5 and 6.2).

use std::time::Duration;

use super::ack::MAX_ACK_DELAY;

/// The probe time-out before the first measurement.
const INITIAL_TIMEOUT: Duration = Duration::from_secs(1);

/// No probe waits longer, however often it was repeated. A peer that comes back is heard within a second.
pub(super) const MAX_PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// What is added to the round trip at least: the peer's delay of acknowledgements, and a few milliseconds for both
/// machines' schedulers.
const CALM_MARGIN: Duration = Duration::from_millis(30);

/// The same under loss, where the peer acknowledges after 2 ms.
const LOSSY_MARGIN: Duration = Duration::from_millis(12);

#[derive(Debug, Default)]
pub(super) struct RoundTrip {
    estimate: Option<Estimate>,
}

#[derive(Debug)]
struct Estimate {
    latest: Duration,
    smoothed: Duration,
    variation: Duration,
    minimum: Duration,
}

impl RoundTrip {
    /// Takes a measurement. `ack_delay` is how long the peer reports to have kept the acknowledgement.
    pub(super) fn measured(&mut self, sample: Duration, ack_delay: Duration) {
        let Some(estimate) = &mut self.estimate else {
            self.estimate = Some(Estimate {
                latest: sample,
                smoothed: sample,
                variation: sample / 2,
                minimum: sample,
            });
            return;
        };
        estimate.minimum = estimate.minimum.min(sample);
        let ack_delay = ack_delay.min(MAX_ACK_DELAY);
        // The delay is not believed if it makes a round trip shorter than any before (RFC 9002, section 5.3).
        let adjusted = if sample >= estimate.minimum + ack_delay {
            sample - ack_delay
        } else {
            sample
        };
        estimate.variation = (3 * estimate.variation + estimate.smoothed.abs_diff(adjusted)) / 4;
        estimate.smoothed = (7 * estimate.smoothed + adjusted) / 8;
        estimate.latest = adjusted;
    }

    /// How long to wait for an acknowledgement before the `tries`-th repetition (0 for the first).
    pub(super) fn probe_interval(&self, tries: u32, lossy: bool) -> Duration {
        let Some(estimate) = &self.estimate else {
            return INITIAL_TIMEOUT;
        };
        let margin = if lossy { LOSSY_MARGIN } else { CALM_MARGIN };
        let base = estimate.smoothed + margin.max(4 * estimate.variation);
        // 1.5 to the power of `tries`; a round trip of 1 ms is past the limit long before 32 tries.
        let backed_off =
            base.saturating_mul(3_u32.saturating_pow(tries.min(16))) / 2_u32.pow(tries.min(16));
        backed_off.min(MAX_PROBE_INTERVAL.max(estimate.smoothed * 2))
    }

    /// How long after its sending a packet is lost if a later one was acknowledged (RFC 9002, section 6.1.2).
    pub(super) fn loss_delay(&self) -> Duration {
        self.estimate.as_ref().map_or(INITIAL_TIMEOUT, |estimate| {
            (estimate.smoothed.max(estimate.latest) * 9 / 8).max(Duration::from_millis(1))
        })
    }

    /// The smoothed round-trip time.
    pub(super) fn smoothed(&self) -> Option<Duration> {
        self.estimate.as_ref().map(|estimate| estimate.smoothed)
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
            .for_each(|&sample| round_trip.measured(sample, Duration::ZERO));
        round_trip
    }

    #[test]
    fn the_formulas_are_those_of_rfc_9002() {
        assert_eq!(after(&[]).probe_interval(0, false), INITIAL_TIMEOUT);
        // First 400: smoothed 400, variation 200. Then 480: variation 3/4 200 + 1/4 80, smoothed 7/8 400 + 1/8 480.
        let round_trip = after(&[ms(400), ms(480)]);
        assert_eq!(round_trip.smoothed(), Some(ms(410)));
        assert_eq!(
            round_trip.probe_interval(0, false),
            MAX_PROBE_INTERVAL.min(ms(410 + 4 * 170))
        );
        assert_eq!(round_trip.loss_delay(), ms(540));
    }

    #[test]
    fn a_reported_delay_is_subtracted_where_it_can_be_true() {
        let mut round_trip = after(&[ms(40); 50]);
        round_trip.measured(ms(65), ms(25));
        assert_eq!(round_trip.smoothed(), Some(ms(40)));
        round_trip.measured(ms(48), ms(25));
        assert!(
            round_trip.smoothed() > Some(ms(40)),
            "15 ms were never possible"
        );
    }

    #[test]
    fn the_interval_grows_up_to_a_second() {
        let round_trip = after(&[ms(20); 50]);
        assert_eq!(round_trip.probe_interval(0, false), ms(20) + CALM_MARGIN);
        assert_eq!(
            round_trip.probe_interval(1, false),
            (ms(20) + CALM_MARGIN) * 3 / 2
        );
        assert_eq!(round_trip.probe_interval(40, false), MAX_PROBE_INTERVAL);
    }

    #[test]
    fn the_probe_interval_exceeds_a_round_trip_of_3_seconds() {
        let round_trip = after(&[ms(3_000); 50]);
        assert!(round_trip.probe_interval(0, false) > ms(3_000));
    }
}
