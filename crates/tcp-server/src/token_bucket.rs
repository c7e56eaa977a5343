//! A budget that refills with time. Pure: it gets the time.

use std::time::Instant;

/// Lines that may be written, refilled with time.
#[derive(Debug)]
pub(crate) struct TokenBucket {
    tokens: f64,
    at_once: f64,
    per_second: f64,
    refilled: Instant,
}

impl TokenBucket {
    pub(crate) fn full(at_once: f64, per_second: f64, now: Instant) -> Self {
        Self {
            tokens: at_once,
            at_once,
            per_second,
            refilled: now,
        }
    }

    fn refill(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.refilled).as_secs_f64();
        self.tokens = (self.tokens + seconds * self.per_second).min(self.at_once);
        self.refilled = self.refilled.max(now);
    }

    /// Whether a token is there.
    pub(crate) fn has_token(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.tokens >= 1.0
    }

    /// Uses a token, of which [`has_token`](Self::has_token) said that it is there.
    pub(crate) fn take(&mut self) {
        self.tokens -= 1.0;
    }

    pub(crate) fn is_full(&mut self, now: Instant) -> bool {
        self.refill(now);
        self.tokens >= self.at_once
    }
}
