//! A server of one member, and the time.

use std::time::{Duration, Instant};

use proto::chat::{
    Body, Challenge, Datagram, Nonce, Notice, Refusal, Refused, Request, SessionId, Welcome,
};

use super::super::{DisplayEvent, Session, Wish};
use crate::link::{Event, Link};

const COOKIE: &str = "cookie";

/// What the server does with a hello.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Door {
    Open,
    Refuses(Refusal),
}

pub(super) struct Server {
    pub(super) up: bool,
    pub(super) door: Door,
    /// Whether it answers who asks who is here.
    pub(super) tells_who: bool,
    pub(super) link: Option<Link>,
    pub(super) sessions: u8,
    pub(super) hellos: usize,
    pub(super) byes: usize,
    pub(super) said: Vec<Request>,
}

pub(super) struct World {
    pub(super) now: Instant,
    pub(super) session: Session,
    pub(super) server: Server,
    pub(super) lines: Vec<String>,
}

impl World {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        let mut number = 0;
        let nonces = move || {
            number += 1;
            Nonce::from_bytes([number; 16])
        };
        Self {
            now,
            session: Session::new("me".into(), nonces, now),
            server: Server {
                up: true,
                door: Door::Open,
                tells_who: true,
                link: None,
                sessions: 0,
                hellos: 0,
                byes: 0,
                said: Vec::new(),
            },
            lines: Vec::new(),
        }
    }

    pub(super) fn joined() -> Self {
        let mut world = Self::new();
        world.settle();
        assert_eq!(world.take_lines(), ["* you are me"]);
        world
    }

    /// Lets both talk until neither has anything to say.
    pub(super) fn settle(&mut self) {
        loop {
            self.session.handle_timeout(self.now);
            let mut bytes = Vec::new();
            let mut sent = false;
            while let Some(datagram) = self.session.poll_transmit(self.now) {
                datagram.encode(&mut bytes).unwrap();
                sent = true;
                if self.server.up {
                    for answer in self.server.handle(&bytes, self.now) {
                        let answer = Datagram::decode(&answer).unwrap();
                        self.session.handle(&answer, self.now);
                    }
                }
            }
            for answer in self.server.tell(self.now) {
                sent = true;
                let answer = Datagram::decode(&answer).unwrap();
                self.session.handle(&answer, self.now);
            }
            while let Some(shown) = self.session.poll_event() {
                if !matches!(shown, DisplayEvent::Found(_)) {
                    self.lines.push(shown.to_string());
                }
            }
            if !sent {
                return;
            }
        }
    }

    pub(super) fn run(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            self.settle();
            let server = self.server.link.as_ref().filter(|_| self.server.up);
            let deadline = server.and_then(Link::deadline);
            let deadlines = [self.session.deadline(), deadline];
            match deadlines.into_iter().flatten().min() {
                Some(next) if next < until => self.now = next.max(self.now),
                _ => break,
            }
        }
        self.now = until;
        self.settle();
    }

    pub(super) fn say(&mut self, text: &str) {
        self.session.ask(Wish::Say(text.into()), self.now).unwrap();
        self.settle();
    }

    pub(super) fn take_lines(&mut self) -> Vec<String> {
        std::mem::take(&mut self.lines)
    }
}

impl Server {
    pub(super) fn handle(&mut self, bytes: &[u8], now: Instant) -> Vec<Vec<u8>> {
        let datagram = Datagram::decode(bytes).unwrap();
        let Datagram::Hello(hello) = &datagram else {
            self.byes += usize::from(matches!(datagram, Datagram::Bye(_)));
            if let Some(link) = &mut self.link {
                link.handle(&datagram, now);
            }
            return self.tell(now);
        };
        self.hellos += 1;
        let nonce = hello.nonce;
        let answer = if hello.cookie.as_deref() != Some(COOKIE) {
            let cookie = COOKIE.into();
            Datagram::Challenge(Challenge { nonce, cookie })
        } else if let Door::Refuses(code) = self.door {
            let message = "no".into();
            Datagram::Refused(Refused {
                nonce,
                code,
                message,
            })
        } else {
            let known = self.link.as_mut();
            let known = known.filter(|link| Some(link.session()) == hello.session);
            let session = match known {
                Some(link) => {
                    link.resume(now);
                    link.session()
                }
                None => {
                    self.sessions += 1;
                    let session = SessionId::from_bytes([self.sessions; 16]);
                    self.link = Some(Link::new(session, now));
                    session
                }
            };
            let nick = hello.nick.clone();
            Datagram::Welcome(Welcome {
                nonce,
                session,
                nick,
            })
        };
        let mut bytes = Vec::new();
        answer.encode(&mut bytes).unwrap();
        vec![bytes]
    }

    pub(super) fn tell(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut datagrams = Vec::new();
        let Some(link) = self.link.as_mut().filter(|_| self.up) else {
            return datagrams;
        };
        link.handle_timeout(now);
        let mut asks_who = false;
        while let Some(event) = link.poll_event() {
            if let Event::Arrived(message) = event {
                match Request::decode(&message).unwrap() {
                    Request::Who => asks_who = true,
                    request => self.said.push(request),
                }
            }
        }
        if asks_who && self.tells_who {
            self.tell_who();
        }
        let link = self.link.as_mut().unwrap();
        while let Some(datagram) = link.poll_transmit(now) {
            let mut bytes = Vec::new();
            datagram.encode(&mut bytes).unwrap();
            datagrams.push(bytes);
        }
        datagrams
    }

    /// Forgets everything, as when it is started anew.
    pub(super) fn restart(&mut self) {
        (self.up, self.link) = (true, None);
    }

    pub(super) fn post(&mut self, notice: &Notice) {
        let link = self.link.as_mut().unwrap();
        link.send(Body::new(notice).unwrap()).unwrap();
    }

    pub(super) fn tell_who(&mut self) {
        let (nicks, more) = (vec!["me".into()], false);
        self.post(&Notice::Members { nicks, more });
    }

    pub(super) fn texts<'a>(&'a self) -> Vec<&'a str> {
        let text = |request: &'a Request| match request {
            Request::Say { text, .. } => text.as_str(),
            other => panic!("{other:?}"),
        };
        self.said.iter().map(text).collect()
    }
}
