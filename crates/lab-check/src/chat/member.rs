//! A member of the chat under test, behind a network that a check can make worse.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use chat_link::message::{Message, Notice, Request};
use chat_link::{
    Class, CloseReason, Connector, ConnectorEvent, Event, Join, Link, MAX_DATAGRAM_BYTES, Path,
    PublicKey, Refused, StaticKey,
};
use cli::Reason;
use trust::random;

use super::datagrams::{bind, receive};
use crate::failure::{Excerpts, Failure};

/// Decides whether the server's key is trusted.
pub type Trust = Box<dyn Fn(&PublicKey) -> Result<(), Failure>>;

/// The chat server under test.
pub struct ChatTarget {
    /// Where it listens.
    pub address: SocketAddr,
    /// How long it has for each answer.
    pub timeout: Duration,
    /// Whether sessions are left readable; the server must allow it.
    pub plaintext: bool,
    /// Whether its key is trusted.
    pub trust: Trust,
}

/// What happens to the datagrams that a member sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// They arrive.
    Good,
    /// This many of the next ones are lost.
    Losing(u32),
    /// Each arrives twice.
    Doubling,
    /// They are held back until the network is good again, and arrive in the reverse order then.
    Reversing,
}

/// What came of an attempt to join.
pub enum Joined {
    /// The server let the member in.
    Welcome(Box<Member>),
    /// It did not.
    Refused(Refused),
}

/// One member in its session.
pub struct Member {
    socket: UdpSocket,
    server: SocketAddr,
    timeout: Duration,
    link: Link,
    nick: String,
    key: StaticKey,
    network: Network,
    held: Vec<Vec<u8>>,
    notices: VecDeque<Notice>,
    excerpts: Excerpts,
}

/// A new key.
///
/// # Errors
///
/// When the system gives no random bytes.
pub fn new_key() -> Result<StaticKey, Failure> {
    random().map(StaticKey::from_private).map_err(no_random)
}

impl Member {
    /// Joins with a key and a nick, and asks for `history` texts.
    ///
    /// # Errors
    ///
    /// When the server does not answer in time.
    pub fn join(
        target: &ChatTarget,
        key: &StaticKey,
        nick: &str,
        history: u16,
    ) -> Result<Joined, Failure> {
        let mut member = Attempt::new(target)?;
        let join = Join {
            nick: nick.to_owned(),
            history,
            plaintext: target.plaintext,
        };
        let mut connector = Connector::new(key, join, random().map_err(no_random)?, Instant::now());
        let end = Instant::now() + target.timeout;
        loop {
            member.transmit(&mut connector)?;
            while let Some(event) = connector.poll_event() {
                match event {
                    ConnectorEvent::Heard => {}
                    ConnectorEvent::ServerKey(server) => {
                        (target.trust)(&server)?;
                        connector.trust_server(Instant::now());
                    }
                    ConnectorEvent::Refused(refused) => return Ok(Joined::Refused(refused)),
                    ConnectorEvent::Joined { link, nick } => {
                        return Ok(Joined::Welcome(Box::new(member.succeed(
                            *link,
                            nick,
                            key.clone(),
                        ))));
                    }
                }
            }
            member.transmit(&mut connector)?;
            let now = Instant::now();
            if now >= end {
                return Err(member
                    .excerpts
                    .failure("the server does not let a member in: no whole handshake in time"));
            }
            let wake = connector.deadline().unwrap_or(end).min(end);
            if let Some(datagram) = member.receive(wake)? {
                connector.handle(&datagram, Path::to(target.address), Instant::now());
            }
        }
    }

    /// The nick, as the server writes it.
    #[must_use]
    pub fn nick(&self) -> &str {
        &self.nick
    }

    /// The key by which the server knows the member.
    #[must_use]
    pub fn key(&self) -> &StaticKey {
        &self.key
    }

    /// Sends a request.
    ///
    /// # Errors
    ///
    /// When it is too long, or the socket fails.
    pub fn request(&mut self, request: &Request) -> Result<(), Failure> {
        let message = Message::encode(request).map_err(|error| self.failure(error.to_string()))?;
        let queued = self.link.send(&message, Class::Live, Instant::now());
        queued.map_err(|_| {
            self.failure("the link takes no more messages: the server acknowledges nothing")
        })?;
        self.transmit()
    }

    /// Changes what happens to the datagrams that follow. Those that were held back go out.
    ///
    /// # Errors
    ///
    /// When the socket fails.
    pub fn set_network(&mut self, network: Network) -> Result<(), Failure> {
        self.network = network;
        while let Some(datagram) = self.held.pop() {
            self.send(&datagram)?;
        }
        Ok(())
    }

    /// From now on the member sends from another port, as after a change of its network.
    ///
    /// # Errors
    ///
    /// When the system gives no socket.
    pub fn move_to_another_port(&mut self) -> Result<(), Failure> {
        let socket = bind(self.server)
            .map_err(|error| self.failure(format!("no other socket: {}", Reason(&error))))?;
        self.socket = socket;
        Ok(())
    }

    /// Waits for the notice that `wanted` recognises; others are passed over.
    ///
    /// # Errors
    ///
    /// When it does not come in time, or the session ends.
    pub fn await_notice<T>(
        &mut self,
        what: &str,
        mut wanted: impl FnMut(&Notice) -> Option<T>,
    ) -> Result<T, Failure> {
        let end = Instant::now() + self.timeout;
        loop {
            while let Some(notice) = self.notices.pop_front() {
                if let Some(found) = wanted(&notice) {
                    return Ok(found);
                }
            }
            if Instant::now() >= end {
                return Err(self.failure(format!("{what} does not arrive in time")));
            }
            self.turn(end)?;
        }
    }

    /// The notices that arrive within `time`, those included that wait already.
    ///
    /// # Errors
    ///
    /// When the session ends.
    pub fn notices_within(&mut self, time: Duration) -> Result<Vec<Notice>, Failure> {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.turn(end)?;
        }
        Ok(self.notices.drain(..).collect())
    }

    /// Leaves, and waits for the server's answer.
    ///
    /// # Errors
    ///
    /// When none comes.
    pub fn leave(mut self) -> Result<(), Failure> {
        self.link.close(CloseReason::Quit, Instant::now());
        let end = Instant::now() + self.timeout;
        while Instant::now() < end {
            match self.turn(end) {
                Ok(()) => {}
                Err(_) if self.link.deadline().is_none() => return Ok(()),
                Err(failure) => return Err(failure),
            }
        }
        Err(self.failure("the server does not answer that the member leaves"))
    }

    /// A failure of this member.
    #[must_use]
    pub fn failure(&self, problem: impl Into<String>) -> Failure {
        self.excerpts.failure(problem)
    }

    /// Sends what is due, and waits for one datagram, at most until `end`.
    fn turn(&mut self, end: Instant) -> Result<(), Failure> {
        self.transmit()?;
        let wake = self.link.deadline().unwrap_or(end).min(end);
        match receive(&self.socket, &mut self.excerpts.received, wake)
            .map_err(|error| self.failure(error))?
        {
            Some(datagram) => {
                self.link.handle(
                    &datagram,
                    Path::to(self.server),
                    Instant::now(),
                    &mut || true,
                );
            }
            None => self.link.handle_timeout(Instant::now()),
        }
        while let Some(event) = self.link.poll_event() {
            match event {
                Event::Message(message) => match Notice::decode(&message) {
                    Ok(notice) => self.notices.push_back(notice),
                    Err(error) => {
                        return Err(self.failure(format!("a message is not a notice: {error}")));
                    }
                },
                Event::Acknowledged(_) | Event::Moved { .. } => {}
                Event::Ended(end) => {
                    self.transmit()?;
                    return Err(self.failure(format!("the session ended: {end:?}")));
                }
            }
        }
        self.transmit()
    }

    fn transmit(&mut self) -> Result<(), Failure> {
        let mut datagram = Vec::with_capacity(MAX_DATAGRAM_BYTES);
        while self
            .link
            .poll_transmit(Instant::now(), &mut datagram)
            .is_some()
        {
            match &mut self.network {
                Network::Good => self.send(&datagram)?,
                Network::Losing(0) => self.send(&datagram)?,
                Network::Losing(count) => *count -= 1,
                Network::Doubling => {
                    self.send(&datagram)?;
                    self.send(&datagram)?;
                }
                Network::Reversing => self.held.push(datagram.clone()),
            }
        }
        Ok(())
    }

    fn send(&mut self, datagram: &[u8]) -> Result<(), Failure> {
        self.excerpts.sent.add(datagram);
        let sent = self.socket.send_to(datagram, self.server);
        sent.map(drop)
            .map_err(|error| self.failure(format!("cannot send: {}", Reason(&error))))
    }
}

/// A member that a check no longer needs leaves, so that the room does not fill with silent ones.
impl Drop for Member {
    fn drop(&mut self) {
        self.link.close(CloseReason::Quit, Instant::now());
        // The server removes a member that it cannot hear after a minute.
        let _ = self.transmit();
    }
}

/// A member before its session.
struct Attempt {
    socket: UdpSocket,
    server: SocketAddr,
    timeout: Duration,
    excerpts: Excerpts,
}

impl Attempt {
    fn new(target: &ChatTarget) -> Result<Self, Failure> {
        let socket = bind(target.address)
            .map_err(|error| Failure::new(format!("no socket: {}", Reason(&error))))?;
        Ok(Self {
            socket,
            server: target.address,
            timeout: target.timeout,
            excerpts: Excerpts::default(),
        })
    }

    fn transmit(&mut self, connector: &mut Connector) -> Result<(), Failure> {
        let mut datagram = Vec::with_capacity(MAX_DATAGRAM_BYTES);
        while connector.poll_transmit(Instant::now(), &mut datagram) {
            self.excerpts.sent.add(&datagram);
            let sent = self.socket.send_to(&datagram, self.server);
            sent.map_err(|error| {
                self.excerpts
                    .failure(format!("cannot send: {}", Reason(&error)))
            })?;
        }
        Ok(())
    }

    fn receive(&mut self, wake: Instant) -> Result<Option<Vec<u8>>, Failure> {
        receive(&self.socket, &mut self.excerpts.received, wake)
            .map_err(|error| self.excerpts.failure(error))
    }

    fn succeed(self, link: Link, nick: String, key: StaticKey) -> Member {
        let Self {
            socket,
            server,
            timeout,
            excerpts,
        } = self;
        let (network, held, notices) = (Network::Good, vec![], VecDeque::new());
        Member {
            socket,
            server,
            timeout,
            link,
            nick,
            key,
            network,
            held,
            notices,
            excerpts,
        }
    }
}

fn no_random(error: io::Error) -> Failure {
    Failure::new(error.to_string())
}
