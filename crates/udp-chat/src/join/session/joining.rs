//! How a session begins: attempts to join, the server's key, its decision.

use std::time::{Duration, Instant};

use chat_link::{Connector, ConnectorEvent, Join, Link, Path, PublicKey, RefusalCode, Refused};

use super::super::display::DisplayEvent;
use super::{End, Session};

/// How long a first hello may go unanswered: then the address or the port is wrong.
pub(in super::super) const NO_ANSWER: Duration = Duration::from_secs(5);

/// How long a first join may take once the server was heard.
const JOIN_LIMIT: Duration = Duration::from_secs(30);

/// The pause before another attempt, when the server refused one, was another server, or ended a
/// session at once. A server that is out of order would draw thousands of datagrams a second.
const RETRY: Duration = Duration::from_secs(2);

/// A session that lasted so long was one: the next attempt may begin at once.
const SETTLED: Duration = Duration::from_secs(5);

/// One handshake. It is begun again by itself when a step takes too long.
pub(super) struct Attempt {
    connector: Connector,
}

impl Attempt {
    pub(super) fn handle(&mut self, bytes: &[u8], path: Path, now: Instant) {
        self.connector.handle(bytes, path, now);
    }

    pub(super) fn poll_transmit(&mut self, now: Instant, datagram: &mut Vec<u8>) -> bool {
        self.connector.poll_transmit(now, datagram)
    }

    pub(super) fn poll_event(&mut self) -> Option<ConnectorEvent> {
        self.connector.poll_event()
    }
}

impl Session {
    /// Begins a handshake, in place of any other.
    pub(super) fn begin_attempt(&mut self, now: Instant) {
        let join = Join {
            nick: self.nick_to_ask_for(),
            history: self.profile.history,
            plaintext: self.profile.plaintext,
        };
        self.retry_at = None;
        self.presented = None;
        self.attempt = Some(Attempt {
            connector: Connector::new(&self.profile.key, join, (self.random)(), now),
        });
    }

    /// Joins again after a session has ended.
    pub(super) fn begin_again(&mut self, now: Instant) {
        let lasted = self.joined_at.map(|at| now.saturating_duration_since(at));
        if lasted.is_some_and(|lasted| lasted < SETTLED) {
            self.retry_later(now);
        } else {
            self.begin_attempt(now);
        }
    }

    pub(super) fn retry_later(&mut self, now: Instant) {
        self.attempt = None;
        self.retry_at = Some(now + RETRY);
    }

    /// The server's key, if it is to be judged: [`Session::trust`] or [`Session::pause`].
    pub(in super::super) fn take_server_key(&mut self) -> Option<PublicKey> {
        self.presented.take()
    }

    /// The key is trusted, as long as the program runs.
    pub(in super::super) fn trust(&mut self, key: PublicKey, now: Instant) {
        self.server_key = Some(key);
        // A person may have taken minutes.
        self.began = now;
        match &mut self.attempt {
            Some(attempt) => attempt.connector.trust_server(now),
            None => self.begin_attempt(now),
        }
    }

    /// Drops the handshake until [`Session::trust`] is called.
    pub(in super::super) fn pause(&mut self) {
        self.attempt = None;
        self.retry_at = None;
    }

    /// Joins under another nick than the one that was refused.
    pub(in super::super) fn join_as(&mut self, nick: &str, now: Instant) {
        nick.clone_into(&mut self.profile.nick);
        nick.clone_into(&mut self.nick);
        self.end = None;
        self.began = now;
        self.begin_attempt(now);
    }

    pub(super) fn attempt_event(&mut self, event: ConnectorEvent, now: Instant) {
        match event {
            ConnectorEvent::Heard => {
                self.is_heard = true;
            }
            ConnectorEvent::ServerKey(key) => match self.server_key {
                None => self.presented = Some(key),
                Some(trusted) if trusted == key => self.trust_again(now),
                Some(_) => {
                    if self.ignored_key.replace(key) != Some(key) {
                        self.trouble(
                            "a server with another key answers; it is ignored, and the right one is asked again",
                        );
                    }
                    self.retry_later(now);
                }
            },
            ConnectorEvent::Joined { link, nick } => self.joined(link, nick, now),
            ConnectorEvent::Refused(refused) => self.refused(refused, now),
        }
    }

    fn trust_again(&mut self, now: Instant) {
        if let Some(attempt) = &mut self.attempt {
            attempt.connector.trust_server(now);
        }
    }

    fn joined(&mut self, mut link: Box<Link>, nick: String, now: Instant) {
        link.set_tracing(self.is_traced);
        self.attempt = None;
        self.warned = false;
        self.progress_at = now;
        self.joined_at = Some(now);
        let is_return = self.link.replace(link).is_some();
        if is_return {
            self.trouble("the server answers again");
        }
        self.inbox.begin();
        self.nick.clone_from(&nick);
        self.arrived = true;
        self.events.push_back(DisplayEvent::You { nick });
        self.nick_given(now);
    }

    fn refused(&mut self, refused: Refused, now: Instant) {
        let Refused {
            code,
            message,
            versions,
        } = refused;
        if self.is_joined() {
            match code {
                RefusalCode::NickTaken | RefusalCode::BadNick => return self.nick_refused(now),
                RefusalCode::Full | RefusalCode::Stopping | RefusalCode::Other => {
                    return self.retry_later(now);
                }
                RefusalCode::BadVersion | RefusalCode::Banned | RefusalCode::PlaintextRefused => {}
            }
        }
        self.report_unconfirmed();
        self.attempt = None;
        self.end = Some(End::Refused {
            code,
            message,
            versions,
        });
    }

    /// What the time brings while there is no session.
    pub(super) fn look_at_attempt(&mut self, now: Instant) {
        if self.first_limit().is_some_and(|at| at <= now) {
            self.end = Some(End::NoAnswer);
            return;
        }
        if self.retry_at.is_some_and(|at| at <= now) {
            self.begin_attempt(now);
        }
    }

    pub(super) fn attempt_deadline(&self) -> Option<Instant> {
        let attempt = self.attempt.as_ref();
        let deadlines = [
            attempt.and_then(|attempt| attempt.connector.deadline()),
            self.retry_at,
            self.first_limit(),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// When the first join is given up. A person who is asked about the key is waited for.
    fn first_limit(&self) -> Option<Instant> {
        let is_waiting = self.attempt.is_some() || self.retry_at.is_some();
        let limit = if self.is_heard { JOIN_LIMIT } else { NO_ANSWER };
        (!self.is_joined() && is_waiting && self.presented.is_none()).then(|| self.began + limit)
    }
}
