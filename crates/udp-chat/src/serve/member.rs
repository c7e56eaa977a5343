//! One member: its link, and what the room keeps of it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use proto::chat::Json;
use proto::chat::{Body, Datagram, Reason, SessionId};

use super::draft::Draft;
use crate::link::{End, Event, Link, QueueFull};
use crate::nick::Nick;
use crate::pace::Pace;

/// Who passes 40 messages a second, after a burst of 100, is removed.
const MESSAGE_INTERVAL: Duration = Duration::from_millis(25);
const MESSAGE_BURST: u32 = 100;

/// How many messages of a member wait for the room. Then its link stops acknowledging, and slows
/// the member down.
const MAX_INBOX: usize = 64;

/// A member's number: they rise, so none is ever another's.
pub(super) type MemberId = u64;

#[derive(Debug)]
pub(super) struct Member {
    pub(super) link: Link,
    pub(super) address: SocketAddr,
    pub(super) nick: Nick,
    /// The session that it came back from, which the room did not have any more.
    pub(super) former: Option<SessionId>,
    /// False once it has left, while its link says bye.
    pub(super) present: bool,
    pub(super) draft: Option<Draft>,
    pub(super) texts: u64,
    pace: Pace,
    /// Whether it wrote more than its pace allows.
    is_flooding: bool,
    /// What the link has told: messages, and its end after them.
    inbox: VecDeque<Json>,
    end: Option<End>,
    /// When the room will be woken for it.
    pub(super) wake_at: Option<Instant>,
    /// Whether it stands in the room's two queues.
    pub(super) is_ready: bool,
    pub(super) is_waiting: bool,
}

impl Member {
    pub(super) fn new(
        session: SessionId,
        former: Option<SessionId>,
        nick: Nick,
        address: SocketAddr,
        now: Instant,
    ) -> Self {
        Self {
            link: Link::new(session, now),
            address,
            nick,
            former,
            present: true,
            draft: None,
            texts: 0,
            pace: Pace::new(MESSAGE_INTERVAL, MESSAGE_BURST),
            is_flooding: false,
            inbox: VecDeque::new(),
            end: None,
            wake_at: None,
            is_ready: false,
            is_waiting: false,
        }
    }

    /// Takes a datagram in and tells whether it was of use.
    pub(super) fn handle(&mut self, datagram: &Datagram<'_>, now: Instant) -> bool {
        let before = self.link.arrived();
        let useful = self.link.handle(datagram, now);
        // Counted here, not when the room has time for them: that it is late is not their fault.
        for _ in before..self.link.arrived() {
            self.is_flooding |= self.pace.take(now).is_err();
        }
        self.listen();
        useful
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.link.handle_timeout(now);
        self.listen();
    }

    /// The next message, once the room has time for it.
    pub(super) fn next_message(&mut self) -> Option<Json> {
        let message = self.inbox.pop_front();
        self.listen();
        message
    }

    /// Why it has to leave, if it has: at once if it floods, else after its last message.
    pub(super) fn has_to_leave(&self) -> Option<Reason> {
        if self.is_flooding {
            return Some(Reason::Flooding);
        }
        match self.end.filter(|_| self.inbox.is_empty())? {
            End::ContactLost => Some(Reason::TimedOut),
            End::PeerLeft(_) | End::Closed => Some(Reason::Quit),
        }
    }

    /// Whether there is a message to look at, or it has to leave.
    pub(super) fn has_news(&self) -> bool {
        self.present && (!self.inbox.is_empty() || self.has_to_leave().is_some())
    }

    /// Queues notices, which share their bytes with those of others.
    pub(super) fn tell<'a>(
        &mut self,
        notices: impl IntoIterator<Item = &'a Body>,
    ) -> Result<(), QueueFull> {
        for notice in notices {
            self.link.send(notice.clone())?;
        }
        Ok(())
    }

    /// It is no member any more: nothing that it wrote counts, and its link says bye.
    pub(super) fn dismiss(&mut self, reason: Reason, now: Instant) {
        self.present = false;
        self.inbox.clear();
        self.link.close(reason, now);
    }

    /// Whether nothing is left to do for it.
    pub(super) fn is_over(&self) -> bool {
        !self.present && !self.is_ready && !self.is_waiting && self.link.deadline().is_none()
    }

    fn listen(&mut self) {
        while self.inbox.len() < MAX_INBOX
            && let Some(event) = self.link.poll_event()
        {
            match event {
                // Who has left is not listened to.
                Event::Arrived(message) if self.present => self.inbox.push_back(message),
                Event::Arrived(_) | Event::Delivered { .. } | Event::Writable => {}
                Event::Ended(end) => self.end = Some(end),
            }
        }
    }
}
