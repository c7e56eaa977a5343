//! A map that never holds more than so many entries, and lets go of the least of them.

use std::collections::HashMap;

/// Values by key, the least of which makes room for another.
#[derive(Debug)]
pub(crate) struct BoundedTable<V> {
    entries: HashMap<u64, V>,
    capacity: usize,
}

impl<V: Copy + Ord> BoundedTable<V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            capacity,
        }
    }

    pub(crate) fn entry(&self, key: u64) -> Option<V> {
        self.entries.get(&key).copied()
    }

    /// Puts a value in. If that takes room that there is not, entries go: those that are not live,
    /// or else the least, an eighth of all at once, so that looking for them costs each entry little.
    pub(crate) fn set(&mut self, key: u64, value: V, is_live: impl Fn(&V) -> bool) {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            self.entries.retain(|_, value| is_live(value));
            self.keep_greatest(self.capacity - (self.capacity / 8).max(1));
        }
        self.entries.insert(key, value);
    }

    fn keep_greatest(&mut self, count: usize) {
        let Some(surplus @ 1..) = self.entries.len().checked_sub(count) else {
            return;
        };
        // The key tells apart what is equal, so that no more go than have to.
        let order = |(key, value): (&u64, &V)| (*value, *key);
        let mut all: Vec<_> = self.entries.iter().map(order).collect();
        let greatest_to_go = *all.select_nth_unstable(surplus - 1).1;
        self.entries
            .retain(|key, value| (*value, *key) > greatest_to_go);
    }

    /// Changes a value if there is one, and removes it for `None`.
    pub(crate) fn update(&mut self, key: u64, change: impl FnOnce(V) -> Option<V>) {
        if let Some(value) = self.remove(key).and_then(change) {
            self.entries.insert(key, value);
        }
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<V> {
        self.entries.remove(&key)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_dead_go_first_and_then_the_least() {
        let mut table = BoundedTable::new(3);
        for (key, value) in [(1, 5), (2, 1), (3, 7)] {
            table.set(key, value, |_| true);
        }
        table.set(4, 6, |value| *value != 7);
        assert_eq!(
            [1, 2, 3, 4].map(|key| table.entry(key)),
            [Some(5), Some(1), None, Some(6)]
        );
        table.set(5, 2, |_| true);
        assert_eq!(
            [1, 2, 4, 5].map(|key| table.entry(key)),
            [Some(5), None, Some(6), Some(2)]
        );
        table.set(1, 0, |_| true);
        assert_eq!(
            [1, 4, 5].map(|key| table.entry(key)),
            [Some(0), Some(6), Some(2)]
        );
    }

    proptest! {
        #[test]
        fn it_holds_what_a_list_would_hold(
            values in prop::collection::vec(0..1000u32, 0..60), capacity in 1..20usize,
        ) {
            let (mut table, mut list) = (BoundedTable::new(capacity), vec![]);
            for (key, value) in values.into_iter().enumerate() {
                table.set(key as u64, value, |_| true);
                list.sort_unstable();
                if list.len() == capacity {
                    list.drain(..(capacity / 8).max(1));
                }
                list.push(value);
                prop_assert!(table.entries.len() <= capacity);
            }
            let mut held: Vec<_> = table.entries.into_values().collect();
            held.sort_unstable();
            list.sort_unstable();
            prop_assert_eq!(held, list);
        }
    }
}
