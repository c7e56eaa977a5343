//! Between the session and its way to the server: what is lost on purpose, counted, and told.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use log::info;
use proto::chat::Datagram;

use super::asking::PATIENCE;
use super::error::JoinError;
use super::route::Route;
use super::session::Session;
use crate::faults::Faults;
use crate::link::Link;
use crate::trace;

/// After so many hellos without an answer a person should know of it.
const UNHEARD: u32 = 3;

#[derive(Debug)]
pub(super) struct Network {
    route: Route,
    faults: Faults,
    trace: bool,
    traffic: Traffic,
    /// Hellos that left before anything came.
    unheard: u32,
    /// Why the last datagram did not leave, if it did not.
    unsent: Option<io::Error>,
    round_trip: Option<Duration>,
}

/// Bytes of datagrams.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Traffic {
    sent: u64,
    received: u64,
}

impl Network {
    pub(super) fn new(route: Route, faults: Faults, trace: bool) -> Self {
        Self {
            route,
            faults,
            trace,
            traffic: Traffic::default(),
            unheard: 0,
            unsent: None,
            round_trip: None,
        }
    }

    /// Where the server is, as far as is known.
    pub(super) fn address(&self) -> SocketAddr {
        self.route.address()
    }

    /// What went to and fro.
    pub(super) fn traffic(&self) -> Traffic {
        self.traffic
    }

    /// Hands the session a datagram that came.
    pub(super) fn receive(&mut self, from: SocketAddr, bytes: &[u8], session: &mut Session) {
        let lost = self.faults.drops();
        if self.trace {
            trace::received(bytes, from, lost);
        }
        if lost || !self.route.keep(from) {
            return;
        }
        self.traffic.received += bytes.len() as u64;
        if let Ok(datagram) = Datagram::decode(bytes) {
            session.handle(&datagram, Instant::now());
        }
        let round_trip = session.link().and_then(Link::round_trip);
        if let Some(time) = round_trip.filter(|_| self.trace && round_trip != self.round_trip) {
            info!("{}", trace::RoundTrip("the server", time));
        }
        self.round_trip = round_trip;
    }

    /// Sends what the session has to send now.
    pub(super) fn transmit(&mut self, session: &mut Session, now: Instant) {
        let mut bytes = Vec::new();
        loop {
            let is_heard = session.is_heard();
            let Some(datagram) = session.poll_transmit(now) else {
                return;
            };
            let seq = match &datagram {
                Datagram::Data(data) => Some(data.seq),
                _ => None,
            };
            if datagram.encode(&mut bytes).is_err() {
                // A hello with what a strange server calls a nick or a cookie.
                continue;
            }
            let link = session.link();
            let again = link.zip(seq).is_some_and(|(link, seq)| link.is_resent(seq));
            self.send(&bytes, again);
            if !is_heard {
                self.count_unheard();
            }
        }
    }

    /// Why nobody answered.
    pub(super) fn no_answer(&mut self) -> JoinError {
        JoinError::NoAnswer {
            addresses: self.route.addresses().to_vec(),
            unsent: self.unsent.take(),
        }
    }

    fn send(&mut self, bytes: &[u8], again: bool) {
        let lost = self.faults.drops();
        if self.trace {
            trace::sent(bytes, self.route.address(), again, lost);
        }
        if !lost {
            // A datagram that does not leave is lost like any other.
            self.unsent = self.route.send(bytes).err();
            self.traffic.sent += bytes.len() as u64;
        }
    }

    fn count_unheard(&mut self) {
        self.unheard += 1;
        if self.unheard == UNHEARD {
            let (address, patience) = (self.route.address(), PATIENCE.as_secs());
            info!("no answer from {address} yet; trying for {patience} s");
        }
        self.route.turn();
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sent, received } = self;
        write!(f, "sent {sent} bytes, received {received} bytes")
    }
}
