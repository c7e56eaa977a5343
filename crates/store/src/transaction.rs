//! A transaction: what a caller reads and changes in its turn. Knows neither locks nor files.

use std::collections::BTreeMap;

use crate::error::InvalidValue;
use crate::line::{self, Entry};
use crate::records::Records;
use crate::value::Value;

/// Changes by key, the newest for each.
pub(crate) type Layer<V> = BTreeMap<String, Option<Entry<V>>>;

/// Changes that are not on disk yet, and their lines.
pub(crate) struct Changes<V> {
    pub(crate) layer: Layer<V>,
    pub(crate) lines: Vec<u8>,
    pub(crate) line_count: u64,
    /// The values which these replace must leave the file too.
    pub(crate) erase: bool,
}

impl<V> Default for Changes<V> {
    fn default() -> Self {
        Self {
            layer: Layer::new(),
            lines: Vec::new(),
            line_count: 0,
            erase: false,
        }
    }
}

impl<V> Changes<V> {
    /// Adds later changes after these.
    pub(crate) fn append(&mut self, later: Self) {
        self.layer.extend(later.layer);
        self.lines.extend_from_slice(&later.lines);
        self.line_count += later.line_count;
        self.erase |= later.erase;
    }
}

/// One turn to read and to change records, passed to the closure of [`Store::update`](crate::Store::update).
///
/// It sees every change of earlier transactions, also those that are still on their way to the disk.
pub struct Transaction<'a, V> {
    records: &'a Records<V>,
    /// Changes on their way to the disk, newest first.
    pending: [&'a Layer<V>; 2],
    own: Changes<V>,
    invalid: Option<InvalidValue>,
}

impl<'a, V: Value> Transaction<'a, V> {
    /// `erase`: the values which this removes or overwrites must leave the file too.
    pub(crate) fn new(records: &'a Records<V>, pending: [&'a Layer<V>; 2], erase: bool) -> Self {
        Self {
            records,
            pending,
            own: Changes {
                erase,
                ..Changes::default()
            },
            invalid: None,
        }
    }

    /// The value for `key`.
    pub fn get(&self, key: &str) -> Option<&V> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// All records, in no particular order. Takes time in proportion to them, while other changes wait.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &V)> {
        let layers = self.layers();
        let pending = layers
            .into_iter()
            .enumerate()
            .flat_map(move |(depth, layer)| {
                let shown = layer
                    .iter()
                    .filter(move |(key, _)| !hidden(&layers[..depth], key));
                shown.filter_map(|(key, entry)| Some((key.as_str(), entry.as_ref()?)))
            });
        let on_disk = self
            .records
            .iter()
            .filter(move |(key, _)| !hidden(&layers, key));
        pending
            .chain(on_disk)
            .map(|(key, entry)| (key, &entry.value))
    }

    /// Stores `value` for `key`, in place of an older value. An invalid value fails the whole update.
    pub fn put(&mut self, key: &str, value: V) {
        let unknown = self
            .entry(key)
            .map(|entry| entry.unknown.clone())
            .unwrap_or_default();
        self.change(key, Some(Entry { value, unknown }));
    }

    /// Removes `key`. Returns whether it was there.
    pub fn remove(&mut self, key: &str) -> bool {
        let known = self.entry(key).is_some();
        if known {
            self.change(key, None);
        }
        known
    }

    /// Removes every record for which `keep` returns false. Takes the time of [`iter`](Self::iter).
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &V) -> bool) {
        let rest = self.iter().filter(|(key, value)| !keep(key, value));
        let keys: Vec<String> = rest.map(|(key, _)| key.to_owned()).collect();
        for key in keys {
            self.remove(&key);
        }
    }

    /// The changes, or why one of them is invalid.
    pub(crate) fn finish(self) -> Result<Changes<V>, InvalidValue> {
        self.invalid.map_or(Ok(self.own), Err)
    }

    fn layers(&self) -> [&Layer<V>; 3] {
        [&self.own.layer, self.pending[0], self.pending[1]]
    }

    fn entry(&self, key: &str) -> Option<&Entry<V>> {
        let pending = self.layers().into_iter().find_map(|layer| layer.get(key));
        pending.map_or_else(|| self.records.entry(key), Option::as_ref)
    }

    fn change(&mut self, key: &str, entry: Option<Entry<V>>) {
        match line::encode(key, entry.as_ref(), self.own.erase, &mut self.own.lines) {
            Ok(()) => {
                self.own.line_count += 1;
                self.own.layer.insert(key.to_owned(), entry);
            }
            Err(invalid) => self.invalid = Some(invalid),
        }
    }
}

fn hidden<V>(newer: &[&Layer<V>], key: &str) -> bool {
    newer.iter().any(|layer| layer.contains_key(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(changes: &[(&str, Option<u32>)]) -> Layer<u32> {
        let entry = |value| Entry {
            value,
            unknown: line::Unknown::new(),
        };
        changes
            .iter()
            .map(|(key, value)| ((*key).to_owned(), value.map(entry)))
            .collect()
    }

    fn sorted(transaction: &Transaction<'_, u32>) -> Vec<(String, u32)> {
        let mut all: Vec<_> = transaction
            .iter()
            .map(|(key, value)| (key.to_owned(), *value))
            .collect();
        all.sort();
        all
    }

    #[test]
    fn the_newest_layer_wins() {
        let mut records = Records::default();
        let on_disk = layer(&[
            ("a", Some(1)),
            ("b", Some(1)),
            ("c", Some(1)),
            ("d", Some(1)),
        ]);
        on_disk.into_iter().for_each(|change| records.apply(change));
        let writing = layer(&[("b", Some(2)), ("c", None), ("e", Some(2)), ("f", Some(2))]);
        let waiting = layer(&[("c", Some(3)), ("e", None)]);
        let mut transaction = Transaction::new(&records, [&waiting, &writing], false);
        let seen = ["a", "b", "c", "d", "e", "f"].map(|key| transaction.get(key).copied());
        assert_eq!(seen, [Some(1), Some(2), Some(3), Some(1), None, Some(2)]);

        transaction.put("d", 4);
        assert!(transaction.remove("f"));
        assert!(
            !transaction.remove("e"),
            "a key that is not there costs no line"
        );
        let expected =
            [("a", 1), ("b", 2), ("c", 3), ("d", 4)].map(|(key, value)| (key.to_owned(), value));
        assert_eq!(sorted(&transaction), expected);
        transaction.retain(|_, value| value % 2 == 0);
        assert_eq!(
            sorted(&transaction),
            [expected[1].clone(), expected[3].clone()]
        );

        let changes = transaction.finish().unwrap();
        assert_eq!(changes.line_count, 4);
        assert_eq!(changes.lines.split(|&byte| byte == b'\n').count(), 5);
    }

    #[test]
    fn one_invalid_value_fails_all() {
        let (records, nothing) = (Records::<f64>::default(), Layer::new());
        let mut transaction = Transaction::new(&records, [&nothing, &nothing], false);
        transaction.put("a", 1.0);
        transaction.put("b", f64::INFINITY);
        transaction.put("c", 2.0);
        assert!(matches!(
            transaction.finish(),
            Err(InvalidValue::NotReadable { .. })
        ));
    }
}
