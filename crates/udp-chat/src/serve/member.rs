//! One member: its link, and what the room keeps of it.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chat_link::message::{self, Message};
use chat_link::{Class, CloseReason, End, Event, Link, Path, Protection, PublicKey, QueueFull};
use proto::{Network, TokenBucket};

use super::networks::{self, Networks};
use super::traffic_log::MemberTraffic;
use crate::nick::Nick;

/// How many messages of a member wait for the room. Past it its link stops acknowledging, and slows the member down.
const MAX_INBOX: usize = 64;

/// A member that was silent for so long may be taken over by the same key with the same nick.
const TAKEOVER_AFTER: Duration = Duration::from_secs(15);

/// A member's number: they rise, so none is ever another's.
pub(super) type MemberId = u64;

#[derive(Debug)]
pub(super) struct Member {
    pub(super) link: Link,
    pub(super) key: PublicKey,
    pub(super) nick: Nick,
    pub(super) network: Network,
    pub(super) joined_at: Instant,
    /// False once it has left, while its link says so.
    pub(super) is_present: bool,
    pub(super) texts: u64,
    /// How many requests it has made: requests are numbered by it.
    pub(super) requests: u64,
    /// The id of the next text of the history to send; `None` once all are sent.
    pub(super) history: Option<u64>,
    pace: TokenBucket,
    /// What the link has delivered, and its end after that.
    inbox: VecDeque<Vec<u8>>,
    end: Option<End>,
    moved: Option<(Path, Path)>,
    pub(super) traffic: MemberTraffic,
    /// When the room will look at it.
    pub(super) due_at: Option<Instant>,
    /// Whether it stands in the room's two queues.
    pub(super) is_ready: bool,
    pub(super) is_waiting: bool,
}

impl Member {
    pub(super) fn new(link: Link, key: PublicKey, nick: Nick, now: Instant) -> Self {
        Self {
            network: Network::of(link.path().remote.ip()),
            link,
            key,
            nick,
            joined_at: now,
            is_present: true,
            texts: 0,
            requests: 0,
            history: None,
            pace: networks::pace(),
            inbox: VecDeque::new(),
            end: None,
            moved: None,
            traffic: MemberTraffic::default(),
            due_at: None,
            is_ready: false,
            is_waiting: false,
        }
    }

    /// How others see it.
    pub(super) fn as_others_see(&self) -> message::Member {
        message::Member {
            nick: self.nick.to_string(),
            key: self.key.key_id(),
            plaintext: self.link.protection() == Protection::Plaintext,
        }
    }

    /// Whether the same key may take its place with the same nick: it has been silent for long, or nothing ever came
    /// over its session. Then its client may have missed the welcome, and this is the same client's next handshake.
    pub(super) fn may_be_taken_over(&self, now: Instant) -> bool {
        !self.link.has_heard()
            || now.saturating_duration_since(self.link.heard_at()) >= TAKEOVER_AFTER
    }

    /// Takes a datagram. True if it was an authentic one of its session. Messages beyond the network's pace, or beyond
    /// what waits for the room, are not acknowledged.
    pub(super) fn handle(
        &mut self,
        datagram: &[u8],
        path: Path,
        networks: &mut Networks,
        now: Instant,
    ) -> bool {
        let (pace, network, waiting) = (&mut self.pace, self.network, self.inbox.len());
        let mut admitted = 0;
        let mut admit = || {
            let has_room = waiting + admitted < MAX_INBOX && networks.admit(network, pace, now);
            admitted += usize::from(has_room);
            has_room
        };
        let is_authentic = self.link.handle(datagram, path, now, &mut admit);
        self.take_events();
        is_authentic
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.link.handle_timeout(now);
        self.take_events();
    }

    /// The next message, once the room has time for it.
    pub(super) fn next_message(&mut self) -> Option<Vec<u8>> {
        self.inbox.pop_front()
    }

    /// Where it has moved from and to since the last call.
    pub(super) fn take_move(&mut self) -> Option<(Path, Path)> {
        self.moved.take()
    }

    /// Why it has to leave, if it has to: after its last message.
    pub(super) fn has_to_leave(&self) -> Option<CloseReason> {
        match self.end.filter(|_| self.inbox.is_empty())? {
            End::TimedOut => Some(CloseReason::TimedOut),
            End::PeerClosed(_) | End::Closed | End::Reset => Some(CloseReason::Quit),
        }
    }

    /// Whether the room has something to do for it.
    pub(super) fn has_news(&self) -> bool {
        self.is_present && (!self.inbox.is_empty() || self.end.is_some() || self.moved.is_some())
    }

    pub(super) fn send(
        &mut self,
        message: &Message,
        class: Class,
        now: Instant,
    ) -> Result<(), QueueFull> {
        self.link.send(message, class, now).map(|_| ())
    }

    /// It is no member any more: nothing that it wrote counts, and its link says why.
    pub(super) fn dismiss(&mut self, reason: CloseReason, now: Instant) {
        self.is_present = false;
        self.inbox.clear();
        self.link.close(reason, now);
        self.link.discard_messages();
    }

    /// Whether nothing is left to do for it.
    pub(super) fn is_over(&self) -> bool {
        !self.is_present && !self.is_ready && !self.is_waiting && self.link.deadline().is_none()
    }

    fn take_events(&mut self) {
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::Message(message) if self.is_present => self.inbox.push_back(message),
                Event::Moved { from, to } => {
                    let from = self.moved.take().map_or(from, |(first, _)| first);
                    self.moved = Some((from, to));
                }
                Event::Ended(end) => self.end = Some(end),
                Event::Message(_) | Event::Acknowledged(_) => {}
            }
        }
    }
}
