//! What a link sends: which frames share the next datagram.

use std::time::Instant;

use super::path::Path;
use super::rtt::MAX_PROBE_INTERVAL;
use super::sent::SentPacket;
use super::{Link, MAX_CLOSES, State};
use crate::trace::describe;
use crate::wire::{
    Frame, HEADER_BYTES, Header, MAX_BODY_BYTES, PART_OVERHEAD, Protection, TAG_BYTES,
};

/// How many unacknowledged parts are repeated in a datagram that leaves anyway.
const MAX_CARRIED: usize = 4;

/// How many parts a datagram has at most.
const MAX_PARTS: usize = 16;

/// The bytes of a datagram with a path challenge.
const CHALLENGE_BYTES: usize = HEADER_BYTES + 9 + TAG_BYTES;

impl Link {
    /// Writes the next datagram to `datagram` and gives the path to send it over, if there is one to send now; to be
    /// called until there is none.
    pub fn poll_transmit(&mut self, now: Instant, datagram: &mut Vec<u8>) -> Option<Path> {
        match &mut self.state {
            State::Open => self.poll_open(now, datagram),
            State::Closing {
                reason,
                said,
                again_at,
            } => {
                if *said == MAX_CLOSES || now < *again_at {
                    return None;
                }
                *said += 1;
                *again_at = now + self.round_trip.probe_interval(0, true);
                let code = *reason as u8;
                self.send_alone(&Frame::Close(code), self.paths.current(), datagram)
            }
            State::Answering(reason) => {
                let code = *reason as u8;
                self.state = State::Ended;
                self.send_alone(&Frame::Close(code), self.paths.current(), datagram)
            }
            State::Ended => None,
        }
    }

    fn send_alone(
        &mut self,
        frame: &Frame<'_>,
        path: Path,
        datagram: &mut Vec<u8>,
    ) -> Option<Path> {
        self.body.clear();
        frame.encode(&mut self.body);
        self.seal_body(datagram);
        Some(path)
    }

    fn poll_open(&mut self, now: Instant, datagram: &mut Vec<u8>) -> Option<Path> {
        if let Some((path, token)) = self.paths.poll_challenge(CHALLENGE_BYTES) {
            return self.send_alone(&Frame::PathChallenge(token), path, datagram);
        }
        let has_lost = self.outgoing.has_lost();
        let is_live = self.outgoing.has_live(now);
        let may_send_new = self.outgoing.has_new(now) && self.congestion.has_room(is_live);
        let ack_due = self.received.due().is_some_and(|due| due <= now);
        let ping_due = self.keepalive.is_ping_due(now);
        if !has_lost && !may_send_new && !ack_due && !ping_due && self.response.is_none() {
            return None;
        }
        self.body.clear();
        if let Some(ack) = self.received.acknowledge(self.incoming.through(), now) {
            Frame::Ack(ack).encode(&mut self.body);
        }
        if let Some(token) = self.response.take() {
            Frame::PathResponse(token).encode(&mut self.body);
        }
        let mut parts = self.fill(now);
        if ping_due && parts.is_empty() {
            Frame::Ping.encode(&mut self.body);
        }
        let asks = ping_due || !parts.is_empty();
        self.seal_body(datagram);
        if asks {
            self.keepalive.asked(now);
            self.congestion.sent(datagram.len());
            parts.sort_unstable();
            let packet = SentPacket {
                number: self.last_packet,
                at: now,
                bytes: datagram.len(),
                parts,
            };
            if let Some(forgotten) = self.sent.push(packet) {
                self.congestion.gone(forgotten.bytes);
                forgotten
                    .parts
                    .iter()
                    .for_each(|&seq| self.outgoing.lose(seq, forgotten.number));
            }
        }
        Some(self.paths.current())
    }

    /// Adds message parts to the body: lost ones, then new ones, then unacknowledged ones again where there is room.
    fn fill(&mut self, now: Instant) -> Vec<u64> {
        let mut parts = Vec::new();
        let mut from = 0;
        while parts.len() < MAX_PARTS
            && let Some(seq) = self.outgoing.next_lost(from, self.room())
        {
            self.append(seq, now, &mut parts);
            from = seq + 1;
        }
        // A lazy message joins whatever leaves; the history waits for room in the congestion window.
        while parts.len() < MAX_PARTS {
            let background = self.congestion.has_room(false);
            let live = background || self.congestion.has_room(true);
            let whole = parts.is_empty();
            let Some(seq) = live
                .then(|| self.outgoing.next_new(self.room(), whole, background, now))
                .flatten()
            else {
                break;
            };
            self.append(seq, now, &mut parts);
        }
        let before = self.carried_before(now);
        let (mut from, mut carried) = (0, 0);
        while carried < MAX_CARRIED
            && parts.len() < MAX_PARTS
            && let Some(before) = before
            && let Some(seq) = self.outgoing.next_unacknowledged(from, before, self.room())
        {
            from = seq + 1;
            if !parts.contains(&seq) {
                self.append(seq, now, &mut parts);
                carried += 1;
            }
        }
        parts
    }

    /// Parts that were sent before this moment are repeated: all of them under loss, else only those whose
    /// acknowledgement is overdue, since on a clean path they would be wasted bytes.
    fn carried_before(&self, now: Instant) -> Option<Instant> {
        if self.mode.is_lossy(now) {
            return Some(now);
        }
        now.checked_sub(self.round_trip.loss_delay().min(MAX_PROBE_INTERVAL))
    }

    fn append(&mut self, seq: u64, now: Instant, parts: &mut Vec<u64>) {
        if let Some(part) = self.outgoing.send(seq, self.last_packet + 1, now) {
            Frame::Part(part).encode(&mut self.body);
            parts.push(seq);
        }
    }

    fn room(&self) -> usize {
        MAX_BODY_BYTES
            .saturating_sub(self.body.len())
            .max(PART_OVERHEAD)
    }

    /// Makes the body the next packet.
    fn seal_body(&mut self, datagram: &mut Vec<u8>) {
        self.last_packet += 1;
        let (protection, session, number) =
            (self.seal.protection(), self.session, self.last_packet);
        datagram.clear();
        Header {
            protection,
            session,
            number,
        }
        .encode(datagram);
        self.seal.seal(number, &self.body, datagram);
        debug_assert!(
            protection == Protection::Plaintext || datagram.len() >= HEADER_BYTES + TAG_BYTES
        );
        let body = std::mem::take(&mut self.body);
        self.trace(|| format!("sent packet {number}: {}", describe(&body)));
        self.body = body;
    }
}
