//! Lines at level debug about single messages. A client can cause any number of them, so they have a budget.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::{Level, debug, log_enabled};
use proto::TokenBucket;

/// A busy server still shows what is said, and its log grows by at most 100 KiB a second from these lines.
const LINES_AT_ONCE: u32 = 1000;
const LINE_INTERVAL: Duration = Duration::from_millis(5);

static BUDGET: Mutex<Option<Budget>> = Mutex::new(None);

/// Logs a line about one message of a client at level debug, within a budget: 1,000 lines at once, then 200 a second.
/// The next line counts those that were left out.
pub fn debug_line(line: fmt::Arguments<'_>) {
    if !log_enabled!(Level::Debug) {
        return;
    }
    let now = Instant::now();
    let mut budget = BUDGET.lock().unwrap_or_else(PoisonError::into_inner);
    let left_out = budget.get_or_insert_with(Budget::new).take(now);
    drop(budget);
    match left_out {
        None => {}
        Some(0) => debug!("{line}"),
        Some(count) => debug!("{line} (lines left out before this one: {count})"),
    }
}

struct Budget {
    lines: TokenBucket,
    left_out: u64,
}

impl Budget {
    fn new() -> Self {
        Self {
            lines: TokenBucket::new(LINE_INTERVAL, LINES_AT_ONCE),
            left_out: 0,
        }
    }

    /// If there is room for a line, how many were left out before it.
    fn take(&mut self, now: Instant) -> Option<u64> {
        if self.lines.take(now).is_ok() {
            return Some(std::mem::take(&mut self.left_out));
        }
        self.left_out += 1;
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_line_is_counted_in_the_next() {
        let start = Instant::now();
        let mut budget = Budget::new();
        let logged = |budget: &mut Budget, now| {
            (0..5000)
                .filter_map(|_| budget.take(now))
                .collect::<Vec<_>>()
        };
        assert_eq!(logged(&mut budget, start), [0; 1000]);
        let next = logged(&mut budget, start + Duration::from_secs(1));
        assert_eq!((next.len(), next[0], next[1]), (200, 4000, 0));
        let later = logged(&mut budget, start + Duration::from_secs(60));
        assert_eq!((later.len(), later[0]), (1000, 4800));
    }
}
