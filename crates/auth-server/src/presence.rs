//! When each session was last heard from, exactly, and which sessions a user has. It is in memory alone: a request that
//! only moves a time must not wait for a disk.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::user_key::UserKey;

/// The sessions in the file, and for a moment some that are not there yet or no more.
#[derive(Debug, Default)]
pub(crate) struct Presence(Mutex<HashMap<UserKey, Ids>>);

/// When each session of a user was last heard from, in Unix seconds, by its id.
type Ids = HashMap<String, u64>;

impl Presence {
    pub(crate) fn add(&self, user: &UserKey, id: &str, last_seen: u64) {
        let mut users = self.users();
        // Most of the time the user is known, and a key that is there already costs no copy.
        match users.get_mut(user) {
            Some(ids) => drop(ids.insert(id.to_owned(), last_seen)),
            None => {
                let ids = Ids::from([(id.to_owned(), last_seen)]);
                users.insert(user.clone(), ids);
            }
        }
    }

    pub(crate) fn remove(&self, user: &UserKey, id: &str) {
        let mut users = self.users();
        if let Some(ids) = users.get_mut(user) {
            ids.remove(id);
            if ids.is_empty() {
                users.remove(user);
            }
        }
    }

    pub(crate) fn last_seen(&self, user: &UserKey, id: &str) -> Option<u64> {
        self.users().get(user)?.get(id).copied()
    }

    /// Notes that a session was heard from; one that is gone stays gone.
    pub(crate) fn heard(&self, user: &UserKey, id: &str, now: u64) {
        if let Some(last_seen) = self.users().get_mut(user).and_then(|ids| ids.get_mut(id)) {
            *last_seen = now.max(*last_seen);
        }
    }

    /// The ids of a user's sessions.
    pub(crate) fn of(&self, user: &UserKey) -> Vec<String> {
        let users = self.users();
        users
            .get(user)
            .map_or_else(Vec::new, |ids| ids.keys().cloned().collect())
    }

    /// Nothing that holds the lock can panic halfway.
    fn users(&self) -> MutexGuard<'_, HashMap<UserKey, Ids>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
