//! The authentication service: accounts and sessions together, shared by all connections.

use std::net::IpAddr;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use log::{info, warn};
use proto::{Escaped, Name, Secret};
use store::Store;

use crate::accounts::{Accounts, PasswordChange, Policy};
use crate::error::AuthError;
use crate::session::{Session, SessionLimits, Token};
use crate::sessions::{LiveSession, Sessions};
use crate::throttle::{OpenError, Throttle};
use crate::user::User;

/// Users and sessions, and what may be done with them.
pub struct Auth {
    pub(crate) accounts: Accounts,
    pub(crate) sessions: Sessions,
}

/// The user of a session that was just checked.
pub(crate) struct AuthenticatedUser {
    pub(crate) user: User,
    pub(crate) live: LiveSession,
}

impl Auth {
    /// Opens the files of users and sessions, and those of the throttle beside the users', or creates them. Sessions
    /// that have ended are removed, and users that cannot be found are reported in the log.
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub fn open(
        users: &Path,
        sessions: &Path,
        policy: Policy,
        limits: SessionLimits,
    ) -> Result<Self, OpenError> {
        // The users first: if another server runs here, its error names the file that people know.
        let (users_path, users) = (users, Store::open(users)?);
        let sessions = Store::open(sessions)?;
        let auth = Self {
            accounts: Accounts::new(users, Throttle::open(users_path)?, policy),
            sessions: Sessions::new(sessions, limits),
        };
        let invalid = auth.accounts.invalid_keys();
        if invalid > 0 {
            warn!(
                "users who cannot log in, because their key is not their name in lower case (NFKC): {invalid}"
            );
        }
        auth.remove_ended_sessions();
        Ok(auth)
    }

    /// Creates a user.
    pub(crate) fn register(
        &self,
        name: &str,
        password: &Secret,
        address: IpAddr,
    ) -> Result<User, AuthError> {
        self.accounts.register(name, password, address, unix_now())
    }

    /// The user of that name, if the password is right.
    pub(crate) fn login(
        &self,
        name: &str,
        password: &Secret,
        address: IpAddr,
    ) -> Result<User, AuthError> {
        self.accounts.login(name, password, address, unix_now())
    }

    /// Changes the password of a session's user, and ends all sessions of the old one.
    pub(crate) fn change_password(
        &self,
        session: AuthenticatedUser,
        old: &Secret,
        new: &Secret,
        address: IpAddr,
    ) -> Result<User, AuthError> {
        let session = PasswordChange {
            user: session.user,
            id: &session.live.id,
            address,
        };
        self.accounts.change_password(session, old, new)
    }

    /// The user of a session. Every request looks it up again, without waiting for a hash or a disk.
    pub(crate) fn authenticate(&self, id: &str) -> Option<AuthenticatedUser> {
        self.user_of(self.sessions.touch(id, unix_now())?)
    }

    /// The user of a token.
    pub(crate) fn resume(&self, token: &Secret) -> Option<AuthenticatedUser> {
        let token = Token::parse(token)?;
        self.user_of(self.sessions.resume(&token, unix_now())?)
    }

    fn user_of(&self, live: LiveSession) -> Option<AuthenticatedUser> {
        let user = self.accounts.find(&live.session.user)?;
        let is_valid = user.password_version == live.session.password_version;
        is_valid.then_some(AuthenticatedUser { user, live })
    }

    /// Opens a session for a user whose password was right. It is on disk when this returns.
    pub(crate) fn open_session(
        &self,
        user: &User,
        address: IpAddr,
    ) -> Result<(Token, LiveSession), AuthError> {
        let is_invalid = |session: &Session| self.is_invalid(session);
        Ok(self.sessions.open(user, address, unix_now(), is_invalid)?)
    }

    /// Whether a password change has ended a session, or its user is gone.
    fn is_invalid(&self, session: &Session) -> bool {
        let user = self.accounts.find(&session.user);
        user.is_none_or(|user| user.password_version != session.password_version)
    }

    /// The live sessions of a user.
    pub(crate) fn sessions_of(&self, user: &User) -> Vec<LiveSession> {
        self.sessions.of(user, unix_now())
    }

    /// Ends a session of a user.
    pub(crate) fn revoke(&self, user: &User, id: &str) -> Result<(), AuthError> {
        match self.sessions.revoke(user, id, unix_now())? {
            true => Ok(()),
            false => Err(AuthError::NoSuchSession),
        }
    }

    /// Ends all sessions of a user, and says how many there were.
    pub(crate) fn revoke_all(&self, user: &User) -> Result<usize, AuthError> {
        Ok(self.sessions.revoke_all(&user.key())?)
    }

    /// Removes sessions that have expired, that a password change has ended, or whose user is gone.
    pub(crate) fn remove_ended_sessions(&self) {
        let is_invalid = |session: &Session| self.is_invalid(session);
        match self.sessions.remove_ended(unix_now(), is_invalid) {
            Ok(0) => {}
            Ok(count) => info!("sessions that have ended and were removed: {count}"),
            Err(error) => warn!("cannot remove sessions that have ended: {error}"),
        }
    }

    /// Writes when sessions were last used: what is a minute old, or everything.
    pub(crate) fn save_sessions(&self, everything: bool) {
        if let Err(error) = self.sessions.save(everything) {
            warn!("cannot write when sessions were last used: {error}");
        }
    }

    /// Writes what the throttle counts, and with `expire` removes what no longer counts.
    pub(crate) fn save_throttle(&self, expire: bool) {
        if let Err(error) = self.accounts.save_throttle(expire) {
            warn!("cannot write failed attempts, which a restart would forget: {error}");
        }
    }

    /// Erases old password hashes and unlocks the files of users and sessions. For the end of the program, in which
    /// threads of the last clients may still hold this: later changes are refused.
    pub fn close(&self) {
        self.accounts.close();
        self.sessions.close();
    }

    /// Users, sessions and the cost of storing them, for the last service message.
    #[must_use]
    pub fn summary(&self) -> String {
        let (users, sessions) = (self.accounts.stats(), self.sessions.stats());
        format!(
            "users: {}, sessions: {}, changes: {}, fsyncs: {}",
            users.records,
            sessions.records,
            users.updates + sessions.updates,
            users.syncs + sessions.syncs
        )
    }
}

/// A name as service messages show it.
pub(crate) fn quoted(name: &Name) -> Escaped<'_> {
    Escaped::new(name.as_str()).quoted()
}

fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::hashing::Cost;
    use crate::password::PasswordRules;

    pub(crate) const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    pub(crate) fn auth_in(folder: &tempfile::TempDir) -> Auth {
        let policy = Policy {
            cost: Cost::LEAST,
            rules: PasswordRules::new(8).unwrap(),
            registration_open: true,
        };
        let limits = SessionLimits {
            idle: 1_800,
            max: 28_800,
        };
        let [users, sessions] =
            ["users.jsonl", "sessions.jsonl"].map(|name| folder.path().join(name));
        Auth::open(&users, &sessions, policy, limits).unwrap()
    }

    pub(crate) fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_password_change_ends_sessions_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let auth = auth_in(&folder);
        let (old, new) = (secret("correct horse"), secret("battery staple"));
        let user = auth.register("anna", &old, HERE).unwrap();
        let (token, live) = auth.open_session(&user, HERE).unwrap();
        let token = token.into_secret();
        let session = auth.authenticate(&live.id).unwrap();
        assert!(auth.resume(&token).is_some());

        // Nothing else is done, as after a crash.
        let changed = auth.change_password(session, &old, &new, HERE);
        assert!(auth.authenticate(&live.id).is_none() && auth.resume(&token).is_none());
        // A login that proved the old password before the change is too late.
        assert!(auth.open_session(&user, HERE).is_err());
        assert!(auth.open_session(&changed.unwrap(), HERE).is_ok());
    }

    #[test]
    fn of_two_password_changes_at_once_one_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let auth = auth_in(&folder);
        let (old, new) = (secret("correct horse"), secret("battery staple"));
        let user = auth.register("anna", &old, HERE).unwrap();
        let (_, live) = auth.open_session(&user, HERE).unwrap();
        let [first, second] = [(); 2].map(|()| auth.authenticate(&live.id).unwrap());
        assert!(auth.change_password(first, &old, &new, HERE).is_ok());
        let second = auth.change_password(second, &old, &new, HERE);
        assert!(matches!(second, Err(AuthError::WrongOldPassword { .. })));
    }
}
