//! A server of one member, and a clock, for tests of the session.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chat_link::message::{Message, Notice, Request};
use chat_link::{
    Acceptor, AcceptorSettings, Class, CloseReason, Event, Handled, KeyId, Link, Path, PublicKey,
    RefusalCode, SessionId, StaticKey,
};

use super::super::super::command::Outgoing;
use super::super::super::display::DisplayEvent;
use super::super::{Profile, Session};

pub(super) const SERVER: &str = "127.0.0.1:9390";
const CLIENT: &str = "127.0.0.1:50000";

pub(super) fn address(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

/// Whether the server lets the member in.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Door {
    Open,
    Refuses(RefusalCode),
    /// Refuses this nick alone.
    Taken(&'static str),
}

pub(super) struct SimServer {
    identity: StaticKey,
    acceptor: Acceptor,
    pub(super) is_up: bool,
    pub(super) door: Door,
    /// Whether it confirms requests.
    pub(super) confirms: bool,
    /// Whether it resets each session as soon as it has begun.
    pub(super) forgets: bool,
    /// Whether it says that the history is complete.
    pub(super) catches_up: bool,
    pub(super) link: Option<Link>,
    pub(super) nicks: Vec<String>,
    pub(super) sessions: u8,
    /// Where it writes from, and the only address it is reached at.
    pub(super) address: SocketAddr,
    /// Whether anything of the member's arrived at that address.
    pub(super) is_reached: bool,
    pub(super) said: Vec<Request>,
    requests: u64,
    ids: u64,
    random: u8,
}

pub(super) struct Sim {
    pub(super) now: Instant,
    pub(super) session: Session,
    pub(super) server: SimServer,
    pub(super) events: VecDeque<DisplayEvent>,
    /// Datagrams that the client sent to each address, counted.
    pub(super) asked: Vec<SocketAddr>,
    datagram: Vec<u8>,
}

pub(super) fn own_key() -> KeyId {
    StaticKey::from_private([1; 32]).public().key_id()
}

impl Sim {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let mut number = 0_u8;
        let random = move || {
            number = number.wrapping_add(1);
            [number; 48]
        };
        let profile = Profile {
            key: StaticKey::from_private([1; 32]),
            nick: "me".into(),
            history: 50,
            plaintext: false,
        };
        Self {
            now,
            session: Session::new(profile, random, false, now),
            server: SimServer::new(2, now),
            events: VecDeque::new(),
            asked: Vec::new(),
            datagram: Vec::new(),
        }
    }

    pub(super) fn joined() -> Self {
        let mut sim = Self::new();
        sim.settle();
        assert_eq!(sim.take_lines(), ["* you are me"]);
        sim.session.set_addresses(vec![address(SERVER)]);
        sim
    }

    /// Lets both talk until neither has anything to say.
    pub(super) fn settle(&mut self) {
        loop {
            self.session.handle_timeout(self.now);
            if let Some(key) = self.session.take_server_key() {
                self.session.trust(key, self.now);
            }
            let mut sent = false;
            let mut answers = Vec::new();
            while let Some(destination) = self.session.poll_transmit(self.now, &mut self.datagram) {
                sent = true;
                let to = match destination {
                    super::super::Destination::Handshake => self.server.address,
                    super::super::Destination::Session(to) => to,
                };
                self.asked.push(to);
                if self.server.is_up && to == self.server.address {
                    self.server.is_reached = true;
                    answers.extend(self.server.handle(&self.datagram, self.now));
                }
            }
            if self.server.is_reached {
                answers.extend(self.server.transmit(self.now));
            }
            for answer in answers {
                sent = true;
                self.session.handle(&answer, self.server.address, self.now);
            }
            self.events
                .extend(std::iter::from_fn(|| self.session.poll_event()));
            if !sent {
                return;
            }
        }
    }

    pub(super) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.settle();
            let is_heard = self.server.is_up && self.server.is_reached;
            let server = self.server.link.as_ref().filter(|_| is_heard);
            let deadlines = [self.session.deadline(), server.and_then(Link::deadline)];
            match deadlines.into_iter().flatten().min() {
                // At least a little later: a deadline may be due that the other side holds up.
                Some(next) if next < until => {
                    self.now = next.max(self.now + Duration::from_micros(1))
                }
                _ => break,
            }
        }
        self.now = until;
        self.settle();
    }

    pub(super) fn say(&mut self, text: &str) {
        let outgoing = Outgoing::Say(text.into());
        self.session.ask(outgoing, self.now).unwrap();
        self.settle();
    }

    /// The lines that were shown, without what is for programs alone.
    pub(super) fn take_lines(&mut self) -> Vec<String> {
        let is_shown =
            |event: &DisplayEvent| !event.is_hidden() && !matches!(event, DisplayEvent::Found(_));
        let events = self.events.drain(..).filter(is_shown);
        events.map(|event| event.to_string()).collect()
    }

    /// The server says that it stops, and is gone.
    pub(super) fn stop_server(&mut self) {
        let link = self.server.link.as_mut().unwrap();
        link.close(CloseReason::Stopping, self.now);
        for datagram in self.server.transmit(self.now) {
            self.session
                .handle(&datagram, self.server.address, self.now);
        }
        self.server.is_up = false;
    }

    /// The server forgets everything, as when it is started again. Its key stays.
    pub(super) fn restart(&mut self) {
        self.server.is_up = true;
        self.server.link = None;
    }

    /// Another server answers at the same address.
    pub(super) fn replace_server(&mut self) {
        let address = self.server.address;
        self.server = SimServer::new(3, self.now);
        self.server.address = address;
    }

    pub(super) fn restore_server(&mut self) {
        self.server = SimServer::new(2, self.now);
    }
}

impl SimServer {
    fn new(key: u8, now: Instant) -> Self {
        let identity = StaticKey::from_private([key; 32]);
        let settings = AcceptorSettings {
            identity: identity.clone(),
            cookie_key: [5; 32],
            allow_plaintext: true,
        };
        Self {
            identity,
            acceptor: Acceptor::new(settings, now),
            is_up: true,
            door: Door::Open,
            confirms: true,
            forgets: false,
            catches_up: true,
            link: None,
            nicks: Vec::new(),
            sessions: 0,
            address: address(SERVER),
            is_reached: true,
            said: Vec::new(),
            requests: 0,
            ids: 0,
            random: 0,
        }
    }

    pub(super) fn key(&self) -> PublicKey {
        self.identity.public()
    }

    pub(super) fn handle(&mut self, bytes: &[u8], now: Instant) -> Vec<Vec<u8>> {
        let path = Path::to(address(CLIENT));
        if bytes.first() != Some(&b'{') {
            if let Some(link) = &mut self.link
                && link.handle(bytes, path, now, &mut || true)
            {
                self.take_requests(now);
                return self.transmit(now);
            }
            return self.acceptor.reset(bytes, now).into_iter().collect();
        }
        self.random = self.random.wrapping_add(1);
        match self.acceptor.handle(bytes, path, now, [self.random; 32]) {
            Handled::Reply(reply) => vec![reply],
            Handled::Ignored => Vec::new(),
            Handled::Join(request) => {
                let nick = request.join.nick.clone();
                self.nicks.push(nick.clone());
                let code = match self.door {
                    Door::Open => None,
                    Door::Refuses(code) => Some(code),
                    Door::Taken(taken) => (taken == nick).then_some(RefusalCode::NickTaken),
                };
                if let Some(code) = code {
                    return vec![self.acceptor.refuse(&request, code, "no", now)];
                }
                self.sessions = self.sessions.wrapping_add(1);
                let session = SessionId::from_bytes([self.sessions; 16]);
                let (answer, link) = self.acceptor.accept(*request, &nick, session, [7; 32], now);
                if self.forgets {
                    self.link = None;
                    let packet = [&[1][..], session.as_bytes(), &[0; 40]].concat();
                    let reset = self.acceptor.reset(&packet, now);
                    return [answer].into_iter().chain(reset).collect();
                }
                self.link = Some(link);
                self.requests = 0;
                if self.catches_up {
                    self.post(&Notice::CaughtUp, now);
                }
                vec![answer]
            }
        }
    }

    fn take_requests(&mut self, now: Instant) {
        let mut confirmed = Vec::new();
        while let Some(event) = self.link.as_mut().and_then(Link::poll_event) {
            let Event::Message(message) = event else {
                continue;
            };
            self.said.push(Request::decode(&message).unwrap());
            self.requests += 1;
            self.ids += 1;
            if self.confirms {
                let (request, id, at) = (self.requests, self.ids, 1);
                confirmed.push(Notice::Confirmed { request, id, at });
            }
        }
        confirmed.iter().for_each(|notice| self.post(notice, now));
    }

    pub(super) fn transmit(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        let Some(link) = self.link.as_mut().filter(|_| self.is_up) else {
            return datagrams;
        };
        link.handle_timeout(now);
        let mut datagram = Vec::new();
        while link.poll_transmit(now, &mut datagram).is_some() {
            datagrams.push(datagram.clone());
        }
        datagrams
    }

    pub(super) fn post(&mut self, notice: &Notice, now: Instant) {
        let message = Message::encode(notice).unwrap();
        self.link
            .as_mut()
            .unwrap()
            .send(&message, Class::Live, now)
            .unwrap();
    }

    pub(super) fn close(&mut self, reason: CloseReason, now: Instant) {
        self.link.as_mut().unwrap().close(reason, now);
    }

    pub(super) fn texts<'a>(&'a self) -> Vec<&'a str> {
        let text = |request: &'a Request| match request {
            Request::Say { text } => text.as_str(),
            other => panic!("{other:?}"),
        };
        self.said.iter().map(text).collect()
    }
}
