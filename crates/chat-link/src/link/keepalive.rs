//! Whether the peer is there: silence, pings, and when contact counts as lost.

use std::time::{Duration, Instant};

use super::rtt::MAX_PROBE_INTERVAL;

/// Silence after which the peer is asked for a sign of life.
const PING_AFTER: Duration = Duration::from_secs(10);

/// Silence after which contact counts as lost, and how long a peer may acknowledge nothing.
const LOST_AFTER: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub(super) struct Keepalive {
    heard_at: Instant,
    /// When the first datagram since then left that asks for an answer.
    asked_at: Option<Instant>,
    ping_at: Instant,
    /// Since when something is unacknowledged without any progress.
    stalled_since: Option<Instant>,
}

impl Keepalive {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            heard_at: now,
            asked_at: None,
            ping_at: now + PING_AFTER,
            stalled_since: None,
        }
    }

    /// An authentic datagram arrived.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
        self.asked_at = None;
        self.ping_at = now + PING_AFTER;
    }

    /// A datagram left that asks for an acknowledgement.
    pub(super) fn asked(&mut self, now: Instant) {
        self.asked_at.get_or_insert(now);
        self.stalled_since.get_or_insert(now);
        // Once the peer is silent for so long, the datagrams of probes are pings as well.
        self.ping_at = self.ping_at.max(now + MAX_PROBE_INTERVAL);
    }

    /// The peer acknowledged something; `all` is true if nothing is left to acknowledge.
    pub(super) fn progressed(&mut self, all: bool, now: Instant) {
        self.stalled_since = (!all).then_some(now);
    }

    pub(super) fn silent_since(&self) -> Option<Instant> {
        self.asked_at
    }

    pub(super) fn heard_at(&self) -> Instant {
        self.heard_at
    }

    pub(super) fn is_ping_due(&self, now: Instant) -> bool {
        self.ping_at <= now
    }

    /// The next ping, or the loss of contact.
    pub(super) fn deadline(&self) -> Instant {
        self.ping_at.min(self.lost_at())
    }

    pub(super) fn is_lost(&self, now: Instant) -> bool {
        self.lost_at() <= now
    }

    fn lost_at(&self) -> Instant {
        self.stalled_since
            .map_or(self.heard_at, |since| since.min(self.heard_at))
            + LOST_AFTER
    }
}
