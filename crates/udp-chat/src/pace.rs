//! How many messages in which time: a rate with bursts.

use std::time::{Duration, Instant};

/// Allows one message an interval on the average, and so many at once after a rest.
///
/// It is the bucket of tokens in its shortest form (ITU-T I.371's virtual scheduling): one
/// moment is remembered, at which all that was taken will be paid for.
#[derive(Debug, Clone)]
pub struct Pace {
    interval: Duration,
    burst: u32,
    paid_at: Option<Instant>,
}

impl Pace {
    /// One message an `interval`, up to `burst` at once.
    #[must_use]
    pub fn new(interval: Duration, burst: u32) -> Self {
        Self {
            interval,
            burst,
            paid_at: None,
        }
    }

    /// Counts a message, if it may go now.
    ///
    /// # Errors
    ///
    /// When it may go; it is not counted.
    pub fn take(&mut self, now: Instant) -> Result<(), Instant> {
        let paid_at = self.paid_at.unwrap_or(now).max(now) + self.interval;
        let credit = self.interval * self.burst;
        if paid_at > now + credit {
            return Err(paid_at - credit);
        }
        self.paid_at = Some(paid_at);
        Ok(())
    }
}

impl Pace {
    /// Whether nothing that was taken is still to be paid for.
    #[must_use]
    pub fn is_rested(&self, now: Instant) -> bool {
        self.paid_at.is_none_or(|paid_at| paid_at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TENTH: Duration = Duration::from_millis(100);

    #[test]
    fn a_burst_then_the_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(TENTH, 3);
        assert!((0..3).all(|_| pace.take(start).is_ok()));
        assert_eq!(pace.take(start), Err(start + TENTH));
        assert_eq!(pace.take(start + TENTH), Ok(()));
        assert_eq!(pace.take(start + TENTH), Err(start + 2 * TENTH));
        let rested = start + 10 * TENTH;
        assert!((0..3).all(|_| pace.take(rested).is_ok()));
        assert!(pace.take(rested).is_err());
    }

    #[test]
    fn who_waits_as_told_keeps_the_rate() {
        let start = Instant::now();
        let mut pace = Pace::new(TENTH, 5);
        let mut now = start;
        for _ in 0..105 {
            while let Err(at) = pace.take(now) {
                assert!(at > now);
                now = at;
            }
        }
        assert_eq!(now - start, 100 * TENTH);
    }
}
