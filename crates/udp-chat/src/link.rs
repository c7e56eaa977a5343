//! The link: both ends' state machine that makes an ordered, confirmed conversation out of
//! datagrams that may be lost, doubled, reordered or late.
//!
//! It has no socket, no thread and no clock. Its owner hands it datagrams, messages and the time,
//! and after each such call sends what [`Link::poll_transmit`] gives, looks at what
//! [`Link::poll_event`] tells, and sleeps until [`Link::deadline`]:
//!
//! ```text
//!  messages ── send ──▶ ┌──────┐ ── poll_transmit ──▶ datagrams
//! datagrams ─ handle ─▶ │ Link │ ── poll_event ─────▶ arrived, delivered, writable, ended
//!      time ──────────▶ └──────┘ ── deadline ───────▶ when to call handle_timeout
//! ```
//!
//! It knows neither addresses nor how a session begins, and does not look into messages.

mod contact;
mod incoming;
mod outgoing;
mod round_trip;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use proto::chat::Json;
use proto::chat::{Ack, Body, Bye, Data, Datagram, Ping, Pong, Reason, SessionId};

use contact::Contact;
use incoming::Incoming;
use outgoing::Outgoing;
pub use outgoing::{MAX_WAITING, QueueFull, WINDOW};

/// How often a bye is said while none comes back.
const BYES: u32 = 3;

/// Events that may wait for the owner; past it arriving messages are left to be sent again, so
/// that an owner who takes nothing slows its peer down instead of filling memory.
const MAX_EVENTS: usize = 2 * WINDOW;

/// One end of a conversation within a session.
#[derive(Debug)]
pub struct Link {
    session: SessionId,
    state: State,
    incoming: Incoming,
    outgoing: Outgoing,
    contact: Contact,
    events: VecDeque<Event>,
}

/// What the owner of a link is told.
#[derive(Debug)]
pub enum Event {
    /// The peer's next message, in order, once.
    Arrived(Json),
    /// The peer has our messages up to this sequence number.
    Delivered {
        /// As [`Link::send`] gave it.
        through: u64,
    },
    /// [`Link::is_writable`] is true again.
    Writable,
    /// The link is over. What is still [`Link::unconfirmed`] may or may not have arrived.
    Ended(End),
}

/// How a link came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Nothing was heard of the peer for 60 seconds.
    ContactLost,
    /// The peer said bye. [`Link::poll_transmit`] has one last datagram, the answer.
    PeerLeft(Reason),
    /// We did, and the peer answered or three byes went unanswered.
    Closed,
}

#[derive(Debug)]
enum State {
    Open,
    /// Saying bye.
    Closing {
        reason: Reason,
        said: u32,
        again_at: Instant,
    },
    /// The peer's bye is to be answered.
    Answering(Reason),
    Ended,
}

impl Link {
    /// A link at its beginning: nothing sent, nothing received, the peer heard just now.
    pub fn new(session: SessionId, now: Instant) -> Self {
        Self {
            session,
            state: State::Open,
            incoming: Incoming::default(),
            outgoing: Outgoing::default(),
            contact: Contact::new(now),
            events: VecDeque::new(),
        }
    }

    /// The session whose datagrams it speaks.
    pub fn session(&self) -> SessionId {
        self.session
    }

    /// Takes a message to be sent, now or when the window allows, and gives its sequence number.
    /// Once the link is closing or over, the message stays [`Link::unconfirmed`].
    ///
    /// # Errors
    ///
    /// [`QueueFull`] when [`MAX_WAITING`] messages wait already.
    pub fn send(&mut self, message: Body) -> Result<u64, QueueFull> {
        self.outgoing.push(message)
    }

    /// Whether the next message would leave at once. Who heeds it never fills the queue.
    pub fn is_writable(&self) -> bool {
        matches!(self.state, State::Open) && self.outgoing.has_room()
    }

    /// Takes a datagram in and tells whether it was of use. One of another session, or that makes
    /// no sense, changes nothing.
    pub fn handle(&mut self, datagram: &Datagram<'_>, now: Instant) -> bool {
        if datagram.session() != Some(self.session) {
            return false;
        }
        if let Datagram::Bye(bye) = datagram {
            self.handle_bye(bye.reason);
            return true;
        }
        if !matches!(self.state, State::Open) {
            return false;
        }
        match datagram {
            Datagram::Data(data) => {
                if !self.handle_ack(data.ack, &data.ranges, now) {
                    return false;
                }
                if self.events.len() < MAX_EVENTS {
                    let events = &mut self.events;
                    self.incoming.take(data.seq, &data.message, now, |message| {
                        events.push_back(Event::Arrived(message));
                    });
                }
            }
            Datagram::Ack(ack) => {
                if !self.handle_ack(ack.ack, &ack.ranges, now) {
                    return false;
                }
            }
            Datagram::Ping(ping) => self.contact.owe_pong(ping.id),
            Datagram::Pong(pong) => {
                if let Some(sample) = self.contact.pong(pong.id, now) {
                    self.outgoing.measured(sample, now);
                }
            }
            _ => return false,
        }
        self.contact.heard(now);
        true
    }

    /// The peer was reached beside the link, by a hello or welcome for its session: counts as
    /// hearing it, and what waits for an acknowledgement is tried again at once.
    pub fn resume(&mut self, now: Instant) {
        self.contact.heard(now);
        self.outgoing.retry(now);
    }

    /// Says bye, up to three times, and is over when it is answered. Messages not yet confirmed
    /// are not sent again.
    pub fn close(&mut self, reason: Reason, now: Instant) {
        if matches!(self.state, State::Open) {
            self.state = State::Closing {
                reason,
                said: 0,
                again_at: now,
            };
        }
    }

    /// The next datagram to send, if there is one to send now; to be called until there is none.
    pub fn poll_transmit(&mut self, now: Instant) -> Option<Datagram<'_>> {
        let session = self.session;
        match &mut self.state {
            State::Open => self.poll_open(now),
            State::Closing {
                reason,
                said,
                again_at,
            } => {
                if *said == BYES || now < *again_at {
                    return None;
                }
                *said += 1;
                *again_at = now + self.outgoing.timeout();
                Some(Datagram::Bye(Bye {
                    session,
                    reason: *reason,
                }))
            }
            State::Answering(reason) => {
                let reason = *reason;
                self.state = State::Ended;
                Some(Datagram::Bye(Bye { session, reason }))
            }
            State::Ended => None,
        }
    }

    /// The next thing the owner should know.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When to call [`Link::handle_timeout`] if nothing happens before; `None` once it is over.
    pub fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Open => {
                let deadlines = [self.incoming.ack_at(), self.outgoing.resend_at()];
                deadlines
                    .into_iter()
                    .flatten()
                    .chain([self.contact.deadline()])
                    .min()
            }
            State::Closing { again_at, .. } => Some(again_at),
            State::Answering(_) | State::Ended => None,
        }
    }

    /// Lets time pass; to be followed by [`Link::poll_transmit`] and [`Link::poll_event`]. What
    /// has arrived by `now` should be handled first, lest it be asked for again.
    pub fn handle_timeout(&mut self, now: Instant) {
        match self.state {
            State::Open if self.contact.is_lost(now) => self.end(End::ContactLost),
            State::Open => {
                if self.outgoing.handle_timeout(now) {
                    // What is resent measures no round trip (Karn's rule), so alone it would leave
                    // the timer backed off where datagrams are merely lost. The answer to a ping
                    // beside it tells.
                    self.contact.ping_now(now);
                }
            }
            State::Closing {
                said: BYES,
                again_at,
                ..
            } if again_at <= now => self.end(End::Closed),
            State::Closing { .. } | State::Answering(_) | State::Ended => {}
        }
    }

    /// The messages that the peer has not confirmed, oldest first.
    pub fn unconfirmed(&self) -> impl Iterator<Item = &Body> {
        self.outgoing.unconfirmed()
    }

    /// How many of the peer's messages have arrived, in order, each counted once.
    pub fn arrived(&self) -> u64 {
        self.incoming.through()
    }

    /// Whether an unconfirmed message was sent more than once.
    pub fn is_resent(&self, seq: u64) -> bool {
        self.outgoing.is_resent(seq)
    }

    /// Since when an answer is due and nothing at all was heard: from the first datagram that
    /// asks for one, be it sent once or again and again.
    pub fn unanswered_since(&self) -> Option<Instant> {
        self.contact.unanswered_since()
    }

    /// The smoothed round-trip time, once it was measured.
    pub fn round_trip(&self) -> Option<Duration> {
        self.outgoing.round_trip()
    }

    fn poll_open(&mut self, now: Instant) -> Option<Datagram<'_>> {
        let session = self.session;
        if let Some(id) = self.contact.take_pong() {
            return Some(Datagram::Pong(Pong { session, id }));
        }
        if let Some((seq, body)) = self.outgoing.poll(now) {
            self.contact.asked(now);
            let message = body.as_json();
            let (ack, ranges) = self.incoming.acknowledge_beside(message);
            return Some(Datagram::Data(Data {
                session,
                seq,
                ack,
                ranges,
                message: Cow::Borrowed(message),
            }));
        }
        if self.incoming.ack_at().is_some_and(|at| at <= now) {
            let (ack, ranges) = self.incoming.acknowledge();
            return Some(Datagram::Ack(Ack {
                session,
                ack,
                ranges,
            }));
        }
        let id = self.contact.poll_ping(now)?;
        Some(Datagram::Ping(Ping { session, id }))
    }

    /// Whether the acknowledgement can be true.
    fn handle_ack(&mut self, ack: u64, ranges: &[(u64, u64)], now: Instant) -> bool {
        let had_room = self.outgoing.has_room();
        let Ok(confirmed) = self.outgoing.acknowledge(ack, ranges, now) else {
            return false;
        };
        if let Some(through) = confirmed {
            self.events.push_back(Event::Delivered { through });
        }
        if !had_room && self.outgoing.has_room() {
            self.events.push_back(Event::Writable);
        }
        true
    }

    fn handle_bye(&mut self, reason: Reason) {
        match self.state {
            State::Open => {
                self.state = State::Answering(reason);
                self.events.push_back(Event::Ended(End::PeerLeft(reason)));
            }
            State::Closing { .. } => self.end(End::Closed),
            State::Answering(_) | State::Ended => {}
        }
    }

    fn end(&mut self, end: End) {
        self.state = State::Ended;
        self.events.push_back(Event::Ended(end));
    }
}
