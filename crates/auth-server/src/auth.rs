//! The authentication service: accounts and sessions together, shared by all connections.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use log::{info, warn};
use proto::{Escaped, Name, Secret};
use store::Store;

use crate::accounts::{Accounts, Policy};
use crate::refusal::Refusal;
use crate::session::{Session, SessionLimits, Token};
use crate::sessions::{Live, Sessions};
use crate::user::User;

/// Users and sessions, and what may be done with them.
pub struct Auth {
    pub(crate) accounts: Accounts,
    pub(crate) sessions: Sessions,
}

/// A session that was just checked, and its user.
pub(crate) struct Speaker {
    pub(crate) user: User,
    pub(crate) live: Live,
}

impl Auth {
    /// Users and sessions out of two stores. Sessions that are over are removed; what is odd about the users is told.
    #[must_use]
    pub fn new(
        users: Store<User>,
        sessions: Store<Session>,
        policy: Policy,
        limits: SessionLimits,
    ) -> Self {
        let strays = stray_users(&users);
        if strays > 0 {
            warn!(
                "users who cannot be found, since their key is not their name in lower case (NFKC, case folded): {strays}"
            );
        }
        let auth = Self {
            accounts: Accounts::new(users, policy),
            sessions: Sessions::new(sessions, limits),
        };
        auth.sweep();
        auth
    }

    /// Whom a session speaks for: looked up anew at every request, without waiting for a hash or a disk.
    pub(crate) fn hear(&self, id: &str) -> Option<Speaker> {
        self.speaker(self.sessions.hear(id, unix_now())?)
    }

    /// Whom a token speaks for.
    pub(crate) fn resume(&self, token: &Secret) -> Option<Speaker> {
        let token = Token::parse(token)?;
        self.speaker(self.sessions.resume(&token, unix_now())?)
    }

    fn speaker(&self, live: Live) -> Option<Speaker> {
        let user = self.accounts.find(&live.session.user)?;
        (user.generation == live.session.generation).then_some(Speaker { user, live })
    }

    /// Opens a session for a user who has proved to be one; on disk when it returns.
    pub(crate) fn open(&self, user: &User, address: IpAddr) -> Result<(Token, Live), Refusal> {
        let is_dead = |session: &Session| self.is_dead(session);
        Ok(self.sessions.open(user, address, unix_now(), is_dead)?)
    }

    /// Whether a password change has ended a session, or its user is gone.
    fn is_dead(&self, session: &Session) -> bool {
        let user = self.accounts.find(&session.user);
        user.is_none_or(|user| user.generation != session.generation)
    }

    pub(crate) fn sessions_of(&self, user: &User) -> Vec<Live> {
        self.sessions.of(user, unix_now())
    }

    pub(crate) fn revoke(&self, user: &User, id: &str) -> Result<(), Refusal> {
        match self.sessions.revoke(user, id, unix_now())? {
            true => Ok(()),
            false => Err(Refusal::NoSuchSession),
        }
    }

    /// Removes sessions that have expired, that a password change has ended, or whose user is gone.
    pub(crate) fn sweep(&self) {
        match self
            .sessions
            .sweep(unix_now(), |session| self.is_dead(session))
        {
            Ok(0) => {}
            Ok(count) => info!("sessions that are over and were removed: {count}"),
            Err(error) => warn!("cannot remove sessions that are over: {error}"),
        }
    }

    /// Puts on disk when sessions were last heard from: what is a minute old, or all.
    pub(crate) fn save(&self, all_of_them: bool) {
        if let Err(error) = self.sessions.save(all_of_them) {
            warn!("cannot note when sessions were last heard from: {error}");
        }
    }

    /// Users, sessions, and what keeping them took, for the last service message.
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

/// How many users a person has put under another key than that by which they are looked up.
fn stray_users(users: &Store<User>) -> usize {
    let mut count = 0;
    users.for_each(|key, user| count += usize::from(key != user.key().as_str()));
    count
}

/// A name as service messages have it.
pub(crate) fn quoted(name: &Name) -> Escaped<'_> {
    Escaped::new(name.as_str()).quoted()
}

fn unix_now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hashing::Cost;
    use crate::password::PasswordRules;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn auth_in(folder: &tempfile::TempDir) -> Auth {
        let policy = Policy {
            cost: Cost::LEAST,
            rules: PasswordRules::new(8).unwrap(),
            is_open: true,
        };
        let limits = SessionLimits {
            idle: 1_800,
            max: 28_800,
        };
        let users = Store::open(&folder.path().join("users.jsonl")).unwrap();
        let sessions = Store::open(&folder.path().join("sessions.jsonl")).unwrap();
        Auth::new(users, sessions, policy, limits)
    }

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn sessions_end_in_the_moment_in_which_the_password_changes() {
        let folder = tempfile::tempdir().unwrap();
        let auth = auth_in(&folder);
        let (old, new) = (secret("correct horse"), secret("battery staple"));
        let user = auth.accounts.register("anna", &old, HERE).unwrap();
        let (token, live) = auth.open(&user, HERE).unwrap();
        let token = token.into_secret();
        assert!(auth.hear(&live.id).is_some() && auth.resume(&token).is_some());

        // Nothing else follows, as after a crash.
        let changed = auth
            .accounts
            .change_password(user.clone(), &old, &new, HERE);
        assert!(auth.hear(&live.id).is_none() && auth.resume(&token).is_none());
        // Who has proved to know the old password before it changed is too late.
        assert!(auth.open(&user, HERE).is_err());
        assert!(auth.open(&changed.unwrap(), HERE).is_ok());
    }

    #[test]
    fn of_two_changes_of_a_password_at_once_one_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let auth = auth_in(&folder);
        let (old, new) = (secret("correct horse"), secret("battery staple"));
        let before = auth.accounts.register("anna", &old, HERE).unwrap();
        let change = || {
            let user = before.clone();
            auth.accounts.change_password(user, &old, &new, HERE)
        };
        assert!(change().is_ok());
        assert!(matches!(change(), Err(Refusal::WrongOldPassword { .. })));
    }
}
