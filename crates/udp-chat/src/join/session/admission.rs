//! How a session begins, and begins again after a silence.

use std::time::{Duration, Instant};

use proto::chat::{Body, Bye, Reason, Refusal, Refused, Request, SessionId, Welcome};

use super::super::asking::Asking;
use super::super::display::DisplayEvent;
use super::{End, Session};
use crate::link::Link;

/// Without any answer for so long, hello is said beside the link.
const UNANSWERED: Duration = Duration::from_secs(5);

impl Session {
    pub(super) fn welcomed(&mut self, welcome: Welcome, now: Instant) {
        let Welcome { session, nick, .. } = welcome;
        self.progress_at = now;
        match &mut self.link {
            Some(link) if link.session() == session && link.deadline().is_some() => {
                self.answered_again(now);
            }
            // Here it is over, and what was not confirmed is told; so it is ended there, too.
            Some(link) if link.session() == session => {
                let reason = Reason::TimedOut;
                self.farewell = Some(Bye { session, reason });
                self.ask_back(None, now);
            }
            _ => self.begin_afresh(session, nick, now),
        }
    }

    /// What was silent is heard again, and the link goes on.
    pub(super) fn answered_again(&mut self, now: Instant) {
        self.asking = None;
        self.warned = false;
        if let Some(link) = &mut self.link {
            link.resume(now);
        }
        self.trouble("the server answers again");
    }

    fn begin_afresh(&mut self, session: SessionId, nick: String, now: Instant) {
        self.asking = None;
        self.refusal = None;
        self.warned = false;
        let mut link = Link::new(session, now);
        let who = Body::new(&Request::Who).expect("a request without a text is short");
        link.send(who).expect("a new link takes a message");
        self.catching_up = true;
        let is_return = self.link.replace(link).is_some();
        if is_return {
            self.tell_unconfirmed();
            self.trouble("the server answers again, and knew nothing of this session");
        }
        self.inbox
            .begin_afresh(is_return.then(|| self.nick.clone()));
        self.nick.clone_from(&nick);
        self.arrived = true;
        self.shown.push_back(DisplayEvent::You { nick });
    }

    pub(super) fn refused(&mut self, refused: Refused) {
        if self.link.is_none() {
            self.asking = None;
            let Refused { code, message, .. } = refused;
            self.end = Some(End::Refused { code, message });
        } else {
            // Our own former self may be what has the nick: it is asked as long as a hello lasts.
            // A server that stops has not decided; whoever is started in its place will.
            self.refusal = Some(refused).filter(|refused| refused.code != Refusal::Stopping);
        }
    }

    pub(super) fn asked_in_vain(&mut self, now: Instant) {
        self.asking = None;
        match self.refusal.take() {
            Some(Refused { code, message, .. }) => {
                self.tell_unconfirmed();
                self.link = None;
                self.end = Some(End::Refused { code, message });
            }
            None if self.link.is_none() => self.end = Some(End::NoAnswer),
            None => self.ask_back(self.session(), now),
        }
    }

    /// When hello is to be said beside the link.
    pub(super) fn come_back_at(&self) -> Option<Instant> {
        let link = self.link.as_ref().filter(|_| !self.leaving)?;
        link.deadline()?;
        Some(link.unanswered_since()? + UNANSWERED)
    }

    pub(super) fn session(&self) -> Option<SessionId> {
        self.link.as_ref().map(Link::session)
    }

    pub(super) fn ask_back(&mut self, session: Option<SessionId>, now: Instant) {
        let nonce = (self.nonces)();
        self.refusal = None;
        self.asking = Some(Asking::new(self.nick.clone(), session, nonce, now));
    }
}
