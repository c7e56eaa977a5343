//! The names of all clients, over one store, and how many of them one network may have.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use log::warn;
use proto::{Escaped, Name, Network};
use store::{Error, Stats, Store};

use crate::key::ClientKey;
use crate::record::Record;

/// The most names in one IPv6 /64 or from the loopback addresses of IPv4: more than a lab has machines, and few enough
/// that one machine does not fill the server.
pub const MAX_NAMES_PER_NETWORK: u32 = 1_000;

/// The most names in all: some 200 MB of memory, and a start in seconds.
pub const MAX_NAMES: u64 = 1_000_000;

/// All known clients.
pub struct Names {
    store: Store<Record>,
    counts: Mutex<Counts>,
    max_names: u64,
    /// How many keys no client can have. It never changes, because no client is looked up by them.
    invalid_keys: u64,
}

#[derive(Default)]
struct Counts {
    all: u64,
    networks: HashMap<Network, u32>,
}

/// Why a new name is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NamesFull {
    /// The client's network has as many as it may.
    #[error("this network has {MAX_NAMES_PER_NETWORK} names already; forget one of them first")]
    Network,
    /// The server has as many as it may.
    #[error("this server cannot store more names")]
    Server,
}

impl Names {
    /// The names in a file, which is created with its folder. Logs a warning if no client can have some of its keys:
    /// `2001:DB8::7` (it is `2001:db8::7`), `localhost`.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let (names, invalid_key) = Self::new(Store::open(path)?, MAX_NAMES);
        if let Some(key) = invalid_key {
            warn!(
                "keys in {} by which no client is known: {}, the first is {}; a key is an address such as 192.0.2.7, \
                 2001:db8::7 or fe80::7%eth0",
                path.display(),
                names.invalid_keys,
                Escaped::new(&key).quoted().cut(60)
            );
        }
        Ok(names)
    }

    /// Counts the names, and returns the first key that no client can have.
    fn new(store: Store<Record>, max_names: u64) -> (Self, Option<String>) {
        let mut counts = Counts::default();
        let (mut invalid_keys, mut first_invalid) = (0, None);
        store.for_each(|key, _| {
            counts.all += 1;
            let Some(client) = ClientKey::parse(key) else {
                invalid_keys += 1;
                first_invalid.get_or_insert_with(|| key.to_owned());
                return;
            };
            if let Some(network) = client.shared_network() {
                *counts.networks.entry(network).or_default() += 1;
            }
        });
        let names = Self {
            store,
            counts: Mutex::new(counts),
            max_names,
            invalid_keys,
        };
        (names, first_invalid)
    }

    /// The name of a client.
    #[must_use]
    pub fn get(&self, client: &ClientKey) -> Option<Name> {
        self.store.get(client.as_str()).map(|record| record.name)
    }

    /// Stores the name of a new client and returns it. If the client has a name meanwhile, that one is returned.
    ///
    /// # Errors
    ///
    /// As [`Store::update`]; then nothing has changed. The inner error says why the name is not taken.
    pub fn remember(
        &self,
        client: &ClientKey,
        name: Name,
    ) -> Result<Result<Name, NamesFull>, Error> {
        let mut is_counted = false;
        let stored = self.store.update(|all| {
            if let Some(first) = all.get(client.as_str()) {
                return Ok(first.name.clone());
            }
            self.count(client)?;
            is_counted = true;
            all.put(client.as_str(), Record::new(name.clone()));
            Ok(name)
        });
        if stored.is_err() && is_counted {
            self.uncount(client);
        }
        stored
    }

    /// Gives a client another name. Returns false if it has none. The old name leaves the file too.
    ///
    /// # Errors
    ///
    /// As [`Store::update`]; then nothing has changed.
    pub fn rename(&self, client: &ClientKey, name: Name) -> Result<bool, Error> {
        self.store.update_and_erase(|all| {
            let Some(mut record) = all.get(client.as_str()).cloned() else {
                return false;
            };
            record.name = name;
            all.put(client.as_str(), record);
            true
        })
    }

    /// Removes a client's name. Returns false if it has none. The name leaves the file too.
    ///
    /// # Errors
    ///
    /// As [`Store::update`]; then nothing has changed.
    pub fn forget(&self, client: &ClientKey) -> Result<bool, Error> {
        let is_known = self
            .store
            .update_and_erase(|all| all.remove(client.as_str()))?;
        if is_known {
            self.uncount(client);
        }
        Ok(is_known)
    }

    /// Calls `visit` with every key and name, in the order of the keys.
    pub fn for_each(&self, mut visit: impl FnMut(&str, &Name)) {
        self.store.for_each(|key, record| visit(key, &record.name));
    }

    /// How many clients are known.
    #[must_use]
    pub fn known(&self) -> u64 {
        self.stats().records - self.invalid_keys
    }

    /// Figures of the store.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.store.stats()
    }

    /// Erases what is forgotten and unlocks the file; see [`Store::close`].
    pub fn close(&self) {
        self.store.close();
    }

    /// Known clients and the cost of storing them, for the last service message.
    #[must_use]
    pub fn summary(&self) -> String {
        let (known, stats) = (self.known(), self.stats());
        format!(
            "clients known: {known}, changes: {}, fsyncs: {}",
            stats.updates, stats.syncs
        )
    }

    fn count(&self, client: &ClientKey) -> Result<(), NamesFull> {
        let mut counts = self.counts();
        if counts.all >= self.max_names {
            return Err(NamesFull::Server);
        }
        if let Some(network) = client.shared_network() {
            let count = counts.networks.entry(network).or_default();
            if *count >= MAX_NAMES_PER_NETWORK {
                return Err(NamesFull::Network);
            }
            *count += 1;
        }
        counts.all += 1;
        Ok(())
    }

    fn uncount(&self, client: &ClientKey) {
        let mut counts = self.counts();
        counts.all -= 1;
        let Some(network) = client.shared_network() else {
            return;
        };
        if let Some(count) = counts.networks.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                counts.networks.remove(&network);
            }
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn names(max_names: u64) -> (TempDir, Names) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("clients.jsonl")).unwrap();
        (folder, Names::new(store, max_names).0)
    }

    fn key(text: &str) -> ClientKey {
        ClientKey::parse(text).unwrap()
    }

    fn name(text: &str) -> Name {
        Name::parse(text).unwrap()
    }

    #[test]
    fn a_network_has_at_most_its_share_also_after_a_restart() {
        let (folder, names) = names(MAX_NAMES);
        let remember =
            |names: &Names, text: &str| names.remember(&key(text), name("Anna")).unwrap();
        for host in 1..=MAX_NAMES_PER_NETWORK {
            let first = format!("2001:db8::{host:x}");
            assert_eq!(remember(&names, &first), Ok(name("Anna")), "{host}");
        }
        assert_eq!(remember(&names, "2001:db8::ffff"), Err(NamesFull::Network));
        assert_eq!(remember(&names, "2001:db8::1"), Ok(name("Anna")), "known");
        assert_eq!(remember(&names, "2001:db8:0:1::1"), Ok(name("Anna")));
        assert_eq!(remember(&names, "192.0.2.7"), Ok(name("Anna")));

        drop(names);
        let names = Names::open(&folder.path().join("clients.jsonl")).unwrap();
        assert_eq!(remember(&names, "2001:db8::ffff"), Err(NamesFull::Network));
        assert!(names.forget(&key("2001:db8::1")).unwrap());
        assert!(!names.forget(&key("2001:db8::1")).unwrap());
        assert_eq!(remember(&names, "2001:db8::ffff"), Ok(name("Anna")));
        assert_eq!(remember(&names, "2001:db8::fffe"), Err(NamesFull::Network));
    }

    #[test]
    fn the_server_has_a_bound_too() {
        let (_folder, names) = names(2);
        let remember = |text| names.remember(&key(text), name("Anna")).unwrap();
        assert_eq!(remember("192.0.2.1"), Ok(name("Anna")));
        assert_eq!(remember("192.0.2.2"), Ok(name("Anna")));
        assert_eq!(remember("192.0.2.3"), Err(NamesFull::Server));
        names.forget(&key("192.0.2.1")).unwrap();
        assert_eq!(remember("192.0.2.3"), Ok(name("Anna")));
    }

    #[test]
    fn old_names_leave_the_file() {
        let (folder, names) = names(MAX_NAMES);
        for (host, text) in [
            ("192.0.2.1", "Anna"),
            ("192.0.2.2", "Boris"),
            ("192.0.2.3", "Carl"),
        ] {
            names.remember(&key(host), name(text)).unwrap().unwrap();
        }
        names.rename(&key("192.0.2.1"), name("Dora")).unwrap();
        names.forget(&key("192.0.2.2")).unwrap();
        assert!(!names.rename(&key("192.0.2.2"), name("Emil")).unwrap());
        drop(names);
        let file = std::fs::read_to_string(folder.path().join("clients.jsonl")).unwrap();
        assert!(file.contains("Dora") && file.contains("Carl"), "{file}");
        assert!(
            !["Anna", "Boris", "Emil"]
                .iter()
                .any(|old| file.contains(old)),
            "{file}"
        );
    }
}
