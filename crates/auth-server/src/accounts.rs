//! Users and their passwords: registration, login and password change. It knows nothing of sessions but their ids.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::thread;

use log::warn;
use proto::{Name, Network, Secret};
use store::{Store, Transaction};
use trust::random;

use crate::error::{AuthError, ServerFault};
use crate::fair_queue::Ticket;
use crate::hash_pool::HashPool;
use crate::hashing::{Cost, Hasher, Memory, StoredHash};
use crate::password::{Password, PasswordRules, WeakPassword};
use crate::rate_limit::Attempt;
use crate::throttle::Throttle;
use crate::user::{PasswordVersion, User};
use crate::user_key::UserKey;

/// What the server's owner decides.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// What hashes cost.
    pub cost: Cost,
    /// The rules for new passwords.
    pub rules: PasswordRules,
    /// Whether new users may register.
    pub registration_open: bool,
}

/// The users in a store, by [`UserKey`].
pub(crate) struct Accounts {
    users: Store<User>,
    policy: Policy,
    hasher: Hasher,
    pool: HashPool<Memory>,
    throttle: Throttle,
}

/// Why an administrator cannot set a password.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetPasswordError {
    /// It breaks a rule.
    #[error(transparent)]
    Weak(#[from] WeakPassword),
    /// The server or its disk cannot do it now.
    #[error(transparent)]
    Fault(#[from] ServerFault),
}

/// A change of a password, which needs a session.
pub(crate) struct PasswordChange<'a> {
    /// The session's user.
    pub(crate) user: User,
    /// The session's id.
    pub(crate) id: &'a str,
    /// Where its client is.
    pub(crate) address: IpAddr,
}

impl Accounts {
    pub(crate) fn new(users: Store<User>, throttle: Throttle, policy: Policy) -> Self {
        let workers = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            users,
            policy,
            hasher: Hasher::new(policy.cost),
            pool: HashPool::new(workers, Memory::default),
            throttle,
        }
    }

    /// The user with this key.
    pub(crate) fn find(&self, key: &UserKey) -> Option<User> {
        self.users.get(key.as_str())
    }

    /// Creates a user, which is on disk when this returns. Of several requests for a name at once the first one gets
    /// it.
    pub(crate) fn register(
        &self,
        name: &str,
        password: &Secret,
        address: IpAddr,
        now: u64,
    ) -> Result<User, AuthError> {
        if !self.policy.registration_open {
            return Err(AuthError::RegistrationClosed);
        }
        let name = Name::parse(name)?;
        let key = UserKey::of(&name);
        let password = Password::new(password);
        self.policy.rules.check(&password, &key)?;
        let network = Network::of(address);
        self.throttle.take_registration(network)?;
        if self.find(&key).is_some() {
            return Err(AuthError::NameTaken);
        }
        let registered = self.create(name, &key, &password, network, now);
        if let Err(AuthError::Unavailable(_)) = registered {
            self.throttle.return_registration(network);
        }
        registered
    }

    fn create(
        &self,
        name: Name,
        key: &UserKey,
        password: &Password,
        network: Network,
        now: u64,
    ) -> Result<User, AuthError> {
        let ticket = Ticket {
            network,
            is_known: false,
            exclusive_key: None,
        };
        let hash = self
            .pool
            .run(ticket, |memory| self.hash(password, memory))??;
        let mut user = User::new(name, hash, new_version()?);
        user.networks = user.networks.with_login(network, now).unwrap_or_default();
        match self.users.put_if_absent(key.as_str(), user.clone())? {
            None => Ok(user),
            Some(_) => Err(AuthError::NameTaken),
        }
    }

    /// Returns the user if the password is right. A hash that costs less than new ones is replaced.
    pub(crate) fn login(
        &self,
        name: &str,
        password: &Secret,
        address: IpAddr,
        now: u64,
    ) -> Result<User, AuthError> {
        let key = UserKey::of(&Name::parse(name)?);
        let password = Password::new(password);
        let user = self.find(&key);
        let network = Network::of(address);
        let is_known = user
            .as_ref()
            .is_some_and(|user| user.networks.contains(network, now));
        let attempt = self.throttle.login(&key, network, is_known);
        let checked = self.attempt(attempt, network, is_known, |memory| {
            let stored = user.as_ref().map(|user| &user.hash);
            if !self.verify(&password, stored, memory)? {
                return Ok(None);
            }
            let weak = stored.filter(|stored| self.hasher.needs_rehash(stored));
            let stronger = weak.map(|_| self.hash(&password, memory)).transpose()?;
            Ok(Some(stronger))
        })?;
        match (user, checked) {
            (Some(user), Some(stronger)) => {
                self.note_login(&user, stronger, network, now);
                Ok(user)
            }
            (user, _) => Err(AuthError::BadCredentials {
                user: user.map(|user| user.name),
            }),
        }
    }

    /// Changes a user's password, which is on disk when this returns, which ends all sessions of the old one.
    pub(crate) fn change_password(
        &self,
        session: PasswordChange<'_>,
        old: &Secret,
        new: &Secret,
    ) -> Result<User, AuthError> {
        let PasswordChange { user, id, address } = session;
        let key = user.key();
        let (old, new) = (Password::new(old), Password::new(new));
        self.policy.rules.check(&new, &key)?;
        let attempt = self.throttle.password_change(id);
        let changed = self.attempt(attempt, Network::of(address), true, |memory| {
            let is_right = self.verify(&old, Some(&user.hash), memory)?;
            is_right.then(|| self.hash(&new, memory)).transpose()
        })?;
        let Some(hash) = changed else {
            return Err(AuthError::WrongOldPassword { user: user.name });
        };
        let version = new_version()?;
        // The old hash leaves the file too.
        let changed = self.users.update_and_erase(|users| {
            // Another connection may have changed it meanwhile: then the old password is wrong by now.
            let stored = users.get(key.as_str())?;
            if stored.password_version != user.password_version {
                return None;
            }
            let mut changed = stored.clone();
            (changed.hash, changed.password_version) = (hash, version);
            users.put(key.as_str(), changed.clone());
            Some(changed)
        })?;
        changed.ok_or(AuthError::WrongOldPassword { user: user.name })
    }

    /// Sets a user's password without the old one, for an administrator; says whether there is such a user.
    pub(crate) fn set_password(
        &self,
        key: &UserKey,
        password: &Secret,
    ) -> Result<bool, SetPasswordError> {
        let password = Password::new(password);
        self.policy.rules.check(&password, key)?;
        let hash = self.hash(&password, &mut Memory::default())?;
        let version = new_version()?;
        let set = self.users.update_and_erase(|users| {
            let Some(mut user) = users.get(key.as_str()).cloned() else {
                return false;
            };
            (user.hash, user.password_version) = (hash, version);
            users.put(key.as_str(), user);
            true
        });
        Ok(set.map_err(ServerFault::from)?)
    }

    /// Removes a user; says whether there was one.
    pub(crate) fn remove(&self, key: &UserKey) -> Result<bool, store::Error> {
        self.users
            .update_and_erase(|users| users.remove(key.as_str()))
    }

    /// The names of all users, in the order of their keys.
    pub(crate) fn names(&self) -> Vec<Name> {
        let mut names = vec![];
        self.users.for_each(|_, user| names.push(user.name.clone()));
        names
    }

    /// The minimum of code points for new passwords.
    pub(crate) fn min_password_chars(&self) -> usize {
        self.policy.rules.min_chars()
    }

    /// Figures of the store.
    pub(crate) fn stats(&self) -> store::Stats {
        self.users.stats()
    }

    /// How many users in the file have another key than the one by which they are looked up.
    pub(crate) fn invalid_keys(&self) -> usize {
        let mut count = 0;
        let count_invalid =
            |key: &str, user: &User| count += usize::from(key != user.key().as_str());
        self.users.for_each(count_invalid);
        count
    }

    pub(crate) fn close(&self) {
        self.users.close();
    }

    /// Writes the throttle's state, and with `expire` removes what no longer counts.
    pub(crate) fn save_throttle(&self, expire: bool) -> Result<(), store::Error> {
        if expire {
            self.throttle.expire();
        }
        self.throttle.save()
    }

    /// Checks a password in its turn; `work` returns `None` when it is wrong.
    ///
    /// The outcome is counted before the next attempt of the same name and network has its turn, so that many attempts
    /// at once gain nothing, and none of them is refused because another is under way.
    fn attempt<T>(
        &self,
        attempt: Attempt,
        network: Network,
        is_known: bool,
        work: impl FnOnce(&mut Memory) -> Result<Option<T>, ServerFault>,
    ) -> Result<Option<T>, AuthError> {
        self.throttle.check(attempt)?;
        let ticket = Ticket {
            network,
            is_known,
            exclusive_key: Some(attempt.exclusive_key()),
        };
        self.pool.run(ticket, |memory| {
            // Others may have failed while this one waited.
            self.throttle.check(attempt)?;
            let checked = work(memory)?;
            match checked {
                Some(_) => self.throttle.succeeded(attempt),
                None => self.throttle.failed(attempt),
            }
            Ok(checked)
        })?
    }

    fn hash(&self, password: &Password, memory: &mut Memory) -> Result<StoredHash, ServerFault> {
        Ok(self.hasher.hash(password, random()?, memory)?)
    }

    fn verify(
        &self,
        password: &Password,
        stored: Option<&StoredHash>,
        memory: &mut Memory,
    ) -> Result<bool, ServerFault> {
        Ok(self.hasher.verify(password, stored, memory)?)
    }

    /// Writes down where a user has logged in, and a stronger hash of the same password if there is one. If it fails,
    /// the login goes on.
    fn note_login(&self, user: &User, stronger: Option<StoredHash>, network: Network, now: u64) {
        let is_noted = user.networks.with_login(network, now).is_none();
        if stronger.is_none() && is_noted {
            return;
        }
        let (key, is_stronger) = (user.key(), stronger.is_some());
        let note = |users: &mut Transaction<'_, User>| {
            let Some(mut stored) = users.get(key.as_str()).cloned() else {
                return;
            };
            if let Some(hash) = stronger.filter(|_| stored.hash == user.hash) {
                stored.hash = hash;
            }
            if let Some(networks) = stored.networks.with_login(network, now) {
                stored.networks = networks;
            }
            users.put(key.as_str(), stored);
        };
        let noted = match is_stronger {
            true => self.users.update_and_erase(note),
            false => self.users.update(note),
        };
        if let Err(error) = noted {
            warn!("cannot record a login: {error}");
        }
    }
}

fn new_version() -> Result<PasswordVersion, ServerFault> {
    Ok(PasswordVersion::new()?)
}
