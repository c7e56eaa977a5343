//! The content of the file in memory: the records, and the number of lines that the file has for them.

use std::collections::BTreeMap;

use crate::line::{Change, Entry};

/// The records by key. Sorted, so that a compacted file reads well. A tree also never pauses to move a million entries,
/// as a growing hash table does.
pub(crate) struct Records<V> {
    entries: BTreeMap<String, Entry<V>>,
    lines: u64,
}

impl<V> Default for Records<V> {
    fn default() -> Self {
        Self {
            entries: BTreeMap::new(),
            lines: 0,
        }
    }
}

impl<V> Records<V> {
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry<V>> {
        self.entries.get(key)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Entry<V>)> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_str(), entry))
    }

    pub(crate) fn apply(&mut self, (key, entry): Change<V>) {
        match entry {
            Some(entry) => self.entries.insert(key, entry),
            None => self.entries.remove(&key),
        };
    }

    /// Records in memory.
    pub(crate) fn live(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Lines of the file, blank ones too.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Lines of the file that are out of date.
    pub(crate) fn dead(&self) -> u64 {
        // Each record has one valid line, so there are never fewer lines than records.
        self.lines - self.live()
    }

    pub(crate) fn add_lines(&mut self, count: u64) {
        self.lines += count;
    }

    /// The file was rewritten: one line a record.
    pub(crate) fn compacted(&mut self) {
        self.lines = self.live();
    }
}
