//! A map with a fixed capacity that evicts its least entries, and remembers what changed since it was last saved.

use std::collections::{HashMap, HashSet};

/// Values by key. A new entry evicts the least ones when the table is full.
#[derive(Debug)]
pub(crate) struct BoundedTable<V> {
    entries: HashMap<u64, V>,
    capacity: usize,
    /// Keys whose entries were set or removed since [`take_changes`](Self::take_changes).
    changed: HashSet<u64>,
}

/// A key and its value now; `None` once the entry is gone.
pub(crate) type Change<V> = (u64, Option<V>);

impl<V: Copy + Ord> BoundedTable<V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            entries: HashMap::new(),
            capacity,
            changed: HashSet::new(),
        }
    }

    pub(crate) fn entry(&self, key: u64) -> Option<V> {
        self.entries.get(&key).copied()
    }

    /// Sets a value. A full table first drops the entries that are not live, and if that is not enough the least ones,
    /// an eighth of the capacity at once, so that the scan costs each new entry little.
    pub(crate) fn set(&mut self, key: u64, value: V, is_live: impl Fn(&V) -> bool) {
        if self.entries.len() >= self.capacity && !self.entries.contains_key(&key) {
            self.retain(|_, value| is_live(value));
            self.keep_greatest(self.capacity - (self.capacity / 8).max(1));
        }
        self.entries.insert(key, value);
        self.changed.insert(key);
    }

    fn keep_greatest(&mut self, count: usize) {
        let Some(surplus @ 1..) = self.entries.len().checked_sub(count) else {
            return;
        };
        // The key breaks ties, so that no more entries go than must.
        let order = |(key, value): (&u64, &V)| (*value, *key);
        let mut all: Vec<_> = self.entries.iter().map(order).collect();
        let last_evicted = *all.select_nth_unstable(surplus - 1).1;
        self.retain(|key, value| (*value, *key) > last_evicted);
    }

    /// Removes the entries for which `keep` returns false.
    pub(crate) fn retain(&mut self, keep: impl Fn(&u64, &V) -> bool) {
        let changed = &mut self.changed;
        self.entries.retain(|key, value| {
            let stays = keep(key, value);
            if !stays {
                changed.insert(*key);
            }
            stays
        });
    }

    /// Changes a value if there is one; `None` removes it.
    pub(crate) fn update(&mut self, key: u64, change: impl FnOnce(V) -> Option<V>) {
        if let Some(value) = self.remove(key).and_then(change) {
            self.entries.insert(key, value);
        }
    }

    pub(crate) fn remove(&mut self, key: u64) -> Option<V> {
        let removed = self.entries.remove(&key);
        if removed.is_some() {
            self.changed.insert(key);
        }
        removed
    }

    /// Returns what changed since the last call.
    pub(crate) fn take_changes(&mut self) -> Vec<Change<V>> {
        let changed = std::mem::take(&mut self.changed).into_iter();
        changed.map(|key| (key, self.entry(key))).collect()
    }

    /// Marks a key as changed again, because it could not be saved. Keys without an entry are not marked, so that the
    /// marks stay bounded while a disk is full; the cost is a stale line in the file.
    pub(crate) fn mark_unsaved(&mut self, key: u64) {
        if self.entries.contains_key(&key) {
            self.changed.insert(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn dead_entries_go_first_and_then_the_least() {
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

    #[test]
    fn changes_are_reported_once() {
        let mut table = BoundedTable::new(2);
        for key in [1, 2, 3] {
            table.set(key, key, |_| true);
        }
        let mut changes = table.take_changes();
        changes.sort_unstable();
        assert_eq!(changes, [(1, None), (2, Some(2)), (3, Some(3))]);
        assert_eq!(table.take_changes(), []);
        table.remove(2);
        table.remove(7);
        assert_eq!(table.take_changes(), [(2, None)]);
        table.mark_unsaved(2);
        table.mark_unsaved(3);
        assert_eq!(table.take_changes(), [(3, Some(3))]);
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
