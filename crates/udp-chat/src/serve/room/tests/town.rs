//! A room, its guests, and the network between them.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use proto::chat::{
    Body, Datagram, Hello, Kind, MAX_DATAGRAM_BYTES, Nonce, Notice, Parts, Refusal, Request,
    SessionId, VERSION, split,
};

use serde::Serialize;

use super::super::{Room, RoomEvent, RoomSettings, World};
use crate::link::{End, Event, Link};
use crate::weather::{Random, Weather, fly};

pub(super) const SETTINGS: RoomSettings = RoomSettings {
    max_members: 1_000,
    tell_texts: true,
    trace: false,
};

pub(super) struct Town {
    pub(super) now: Instant,
    pub(super) room: Room,
    pub(super) guests: Vec<Guest>,
    pub(super) weather: Weather,
    pub(super) events: Vec<RoomEvent>,
    /// How many datagrams and bytes the room has sent.
    pub(super) sent: (usize, usize),
    /// When each datagram arrives, from whom, and at whom; the number keeps keys apart.
    air: BTreeMap<(Instant, u64), (SocketAddr, SocketAddr, Vec<u8>)>,
    flown: u64,
    random: Random,
}

/// The room's own address.
fn server() -> SocketAddr {
    "192.0.2.1:9390".parse().unwrap()
}

impl Town {
    pub(super) fn new(seed: u64, weather: Weather, settings: RoomSettings) -> Self {
        let now = Instant::now();
        Self {
            now,
            room: room(settings, now, seed),
            guests: Vec::new(),
            weather,
            events: Vec::new(),
            sent: (0, 0),
            air: BTreeMap::new(),
            flown: 0,
            random: Random(seed),
        }
    }

    /// The server dies and is started again: an empty room at the same address.
    pub(super) fn restart(&mut self) {
        self.room = room(SETTINGS, self.now, self.random.next());
    }

    /// Lets somebody ask to be let in; gives its index.
    pub(super) fn enter(&mut self, nick: &str) -> usize {
        let index = self.guests.len();
        let address = SocketAddr::from(([10, 0, (index >> 8) as u8, index as u8], 4_000));
        let mut guest = Guest::new(nick, address);
        guest.knock(None, &mut self.random, self.now);
        self.guests.push(guest);
        self.settle();
        index
    }

    /// Lets everybody in, in that order.
    pub(super) fn enter_all(&mut self, nicks: &[&str]) {
        for nick in nicks {
            let index = self.enter(nick);
            self.run_until(super::seconds(30), |town| town.guests[index].link.is_some());
        }
        self.run(super::seconds(20));
        self.guests.iter_mut().for_each(|guest| guest.heard.clear());
    }

    /// A guest knocks anew, for the session it had or for none.
    pub(super) fn knock(&mut self, index: usize, session: Option<SessionId>) {
        self.guests[index].knock(session, &mut self.random, self.now);
        self.settle();
    }

    pub(super) fn ask(&mut self, index: usize, request: &impl Serialize) {
        self.guests[index].send(Body::new(request).unwrap());
        self.settle();
    }

    pub(super) fn say(&mut self, index: usize, text: &str) {
        let wrap = |text: &str, more| Request::Say {
            text: text.to_owned(),
            more,
        };
        for body in split(text, wrap).unwrap() {
            self.guests[index].send(body);
        }
        self.settle();
    }

    /// A datagram reaches the room from nobody in particular.
    pub(super) fn throw(&mut self, bytes: &[u8], from: &str) {
        self.room.handle(bytes, from.parse().unwrap(), self.now);
        self.settle();
    }

    /// Lets so much time pass.
    pub(super) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        while self.step(until) {}
    }

    #[track_caller]
    pub(super) fn run_until(&mut self, limit: Duration, done: impl Fn(&Self) -> bool) {
        let until = self.now + limit;
        while !done(self) {
            assert!(self.step(until), "not within {limit:?}");
        }
    }

    fn step(&mut self, until: Instant) -> bool {
        let deadlines = self.guests.iter().filter_map(Guest::deadline);
        let arrival = self.air.keys().next().map(|&(at, _)| at);
        let next = deadlines.chain(arrival).chain(self.room.deadline()).min();
        let next = next.unwrap_or(until).max(self.now);
        if next >= until {
            self.now = until;
            return false;
        }
        self.now = next;
        if arrival.is_some_and(|at| at <= self.now) {
            let (_, (from, to, bytes)) = self.air.pop_first().unwrap();
            if to == server() {
                self.room.handle(&bytes, from, self.now);
            } else if let Some(guest) = self.guests.iter_mut().find(|guest| guest.address == to) {
                guest.handle(&bytes, self.now);
            }
        } else {
            self.room.handle_timeout(self.now);
            for guest in &mut self.guests {
                guest.handle_timeout(self.now);
            }
        }
        self.settle();
        true
    }

    /// Takes from everybody what there is to send and to tell.
    pub(super) fn settle(&mut self) {
        while let Some(transmit) = self.room.poll_transmit(self.now) {
            assert!(transmit.bytes.len() <= MAX_DATAGRAM_BYTES);
            self.sent = (self.sent.0 + 1, self.sent.1 + transmit.bytes.len());
            fly(
                &mut self.random,
                &self.weather,
                transmit.bytes,
                |delay, bytes| {
                    self.flown += 1;
                    let key = (self.now + delay, self.flown);
                    self.air.insert(key, (server(), transmit.to, bytes));
                },
            );
        }
        assert!(!self.room.has_work());
        self.events
            .extend(std::iter::from_fn(|| self.room.poll_event()));
        for guest in &mut self.guests {
            while let Some(bytes) = guest.poll_transmit(self.now) {
                fly(&mut self.random, &self.weather, &bytes, |delay, bytes| {
                    self.flown += 1;
                    let key = (self.now + delay, self.flown);
                    self.air.insert(key, (guest.address, server(), bytes));
                });
            }
            guest.listen();
        }
    }
}

fn room(settings: RoomSettings, now: Instant, seed: u64) -> Room {
    struct Made(Random, u64);
    impl World for Made {
        fn random(&mut self) -> io::Result<[u8; 16]> {
            Ok([self.0.next().to_be_bytes(), self.0.next().to_be_bytes()]
                .concat()
                .try_into()
                .unwrap())
        }

        fn unix_micros(&mut self) -> u64 {
            self.1 += 1_000;
            self.1
        }
    }
    thread_local!(static BEGAN: Cell<u64> = const { Cell::new(1_790_000_000_000_000) });
    // Each room begins an hour after the one before.
    let began = BEGAN.with(|began| {
        began.set(began.get() + 3_600_000_000);
        began.get()
    });
    Room::new(
        settings,
        &[7; 32],
        Box::new(Made(Random(!seed), began)),
        now,
    )
}

/// Somebody who wants to chat.
pub(super) struct Guest {
    pub(super) address: SocketAddr,
    pub(super) nick: String,
    pub(super) link: Option<Link>,
    /// Notices, each text as one.
    pub(super) heard: Vec<Notice>,
    pub(super) refused: Option<Refusal>,
    pub(super) end: Option<End>,
    /// False: it neither sends nor hears any more, as if its cable were pulled.
    pub(super) is_there: bool,
    is_deaf: bool,
    knocking: Option<Knocking>,
    outbox: VecDeque<Body>,
    parts: Parts,
}

struct Knocking {
    hello: Hello,
    again_at: Instant,
}

impl Guest {
    fn new(nick: &str, address: SocketAddr) -> Self {
        Self {
            address,
            nick: nick.to_owned(),
            link: None,
            heard: Vec::new(),
            refused: None,
            end: None,
            is_there: true,
            is_deaf: false,
            knocking: None,
            outbox: VecDeque::new(),
            parts: Parts::default(),
        }
    }

    pub(super) fn session(&self) -> SessionId {
        self.link.as_ref().expect("it was welcomed").session()
    }

    /// The texts heard from `nick`, history too.
    pub(super) fn texts_from(&self, nick: &str) -> Vec<&str> {
        let texts = self.heard.iter().filter_map(|notice| match notice {
            Notice::Said { from, text, .. } if from == nick => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }

    fn knock(&mut self, session: Option<SessionId>, random: &mut Random, now: Instant) {
        let mut nonce = [0; 16];
        nonce.fill_with(|| random.next() as u8);
        let hello = Hello {
            version: VERSION,
            nonce: Nonce::from_bytes(nonce),
            nick: self.nick.clone(),
            session,
            cookie: None,
        };
        let again_at = now;
        self.knocking = Some(Knocking { hello, again_at });
    }

    /// From now on no message reaches it, though acknowledgements of its own do.
    pub(super) fn deafen(&mut self) {
        self.is_deaf = true;
    }

    fn send(&mut self, body: Body) {
        self.outbox.push_back(body);
    }

    fn handle(&mut self, bytes: &[u8], now: Instant) {
        let Ok(datagram) = Datagram::decode(bytes) else {
            panic!("the room sent {:?}", String::from_utf8_lossy(bytes));
        };
        if !self.is_there {
            return;
        }
        match (datagram, &mut self.knocking) {
            (Datagram::Challenge(challenge), Some(knocking))
                if challenge.nonce == knocking.hello.nonce =>
            {
                knocking.hello.cookie = Some(challenge.cookie);
                knocking.again_at = now;
            }
            (Datagram::Welcome(welcome), Some(knocking))
                if welcome.nonce == knocking.hello.nonce =>
            {
                self.nick = welcome.nick;
                self.knocking = None;
                match &mut self.link {
                    Some(link) if link.session() == welcome.session => link.resume(now),
                    _ => self.link = Some(Link::new(welcome.session, now)),
                }
            }
            (Datagram::Refused(refused), Some(knocking))
                if refused.nonce == knocking.hello.nonce =>
            {
                self.refused = Some(refused.code);
                self.knocking = None;
            }
            (Datagram::Data(_), _) if self.is_deaf => {}
            (datagram, _) => {
                if let Some(link) = &mut self.link {
                    link.handle(&datagram, now);
                }
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let link = self.link.as_ref().and_then(Link::deadline);
        let knocking = self.knocking.as_ref().map(|knocking| knocking.again_at);
        link.into_iter()
            .chain(knocking)
            .min()
            .filter(|_| self.is_there)
    }

    fn handle_timeout(&mut self, now: Instant) {
        if let Some(link) = &mut self.link {
            link.handle_timeout(now);
        }
    }

    fn poll_transmit(&mut self, now: Instant) -> Option<Vec<u8>> {
        if !self.is_there {
            return None;
        }
        let mut bytes = Vec::new();
        if let Some(knocking) = self
            .knocking
            .as_mut()
            .filter(|knocking| knocking.again_at <= now)
        {
            knocking.again_at = now + Duration::from_secs(1);
            Datagram::Hello(knocking.hello.clone())
                .encode(&mut bytes)
                .unwrap();
            return Some(bytes);
        }
        let link = self.link.as_mut()?;
        while link.is_writable()
            && let Some(body) = self.outbox.pop_front()
        {
            link.send(body).unwrap();
        }
        link.poll_transmit(now)?.encode(&mut bytes).unwrap();
        Some(bytes)
    }

    fn listen(&mut self) {
        while let Some(event) = self.link.as_mut().and_then(Link::poll_event) {
            match event {
                Event::Arrived(message) => self.hear(Notice::decode(&message).unwrap()),
                Event::Ended(end) => self.end = Some(end),
                Event::Delivered { .. } | Event::Writable => {}
            }
        }
    }

    fn hear(&mut self, mut notice: Notice) {
        if let Notice::Said { text, more, .. } = &mut notice {
            match self.parts.push(text, *more).unwrap() {
                Some(whole) => (*text, *more) = (whole, false),
                None => return,
            }
        }
        self.heard.push(notice);
    }
}

/// A notice that somebody said something now, whatever its id and time.
pub(super) fn is_said(notice: &Notice, by: &str, how: Kind, what: &str) -> bool {
    matches!(notice, Notice::Said { from, kind, text, history: false, .. }
        if from == by && *kind == how && text == what)
}
