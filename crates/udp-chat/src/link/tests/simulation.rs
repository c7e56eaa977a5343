//! Two links joined by a network that loses, doubles, delays, reorders and corrupts, all from one
//! seed and on a clock of its own.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use proto::chat::{Body, Datagram, MAX_DATAGRAM_BYTES, SessionId};

use super::super::{End, Event, Link};

pub(super) const SESSION: SessionId = SessionId::from_bytes([
    0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff,
]);

/// What a direction of the network does to datagrams. Shares are between 0 and 1.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weather {
    pub(super) loss: f64,
    pub(super) doubled: f64,
    pub(super) corrupted: f64,
    /// The shortest time on the way.
    pub(super) delay: Duration,
    /// What may be added to it; more than the distance of two datagrams reorders them.
    pub(super) jitter: Duration,
}

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

/// Passes on the copies of a datagram that survive, each with its time on the way.
fn fly(
    random: &mut Random,
    weather: &Weather,
    bytes: &[u8],
    mut arrive: impl FnMut(Duration, Vec<u8>),
) {
    let copies = if random.chance(weather.doubled) { 2 } else { 1 };
    for _ in 0..copies {
        if random.chance(weather.loss) {
            continue;
        }
        let mut bytes = bytes.to_vec();
        if random.chance(weather.corrupted) {
            for _ in 0..=random.below(3) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] = random.below(256) as u8;
            }
        }
        arrive(
            weather.delay + weather.jitter.mul_f64(random.share()),
            bytes,
        );
    }
}

/// SplitMix64: a few lines that give the same numbers for a seed for ever.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(super) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// A number from 0 to 1.
    pub(super) fn share(&mut self) -> f64 {
        self.next() as f64 / u64::MAX as f64
    }

    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.share() < share
    }
}
