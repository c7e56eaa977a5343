//! Users and their passwords: what it takes to register, to log in and to change a password. Sessions are not known here.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use log::warn;
use proto::{Name, Secret};
use store::Store;

use crate::guessing::{Attempt, Throttle};
use crate::hashing::{Cost, Hasher, Memory, StoredHash};
use crate::password::{Password, PasswordRules};
use crate::pool::Pool;
use crate::random::random;
use crate::refusal::{Fault, Refusal};
use crate::user::{Generation, User};
use crate::user_key::UserKey;

/// Hashes that may wait for a worker. At 20 ms each, two workers are through in less than a second.
const HASH_QUEUE: u64 = 64;

/// What a server's owner decides.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// What hashes cost.
    pub cost: Cost,
    /// What new passwords have to be.
    pub rules: PasswordRules,
    /// Whether anybody may register.
    pub is_open: bool,
}

/// The users in a store, by [`UserKey`].
pub(crate) struct Accounts {
    users: Store<User>,
    policy: Policy,
    hasher: Hasher,
    pool: Pool<Memory>,
    /// Never held while something is hashed or written.
    throttle: Mutex<Throttle>,
    began: Instant,
}

impl Accounts {
    /// The users of a store, under a policy.
    pub(crate) fn new(users: Store<User>, policy: Policy) -> Self {
        let workers = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            users,
            policy,
            hasher: Hasher::new(policy.cost),
            pool: Pool::new(workers, HASH_QUEUE, Memory::default),
            throttle: Mutex::default(),
            began: Instant::now(),
        }
    }

    /// The user of this key.
    pub(crate) fn find(&self, key: &UserKey) -> Option<User> {
        self.users.get(key.as_str())
    }

    /// Creates a user, who is on disk when it returns. Of several who want a name at once the first has it.
    ///
    /// # Errors
    ///
    /// Why there is no new user.
    pub(crate) fn register(
        &self,
        name: &str,
        password: &Secret,
        address: IpAddr,
    ) -> Result<User, Refusal> {
        if !self.policy.is_open {
            return Err(Refusal::RegistrationClosed);
        }
        let name = Name::parse(name)?;
        let key = UserKey::of(&name);
        let password = Password::new(password);
        self.policy.rules.check(&password, &key)?;
        self.throttle()
            .admit_registration(address, self.began.elapsed())?;
        if self.find(&key).is_some() {
            return Err(Refusal::NameTaken);
        }
        let hash = self.hashed(|memory| self.hash(&password, memory))?;
        let user = User::new(name, hash, new_generation()?);
        match self.users.put_if_absent(key.as_str(), user.clone())? {
            None => Ok(user),
            Some(_) => Err(Refusal::NameTaken),
        }
    }

    /// The user whose password it is. A hash that costs less than new ones is replaced.
    ///
    /// # Errors
    ///
    /// Why it is nobody.
    pub(crate) fn login(
        &self,
        name: &str,
        password: &Secret,
        address: IpAddr,
    ) -> Result<User, Refusal> {
        let key = UserKey::of(&Name::parse(name)?);
        let attempt = self.throttle().admit(&key, address, self.began.elapsed())?;
        let user = self.find(&key);
        let password = Password::new(password);
        let hashed = self.hashed(|memory| {
            let stored = user.as_ref().map(|user| &user.hash);
            let is_right = self.verify(&password, stored, memory)?;
            let weak = stored.filter(|stored| is_right && self.hasher.needs_rehash(stored));
            let stronger = weak.map(|_| self.hash(&password, memory)).transpose()?;
            Ok((is_right, stronger))
        });
        let (is_right, stronger) = self.settle(attempt, hashed, |(is_right, _)| *is_right)?;
        match user {
            Some(user) if is_right => {
                if let Some(hash) = stronger {
                    self.rehash(&user, hash);
                }
                Ok(user)
            }
            user => Err(wrong(user)),
        }
    }

    /// Changes a user's password, which is on disk when it returns, and with it ends the sessions of the old one.
    ///
    /// # Errors
    ///
    /// Why the password stays.
    pub(crate) fn change_password(
        &self,
        user: User,
        old: &Secret,
        new: &Secret,
        address: IpAddr,
    ) -> Result<User, Refusal> {
        let key = user.key();
        let (old, new) = (Password::new(old), Password::new(new));
        self.policy.rules.check(&new, &key)?;
        let attempt = self.throttle().admit(&key, address, self.began.elapsed())?;
        let hashed = self.hashed(|memory| {
            let is_right = self.verify(&old, Some(&user.hash), memory)?;
            is_right.then(|| self.hash(&new, memory)).transpose()
        });
        let Some(hash) = self.settle(attempt, hashed, Option::is_some)? else {
            return Err(Refusal::WrongOldPassword { user: user.name });
        };
        let generation = new_generation()?;
        let changed = self.users.update(|users| {
            // In the meantime another connection may have changed it, too: then the old one is wrong by now.
            let stored = users.get(key.as_str())?;
            if stored.generation != user.generation {
                return None;
            }
            let mut changed = stored.clone();
            (changed.hash, changed.generation) = (hash, generation);
            users.put(key.as_str(), changed.clone());
            Some(changed)
        })?;
        changed.ok_or(Refusal::WrongOldPassword { user: user.name })
    }

    /// Figures of the store.
    pub(crate) fn stats(&self) -> store::Stats {
        self.users.stats()
    }

    /// Tells the throttle what became of an attempt.
    fn settle<T>(
        &self,
        attempt: Attempt,
        outcome: Result<T, Fault>,
        is_success: impl FnOnce(&T) -> bool,
    ) -> Result<T, Refusal> {
        match &outcome {
            Ok(checked) if is_success(checked) => self.throttle().succeeded(attempt),
            // It counts as a failure already.
            Ok(_) => drop(attempt),
            Err(_) => self.throttle().withdrawn(attempt),
        }
        outcome.map_err(Refusal::Unavailable)
    }

    /// Hashes in its turn.
    fn hashed<T>(&self, work: impl FnOnce(&mut Memory) -> Result<T, Fault>) -> Result<T, Fault> {
        self.pool.run(work).map_err(Fault::Busy)?
    }

    fn hash(&self, password: &Password, memory: &mut Memory) -> Result<StoredHash, Fault> {
        let salt = random().map_err(Fault::NoRandom)?;
        let hash = self.hasher.hash(password, salt, memory);
        hash.map_err(Fault::OutOfMemory)
    }

    fn verify(
        &self,
        password: &Password,
        stored: Option<&StoredHash>,
        memory: &mut Memory,
    ) -> Result<bool, Fault> {
        let verified = self.hasher.verify(password, stored, memory);
        verified.map_err(Fault::OutOfMemory)
    }

    /// Puts a stronger hash of the same password in place. That it fails keeps nobody from logging in.
    fn rehash(&self, user: &User, hash: StoredHash) {
        let key = user.key();
        let put = self.users.update(|users| {
            if let Some(mut stored) = users.get(key.as_str()).cloned()
                && stored.hash == user.hash
            {
                stored.hash = hash;
                users.put(key.as_str(), stored);
            }
        });
        if let Err(error) = put {
            warn!("cannot make a hash stronger: {error}");
        }
    }

    /// Nothing that holds the lock can panic halfway.
    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn new_generation() -> Result<Generation, Fault> {
    Generation::new().map_err(Fault::NoRandom)
}

fn wrong(user: Option<User>) -> Refusal {
    let user = user.map(|user| user.name);
    Refusal::BadCredentials { user }
}
