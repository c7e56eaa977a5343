//! A simulated network with a virtual clock: pairs of links, and what happens to their datagrams, all from one seed.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chat_link::{
    Acceptor, AcceptorSettings, Connector, ConnectorEvent, Event, Handled, Join, Link,
    MAX_DATAGRAM_BYTES, Path, SessionId, StaticKey,
};
use testbed::Random;

pub const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

pub const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// What a direction of the network does to datagrams. Shares are between 0 and 1.
#[derive(Debug, Clone, Copy, Default)]
pub struct NetProfile {
    pub loss: f64,
    pub duplicates: f64,
    /// The shortest time on the way, and what may be added to it: more than the gap of two datagrams reorders them.
    pub delay: Duration,
    pub jitter: Duration,
    /// Bytes a second, with a queue without end; 0 for no limit.
    pub rate: u32,
}

/// The client's end of a pair, and the server's.
pub const CLIENT: usize = 0;
pub const SERVER: usize = 1;

/// One end: its link, and what its owner saw.
pub struct Side {
    pub link: Link,
    pub profile: NetProfile,
    /// Where its datagrams come from, as the other end sees it.
    pub address: SocketAddr,
    pub events: Vec<(Instant, Event)>,
    pub datagrams: usize,
    pub bytes: usize,
    /// Whether new messages are admitted.
    pub admits: bool,
    /// When the last byte leaves a link with a rate.
    busy_until: Option<Instant>,
}

/// Decides whether a datagram that a side of a pair sends now is dropped, whatever the profile.
pub type Filter = Box<dyn FnMut(Instant, usize, &[u8]) -> bool>;

pub struct Sim {
    pub now: Instant,
    pub pairs: Vec<[Side; 2]>,
    pub filter: Option<Filter>,
    pub random: Random,
    air: BTreeMap<(Instant, u64), Flight>,
    sent: u64,
    /// Steps without any progress of the time.
    idle_steps: usize,
}

struct Flight {
    pair: usize,
    side: usize,
    from: SocketAddr,
    bytes: Vec<u8>,
}

pub fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1], port))
}

pub fn server_address() -> SocketAddr {
    SocketAddr::from(([198, 51, 100, 1], 9390))
}

/// The two ends of a session, fresh from a handshake that takes no time.
pub fn links(number: u8, plaintext: bool, now: Instant) -> [Link; 2] {
    links_after(number, plaintext, &mut { now }, Duration::ZERO)
}

/// The two ends of a session, fresh from a handshake over a path with this round trip.
pub fn links_after(
    number: u8,
    plaintext: bool,
    clock: &mut Instant,
    round_trip: Duration,
) -> [Link; 2] {
    let mut now = *clock;
    let identity = StaticKey::from_private([1; 32]);
    let settings = AcceptorSettings {
        identity,
        cookie_key: [2; 32],
        allow_plaintext: plaintext,
    };
    let mut acceptor = Acceptor::new(settings, now);
    let join = Join {
        nick: format!("n{number}"),
        history: 0,
        plaintext,
    };
    let mut connector = Connector::new(
        &StaticKey::from_private([number + 3; 32]),
        join,
        [number; 48],
        now,
    );
    let (there, here) = (
        Path::to(server_address()),
        Path::to(address(4_000 + u16::from(number))),
    );
    let mut datagram = Vec::new();
    let mut server = None;
    loop {
        while connector.poll_transmit(now, &mut datagram) {
            assert!(datagram.len() <= MAX_DATAGRAM_BYTES);
            let reply = match acceptor.handle(&datagram, here, now, [number + 100; 32]) {
                Handled::Reply(reply) => reply,
                Handled::Join(request) => {
                    let session = SessionId::from_bytes([number; 16]);
                    let (reply, link) = acceptor.accept(*request, "nick", session, [9; 32], now);
                    server = Some(link);
                    reply
                }
                Handled::Ignored => panic!("a datagram of the handshake is ignored"),
            };
            now += round_trip;
            connector.handle(&reply, there, now);
        }
        *clock = now;
        match connector.poll_event() {
            Some(ConnectorEvent::ServerKey(_)) => connector.trust_server(now),
            Some(ConnectorEvent::Joined { link, .. }) => return [*link, server.take().unwrap()],
            Some(ConnectorEvent::Heard) => {}
            other => panic!("{other:?}"),
        }
    }
}

impl Sim {
    /// So many pairs on a network with these profiles: from the client, and from the server.
    pub fn new(seed: u64, pairs: u8, plaintext: bool, profiles: [NetProfile; 2]) -> Self {
        let start = Instant::now();
        let mut now = start;
        let on_the_way = |profile: &NetProfile| {
            let sending = if profile.rate == 0 {
                0.0
            } else {
                1_200.0 / f64::from(profile.rate)
            };
            profile.delay + profile.jitter / 2 + Duration::from_secs_f64(sending)
        };
        let round_trip = profiles.iter().map(on_the_way).sum();
        let pair = |number| {
            let mut addresses = [address(4_000 + u16::from(number)), server_address()].into_iter();
            let mut profiles = profiles.into_iter();
            now = start;
            links_after(number, plaintext, &mut now, round_trip).map(|link| Side {
                link,
                profile: profiles.next().unwrap(),
                address: addresses.next().unwrap(),
                events: Vec::new(),
                datagrams: 0,
                bytes: 0,
                admits: true,
                busy_until: None,
            })
        };
        let pairs = (0..pairs).map(pair).collect();
        Self {
            now,
            pairs,
            filter: None,
            random: Random::new(seed),
            air: BTreeMap::new(),
            sent: 0,
            idle_steps: 0,
        }
    }

    /// Goes on to the next moment at which anything happens, if that is before `until`.
    pub fn step(&mut self, until: Instant) -> bool {
        let deadlines = self
            .pairs
            .iter()
            .flatten()
            .filter_map(|side| side.link.deadline());
        let arrival = self.air.keys().next().map(|&(at, _)| at);
        let next = deadlines
            .chain(arrival)
            .min()
            .unwrap_or(until)
            .max(self.now);
        if next >= until {
            self.now = until;
            return false;
        }
        self.idle_steps = if next > self.now {
            0
        } else {
            self.idle_steps + 1
        };
        assert!(
            self.idle_steps < 100_000,
            "a link asks to be woken at a time that has passed"
        );
        self.now = next;
        match self
            .air
            .first_entry()
            .filter(|entry| entry.key().0 <= self.now)
        {
            Some(entry) => {
                let Flight {
                    pair,
                    side,
                    from,
                    bytes,
                } = entry.remove();
                let side = &mut self.pairs[pair][side];
                let admits = side.admits;
                side.link
                    .handle(&bytes, Path::to(from), self.now, &mut || admits);
            }
            None => self
                .pairs
                .iter_mut()
                .flatten()
                .for_each(|side| side.link.handle_timeout(self.now)),
        }
        self.flush();
        true
    }

    /// Lets so much time pass.
    pub fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
    }

    /// Lets time pass until `done`, and reports whether it came to that within `limit`.
    pub fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let until = self.now + limit;
        while !done(self) {
            if !self.step(until) {
                return done(self);
            }
        }
        true
    }

    /// Takes from all links what they send and report.
    pub fn flush(&mut self) {
        for pair in 0..self.pairs.len() {
            for side in 0..2 {
                self.flush_side(pair, side);
            }
        }
    }

    fn flush_side(&mut self, pair: usize, index: usize) {
        let mut bytes = Vec::new();
        let Self {
            now,
            pairs,
            filter,
            random,
            air,
            sent,
            ..
        } = self;
        let side = &mut pairs[pair][index];
        while side.link.poll_transmit(*now, &mut bytes).is_some() {
            assert!(bytes.len() <= MAX_DATAGRAM_BYTES);
            side.datagrams += 1;
            side.bytes += bytes.len();
            if filter
                .as_mut()
                .is_some_and(|filter| filter(*now, index, &bytes))
            {
                continue;
            }
            let profile = side.profile;
            let leaves = match profile.rate {
                0 => *now,
                rate => {
                    let begins = side.busy_until.map_or(*now, |until| until.max(*now));
                    let ends =
                        begins + Duration::from_secs_f64(bytes.len() as f64 / f64::from(rate));
                    side.busy_until = Some(ends);
                    ends
                }
            };
            for _ in 0..if random.chance(profile.duplicates) {
                2
            } else {
                1
            } {
                let at = leaves + profile.delay + profile.jitter.mul_f64(random.share());
                if !random.chance(profile.loss) {
                    *sent += 1;
                    let from = side.address;
                    air.insert(
                        (at, *sent),
                        Flight {
                            pair,
                            side: 1 - index,
                            from,
                            bytes: bytes.clone(),
                        },
                    );
                }
            }
        }
        while let Some(event) = side.link.poll_event() {
            side.events.push((*now, event));
        }
    }
}

impl Side {
    /// The messages that arrived.
    pub fn messages(&self) -> impl Iterator<Item = &[u8]> {
        self.events.iter().filter_map(|(_, event)| match event {
            Event::Message(message) => Some(message.as_slice()),
            _ => None,
        })
    }

    /// How the session ended here, and when.
    pub fn end(&self) -> Option<(Instant, chat_link::End)> {
        self.events.iter().find_map(|(at, event)| match event {
            Event::Ended(end) => Some((*at, *end)),
            _ => None,
        })
    }
}
