//! Two links joined by a network in some weather, all from one seed and on a clock of its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proto::chat::{Body, Datagram, MAX_DATAGRAM_BYTES, SessionId};

use super::super::{End, Event, Link};
pub(super) use crate::weather::{Random, Weather, fly};

pub(super) const SESSION: SessionId = SessionId::from_bytes([
    0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
]);

/// One end: its link and what its owner would have seen.
pub(super) struct Side {
    pub(super) link: Link,
    pub(super) weather: Weather,
    /// The messages that arrived, which are numbers.
    pub(super) arrived: Vec<u64>,
    /// How many of its own messages were confirmed.
    pub(super) confirmed: u64,
    pub(super) end: Option<End>,
    pub(super) sent: Counts,
}

/// The datagrams that a side has sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) data: usize,
    pub(super) acks: usize,
    pub(super) pings: usize,
    pub(super) pongs: usize,
    pub(super) byes: usize,
}

/// Decides whether a datagram that a side sends now is dropped, whatever the weather.
pub(super) type Sieve = Box<dyn FnMut(Instant, usize, &Datagram<'_>) -> bool>;

pub(super) struct Simulation {
    pub(super) now: Instant,
    pub(super) sides: [Side; 2],
    pub(super) sieve: Option<Sieve>,
    /// When each datagram arrives, and at which side; the number keeps keys apart.
    air: BTreeMap<(Instant, u64), (usize, Vec<u8>)>,
    random: Random,
    flown: u64,
}

impl Simulation {
    pub(super) fn new(seed: u64, weather: [Weather; 2]) -> Self {
        let start = Instant::now();
        Self {
            now: start,
            sides: weather.map(|weather| Side {
                link: Link::new(SESSION, start),
                weather,
                arrived: Vec::new(),
                confirmed: 0,
                end: None,
                sent: Counts::default(),
            }),
            sieve: None,
            air: BTreeMap::new(),
            random: Random(seed),
            flown: 0,
        }
    }

    /// Sends the messages `numbers` from a side, all now.
    pub(super) fn send(&mut self, side: usize, numbers: impl IntoIterator<Item = u64>) {
        for number in numbers {
            self.sides[side]
                .link
                .send(body(number))
                .expect("the queue has room");
        }
        self.settle();
    }

    /// Lets so much time pass.
    pub(super) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
    }

    /// Lets time pass until `done`, and tells whether it came to that within `limit`.
    pub(super) fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let until = self.now + limit;
        while !done(self) {
            if !self.step(until) {
                return false;
            }
        }
        true
    }

    /// Goes on to the next moment at which anything happens, if that is before `until`.
    fn step(&mut self, until: Instant) -> bool {
        let deadlines = self.sides.iter().filter_map(|side| side.link.deadline());
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
        self.now = next;
        let mut first = None;
        if let Some(entry) = self
            .air
            .first_entry()
            .filter(|entry| entry.key().0 <= self.now)
        {
            let (side, bytes) = entry.remove();
            first = Some(side);
            if let Ok(datagram) = Datagram::decode(&bytes) {
                self.sides[side].link.handle(&datagram, self.now);
            }
        }
        if first.is_none() {
            self.sides
                .iter_mut()
                .for_each(|side| side.link.handle_timeout(self.now));
        }
        self.settle();
        true
    }

    /// Takes from both links what they have to send and to tell.
    pub(super) fn settle(&mut self) {
        for index in 0..2 {
            let side = &mut self.sides[index];
            let mut bytes = Vec::new();
            while let Some(datagram) = side.link.poll_transmit(self.now) {
                datagram.encode(&mut bytes).expect("a link's datagrams fit");
                assert!(bytes.len() <= MAX_DATAGRAM_BYTES);
                side.sent.count(&datagram);
                let sieve = self.sieve.as_mut();
                if !sieve.is_some_and(|sieve| sieve(self.now, index, &datagram)) {
                    fly(&mut self.random, &side.weather, &bytes, |delay, bytes| {
                        self.flown += 1;
                        self.air
                            .insert((self.now + delay, self.flown), (1 - index, bytes));
                    });
                }
            }
            side.listen();
        }
    }
}

impl Side {
    fn listen(&mut self) {
        while let Some(event) = self.link.poll_event() {
            assert_eq!(self.end, None, "{event:?} after the end");
            match event {
                Event::Arrived(message) => {
                    // Corruption may make another message of it, which is none of the link's concern.
                    self.arrived
                        .push(serde_json::from_str(message.get()).unwrap_or(u64::MAX));
                }
                Event::Delivered { through } => {
                    assert!(through > self.confirmed, "{through} is confirmed again");
                    self.confirmed = through;
                }
                Event::Writable => assert!(self.link.is_writable()),
                Event::Ended(end) => self.end = Some(end),
            }
        }
    }
}

impl Counts {
    fn count(&mut self, datagram: &Datagram<'_>) {
        *match datagram {
            Datagram::Data(_) => &mut self.data,
            Datagram::Ack(_) => &mut self.acks,
            Datagram::Ping(_) => &mut self.pings,
            Datagram::Pong(_) => &mut self.pongs,
            Datagram::Bye(_) => &mut self.byes,
            _ => unreachable!("no link says {datagram:?}"),
        } += 1;
    }

    pub(super) fn all(&self) -> usize {
        self.data + self.acks + self.pings + self.pongs + self.byes
    }
}

/// A message that says its number.
pub(super) fn body(number: u64) -> Body {
    Body::new(&number).expect("a number is short")
}
