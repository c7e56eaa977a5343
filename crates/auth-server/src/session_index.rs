//! Which sessions each user has, and when each was last used. It is in memory alone: a request that only moves a time
//! must not wait for a disk.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::user_key::UserKey;

/// The sessions in the file; for a moment also some that are not in it yet, or no longer.
#[derive(Debug, Default)]
pub(crate) struct SessionIndex(Mutex<HashMap<UserKey, LastSeen>>);

/// When each session of a user was last used, in Unix seconds, by its id.
type LastSeen = HashMap<String, u64>;

impl SessionIndex {
    pub(crate) fn add(&self, user: &UserKey, id: &str, last_seen: u64) {
        let mut users = self.users();
        // Mostly the user is there already, and then the key need not be copied.
        match users.get_mut(user) {
            Some(sessions) => drop(sessions.insert(id.to_owned(), last_seen)),
            None => {
                let sessions = LastSeen::from([(id.to_owned(), last_seen)]);
                users.insert(user.clone(), sessions);
            }
        }
    }

    pub(crate) fn remove(&self, user: &UserKey, id: &str) {
        let mut users = self.users();
        if let Some(sessions) = users.get_mut(user) {
            sessions.remove(id);
            if sessions.is_empty() {
                users.remove(user);
            }
        }
    }

    pub(crate) fn last_seen(&self, user: &UserKey, id: &str) -> Option<u64> {
        self.users().get(user)?.get(id).copied()
    }

    /// Sets the time at which a session was last used. Does nothing for an unknown session.
    pub(crate) fn touch(&self, user: &UserKey, id: &str, now: u64) {
        let mut users = self.users();
        let sessions = users.get_mut(user);
        if let Some(last_seen) = sessions.and_then(|sessions| sessions.get_mut(id)) {
            *last_seen = now.max(*last_seen);
        }
    }

    /// The ids of a user's sessions.
    pub(crate) fn of(&self, user: &UserKey) -> Vec<String> {
        let users = self.users();
        let sessions = users.get(user).into_iter();
        sessions.flat_map(LastSeen::keys).cloned().collect()
    }

    /// Nothing that holds the lock can panic halfway.
    fn users(&self) -> MutexGuard<'_, HashMap<UserKey, LastSeen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
