//! The sending half of a link: what waits, what is in flight, what was lost.
//!
//! A message keeps its sequence number when it is sent again. Beside that every transmission has
//! an order number of its own, which never leaves this module: it tells which of two
//! transmissions is the later one, as RFC 9002's packet numbers do.

use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use proto::chat::Body;

use super::round_trip::RoundTrip;

/// How far the newest message in flight may be ahead of the oldest unconfirmed one, both counted.
pub const WINDOW: usize = 32;

/// How many messages may wait for the window.
pub const MAX_WAITING: usize = 4_096;

/// A transmission is lost when one so much later is acknowledged (RFC 9002, 6.1.1): less could
/// be mere reordering.
const THRESHOLD: u64 = 3;

#[derive(Debug)]
pub(super) struct Outgoing {
    waiting: VecDeque<Body>,
    flight: VecDeque<InFlight>,
    /// The sequence number of the first in flight, or of the next to be.
    first: u64,
    /// The order number of the latest transmission, and of the latest that was acknowledged.
    latest: u64,
    latest_acked: u64,
    round_trip: RoundTrip,
    /// Runs while anything is in flight (RFC 6298, section 5).
    resend_at: Option<Instant>,
}

#[derive(Debug)]
struct InFlight {
    body: Body,
    fate: Fate,
    order: u64,
    sent_at: Instant,
    resent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Unknown,
    Acked,
    /// To be sent again.
    Lost,
}

/// [`MAX_WAITING`] messages wait already; the peer is too slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueFull;

/// An acknowledgement of what was never sent.
#[derive(Debug)]
pub(super) struct Untrue;

impl Default for Outgoing {
    fn default() -> Self {
        Self {
            waiting: VecDeque::new(),
            flight: VecDeque::new(),
            first: 1,
            latest: 0,
            latest_acked: 0,
            round_trip: RoundTrip::default(),
            resend_at: None,
        }
    }
}

impl Outgoing {
    /// Queues a message and gives its sequence number.
    pub(super) fn push(&mut self, body: Body) -> Result<u64, QueueFull> {
        if self.waiting.len() == MAX_WAITING {
            return Err(QueueFull);
        }
        let seq = self.first + (self.flight.len() + self.waiting.len()) as u64;
        self.waiting.push_back(body);
        Ok(seq)
    }

    /// Whether one more message would fit in the window.
    pub(super) fn has_room(&self) -> bool {
        self.flight.len() + self.waiting.len() < WINDOW
    }

    /// The message to send now: a lost one first, else the next one if the window allows.
    pub(super) fn poll(&mut self, now: Instant) -> Option<(u64, &Body)> {
        let index = match self.flight.iter().position(|sent| sent.fate == Fate::Lost) {
            Some(index) => {
                self.flight[index].resent = true;
                index
            }
            None if self.flight.len() < WINDOW => {
                let body = self.waiting.pop_front()?;
                let (fate, resent) = (Fate::Unknown, false);
                self.flight.push_back(InFlight {
                    body,
                    fate,
                    order: 0,
                    sent_at: now,
                    resent,
                });
                self.flight.len() - 1
            }
            None => return None,
        };
        self.latest += 1;
        self.resend_at
            .get_or_insert(now + self.round_trip.timeout());
        let sent = &mut self.flight[index];
        (sent.fate, sent.order, sent.sent_at) = (Fate::Unknown, self.latest, now);
        Some((self.first + index as u64, &sent.body))
    }

    /// Takes an acknowledgement in. If messages became confirmed, so that none before them is
    /// missing, gives the last one's number.
    pub(super) fn acknowledge(
        &mut self,
        ack: u64,
        ranges: &[(u64, u64)],
        now: Instant,
    ) -> Result<Option<u64>, Untrue> {
        let end = self.first + self.flight.len() as u64;
        let possible = |&(from, to): &(u64, u64)| ack < from && from <= to && to < end;
        if ack >= end || !ranges.iter().all(possible) {
            return Err(Untrue);
        }
        let latest_acked = self.latest_acked;
        let mut newest: Option<&InFlight> = None;
        for (seq, sent) in (self.first..).zip(&mut self.flight) {
            let arrived = seq <= ack || ranges.iter().any(|&(from, to)| from <= seq && seq <= to);
            if !arrived || sent.fate == Fate::Acked {
                continue;
            }
            sent.fate = Fate::Acked;
            // An answer sooner than any round trip is to an earlier transmission (RFC 8985, 6.2).
            if !sent.resent || now - sent.sent_at >= self.round_trip.minimum() {
                self.latest_acked = self.latest_acked.max(sent.order);
            }
            if newest.is_none_or(|newest| newest.order < sent.order) {
                newest = Some(sent);
            }
        }
        let Some(newest) = newest else {
            return Ok(None);
        };
        // Karn's rule: of what was sent twice, nobody knows which one was answered. And what is
        // older than something acknowledged before tells how long the news took, not the path.
        if !newest.resent && newest.order > latest_acked {
            self.round_trip.measured(now - newest.sent_at);
        }
        self.find_lost();
        let before = self.first;
        while self
            .flight
            .front()
            .is_some_and(|sent| sent.fate == Fate::Acked)
        {
            self.flight.pop_front();
            self.first += 1;
        }
        self.restart_timer(now);
        Ok((self.first > before).then(|| self.first - 1))
    }

    /// A round trip was measured by other means.
    pub(super) fn measured(&mut self, sample: Duration, now: Instant) {
        self.round_trip.measured(sample);
        self.restart_timer(now);
    }

    /// Sends the oldest message again if its acknowledgement is overdue, and tells whether it is
    /// (RFC 6298, 5.4 to 5.6).
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        let overdue = self.resend_at.is_some_and(|at| at <= now);
        if overdue {
            self.round_trip.back_off();
            self.retry(now);
        }
        overdue
    }

    /// Sends the oldest message in flight again, as a probe: its order number is so far ahead
    /// that, once it is acknowledged, everything sent before and not acknowledged with it is lost.
    pub(super) fn retry(&mut self, now: Instant) {
        if let Some(oldest) = self.flight.front_mut() {
            oldest.fate = Fate::Lost;
            self.latest += THRESHOLD;
            self.restart_timer(now);
        }
    }

    /// When [`Outgoing::handle_timeout`] has something to do.
    pub(super) fn resend_at(&self) -> Option<Instant> {
        self.resend_at
    }

    /// How long to wait for an answer now.
    pub(super) fn timeout(&self) -> Duration {
        self.round_trip.timeout()
    }

    pub(super) fn round_trip(&self) -> Option<Duration> {
        self.round_trip.smoothed()
    }

    /// What the peer may not have, oldest first.
    pub(super) fn unconfirmed(&self) -> impl Iterator<Item = &Body> {
        self.flight
            .iter()
            .map(|sent| &sent.body)
            .chain(&self.waiting)
    }

    pub(super) fn is_resent(&self, seq: u64) -> bool {
        seq.checked_sub(self.first)
            .and_then(|index| self.flight.get(usize::try_from(index).ok()?))
            .is_some_and(|sent| sent.resent)
    }

    fn find_lost(&mut self) {
        for sent in &mut self.flight {
            if sent.fate == Fate::Unknown && sent.order + THRESHOLD <= self.latest_acked {
                sent.fate = Fate::Lost;
            }
        }
    }

    fn restart_timer(&mut self, now: Instant) {
        let timeout = self.round_trip.timeout();
        self.resend_at = (!self.flight.is_empty()).then(|| now + timeout);
    }
}

impl fmt::Display for QueueFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MAX_WAITING} messages wait for the peer already")
    }
}

impl std::error::Error for QueueFull {}
