//! A rate limit that allows bursts. It knows no clock: callers pass the time.

use std::time::{Duration, Instant};

/// Allows one event an interval on the average, and a burst after a rest.
///
/// It is a bucket of tokens in its shortest form (virtual scheduling, ITU-T I.371): all that it remembers is when it
/// will be full again.
#[derive(Debug, Clone)]
pub struct TokenBucket {
    interval: Duration,
    burst: u32,
    full_at: Option<Instant>,
}

impl TokenBucket {
    /// A full bucket of `burst` tokens, which gets a new one each `interval`.
    #[must_use]
    pub fn new(interval: Duration, burst: u32) -> Self {
        Self {
            interval,
            burst,
            full_at: None,
        }
    }

    /// Takes a token.
    ///
    /// # Errors
    ///
    /// If there is none: when there will be one.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let full_at = self.full_at.unwrap_or(now).max(now) + self.interval;
        let capacity = self.interval * self.burst;
        if full_at > now + capacity {
            return Err(full_at - capacity);
        }
        self.full_at = Some(full_at);
        Ok(())
    }

    /// Whether [`take`](Self::take) would succeed.
    #[must_use]
    pub fn has_token(&self, now: Instant) -> bool {
        self.clone().take(now).is_ok()
    }

    /// Whether no token is missing.
    #[must_use]
    pub fn is_full(&self, now: Instant) -> bool {
        self.full_at.is_none_or(|full_at| full_at <= now)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TENTH: Duration = Duration::from_millis(100);

    #[test]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(TENTH, 3);
        assert!((0..3).all(|_| bucket.take(start).is_ok()));
        assert_eq!(bucket.take(start), Err(start + TENTH));
        assert_eq!(bucket.take(start + TENTH), Ok(()));
        assert_eq!(bucket.take(start + TENTH), Err(start + 2 * TENTH));
        let rested = start + 10 * TENTH;
        assert!((0..3).all(|_| bucket.take(rested).is_ok()));
        assert!(bucket.take(rested).is_err());
    }

    #[test]
    fn waiting_for_each_token_keeps_the_rate() {
        let start = Instant::now();
        let mut bucket = TokenBucket::new(TENTH, 5);
        let mut now = start;
        for _ in 0..105 {
            while let Err(at) = bucket.take(now) {
                assert!(at > now);
                now = at;
            }
        }
        assert_eq!(now - start, 100 * TENTH);
    }

    proptest! {
        #[test]
        fn no_span_of_time_gets_more_than_a_burst_and_the_rate(
            waits in prop::collection::vec(0..250u64, 1..100),
        ) {
            let mut now = Instant::now();
            let mut bucket = TokenBucket::new(TENTH, 4);
            let mut taken: Vec<Instant> = vec![];
            for wait in waits {
                now += Duration::from_millis(wait);
                let has_token = bucket.has_token(now);
                prop_assert_eq!(bucket.take(now).is_ok(), has_token);
                if has_token {
                    taken.push(now);
                }
                prop_assert!(!bucket.is_full(now));
                prop_assert!(bucket.is_full(now + 4 * TENTH));
            }
            for (at, first) in taken.iter().enumerate() {
                for (events, last) in (1u32..).zip(&taken[at..]) {
                    prop_assert!(TENTH * events.saturating_sub(4) <= *last - *first);
                }
            }
        }
    }
}
