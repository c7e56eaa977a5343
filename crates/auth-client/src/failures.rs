//! How long a server makes one wait after wrong passwords.

use std::time::Duration;

/// The server's waits (PROTOCOL.md): so many seconds while the failures in a row are below a number.
const WAIT_SECONDS: [(u32, u64); 4] = [(3, 1), (9, 3), (25, 5), (100, 10)];

/// The wait after the last step.
const LONGEST_WAIT_SECONDS: u64 = 15 * 60;

/// Wrong passwords in a row for one user. The server may know of earlier ones; then it names the longer wait when the
/// next attempt comes too early.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    /// By the caseless key; `None` for the session's own user.
    user: Option<String>,
    in_a_row: u32,
}

impl Failures {
    /// Counts a wrong password, and returns how long the server refuses the next attempt.
    pub(crate) fn add(&mut self, user: Option<String>) -> Duration {
        if self.user != user {
            *self = Self { user, in_a_row: 0 };
        }
        self.in_a_row += 1;
        let step = WAIT_SECONDS
            .iter()
            .find(|(below, _)| self.in_a_row < *below);
        Duration::from_secs(step.map_or(LONGEST_WAIT_SECONDS, |(_, seconds)| *seconds))
    }

    /// The right password ends the row.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_with_the_failures_of_one_user() {
        let mut failures = Failures::default();
        let mut add = |user: &str| failures.add(Some(user.into())).as_secs();
        let waits: Vec<_> = (0..101).map(|_| add("anna")).collect();
        assert_eq!(waits[..4], [1, 1, 3, 3]);
        assert_eq!((waits[7], waits[8], waits[24]), (3, 5, 10));
        assert_eq!((waits[98], waits[99]), (10, 900));
        assert_eq!(add("bo"), 1);
        failures.clear();
        assert_eq!(failures.add(None).as_secs(), 1);
    }
}
