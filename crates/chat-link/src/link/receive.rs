//! What a link does with a datagram that arrives.

use std::time::{Duration, Instant};

use super::path::Path;
use super::{CloseReason, End, Event, Link, State};
use crate::reset::is_reset;
use crate::trace::describe;
use crate::wire::{Ack, Frame, Frames, Header, Part, Protection};

/// Events that may wait for the owner. Past it, messages are left to be sent again, so that an owner who takes
/// nothing slows its peer down instead of filling memory.
const MAX_EVENTS: usize = 256;

impl Link {
    /// Takes a datagram. True if it is an authentic one of this session; any other changes nothing.
    ///
    /// `admit` is asked for each whole message that is new. If it refuses, the datagram stays unacknowledged, and the
    /// peer sends the message again, later and more slowly.
    pub fn handle(
        &mut self,
        datagram: &[u8],
        path: Path,
        now: Instant,
        admit: &mut dyn FnMut() -> bool,
    ) -> bool {
        if matches!(self.state, State::Ended | State::Answering(_)) {
            return false;
        }
        if self
            .reset_token
            .is_some_and(|token| is_reset(datagram, self.session, &token))
        {
            self.end(End::Reset);
            return true;
        }
        let Some((header, sealed)) = Header::decode(datagram) else {
            return false;
        };
        if header.session != self.session
            || header.protection != self.seal.protection()
            || !self.replay.is_new(header.number)
            || (self.seal.protection() == Protection::Plaintext && !self.is_at_home(path))
        {
            return false;
        }
        let mut body = std::mem::take(&mut self.body);
        let is_authentic = self.seal.open(header.number, sealed, &mut body)
            && Frames::is_valid(&body)
            && self.are_acknowledgements_true(&body);
        if is_authentic {
            let newest = header.number > self.replay.largest();
            self.replay.accept(header.number);
            self.trace(|| format!("received packet {}: {}", header.number, describe(&body)));
            self.paths.received(path, datagram.len(), newest);
            self.handle_frames(header.number, &body, path, now, admit);
        }
        self.body = body;
        is_authentic
    }

    /// A plaintext session stays where it began: nothing proves that a datagram from elsewhere is the member's.
    fn is_at_home(&self, path: Path) -> bool {
        !self.paths.validates() || path.remote == self.paths.current().remote
    }

    /// Whether nothing is acknowledged that was never sent.
    fn are_acknowledgements_true(&self, body: &[u8]) -> bool {
        let is_true =
            |ack: &Ack| ack.largest <= self.last_packet && ack.through <= self.outgoing.last_sent();
        Frames::new(body).all(|frame| !matches!(frame, Frame::Ack(ack) if !is_true(&ack)))
    }

    fn handle_frames(
        &mut self,
        number: u64,
        body: &[u8],
        path: Path,
        now: Instant,
        admit: &mut dyn FnMut() -> bool,
    ) {
        let was_silent = self.keepalive.silent_since();
        self.keepalive.heard(now);
        let (mut asks, mut refused) = (false, false);
        for frame in Frames::new(body) {
            match frame {
                Frame::Close(code) => return self.handle_close(CloseReason::from_code(code)),
                _ if !matches!(self.state, State::Open) => {}
                Frame::Ack(ack) => self.handle_ack(&ack, now),
                Frame::Part(part) => {
                    asks = true;
                    if self.incoming.is_new(part.seq) {
                        refused |= !self.handle_part(&part, admit);
                    }
                }
                Frame::Ping => asks = true,
                Frame::PathChallenge(token) => self.response = Some(token),
                Frame::PathResponse(token) => {
                    if let Some(from) = self.paths.validate(path, token) {
                        self.events.push_back(Event::Moved { from, to: path });
                        self.outgoing.reset_probes();
                    }
                }
            }
        }
        // The peer is back: what waits is not held up by the long intervals of a silence.
        if was_silent
            .is_some_and(|since| now.saturating_duration_since(since) >= Duration::from_secs(1))
        {
            self.outgoing.reset_probes();
        }
        if !refused {
            self.received.record(number, asks, now, &mut self.mode);
        }
    }

    fn handle_ack(&mut self, ack: &Ack, now: Instant) {
        let (outgoing, congestion) = (&mut self.outgoing, &mut self.congestion);
        let mut progress = false;
        let sent_at = self.sent.acknowledge(ack, |packet| {
            progress = true;
            congestion.gone(packet.bytes);
            packet
                .parts
                .iter()
                .for_each(|&seq| outgoing.acknowledge(seq));
        });
        if let Some(sent_at) = sent_at {
            let sample = now.saturating_duration_since(sent_at);
            let delay = Duration::from_millis(ack.delay_ms.into());
            self.round_trip.measured(sample, delay);
            congestion.measured(sample.saturating_sub(delay), now);
        }
        outgoing.acknowledge_through(ack.through);
        let events = &mut self.events;
        progress |= outgoing.remove_acknowledged(|id| events.push_back(Event::Acknowledged(id)));
        self.detect_lost(now);
        if progress {
            let all = self.sent.is_empty() && !self.outgoing.has_unacknowledged();
            self.keepalive.progressed(all, now);
        }
    }

    /// Takes a new part. False if it has to come again.
    fn handle_part(&mut self, part: &Part<'_>, admit: &mut dyn FnMut() -> bool) -> bool {
        if !self.incoming.is_in_window(part.seq)
            || self.events.len() >= MAX_EVENTS
            || (!part.more && !admit())
        {
            return false;
        }
        let events = &mut self.events;
        let result = self
            .incoming
            .insert(part, |message| events.push_back(Event::Message(message)));
        if result.is_err() {
            // No peer of ours sends such a message, and there is no way on without it.
            self.state = State::Answering(CloseReason::Other);
            self.events
                .push_back(Event::Ended(End::PeerClosed(CloseReason::Other)));
        }
        true
    }

    fn handle_close(&mut self, reason: CloseReason) {
        match self.state {
            State::Open => {
                self.state = State::Answering(reason);
                self.events.push_back(Event::Ended(End::PeerClosed(reason)));
            }
            State::Closing { .. } => self.end(End::Closed),
            State::Answering(_) | State::Ended => {}
        }
    }
}
