//! The receiving half of a link: what has arrived, in which order to hand it on, and when to
//! acknowledge it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proto::chat::Json;
use proto::chat::{Ranges, ranges_fit};

use super::WINDOW;

/// How long an acknowledgement may wait for data to ride on, or for a second datagram.
const ACK_DELAY: Duration = Duration::from_millis(25);

#[derive(Debug, Default)]
pub(super) struct Incoming {
    /// Every message up to this one was handed on.
    through: u64,
    /// What arrived beyond a gap; never more than the window.
    held: BTreeMap<u64, Json>,
    /// When the next acknowledgement is due, if one is.
    ack_at: Option<Instant>,
}

impl Incoming {
    /// Takes a message in and hands on those that are now in order.
    pub(super) fn take(
        &mut self,
        seq: u64,
        message: &Json,
        now: Instant,
        mut hand_on: impl FnMut(Json),
    ) {
        if seq > self.through + WINDOW as u64 {
            return; // No sender of ours is so far ahead: it would have to be held for ever.
        }
        let in_order = seq == self.through + 1 && self.held.is_empty();
        if in_order {
            self.through = seq;
            hand_on(message.to_owned());
        } else if seq > self.through {
            self.held.entry(seq).or_insert_with(|| message.to_owned());
            while let Some(message) = self.held.remove(&(self.through + 1)) {
                self.through += 1;
                hand_on(message);
            }
        }
        // A gap, a gap that closes, and a duplicate (its acknowledgement must have been lost) are
        // told at once (RFC 5681, 4.2), and so is the second of two datagrams.
        let wait = in_order && self.ack_at.is_none();
        self.ack_at = Some(if wait { now + ACK_DELAY } else { now });
    }

    /// How many were handed on.
    pub(super) fn through(&self) -> u64 {
        self.through
    }

    /// When an acknowledgement is due.
    pub(super) fn ack_at(&self) -> Option<Instant> {
        self.ack_at
    }

    /// What to acknowledge; nothing is due any more.
    pub(super) fn acknowledge(&mut self) -> (u64, Ranges) {
        self.ack_at = None;
        (self.through, self.ranges())
    }

    /// The same, on a data datagram. If its message leaves no room for the ranges, they stay due.
    pub(super) fn acknowledge_beside(&mut self, message: &Json) -> (u64, Ranges) {
        let ranges = self.ranges();
        if ranges_fit(message.get().len(), ranges.len()) {
            self.ack_at = None;
            (self.through, ranges)
        } else {
            (self.through, Ranges::new())
        }
    }

    fn ranges(&self) -> Ranges {
        let mut ranges = Ranges::new();
        for &seq in self.held.keys() {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == seq => *last = seq,
                _ => ranges.push((seq, seq)),
            }
        }
        ranges
    }
}
