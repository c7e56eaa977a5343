//! A member's side of the chat as a state machine: joining, the link and its loss, coming back.
//!
//! Like the link it has no socket, no thread and no clock: datagrams, wishes and the time go in;
//! datagrams, what is to be shown and deadlines come out. Who calls it sends what
//! [`Session::poll_transmit`] gives, shows what [`Session::poll_event`] gives, and looks at
//! [`Session::end`] after each step.

mod admission;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Instant;

use proto::chat::{Bye, Datagram, Nonce, Reason, Refusal, Refused, TooLong};

use super::asking::{Answer, Asking};
use super::command::Wish;
use super::display::DisplayEvent;
use super::inbox::Inbox;
use super::outbox::Outbox;
use crate::link::{End as LinkEnd, Event, Link};
use crate::trace::words;

/// What may wait to be shown; past it messages are left in the link, which slows the server down.
const MAX_SHOWN: usize = 64;

pub(super) struct Session {
    nick: String,
    nonces: Box<dyn FnMut() -> Nonce + Send>,
    asking: Option<Asking>,
    /// Why the server last refused to have us back.
    refusal: Option<Refused>,
    link: Option<Link>,
    /// The server's bye is to be answered before anything else is sent.
    answering: bool,
    /// For a session of ours that is over here and not at the server.
    farewell: Option<Bye>,
    inbox: Inbox,
    outbox: Outbox,
    shown: VecDeque<DisplayEvent>,
    progress_at: Instant,
    /// The history is still coming. Who is here was asked at once, and is answered after it.
    catching_up: bool,
    /// The member was told that what it writes has to wait for the server.
    warned: bool,
    /// A session began, and nobody was told yet.
    arrived: bool,
    /// The member wants to leave.
    leaving: bool,
    /// Something of the member's was told to be unconfirmed.
    lost: bool,
    end: Option<End>,
}

/// How the conversation came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum End {
    /// We left.
    Left,
    /// Nobody answered the first hello.
    NoAnswer,
    /// The server does not want us, or not back.
    Refused { code: Refusal, message: String },
    /// The server removed us.
    Removed(Reason),
}

impl Session {
    /// Begins to join as `nick`. `nonces` are random ones.
    pub(super) fn new(
        nick: String,
        mut nonces: impl FnMut() -> Nonce + Send + 'static,
        now: Instant,
    ) -> Self {
        let asking = Asking::new(nick.clone(), None, nonces(), now);
        Self {
            nick,
            nonces: Box::new(nonces),
            asking: Some(asking),
            refusal: None,
            link: None,
            answering: false,
            farewell: None,
            inbox: Inbox::default(),
            outbox: Outbox::new(),
            shown: VecDeque::new(),
            progress_at: now,
            catching_up: false,
            warned: false,
            arrived: false,
            leaving: false,
            lost: false,
            end: None,
        }
    }

    /// Takes a datagram in.
    pub(super) fn handle(&mut self, datagram: &Datagram<'_>, now: Instant) {
        if self.end.is_some() {
            return;
        }
        let answer = self
            .asking
            .as_mut()
            .and_then(|asking| asking.handle(datagram, now));
        match answer {
            Some(Answer::Welcome(welcome)) => self.welcomed(welcome, now),
            Some(Answer::Refused(refused)) => self.refused(refused),
            None => {
                if let Some(link) = &mut self.link {
                    link.handle(datagram, now);
                }
            }
        }
        self.settle(now);
    }

    /// Takes something for the server, to be sent when it can be.
    ///
    /// # Errors
    ///
    /// [`TooLong`] when a nick in it is.
    pub(super) fn ask(&mut self, wish: Wish, now: Instant) -> Result<(), TooLong> {
        self.outbox.push(wish)?;
        if self.is_joined() && !self.has_contact() && !std::mem::replace(&mut self.warned, true) {
            self.trouble("no contact; it is sent when the server is back");
        }
        self.settle(now);
        Ok(())
    }

    /// Hides what a member says, or shows it again; tells whether it is hidden now.
    pub(super) fn ignore(&mut self, nick: &str) -> bool {
        self.inbox.ignore(nick)
    }

    /// Who sent the last private text.
    pub(super) fn correspondent(&self) -> Option<&str> {
        self.inbox.correspondent()
    }

    /// Whether there is room for another wish.
    pub(super) fn has_room(&self) -> bool {
        self.outbox.has_room()
    }

    /// Whether the server has confirmed everything, and told what was said before.
    pub(super) fn is_settled(&self) -> bool {
        self.outbox.len() == 0 && !self.catching_up
    }

    /// How many of the member's wishes the server has not confirmed.
    pub(super) fn unconfirmed(&self) -> usize {
        self.outbox.len()
    }

    /// When the server last confirmed anything, took us in, or told of the past.
    pub(super) fn progress_at(&self) -> Instant {
        self.progress_at
    }

    /// Whether the server was ever heard.
    pub(super) fn is_heard(&self) -> bool {
        self.link.is_some() || self.asking.as_ref().is_some_and(Asking::is_challenged)
    }

    /// Whether the server took us in.
    pub(super) fn is_joined(&self) -> bool {
        self.link.is_some()
    }

    /// Whether the server took us in, and is not being asked to have us back.
    fn has_contact(&self) -> bool {
        self.is_joined() && self.asking.is_none()
    }

    /// Whether a session began since the last call.
    pub(super) fn take_arrival(&mut self) -> bool {
        std::mem::take(&mut self.arrived)
    }

    /// Whether anything was told to be unconfirmed when a session ended.
    pub(super) fn has_lost(&self) -> bool {
        self.lost
    }

    /// The link, for its figures.
    pub(super) fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    /// Lets time pass.
    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if let Some(link) = &mut self.link {
            link.handle_timeout(now);
        }
        self.settle(now);
        if self.end.is_some() {
            return;
        }
        let asking_is_over = self
            .asking
            .as_ref()
            .is_some_and(|asking| asking.is_over(now));
        if asking_is_over {
            self.asked_in_vain(now);
        } else if self.asking.is_none() && self.come_back_at().is_some_and(|at| at <= now) {
            self.trouble("the server does not answer; trying to come back");
            self.ask_back(self.session(), now);
        }
    }

    /// The next datagram to send now; to be called until there is none.
    pub(super) fn poll_transmit(&mut self, now: Instant) -> Option<Datagram<'_>> {
        if let Some(bye) = self.farewell.take() {
            return Some(Datagram::Bye(bye));
        }
        let answering = std::mem::take(&mut self.answering);
        let asking = self.asking.as_mut().filter(|_| !answering);
        if let Some(hello) = asking.and_then(|asking| asking.poll(now)) {
            return Some(Datagram::Hello(hello));
        }
        self.link.as_mut()?.poll_transmit(now)
    }

    /// The next thing to show.
    pub(super) fn poll_event(&mut self) -> Option<DisplayEvent> {
        self.shown.pop_front()
    }

    /// When to call [`Session::handle_timeout`] if nothing happens before.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.end.is_some() {
            return None;
        }
        let link = self.link.as_ref();
        let come_back_at = self.come_back_at().filter(|_| self.asking.is_none());
        [
            self.asking.as_ref().map(Asking::deadline),
            come_back_at,
            link.and_then(Link::deadline),
            self.outbox.deadline().filter(|_| self.has_contact()),
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// Says bye; [`Session::end`] tells when that is done.
    pub(super) fn leave(&mut self, now: Instant) {
        let has_contact = self.has_contact();
        self.leaving = true;
        self.asking = None;
        let link = self.link.as_mut();
        match link.filter(|link| link.deadline().is_some()) {
            Some(link) if has_contact => link.close(Reason::Quit, now),
            link => {
                // Who has not answered for long is not waited for.
                self.farewell = link.map(|link| Bye {
                    session: link.session(),
                    reason: Reason::Quit,
                });
                self.end.get_or_insert(End::Left);
            }
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

    /// Takes from the link what it tells, and gives it what waits.
    fn settle(&mut self, now: Instant) {
        while self.shown.len() < MAX_SHOWN && self.end.is_none() {
            let Some(event) = self.link.as_mut().and_then(Link::poll_event) else {
                break;
            };
            match event {
                Event::Arrived(message) => {
                    if let Some(shown) = self.inbox.take(&message) {
                        let shown = self.understand(shown, now);
                        self.shown.push_back(shown);
                    }
                }
                Event::Delivered { through } => {
                    self.outbox.confirm(through);
                    self.progress_at = now;
                }
                Event::Writable => {}
                Event::Ended(end) => self.link_ended(end, now),
            }
        }
        let link = self.link.as_ref();
        let is_answered =
            link.is_some_and(|link| link.deadline().is_some() && link.unanswered_since().is_none());
        if is_answered && self.asking.is_some() {
            self.answered_again(now);
        }
        if self.has_contact()
            && let Some(link) = &mut self.link
        {
            self.outbox.feed(link, now);
        }
    }

    fn link_ended(&mut self, end: LinkEnd, now: Instant) {
        self.catching_up = false;
        match end {
            LinkEnd::Closed => self.end = Some(End::Left),
            LinkEnd::ContactLost => {
                self.trouble("contact is lost; trying to come back");
                self.tell_unconfirmed();
                if self.asking.is_none() {
                    self.ask_back(self.session(), now);
                }
            }
            LinkEnd::PeerLeft(reason @ (Reason::Stopping | Reason::TimedOut)) => {
                self.answering = true;
                self.trouble(match reason {
                    Reason::Stopping => "the server stopped; trying to come back",
                    _ => "the server lost contact; trying to come back",
                });
                self.tell_unconfirmed();
                self.ask_back(None, now);
            }
            LinkEnd::PeerLeft(reason) => {
                self.trouble(&format!("removed by the server: {}", words(reason)));
                self.tell_unconfirmed();
                self.asking = None;
                self.end = Some(End::Removed(reason));
            }
        }
    }

    fn tell_unconfirmed(&mut self) {
        let lost = self.outbox.give_up_sent();
        self.lost |= !lost.is_empty();
        self.shown
            .extend(lost.into_iter().map(DisplayEvent::not_confirmed));
    }

    fn trouble(&mut self, text: &str) {
        self.shown.push_back(DisplayEvent::Trouble(text.to_owned()));
    }

    /// What the server tells may be about the member itself, or its beginnings.
    fn understand(&mut self, shown: DisplayEvent, now: Instant) -> DisplayEvent {
        match shown {
            DisplayEvent::Renamed { old, new, .. } if old == self.nick => {
                self.nick.clone_from(&new);
                DisplayEvent::You { nick: new }
            }
            DisplayEvent::Said(said) if said.history => {
                self.progress_at = now;
                DisplayEvent::Said(said)
            }
            DisplayEvent::Members(nicks) if std::mem::take(&mut self.catching_up) => {
                DisplayEvent::Found(nicks)
            }
            other => other,
        }
    }
}
