//! A room and its clients, whose datagrams arrive at once or not at all.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use chat_link::message::{Message, Notice, Request};
use chat_link::{
    Class, CloseReason, Connector, ConnectorEvent, End, Event, Join, Link, Path, RefusalCode,
    StaticKey,
};

use super::super::{Command, Environment, Room, RoomEvent, RoomSettings};

pub(super) const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Counts instead of random numbers.
struct Counter(u8);

impl Environment for Counter {
    fn random(&mut self) -> io::Result<[u8; 32]> {
        self.0 = self.0.wrapping_add(1);
        let mut bytes = [self.0; 32];
        bytes[0] = 7;
        Ok(bytes)
    }

    fn unix_micros(&mut self) -> u64 {
        1_790_000_000_000_000
    }
}

pub(super) struct SimServer {
    pub(super) room: Room,
    pub(super) now: Instant,
    pub(super) clients: Vec<Client>,
    pub(super) events: Vec<RoomEvent>,
    /// How many of the next answers to handshakes are lost. The last answer of a handshake is a welcome or a refusal.
    pub(super) lost_answers: usize,
    /// How long each answer of a handshake takes.
    pub(super) handshake_delay: Duration,
    next_rate: u32,
    next_random: u16,
}

pub(super) struct Client {
    pub(super) link: Link,
    pub(super) address: SocketAddr,
    pub(super) notices: Vec<Notice>,
    pub(super) end: Option<End>,
    /// Nothing arrives at it.
    pub(super) is_deaf: bool,
    /// Nothing that it sends arrives.
    pub(super) is_mute: bool,
    pub(super) received_bytes: usize,
    /// What the line to it takes, in bytes a second; 0 for a line without a limit.
    pub(super) rate: u32,
    /// What is on that line, and when it will have arrived.
    line: VecDeque<(Instant, Vec<u8>)>,
}

pub(super) fn key(number: u8) -> StaticKey {
    StaticKey::from_private([number; 32])
}

/// An address of a network of its own for each number.
pub(super) fn address(network: u8, port: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, network], port))
}

impl SimServer {
    pub(super) fn new() -> Self {
        Self::with(1_000, false)
    }

    pub(super) fn with(max_members: usize, allow_plaintext: bool) -> Self {
        let now = Instant::now();
        let settings = RoomSettings {
            max_members,
            allow_plaintext,
            report_texts: false,
            report_traffic: true,
            trace: false,
        };
        let room = Room::new(settings, key(1), Vec::new(), Box::new(Counter(0)), now).unwrap();
        Self {
            room,
            now,
            clients: Vec::new(),
            events: Vec::new(),
            lost_answers: 0,
            handshake_delay: Duration::ZERO,
            next_rate: 0,
            next_random: 0,
        }
    }

    /// Joins, and gives the client's number.
    pub(super) fn join(&mut self, nick: &str, key_number: u8) -> usize {
        let address = address(key_number, 4_000 + self.clients.len() as u16);
        self.try_join(nick, key_number, address, false)
            .unwrap_or_else(|refused| panic!("{nick}: {refused:?}"))
    }

    /// Joins over a line of so many bytes a second.
    pub(super) fn join_over(&mut self, nick: &str, key_number: u8, rate: u32) -> usize {
        self.next_rate = rate;
        let client = self.join(nick, key_number);
        self.next_rate = 0;
        client
    }

    pub(super) fn try_join(
        &mut self,
        nick: &str,
        key_number: u8,
        address: SocketAddr,
        plaintext: bool,
    ) -> Result<usize, RefusalCode> {
        self.next_random += 1;
        let mut random = [0; 48];
        random[..2].copy_from_slice(&self.next_random.to_be_bytes());
        let join = Join {
            nick: nick.to_owned(),
            history: 50,
            plaintext,
        };
        let mut connector = Connector::new(&key(key_number), join, random, self.now);
        let (there, here) = (
            Path::to(SocketAddr::from(([198, 51, 100, 1], 9390))),
            Path::to(address),
        );
        let mut datagram = Vec::new();
        // A network begins 20 handshakes a second.
        for _ in 0..200 {
            while connector.poll_transmit(self.now, &mut datagram) {
                self.room.handle(&datagram, here, self.now);
                while let Some(path) = self.room.poll_transmit(self.now, &mut datagram) {
                    let is_answer = datagram.starts_with(b"{\"type\":\"answer\"");
                    if path == here && is_answer && self.lost_answers > 0 {
                        self.lost_answers -= 1;
                    } else if path == here && datagram.first() == Some(&b'{') {
                        self.now += self.handshake_delay;
                        connector.handle(&datagram, there, self.now);
                    } else {
                        self.deliver(path, &datagram);
                    }
                }
            }
            match connector.poll_event() {
                Some(ConnectorEvent::ServerKey(_)) => connector.trust_server(self.now),
                Some(ConnectorEvent::Joined { link, .. }) => {
                    self.clients.push(Client {
                        link: *link,
                        address,
                        notices: Vec::new(),
                        end: None,
                        is_deaf: false,
                        is_mute: false,
                        received_bytes: 0,
                        rate: self.next_rate,
                        line: VecDeque::new(),
                    });
                    self.run(seconds(1));
                    return Ok(self.clients.len() - 1);
                }
                Some(ConnectorEvent::Refused(refused)) => return Err(refused.code),
                Some(ConnectorEvent::Heard) => {}
                None => self.now = connector.deadline().unwrap_or(self.now).max(self.now),
            }
        }
        panic!("{nick} neither joins nor is refused");
    }

    pub(super) fn request(&mut self, client: usize, request: &Request) {
        let message = Message::encode(request).unwrap();
        self.clients[client]
            .link
            .send(&message, Class::Live, self.now)
            .unwrap();
    }

    pub(super) fn say(&mut self, client: usize, text: &str) {
        self.request(
            client,
            &Request::Say {
                text: text.to_owned(),
            },
        );
    }

    pub(super) fn command(&mut self, command: Command) -> Result<String, String> {
        self.room.command(&command, self.now)
    }

    /// The notices that came since the last call.
    pub(super) fn notices(&mut self, client: usize) -> Vec<Notice> {
        std::mem::take(&mut self.clients[client].notices)
    }

    /// The texts among them, as `nick: text`, with `| ` before those of the history.
    pub(super) fn texts(&mut self, client: usize) -> Vec<String> {
        let said = |notice| match notice {
            Notice::Said {
                from,
                text,
                history,
                ..
            } => Some(format!("{}{from}: {text}", if history { "| " } else { "" })),
            _ => None,
        };
        self.notices(client).into_iter().filter_map(said).collect()
    }

    /// Lets so much time pass.
    pub(super) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.exchange();
            let clients = self
                .clients
                .iter()
                .filter_map(|client| client.link.deadline());
            let arrivals = self.clients.iter().filter_map(|client| client.line.front());
            let next = clients
                .chain(arrivals.map(|&(at, _)| at))
                .chain(self.room.deadline())
                .min()
                .unwrap_or(until)
                .max(self.now);
            if next >= until {
                self.now = until;
                self.exchange();
                return;
            }
            self.now = next.max(self.now + Duration::from_micros(100));
        }
    }

    /// Moves datagrams until there are none.
    fn exchange(&mut self) {
        let mut datagram = Vec::new();
        loop {
            let mut any = false;
            for index in 0..self.clients.len() {
                let client = &mut self.clients[index];
                while let Some((_, datagram)) = client.line.pop_front_if(|(at, _)| *at <= self.now)
                {
                    client.receive(&datagram, self.now);
                }
                client.link.handle_timeout(self.now);
                while self.clients[index]
                    .link
                    .poll_transmit(self.now, &mut datagram)
                    .is_some()
                {
                    any = true;
                    if !self.clients[index].is_mute {
                        self.room.handle(
                            &datagram,
                            Path::to(self.clients[index].address),
                            self.now,
                        );
                    }
                }
                self.clients[index].take_events();
            }
            self.room.handle_timeout(self.now);
            while let Some(path) = self.room.poll_transmit(self.now, &mut datagram) {
                any = true;
                self.deliver(path, &datagram);
            }
            self.events
                .extend(std::iter::from_fn(|| self.room.poll_event()));
            if !any {
                return;
            }
        }
    }

    fn deliver(&mut self, path: Path, datagram: &[u8]) {
        for client in self
            .clients
            .iter_mut()
            .filter(|client| client.address == path.remote && !client.is_deaf)
        {
            client.received_bytes += datagram.len();
            if client.rate == 0 {
                client.receive(datagram, self.now);
                continue;
            }
            let free_at = client.line.back().map_or(self.now, |&(at, _)| at);
            let takes = Duration::from_secs_f64(datagram.len() as f64 / f64::from(client.rate));
            let arrives = free_at.max(self.now) + takes;
            client.line.push_back((arrives, datagram.to_vec()));
        }
    }
}

impl Client {
    fn receive(&mut self, datagram: &[u8], now: Instant) {
        let server = Path::to(SocketAddr::from(([198, 51, 100, 1], 9390)));
        self.link.handle(datagram, server, now, &mut || true);
        self.take_events();
    }

    fn take_events(&mut self) {
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::Message(message) => self.notices.push(Notice::decode(&message).unwrap()),
                Event::Ended(end) => self.end = Some(end),
                Event::Acknowledged(_) | Event::Moved { .. } => {}
            }
        }
    }
}

/// Why the server closed a session.
pub(super) fn closed(reason: CloseReason) -> Option<End> {
    Some(End::PeerClosed(reason))
}
