//! All sessions: in a store, and with what is known of them since. Who may open one is decided elsewhere; times are handed in.

use std::io;
use std::net::IpAddr;

use store::{Store, Transaction};

use crate::presence::Presence;
use crate::random::random;
use crate::session::{MAX_SESSIONS, Session, SessionLimits, Token, longest_unseen};
use crate::user::User;
use crate::user_key::UserKey;

/// So many sessions are swept or saved in one decision, so that others who wait for their turn do not notice.
const SWEPT_AT_ONCE: usize = 1_000;

/// The sessions of all users.
pub(crate) struct Sessions {
    store: Store<Session>,
    presence: Presence,
    limits: SessionLimits,
}

/// A session that is live, with its exact [`last_seen`](Session::last_seen).
#[derive(Debug)]
pub(crate) struct Live {
    /// What it is revoked by.
    pub(crate) id: String,
    /// The session.
    pub(crate) session: Session,
    /// When it ends if nothing more is heard from it, in Unix seconds.
    pub(crate) expires_at: u64,
}

/// Why a session was not opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// The operating system gives no random bytes.
    NoRandom(io::Error),
    /// It would be dead already: the user's password was changed in the meantime.
    TooLate,
    /// The disk did not take it.
    Store(store::Error),
}

impl Sessions {
    /// The sessions that a store has, by id.
    #[must_use]
    pub(crate) fn new(store: Store<Session>, limits: SessionLimits) -> Self {
        let presence = Presence::default();
        store.for_each(|id, session| presence.add(&session.user, id, session.last_seen));
        Self {
            store,
            presence,
            limits,
        }
    }

    /// Opens a session, on disk when it returns. Those of the user that have ended or that `is_dead` tells of go before it,
    /// and when the user has [`MAX_SESSIONS`], the one that was heard from the longest ago.
    ///
    /// # Errors
    ///
    /// [`OpenError`]; then the user's sessions are what they were.
    pub(crate) fn open(
        &self,
        user: &User,
        address: IpAddr,
        now: u64,
        is_dead: impl Fn(&Session) -> bool,
    ) -> Result<(Token, Live), OpenError> {
        let token = Token::new(random().map_err(OpenError::NoRandom)?);
        let id = token.session_id();
        let key = user.key();
        let session = Session::new(&token, key.clone(), user.generation.clone(), address, now);
        let opened = self.store.update(|all| {
            // Asked in this turn: who comes with a password that has just been changed is too late.
            if is_dead(&session) {
                return None;
            }
            let gone = self.room_for_one(all, &key, |session| {
                self.limits.is_live(session, now) && !is_dead(session)
            });
            for id in &gone {
                all.remove(id);
            }
            all.put(&id, session.clone());
            self.presence.add(&key, &id, now);
            Some(gone)
        });
        match opened {
            Ok(Some(gone)) => gone.iter().for_each(|id| self.presence.remove(&key, id)),
            Ok(None) => return Err(OpenError::TooLate),
            Err(error) => {
                self.presence.remove(&key, &id);
                return Err(OpenError::Store(error));
            }
        }
        Ok((token, self.live(id, session)))
    }

    /// Which sessions of a user are to go so that another may come.
    fn room_for_one(
        &self,
        all: &Transaction<'_, Session>,
        user: &UserKey,
        stays: impl Fn(&Session) -> bool,
    ) -> Vec<String> {
        let sessions = self.presence.of(user).into_iter().filter_map(|id| {
            let session = self.as_heard(&id, all.get(&id)?.clone())?;
            Some((id, session))
        });
        let (mut stay, gone): (Vec<_>, Vec<_>) = sessions.partition(|(_, session)| stays(session));
        let mut gone: Vec<_> = gone.into_iter().map(|(id, _)| id).collect();
        while stay.len() >= MAX_SESSIONS {
            let listed = stay.iter().map(|(id, session)| (id.as_str(), session));
            let Some(longest) = longest_unseen(listed).map(str::to_owned) else {
                break;
            };
            stay.retain(|(id, _)| *id != longest);
            gone.push(longest);
        }
        gone
    }

    /// The live session that a token opens. It counts as heard from.
    pub(crate) fn resume(&self, token: &Token, now: u64) -> Option<Live> {
        let id = token.session_id();
        let session = self.store.get(&id)?;
        if !session.is_opened_by(token) {
            return None;
        }
        self.heard_now(id, session, now)
    }

    /// The session of this id, if it is live still. It counts as heard from.
    pub(crate) fn hear(&self, id: &str, now: u64) -> Option<Live> {
        let session = self.store.get(id)?;
        self.heard_now(id.to_owned(), session, now)
    }

    fn heard_now(&self, id: String, session: Session, now: u64) -> Option<Live> {
        let mut session = self.as_heard(&id, session)?;
        if !self.limits.is_live(&session, now) {
            return None;
        }
        session.touch(now);
        self.presence.heard(&session.user, &id, now);
        Some(self.live(id, session))
    }

    /// The live sessions of a user, the oldest first.
    pub(crate) fn of(&self, user: &User, now: u64) -> Vec<Live> {
        let listed = self.presence.of(&user.key()).into_iter();
        let mut sessions: Vec<_> = listed
            .filter_map(|id| {
                let session = self.as_heard(&id, self.store.get(&id)?)?;
                let is_live = self.limits.is_live(&session, now);
                (is_live && session.generation == user.generation).then(|| self.live(id, session))
            })
            .collect();
        sessions.sort_by(|a, b| (a.session.created_at, &a.id).cmp(&(b.session.created_at, &b.id)));
        sessions
    }

    /// Ends a session of a user, on disk when it returns; says whether there was one that was live.
    ///
    /// # Errors
    ///
    /// Those of the store; then it goes on.
    pub(crate) fn revoke(&self, user: &User, id: &str, now: u64) -> Result<bool, store::Error> {
        let key = user.key();
        let revoked = self.store.update(|all| {
            let session = all.get(id).filter(|session| session.user == key).cloned();
            let Some(session) = session.and_then(|session| self.as_heard(id, session)) else {
                return false;
            };
            all.remove(id);
            self.limits.is_live(&session, now) && session.generation == user.generation
        })?;
        self.presence.remove(&key, id);
        Ok(revoked)
    }

    /// Ends all sessions of a user, on disk when it returns; says how many there were.
    ///
    /// # Errors
    ///
    /// Those of the store; then they go on.
    pub(crate) fn revoke_all(&self, user: &UserKey) -> Result<usize, store::Error> {
        let gone = self.store.update(|all| {
            let listed = self.presence.of(user).into_iter();
            listed.filter(|id| all.remove(id)).collect::<Vec<_>>()
        })?;
        gone.iter().for_each(|id| self.presence.remove(user, id));
        Ok(gone.len())
    }

    /// Removes sessions that have ended, and those that `is_dead` tells of; says how many.
    ///
    /// # Errors
    ///
    /// Those of the store; what is left is for the next time.
    pub(crate) fn sweep(
        &self,
        now: u64,
        is_dead: impl Fn(&Session) -> bool,
    ) -> Result<usize, store::Error> {
        let is_live = |session: &Session| self.limits.is_live(session, now);
        // What is live by the times on disk, as most are, is live.
        let was_heard = |id: &str, session: &Session| {
            is_live(session)
                || self
                    .as_heard(id, session.clone())
                    .as_ref()
                    .is_some_and(is_live)
        };
        let mut over = vec![];
        self.store.for_each(|id, session| {
            if is_dead(session) || !was_heard(id, session) {
                over.push((id.to_owned(), session.user.clone()));
            }
        });
        for some in over.chunks(SWEPT_AT_ONCE) {
            self.store.update(|all| {
                for (id, _) in some {
                    all.remove(id);
                }
            })?;
            some.iter()
                .for_each(|(id, user)| self.presence.remove(user, id));
        }
        Ok(over.len())
    }

    /// Puts on disk when sessions were last heard from: those of a minute or more after what stands there, or, with
    /// `all_of_them`, everything that has changed.
    ///
    /// # Errors
    ///
    /// Those of the store; what is left is for the next time.
    pub(crate) fn save(&self, all_of_them: bool) -> Result<usize, store::Error> {
        let mut late = vec![];
        self.store.for_each(|id, session| {
            if let Some(seen) = self.presence.last_seen(&session.user, id)
                && (session.is_outdated_by(seen) || all_of_them && seen > session.last_seen)
            {
                late.push((id.to_owned(), seen));
            }
        });
        for some in late.chunks(SWEPT_AT_ONCE) {
            self.store.update(|all| {
                for (id, seen) in some {
                    if let Some(mut session) = all.get(id).cloned() {
                        session.last_seen = *seen;
                        all.put(id, session);
                    }
                }
            })?;
        }
        Ok(late.len())
    }

    /// Figures of the store.
    pub(crate) fn stats(&self) -> store::Stats {
        self.store.stats()
    }

    /// A session from the store as it is known in memory; none when it is being removed.
    fn as_heard(&self, id: &str, mut session: Session) -> Option<Session> {
        session.last_seen = self.presence.last_seen(&session.user, id)?;
        Some(session)
    }

    fn live(&self, id: String, session: Session) -> Live {
        Live {
            expires_at: self.limits.expires_at(&session),
            id,
            session,
        }
    }
}

#[cfg(test)]
#[path = "sessions_tests.rs"]
mod tests;
