//! When to rewrite the file without the lines that are out of date. Knows neither the file nor a clock.

use std::time::{Duration, Instant};

/// The bounds of a store; tests take others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// Compact when more lines than this, and than there are records, are out of date.
    pub(crate) min_dead_lines: u64,
    /// The shortest time between two compactions that erase old values, and the longest that such a value stays.
    pub(crate) erase_interval: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            // Fewer (about 100 KB) are not worth a rewrite.
            min_dead_lines: 1_000,
            erase_interval: Duration::from_secs(60),
        }
    }
}

/// After failures the pause before the next erasing compaction doubles, up to this.
const MAX_PAUSE: Duration = Duration::from_secs(3_600);

pub(crate) struct Schedule {
    bounds: Bounds,
    /// After a failed compaction: the number of dead lines at which to try again.
    retry_above: u64,
    /// Set while the file contains values that must leave it.
    erase_at: Option<Instant>,
    /// No erasing compaction before this.
    not_before: Option<Instant>,
    pause: Duration,
    /// The file cannot be replaced at all.
    is_disabled: bool,
}

impl Schedule {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            retry_above: 0,
            erase_at: None,
            not_before: None,
            pause: bounds.erase_interval,
            is_disabled: false,
        }
    }

    /// Values that must leave the file are in it now.
    pub(crate) fn request_erasure(&mut self, now: Instant) {
        if !self.is_disabled {
            let at = self.not_before.map_or(now, |earliest| earliest.max(now));
            self.erase_at.get_or_insert(at);
        }
    }

    /// When to look again, also if no change comes.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.erase_at
    }

    pub(crate) fn is_due(&self, now: Instant, dead: u64, live: u64) -> bool {
        let limit = live.max(self.bounds.min_dead_lines).max(self.retry_above);
        !self.is_disabled && (dead > limit || self.erase_at.is_some_and(|at| at <= now))
    }

    /// Whether a compaction must come before the store closes.
    pub(crate) fn must_erase(&self) -> bool {
        self.erase_at.is_some()
    }

    pub(crate) fn on_success(&mut self, now: Instant) {
        self.retry_above = 0;
        self.erase_at = None;
        self.pause = self.bounds.erase_interval;
        self.not_before = Some(now + self.pause);
    }

    /// Tries again when half as many lines again are dead, or after a pause.
    pub(crate) fn on_failure(&mut self, now: Instant, dead: u64) {
        self.retry_above = dead + dead / 2;
        let at = now + self.pause;
        self.not_before = Some(at);
        self.erase_at = self.erase_at.map(|_| at);
        self.pause = (self.pause * 2).min(MAX_PAUSE);
    }

    /// Compacts no more.
    pub(crate) fn disable(&mut self) {
        self.is_disabled = true;
        self.erase_at = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn the_first_erasure_comes_at_once_and_the_next_within_a_minute() {
        let (mut schedule, start) = (Schedule::new(Bounds::default()), Instant::now());
        assert_eq!(schedule.deadline(), None);
        schedule.request_erasure(start);
        assert!(schedule.is_due(start, 1, 1));
        schedule.on_success(start);
        assert!(!schedule.is_due(start, 1, 1) && !schedule.must_erase());

        schedule.request_erasure(start + SECOND);
        schedule.request_erasure(start + 30 * SECOND);
        assert_eq!(schedule.deadline(), Some(start + 60 * SECOND));
        assert!(!schedule.is_due(start + 59 * SECOND, 1, 1) && schedule.must_erase());
        assert!(schedule.is_due(start + 60 * SECOND, 1, 1));
        schedule.on_success(start + 60 * SECOND);
        schedule.request_erasure(start + 500 * SECOND);
        assert!(schedule.is_due(start + 500 * SECOND, 1, 1));
    }

    #[test]
    fn failures_make_the_pauses_longer() {
        let (mut schedule, mut now) = (Schedule::new(Bounds::default()), Instant::now());
        schedule.request_erasure(now);
        let pauses: Vec<u64> = (0..8)
            .map(|_| {
                schedule.on_failure(now, 1);
                let at = schedule.deadline().unwrap();
                let pause = at - now;
                now = at;
                pause.as_secs()
            })
            .collect();
        assert_eq!(pauses, [60, 120, 240, 480, 960, 1920, 3600, 3600]);
        schedule.on_success(now);
        schedule.request_erasure(now);
        assert_eq!(schedule.deadline(), Some(now + 60 * SECOND));
    }

    #[test]
    fn dead_lines_are_counted_against_records_and_failures() {
        let (mut schedule, now) = (Schedule::new(Bounds::default()), Instant::now());
        assert!(!schedule.is_due(now, 1_000, 5) && schedule.is_due(now, 1_001, 5));
        assert!(!schedule.is_due(now, 2_000, 2_000) && schedule.is_due(now, 2_001, 2_000));
        schedule.on_failure(now, 1_001);
        assert!(!schedule.is_due(now, 1_501, 5) && schedule.is_due(now, 1_502, 5));
        schedule.request_erasure(now);
        schedule.disable();
        schedule.request_erasure(now);
        assert!(!schedule.is_due(now, 9_999, 5) && !schedule.must_erase());
    }
}
