//! How long the accept loop waits after a failure, and when it logs a warning. Pure: the caller waits, logs, and gives
//! the time.

use std::time::{Duration, Instant};

/// The delay after the first failure. Each further one doubles it.
const FIRST_DELAY: Duration = Duration::from_millis(10);
const MAX_DELAY: Duration = Duration::from_secs(1);

/// At the limit of descriptors a server fails and recovers with every client that leaves. One warning in this time is
/// enough.
const WARNING_INTERVAL: Duration = Duration::from_secs(10);

/// The delays during a shortage, and when the shortage began.
#[derive(Debug, Default)]
pub(crate) struct AcceptBackoff {
    since: Option<Instant>,
    delay: Duration,
    warning: WarningInterval,
    /// Whether the caller logged this shortage.
    is_logged: bool,
}

impl AcceptBackoff {
    /// Registers one more failure: the delay after it, and whether to log a warning about it.
    pub(crate) fn next_delay(&mut self, now: Instant) -> (Duration, bool) {
        if self.since.is_none() {
            self.since = Some(now);
            self.delay = FIRST_DELAY;
        } else {
            self.delay = (2 * self.delay).min(MAX_DELAY);
        }
        let log_it = !self.is_logged && self.warning.is_due(now);
        self.is_logged |= log_it;
        (self.delay, log_it)
    }

    /// Ends the shortage after a success. Returns how long it lasted, if it was logged.
    pub(crate) fn reset(&mut self, now: Instant) -> Option<Duration> {
        let since = self.since.take()?;
        std::mem::take(&mut self.is_logged).then(|| now.duration_since(since))
    }
}

/// Keeps warnings of one kind ten seconds apart.
#[derive(Debug, Default)]
pub(crate) struct WarningInterval(Option<Instant>);

impl WarningInterval {
    /// Whether the warning may be logged `now`. If so, the caller logs it.
    pub(crate) fn is_due(&mut self, now: Instant) -> bool {
        let is_due = |last: Instant| now.duration_since(last) >= WARNING_INTERVAL;
        let due = self.0.is_none_or(is_due);
        if due {
            self.0 = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest_and_start_over_after_a_success() {
        let (mut backoff, start) = (AcceptBackoff::default(), Instant::now());
        let delays: Vec<_> = (0..9)
            .map(|_| backoff.next_delay(start).0.as_millis())
            .collect();
        assert_eq!(delays, [10, 20, 40, 80, 160, 320, 640, 1000, 1000]);
        let lasted = backoff.reset(start + Duration::from_secs(5));
        assert_eq!(lasted, Some(Duration::from_secs(5)));
        assert_eq!(backoff.reset(start), None);
        assert_eq!(backoff.next_delay(start).0, FIRST_DELAY);
    }

    #[test]
    fn a_shortage_is_logged_once_and_its_end_too() {
        let (mut backoff, start) = (AcceptBackoff::default(), Instant::now());
        let logged = (0..1000).filter(|_| backoff.next_delay(start).1).count();
        assert_eq!(logged, 1);
        assert!(backoff.reset(start).is_some());
    }

    #[test]
    fn shortages_that_come_and_go_are_logged_every_ten_seconds() {
        let (mut backoff, start) = (AcceptBackoff::default(), Instant::now());
        let mut lines = 0;
        for millis in (0..30_000).step_by(10) {
            let now = start + Duration::from_millis(millis);
            lines += usize::from(backoff.next_delay(now).1);
            lines += usize::from(backoff.reset(now).is_some());
        }
        assert_eq!(lines, 2 * 3);
    }

    #[test]
    fn a_lasting_shortage_is_logged_although_another_was_just_over() {
        let (mut backoff, start) = (AcceptBackoff::default(), Instant::now());
        backoff.next_delay(start);
        backoff.reset(start);
        let logged: Vec<_> = (1..=20)
            .filter(|&second| backoff.next_delay(start + Duration::from_secs(second)).1)
            .collect();
        assert_eq!(logged, [10]);
    }
}
