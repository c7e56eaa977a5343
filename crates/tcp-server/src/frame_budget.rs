//! The memory that the unfinished frames of all clients may hold together. Pure: it decides whose frame gives way.

use std::collections::HashMap;

/// Enough for 256 of the longest echo messages. A single client gets it all if the others need nothing.
pub(crate) const MAX_UNFINISHED_BYTES: usize = 256 << 20;

/// What each connection holds, by its number.
#[derive(Debug)]
pub(crate) struct FrameBudget {
    limit: usize,
    total: usize,
    held: HashMap<u64, usize>,
}

impl FrameBudget {
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            limit,
            total: 0,
            held: HashMap::new(),
        }
    }

    /// Registers that a connection now holds `bytes`; 0 when it holds none or ends. Returns the connections that must
    /// give up what they hold, the largest first; they no longer count.
    pub(crate) fn update(&mut self, number: u64, bytes: usize) -> Vec<u64> {
        let before = match bytes {
            0 => self.held.remove(&number),
            _ => self.held.insert(number, bytes),
        };
        self.total = self.total - before.unwrap_or(0) + bytes;
        let mut evicted = Vec::new();
        while self.total > self.limit {
            let Some((&largest, &bytes)) = self.held.iter().max_by_key(|&(_, bytes)| bytes) else {
                break;
            };
            self.held.remove(&largest);
            self.total -= bytes;
            evicted.push(largest);
        }
        evicted
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_largest_gives_way() {
        let mut budget = FrameBudget::new(100);
        assert!(budget.update(1, 50).is_empty());
        assert!(budget.update(2, 30).is_empty());
        assert!(budget.update(3, 20).is_empty());
        assert_eq!(budget.update(3, 21), [1]);
        assert_eq!(budget.update(4, 101), [4]);
        assert_eq!(budget.total, 51);
        assert!(budget.update(2, 0).is_empty());
        assert_eq!(budget.total, 21);
    }

    proptest! {
        #[test]
        fn the_total_is_what_is_held_and_within_the_limit(
            steps in prop::collection::vec((0..20u64, 0..60usize), 0..200),
        ) {
            let mut budget = FrameBudget::new(200);
            for (number, bytes) in steps {
                let largest = budget.held.values().copied().max().unwrap_or(0).max(bytes);
                let evicted = budget.update(number, bytes);
                prop_assert!(evicted.len() <= 1 || largest > 0);
                prop_assert!(evicted.iter().all(|number| !budget.held.contains_key(number)));
                prop_assert_eq!(budget.total, budget.held.values().sum::<usize>());
                prop_assert!(budget.total <= 200);
            }
        }
    }
}
