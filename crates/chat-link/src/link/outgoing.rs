//! The sending half: messages that wait, and their parts in flight.

use std::collections::VecDeque;
use std::ops::Range;
use std::time::{Duration, Instant};

use super::incoming::WINDOW;
use super::rtt::RoundTrip;
use crate::message::Message;
use crate::wire::{MAX_PART_BYTES, PART_OVERHEAD, Part};

/// How many messages may wait for the window.
pub const MAX_WAITING: usize = 4_096;

/// How long a [`Class::Lazy`] message may wait for company.
const LAZY_DELAY: Duration = Duration::from_millis(100);

/// How many parts have a probe timer: the oldest ones, on which the others wait. Timers on all of them would repeat
/// a whole window when acknowledgements are lost.
const PROBED_PARTS: usize = 4;

/// What a message costs beside its bytes, for the bound on all queues together.
const ENTRY_BYTES: usize = 128;

/// How urgent a message is. Messages of the same class stay in order; `Live` and `Lazy` are one class in that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Leaves as soon as the window allows.
    Live,
    /// Leaves with the next datagram, or within 100 ms. It saves a datagram where the reader is in no hurry.
    Lazy,
    /// Leaves when no other message waits: the history.
    Background,
}

/// Names a message that was given to [`Link::send`](super::Link::send): they are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// [`MAX_WAITING`] messages wait already; the peer is too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{MAX_WAITING} messages wait for the peer already")]
pub struct QueueFull;

#[derive(Debug, Default)]
pub(super) struct Outgoing {
    live: VecDeque<Waiting>,
    background: VecDeque<Waiting>,
    /// When the live queue has to leave.
    live_due: Option<Instant>,
    /// Parts that were sent, by sequence number from `first`, up to the newest. The first is not acknowledged.
    flight: VecDeque<InFlight>,
    /// How many parts were acknowledged and removed.
    removed: u64,
    last_id: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Waiting {
    message: Message,
    id: MessageId,
    /// How many of its bytes have left as parts.
    sent: usize,
}

#[derive(Debug)]
struct InFlight {
    message: Message,
    range: Range<usize>,
    /// The message's name, if this is its last part.
    completes: Option<MessageId>,
    background: bool,
    state: State,
    /// The packet that carried it last, and when.
    packet: u64,
    sent_at: Instant,
    /// How many probes were sent for it.
    probes: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Sent,
    /// To be sent again.
    Lost,
    Acknowledged,
}

impl Outgoing {
    pub(super) fn push(
        &mut self,
        message: &Message,
        class: Class,
        now: Instant,
    ) -> Result<MessageId, QueueFull> {
        if self.live.len() + self.background.len() >= MAX_WAITING {
            return Err(QueueFull);
        }
        self.last_id += 1;
        let id = MessageId(self.last_id);
        self.bytes += message.as_bytes().len() + ENTRY_BYTES;
        let due = match class {
            Class::Live => now,
            Class::Lazy => now + LAZY_DELAY,
            Class::Background => {
                self.background.push_back(Waiting {
                    message: message.clone(),
                    id,
                    sent: 0,
                });
                return Ok(id);
            }
        };
        self.live.push_back(Waiting {
            message: message.clone(),
            id,
            sent: 0,
        });
        self.live_due = Some(self.live_due.map_or(due, |earlier| earlier.min(due)));
        Ok(id)
    }

    /// Whether a new part may leave now, on its own account.
    pub(super) fn has_new(&self, now: Instant) -> bool {
        self.has_window()
            && (self.live_due.is_some_and(|due| due <= now) || !self.background.is_empty())
    }

    /// Whether what waits is live, so that it may use more of the congestion window.
    pub(super) fn has_live(&self, now: Instant) -> bool {
        self.has_window() && self.live_due.is_some_and(|due| due <= now)
    }

    /// When a lazy message has to leave.
    pub(super) fn live_due(&self) -> Option<Instant> {
        self.live_due.filter(|_| self.has_window())
    }

    fn has_window(&self) -> bool {
        (self.flight.len() as u64) < WINDOW
    }

    pub(super) fn has_lost(&self) -> bool {
        self.flight.iter().any(|part| part.state == State::Lost)
    }

    /// Moves the next waiting part that fits in `room` bytes into flight, and gives its number. A message is split
    /// only where `whole` room is not enough, at the start of a datagram.
    pub(super) fn next_new(
        &mut self,
        room: usize,
        whole: bool,
        background: bool,
        now: Instant,
    ) -> Option<u64> {
        if !self.has_window() {
            return None;
        }
        let room = room.checked_sub(PART_OVERHEAD)?.min(MAX_PART_BYTES);
        let is_background = self.live.is_empty();
        if is_background && !background {
            return None;
        }
        let queue = if is_background {
            &mut self.background
        } else {
            &mut self.live
        };
        let waiting = queue.front_mut()?;
        let left = waiting.message.as_bytes().len() - waiting.sent;
        if left > room && !whole {
            return None;
        }
        let range = waiting.sent..waiting.sent + left.min(room);
        waiting.sent = range.end;
        let completes = (left <= room).then_some(waiting.id);
        self.flight.push_back(InFlight {
            message: waiting.message.clone(),
            range,
            completes,
            background: is_background,
            state: State::Lost,
            packet: 0,
            sent_at: now,
            probes: 0,
        });
        if completes.is_some() {
            queue.pop_front();
        }
        if self.live.is_empty() {
            self.live_due = None;
        }
        Some(self.removed + self.flight.len() as u64)
    }

    /// The oldest lost part from `from` on that fits.
    pub(super) fn next_lost(&self, from: u64, room: usize) -> Option<u64> {
        self.find(from, room, |part| part.state == State::Lost)
    }

    /// The oldest part from `from` on that is not acknowledged, was sent before `before`, and fits.
    pub(super) fn next_unacknowledged(
        &self,
        from: u64,
        before: Instant,
        room: usize,
    ) -> Option<u64> {
        self.find(from, room, |part| {
            part.state == State::Sent && part.sent_at <= before
        })
    }

    fn find(&self, from: u64, room: usize, matches: impl Fn(&InFlight) -> bool) -> Option<u64> {
        let skip = from.saturating_sub(self.removed + 1) as usize;
        let fits = |part: &InFlight| part.range.len() + PART_OVERHEAD <= room;
        let index = (skip..self.flight.len())
            .find(|&index| matches(&self.flight[index]) && fits(&self.flight[index]))?;
        Some(self.removed + 1 + index as u64)
    }

    /// Records that a packet carries the part, and gives it.
    pub(super) fn send(&mut self, seq: u64, packet: u64, now: Instant) -> Option<Part<'_>> {
        let part = self.part_mut(seq)?;
        (part.state, part.packet, part.sent_at) = (State::Sent, packet, now);
        let (more, background) = (part.completes.is_none(), part.background);
        let bytes = &part.message.as_bytes()[part.range.clone()];
        Some(Part {
            seq,
            more,
            background,
            bytes,
        })
    }

    /// The part arrived.
    pub(super) fn acknowledge(&mut self, seq: u64) {
        if let Some(part) = self.part_mut(seq) {
            part.state = State::Acknowledged;
        }
    }

    /// Every part up to `seq` arrived. False if one of them was never sent.
    pub(super) fn acknowledge_through(&mut self, seq: u64) -> bool {
        let Some(count) = seq.checked_sub(self.removed) else {
            return true;
        };
        if count > self.flight.len() as u64 {
            return false;
        }
        let arrived = self.flight.iter_mut().take(count as usize);
        arrived.for_each(|part| part.state = State::Acknowledged);
        true
    }

    /// The last packet that carried the part is lost.
    pub(super) fn lose(&mut self, seq: u64, packet: u64) {
        if let Some(part) = self
            .part_mut(seq)
            .filter(|part| part.packet == packet && part.state == State::Sent)
        {
            part.state = State::Lost;
        }
    }

    /// Removes what is acknowledged from the front, and reports the messages that are complete. True if any part was.
    pub(super) fn remove_acknowledged(&mut self, mut report: impl FnMut(MessageId)) -> bool {
        let before = self.removed;
        while let Some(part) = self
            .flight
            .pop_front_if(|part| part.state == State::Acknowledged)
        {
            self.removed += 1;
            if let Some(id) = part.completes {
                self.bytes -= part.message.as_bytes().len() + ENTRY_BYTES;
                report(id);
            }
        }
        self.removed > before
    }

    /// When the next of the oldest parts is to be probed.
    pub(super) fn probe_at(&self, round_trip: &RoundTrip, lossy: bool) -> Option<Instant> {
        let unacknowledged = self
            .flight
            .iter()
            .filter(|part| part.state != State::Acknowledged);
        let sent = unacknowledged
            .take(PROBED_PARTS)
            .filter(|part| part.state == State::Sent);
        sent.map(|part| part.sent_at + round_trip.probe_interval(part.probes, lossy))
            .min()
    }

    /// Marks the parts whose probe is due to be sent again. True if there are any.
    pub(super) fn probe(&mut self, round_trip: &RoundTrip, lossy: bool, now: Instant) -> bool {
        let unacknowledged = self
            .flight
            .iter_mut()
            .filter(|part| part.state != State::Acknowledged);
        let mut any = false;
        for part in unacknowledged.take(PROBED_PARTS) {
            if part.state == State::Sent
                && part.sent_at + round_trip.probe_interval(part.probes, lossy) <= now
            {
                part.state = State::Lost;
                part.probes += 1;
                any = true;
            }
        }
        any
    }

    /// The peer was heard after a silence, so the next probes are quick again.
    pub(super) fn reset_probes(&mut self) {
        self.flight.iter_mut().for_each(|part| part.probes = 0);
    }

    /// Forgets all messages: nothing is sent any more.
    pub(super) fn clear(&mut self) {
        self.removed += self.flight.len() as u64;
        self.flight.clear();
        self.live.clear();
        self.background.clear();
        (self.live_due, self.bytes) = (None, 0);
    }

    /// The highest sequence number in use.
    pub(super) fn last_sent(&self) -> u64 {
        self.removed + self.flight.len() as u64
    }

    pub(super) fn has_unacknowledged(&self) -> bool {
        !self.flight.is_empty()
    }

    /// How many messages are not acknowledged, sent or not.
    pub(super) fn unacknowledged(&self) -> usize {
        let in_flight = self
            .flight
            .iter()
            .filter(|part| part.completes.is_some())
            .count();
        in_flight + self.live.len() + self.background.len()
    }

    /// How many messages wait to be sent.
    pub(super) fn waiting(&self) -> usize {
        self.live.len() + self.background.len()
    }

    /// What the queues hold, with an allowance for each message.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    fn part_mut(&mut self, seq: u64) -> Option<&mut InFlight> {
        let index = seq.checked_sub(self.removed + 1)?;
        self.flight.get_mut(usize::try_from(index).ok()?)
    }
}
