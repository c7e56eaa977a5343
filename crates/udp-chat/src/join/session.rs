//! A member's side of the chat as a state machine: joining, the session, coming back.
//!
//! Like the link it has no socket, no thread and no clock: datagrams, requests and the time go in;
//! datagrams, what is to be shown and deadlines come out. Its owner sends what
//! [`Session::poll_transmit`] gives, shows what [`Session::poll_event`] gives, judges the key that
//! [`Session::take_server_key`] gives, and looks at [`Session::end`] after each step.

mod events;
mod joining;
mod reconnect;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Instant;

use chat_link::message::{MessageError, Request};
use chat_link::{CloseReason, Link, Path, PublicKey, RefusalCode, StaticKey};

use super::command::Outgoing;
use super::display::DisplayEvent;
use super::inbox::Inbox;
use super::outbox::Outbox;
use super::people::{Ignored, OtherPerson};
use joining::Attempt;
pub(super) use joining::NO_ANSWER;
use reconnect::{NickLoss, Silence};

/// What may wait to be shown. Past it messages stay with the server, which slows it down.
const MAX_EVENTS: usize = 64;

/// Who joins, and how.
pub(super) struct Profile {
    pub(super) key: StaticKey,
    pub(super) nick: String,
    /// How many texts of the history are wanted.
    pub(super) history: u16,
    pub(super) plaintext: bool,
}

pub(super) struct Session {
    profile: Profile,
    /// The nick, as the server writes it.
    nick: String,
    random: Box<dyn FnMut() -> [u8; 48] + Send>,
    /// Whether links describe their datagrams.
    is_traced: bool,
    began: Instant,
    attempt: Option<Attempt>,
    /// When the next attempt begins, if one is due.
    retry_at: Option<Instant>,
    /// Whether the server ever answered.
    is_heard: bool,
    server_key: Option<PublicKey>,
    /// A key to be judged by the owner.
    presented: Option<PublicKey>,
    /// Another server's key, which was ignored and reported.
    ignored_key: Option<PublicKey>,
    /// The server's addresses, for when it is silent.
    addresses: Vec<SocketAddr>,
    link: Option<Box<Link>>,
    joined_at: Option<Instant>,
    silence: Option<Silence>,
    nick_loss: Option<NickLoss>,
    inbox: Inbox,
    outbox: Outbox,
    events: VecDeque<DisplayEvent>,
    progress_at: Instant,
    /// Whether a line said that texts wait for the server.
    warned: bool,
    /// A session began, and the owner has not asked yet.
    arrived: bool,
    leaving: bool,
    /// Something of the member's was shown as not confirmed.
    lost: bool,
    /// The server refused a request.
    errors: bool,
    end: Option<End>,
}

/// Where a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// To whichever address of the server is tried.
    Handshake,
    Session(SocketAddr),
}

/// How the conversation came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// We left.
    Left,
    /// Nobody answered the first hello.
    NoAnswer,
    /// The server does not want us.
    Refused {
        code: RefusalCode,
        message: String,
        versions: Vec<u32>,
    },
    /// The server removed us.
    Removed(CloseReason),
}

/// Why a request is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum RequestError {
    #[error(transparent)]
    Message(#[from] MessageError),
    #[error(
        "{nick} is another person now than when you last saw or wrote to that nick; send it again if you mean them"
    )]
    OtherPerson { nick: String },
}

impl Session {
    /// Begins to join. `random` gives bytes of the operating system's randomness.
    pub(super) fn new(
        profile: Profile,
        random: impl FnMut() -> [u8; 48] + Send + 'static,
        is_traced: bool,
        now: Instant,
    ) -> Self {
        let mut session = Self {
            nick: profile.nick.clone(),
            inbox: Inbox::new(profile.key.public().key_id()),
            profile,
            random: Box::new(random),
            is_traced,
            began: now,
            attempt: None,
            retry_at: None,
            is_heard: false,
            server_key: None,
            presented: None,
            ignored_key: None,
            addresses: Vec::new(),
            link: None,
            joined_at: None,
            silence: None,
            nick_loss: None,
            outbox: Outbox::new(),
            events: VecDeque::new(),
            progress_at: now,
            warned: false,
            arrived: false,
            leaving: false,
            lost: false,
            errors: false,
            end: None,
        };
        session.begin_attempt(now);
        session
    }

    /// Takes a datagram that came from `from`.
    pub(super) fn handle(&mut self, bytes: &[u8], from: SocketAddr, now: Instant) {
        if self.end.is_some() {
            return;
        }
        let path = Path::to(from);
        if let Some(attempt) = &mut self.attempt {
            attempt.handle(bytes, path, now);
        }
        let has_room = self.events.len() < MAX_EVENTS;
        if let Some(link) = &mut self.link
            && link.handle(bytes, path, now, &mut || has_room)
        {
            self.heard_from(from);
        }
        self.settle(now);
    }

    /// Takes something for the server, to be sent when it can be.
    ///
    /// # Errors
    ///
    /// [`RequestError`]; then it is not taken.
    pub(super) fn ask(&mut self, outgoing: Outgoing, now: Instant) -> Result<(), RequestError> {
        let request = self.request(&outgoing)?;
        self.outbox.push(outgoing, &request)?;
        if self.is_joined() && !self.has_contact() && !std::mem::replace(&mut self.warned, true) {
            self.trouble("no contact; it is sent when the server is back");
        }
        self.settle(now);
        Ok(())
    }

    /// Hides a member's texts and renames, or shows them again.
    pub(super) fn ignore(&mut self, nick: &str) -> Ignored {
        self.inbox.people.toggle_ignored(nick)
    }

    /// Who sent the last private text.
    pub(super) fn correspondent(&self) -> Option<&str> {
        self.inbox.correspondent()
    }

    /// Whether there is room for another request.
    pub(super) fn has_room(&self) -> bool {
        self.outbox.has_room()
    }

    /// Whether the server has answered everything, and the history is complete.
    pub(super) fn is_all_answered(&self) -> bool {
        self.outbox.is_empty() && !self.inbox.is_catching_up()
    }

    /// How many of the member's requests the server may not have.
    pub(super) fn unconfirmed(&self) -> usize {
        self.outbox.unconfirmed()
    }

    /// When the server last acknowledged anything, took us in, or sent history.
    pub(super) fn progress_at(&self) -> Instant {
        self.progress_at
    }

    /// Whether the server was ever heard.
    pub(super) fn is_heard(&self) -> bool {
        self.is_heard
    }

    /// Whether the server ever took us in.
    pub(super) fn is_joined(&self) -> bool {
        self.link.is_some()
    }

    /// Whether a session began since the last call.
    pub(super) fn take_arrival(&mut self) -> bool {
        std::mem::take(&mut self.arrived)
    }

    /// Whether anything was shown as not confirmed when a session ended.
    pub(super) fn has_lost(&self) -> bool {
        self.lost
    }

    /// Whether the server refused any request.
    pub(super) fn has_errors(&self) -> bool {
        self.errors
    }

    /// The link, for its figures and traces.
    pub(super) fn link_mut(&mut self) -> Option<&mut Link> {
        self.link.as_deref_mut()
    }

    /// Lets time pass.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.end.is_some() {
            return;
        }
        if let Some(link) = &mut self.link {
            link.handle_timeout(now);
        }
        self.settle(now);
        if self.end.is_none() {
            self.look_at_attempt(now);
            self.look_at_silence(now);
            self.reclaim_nick(now);
        }
    }

    /// Writes the next datagram to send now; to be called until there is none.
    pub(super) fn poll_transmit(
        &mut self,
        now: Instant,
        datagram: &mut Vec<u8>,
    ) -> Option<Destination> {
        if let Some(link) = &mut self.link
            && let Some(path) = link.poll_transmit(now, datagram)
        {
            return Some(Destination::Session(path.remote));
        }
        let attempt = self.attempt.as_mut()?;
        attempt
            .poll_transmit(now, datagram)
            .then_some(Destination::Handshake)
    }

    /// The next thing to show.
    pub(super) fn poll_event(&mut self) -> Option<DisplayEvent> {
        self.events.pop_front()
    }

    /// When to call [`Session::handle_timeout`] if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.end.is_some() {
            return None;
        }
        let link = self.link.as_deref();
        let outbox = self.outbox.deadline().filter(|_| self.has_contact());
        [
            self.attempt_deadline(),
            self.silence_deadline(),
            self.nick_deadline(),
            link.and_then(Link::deadline),
            outbox,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Says bye; [`Session::end`] is set when that is done.
    pub(super) fn leave(&mut self, now: Instant) {
        let has_contact = self.has_contact();
        self.leaving = true;
        self.attempt = None;
        self.retry_at = None;
        if let Some(link) = &mut self.link {
            // A silent server gets one close, and its answer is not waited for.
            link.close(CloseReason::Quit, now);
        }
        if !has_contact {
            self.end.get_or_insert(End::Left);
        }
    }

    /// Set once it is over.
    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    /// What of the member's own is not confirmed, in words; asked for at the end.
    pub(super) fn give_up(&mut self) -> impl Iterator<Item = DisplayEvent> + use<> {
        self.outbox
            .give_up()
            .into_iter()
            .map(DisplayEvent::not_confirmed)
    }

    fn request(&mut self, outgoing: &Outgoing) -> Result<Request, RequestError> {
        Ok(match outgoing {
            Outgoing::Say(text) => Request::Say { text: text.clone() },
            Outgoing::Me(text) => Request::Me { text: text.clone() },
            Outgoing::Private { to, text } => {
                let key = self.inbox.people.recipient(to);
                Request::Private {
                    to: to.clone(),
                    key: key
                        .map_err(|OtherPerson| RequestError::OtherPerson { nick: to.clone() })?,
                    text: text.clone(),
                }
            }
            Outgoing::Nick(nick) => {
                // A member that takes another nick has given the former one up.
                self.profile.nick.clone_from(nick);
                self.nick_loss = None;
                Request::Nick { nick: nick.clone() }
            }
            Outgoing::Who => Request::Who,
        })
    }
}
