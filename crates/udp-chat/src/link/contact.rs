//! Whether the peer is there: silence, pings, and when contact counts as lost.

use std::time::{Duration, Instant};

/// Silence after which the peer is asked for a sign of life.
const PING_AFTER: Duration = Duration::from_secs(10);

/// Then it is asked again this often. Backed off to 3 s, a ping would have some 20 tries before
/// contact counts as lost; where every second round trip fails (30 % loss each way), one idle link
/// in a hundred would break each day. With one a second it has 50, and never does.
const PING_AGAIN: Duration = Duration::from_secs(1);

/// Silence after which contact counts as lost.
const LOST_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Contact {
    heard_at: Instant,
    /// When the first datagram since then left that asks for an answer.
    asked_at: Option<Instant>,
    ping_at: Instant,
    /// The number of the latest ping, and when it left if it was not answered yet.
    ping: u64,
    pinged_at: Option<Instant>,
    /// The ping of the peer's that is to be answered.
    pong_owed: Option<u64>,
}

impl Contact {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            heard_at: now,
            asked_at: None,
            ping_at: now + PING_AFTER,
            ping: 0,
            pinged_at: None,
            pong_owed: None,
        }
    }

    /// The peer was heard: any datagram of the session tells that it is there.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
        self.asked_at = None;
        self.ping_at = now + PING_AFTER;
    }

    /// A datagram left that asks for an answer.
    pub(super) fn asked(&mut self, now: Instant) {
        self.asked_at.get_or_insert(now);
    }

    pub(super) fn unanswered_since(&self) -> Option<Instant> {
        self.asked_at
    }

    /// A ping came. Of several before the next [`Contact::take_pong`] the last is answered.
    pub(super) fn owe_pong(&mut self, id: u64) {
        self.pong_owed = Some(id);
    }

    pub(super) fn take_pong(&mut self) -> Option<u64> {
        self.pong_owed.take()
    }

    /// A pong came: the round trip, if it answers the latest ping. Every ping has a number of
    /// its own, so unlike a resent datagram it never leaves doubt what was answered.
    pub(super) fn pong(&mut self, id: u64, now: Instant) -> Option<Duration> {
        (id == self.ping)
            .then(|| self.pinged_at.take())
            .flatten()
            .map(|at| now - at)
    }

    /// Asks for a sign of life at once.
    pub(super) fn ping_now(&mut self, now: Instant) {
        self.ping_at = now;
    }

    /// The number of the ping to send now, if one is due.
    pub(super) fn poll_ping(&mut self, now: Instant) -> Option<u64> {
        if now < self.ping_at {
            return None;
        }
        self.ping += 1;
        self.pinged_at = Some(now);
        self.ping_at = (now + PING_AGAIN).max(self.heard_at + PING_AFTER);
        self.asked(now);
        Some(self.ping)
    }

    /// The next ping, or the loss of contact.
    pub(super) fn deadline(&self) -> Instant {
        self.ping_at.min(self.heard_at + LOST_AFTER)
    }

    pub(super) fn is_lost(&self, now: Instant) -> bool {
        now >= self.heard_at + LOST_AFTER
    }
}
