//! Round-trip times in a fixed amount of memory: exact to one part in 64, however many there are.

use std::time::Duration;

/// Buckets in each doubling of the time. The width of a bucket is at most 1/64 of its times.
const STEPS: usize = 64;
const STEP_BITS: u32 = STEPS.trailing_zeros();

/// How often each time was measured.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    buckets: Vec<u64>,
    count: u64,
    longest: Duration,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![0; bucket(u64::MAX) + 1],
            count: 0,
            longest: Duration::ZERO,
        }
    }

    pub(crate) fn record(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanoseconds)] += 1;
        self.count += 1;
        self.longest = self.longest.max(time);
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.buckets
            .iter_mut()
            .zip(&other.buckets)
            .for_each(|(here, there)| *here += there);
        self.count += other.count;
        self.longest = self.longest.max(other.longest);
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn longest(&self) -> Duration {
        self.longest
    }

    /// The quantile for this share (0 to 1) of all times; zero without times.
    pub(crate) fn quantile(&self, share: f64) -> Duration {
        let wanted = (share * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return Duration::from_nanos(upper_end(index)).min(self.longest);
            }
        }
        self.longest
    }
}

/// Below [`STEPS`] a bucket each; above, the leading bits select the bucket.
fn bucket(value: u64) -> usize {
    if value < STEPS as u64 {
        return value as usize;
    }
    let doubling = value.ilog2() - STEP_BITS;
    (doubling as usize) * STEPS + (value >> doubling) as usize
}

/// The largest value that its bucket counts.
fn upper_end(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let doubling = bucket / STEPS - 1;
    let leading = (bucket % STEPS + STEPS) as u64;
    (leading << doubling) | ((1 << doubling) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_bucket_is_at_most_a_64th_wide(value in any::<u64>(), shift in 0..64u32) {
            let value = value >> shift;
            let end = upper_end(bucket(value));
            prop_assert!(end >= value && end - value <= value / STEPS as u64, "{value} to {end}");
        }

        #[test]
        fn quantiles_are_those_of_the_sorted_times(
            mut times in prop::collection::vec(0..10_000_000u64, 1..300),
            share in 0.0..=1.0f64,
        ) {
            let mut histogram = Histogram::new();
            times.iter().for_each(|time| histogram.record(Duration::from_nanos(*time)));
            times.sort_unstable();
            let rank = ((share * times.len() as f64).ceil() as usize).max(1);
            let (exact, reported) = (times[rank - 1], histogram.quantile(share).as_nanos() as u64);
            prop_assert!(reported >= exact && reported - exact <= exact / STEPS as u64, "{reported} for {exact}");
        }
    }

    #[test]
    fn it_adds_up() {
        let (mut one, mut two) = (Histogram::new(), Histogram::new());
        one.record(Duration::from_micros(5));
        two.record(Duration::from_micros(900));
        one.add(&two);
        assert_eq!(
            (one.count(), one.longest()),
            (2, Duration::from_micros(900))
        );
        assert_eq!(one.quantile(1.0), Duration::from_micros(900));
        assert_eq!(Histogram::new().quantile(0.5), Duration::ZERO);
    }
}
