//! All sessions: a store of them, and an index in memory of when each was last used. Callers decide who may open one,
//! and pass times in. Sessions that have ended leave the file too, since it names their users and addresses.

use std::io;
use std::net::IpAddr;

use store::{Store, Transaction};
use trust::random;

use crate::session::{MAX_SESSIONS, Session, SessionLimits, Token, least_recently_used};
use crate::session_index::SessionIndex;
use crate::user::User;
use crate::user_key::UserKey;

/// Sessions removed or saved in one transaction: few enough that other transactions do not wait noticeably.
const SESSIONS_AT_ONCE: usize = 1_000;

/// The sessions of all users.
pub(crate) struct Sessions {
    store: Store<Session>,
    index: SessionIndex,
    limits: SessionLimits,
}

/// A session that is live, with its exact [`last_seen`](Session::last_seen).
#[derive(Debug)]
pub(crate) struct LiveSession {
    /// The id by which it is revoked.
    pub(crate) id: String,
    /// The session.
    pub(crate) session: Session,
    /// When it ends if it is not used any more, in Unix seconds.
    pub(crate) expires_at: u64,
}

/// Why a session was not opened.
#[derive(Debug)]
pub(crate) enum OpenSessionError {
    /// The operating system gives no random bytes.
    NoRandom(io::Error),
    /// The session would be invalid: the user's password was changed meanwhile.
    TooLate,
    /// The session is not on disk.
    Store(store::Error),
}

impl Sessions {
    /// The sessions of a store, by id.
    #[must_use]
    pub(crate) fn new(store: Store<Session>, limits: SessionLimits) -> Self {
        let index = SessionIndex::default();
        store.for_each(|id, session| index.add(&session.user, id, session.last_seen));
        Self {
            store,
            index,
            limits,
        }
    }

    /// Opens a session, which is on disk when this returns. The user's sessions that have ended or are invalid are
    /// removed in the same transaction; if [`MAX_SESSIONS`] are left, the one that was used the longest ago is removed
    /// too.
    ///
    /// # Errors
    ///
    /// [`OpenSessionError`]; then the user's sessions are unchanged.
    pub(crate) fn open(
        &self,
        user: &User,
        address: IpAddr,
        now: u64,
        is_invalid: impl Fn(&Session) -> bool,
    ) -> Result<(Token, LiveSession), OpenSessionError> {
        let token = Token::new(random().map_err(OpenSessionError::NoRandom)?);
        let id = token.session_id();
        let key = user.key();
        let session = Session::new(
            &token,
            key.clone(),
            user.password_version.clone(),
            address,
            now,
        );
        let opened = self.store.update(|all| {
            // Checked within the transaction: a login with a password that has just been changed is too late.
            if is_invalid(&session) {
                return None;
            }
            let removed = self.make_room(all, &key, |session| {
                self.limits.is_live(session, now) && !is_invalid(session)
            });
            for id in &removed {
                all.remove(id);
            }
            all.put(&id, session.clone());
            self.index.add(&key, &id, now);
            Some(removed)
        });
        match opened {
            Ok(Some(removed)) => removed.iter().for_each(|id| self.index.remove(&key, id)),
            Ok(None) => return Err(OpenSessionError::TooLate),
            Err(error) => {
                self.index.remove(&key, &id);
                return Err(OpenSessionError::Store(error));
            }
        }
        Ok((token, self.live(id, session)))
    }

    /// The sessions of a user to remove so that there is room for another one.
    fn make_room(
        &self,
        all: &Transaction<'_, Session>,
        user: &UserKey,
        is_kept: impl Fn(&Session) -> bool,
    ) -> Vec<String> {
        let sessions = self.index.of(user).into_iter().filter_map(|id| {
            let session = self.with_last_seen(&id, all.get(&id)?.clone())?;
            Some((id, session))
        });
        let (mut kept, removed): (Vec<_>, Vec<_>) =
            sessions.partition(|(_, session)| is_kept(session));
        let mut removed: Vec<_> = removed.into_iter().map(|(id, _)| id).collect();
        while kept.len() >= MAX_SESSIONS {
            let listed = kept.iter().map(|(id, session)| (id.as_str(), session));
            let Some(longest) = least_recently_used(listed).map(str::to_owned) else {
                break;
            };
            kept.retain(|(id, _)| *id != longest);
            removed.push(longest);
        }
        removed
    }

    /// The live session that a token opens. This counts as use.
    pub(crate) fn resume(&self, token: &Token, now: u64) -> Option<LiveSession> {
        let id = token.session_id();
        let session = self.store.get(&id)?;
        if !session.is_opened_by(token) {
            return None;
        }
        self.touched(id, session, now)
    }

    /// The session with this id, if it is live. This counts as use.
    pub(crate) fn touch(&self, id: &str, now: u64) -> Option<LiveSession> {
        let session = self.store.get(id)?;
        self.touched(id.to_owned(), session, now)
    }

    fn touched(&self, id: String, session: Session, now: u64) -> Option<LiveSession> {
        let mut session = self.with_last_seen(&id, session)?;
        if !self.limits.is_live(&session, now) {
            return None;
        }
        session.touch(now);
        self.index.touch(&session.user, &id, now);
        Some(self.live(id, session))
    }

    /// The live sessions of a user, the oldest first.
    pub(crate) fn of(&self, user: &User, now: u64) -> Vec<LiveSession> {
        let listed = self.index.of(&user.key()).into_iter();
        let mut sessions: Vec<_> = listed
            .filter_map(|id| {
                let session = self.with_last_seen(&id, self.store.get(&id)?)?;
                let is_live = self.limits.is_live(&session, now);
                (is_live && session.password_version == user.password_version)
                    .then(|| self.live(id, session))
            })
            .collect();
        sessions.sort_by(|a, b| (a.session.created_at, &a.id).cmp(&(b.session.created_at, &b.id)));
        sessions
    }

    /// Ends a session of a user, on disk when this returns; says whether there was a live one.
    ///
    /// # Errors
    ///
    /// Those of the store; then the session goes on.
    pub(crate) fn revoke(&self, user: &User, id: &str, now: u64) -> Result<bool, store::Error> {
        let key = user.key();
        let revoked = self.store.update_and_erase(|all| {
            let session = all.get(id).filter(|session| session.user == key).cloned();
            let Some(session) = session.and_then(|session| self.with_last_seen(id, session)) else {
                return false;
            };
            all.remove(id);
            self.limits.is_live(&session, now) && session.password_version == user.password_version
        })?;
        self.index.remove(&key, id);
        Ok(revoked)
    }

    /// Ends all sessions of a user, on disk when this returns; says how many there were.
    ///
    /// # Errors
    ///
    /// Those of the store; then they go on.
    pub(crate) fn revoke_all(&self, user: &UserKey) -> Result<usize, store::Error> {
        let removed = self.store.update_and_erase(|all| {
            let listed = self.index.of(user).into_iter();
            listed.filter(|id| all.remove(id)).collect::<Vec<_>>()
        })?;
        removed.iter().for_each(|id| self.index.remove(user, id));
        Ok(removed.len())
    }

    /// Removes sessions that have ended or are invalid; says how many.
    ///
    /// # Errors
    ///
    /// Those of the store; the next call removes the rest.
    pub(crate) fn remove_ended(
        &self,
        now: u64,
        is_invalid: impl Fn(&Session) -> bool,
    ) -> Result<usize, store::Error> {
        let is_live = |session: &Session| self.limits.is_live(session, now);
        // The times on disk are older than those in memory, so a session that is live by them is live.
        let is_live_now = |id: &str, session: &Session| {
            is_live(session)
                || self
                    .with_last_seen(id, session.clone())
                    .as_ref()
                    .is_some_and(is_live)
        };
        let mut ended = vec![];
        self.store.for_each(|id, session| {
            if is_invalid(session) || !is_live_now(id, session) {
                ended.push((id.to_owned(), session.user.clone()));
            }
        });
        for chunk in ended.chunks(SESSIONS_AT_ONCE) {
            self.store.update_and_erase(|all| {
                for (id, _) in chunk {
                    all.remove(id);
                }
            })?;
            chunk
                .iter()
                .for_each(|(id, user)| self.index.remove(user, id));
        }
        Ok(ended.len())
    }

    pub(crate) fn close(&self) {
        self.store.close();
    }

    /// Writes when sessions were last used: the times that are a minute or more ahead of the file, or with `everything`
    /// all that have changed. Says how many.
    ///
    /// # Errors
    ///
    /// Those of the store; the next call writes the rest.
    pub(crate) fn save(&self, everything: bool) -> Result<usize, store::Error> {
        let mut outdated = vec![];
        self.store.for_each(|id, session| {
            if let Some(seen) = self.index.last_seen(&session.user, id)
                && (session.is_outdated_by(seen) || everything && seen > session.last_seen)
            {
                outdated.push((id.to_owned(), seen));
            }
        });
        for chunk in outdated.chunks(SESSIONS_AT_ONCE) {
            self.store.update(|all| {
                for (id, seen) in chunk {
                    if let Some(mut session) = all.get(id).cloned() {
                        session.last_seen = *seen;
                        all.put(id, session);
                    }
                }
            })?;
        }
        Ok(outdated.len())
    }

    /// Figures of the store.
    pub(crate) fn stats(&self) -> store::Stats {
        self.store.stats()
    }

    /// A session from the store, with the time in memory; none while it is being removed.
    fn with_last_seen(&self, id: &str, mut session: Session) -> Option<Session> {
        session.last_seen = self.index.last_seen(&session.user, id)?;
        Some(session)
    }

    fn live(&self, id: String, session: Session) -> LiveSession {
        LiveSession {
            expires_at: self.limits.expires_at(&session),
            id,
            session,
        }
    }
}

#[cfg(test)]
mod tests;
