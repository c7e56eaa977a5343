//! A client made of the crate's own link: a thread with a socket, which records what it sees.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chat_link::message::{Message, Notice, Request};
use chat_link::{
    Class, CloseReason, Connector, ConnectorEvent, End, Event, Join, Link, Path, RefusalCode,
    StaticKey,
};

const TIME_LIMIT: Duration = Duration::from_secs(60);

/// A client at work. Dropping it leaves the chat.
pub struct Client {
    orders: Sender<Order>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    thread: Option<JoinHandle<()>>,
}

/// What a client has seen so far.
#[derive(Default)]
pub struct Seen {
    pub notices: Vec<Notice>,
    pub refused: Option<RefusalCode>,
    /// How the last session ended.
    pub end: Option<End>,
    /// How many sessions began.
    pub sessions: usize,
    pub unacknowledged: usize,
}

enum Order {
    Ask(Request),
    Vanish,
}

impl Client {
    /// A client that has joined. Its key follows from its nick.
    pub fn join(server: SocketAddr, nick: &str) -> Self {
        let client = Self::start(server, nick, nick);
        client.wait("the welcome", |seen| seen.sessions == 1);
        client
    }

    /// A client that tries to join as `nick` with the key that follows from `key`.
    pub fn start(server: SocketAddr, nick: &str, key: &str) -> Self {
        let (orders, waiting) = channel();
        let seen = Arc::<(Mutex<Seen>, Condvar)>::default();
        let mut private = [7; 32];
        private
            .iter_mut()
            .zip(key.bytes())
            .for_each(|(to, from)| *to = from);
        let nick = nick.to_owned();
        let worker = Arc::clone(&seen);
        let thread =
            thread::spawn(move || Worker::new(server, nick, private, waiting, worker).run());
        Self {
            orders,
            seen,
            thread: Some(thread),
        }
    }

    pub fn ask(&self, request: &Request) {
        self.orders.send(Order::Ask(request.clone())).unwrap();
    }

    pub fn say(&self, text: &str) {
        self.ask(&Request::Say {
            text: text.to_owned(),
        });
    }

    /// Its process is killed, so to say: it leaves without a word.
    pub fn vanish(mut self) {
        let _ = self.orders.send(Order::Vanish);
        self.thread.take().unwrap().join().unwrap();
    }

    pub fn wait(&self, what: &str, done: impl Fn(&Seen) -> bool) {
        let until = Instant::now() + TIME_LIMIT;
        let (seen, changed) = &*self.seen;
        let mut seen = seen.lock().unwrap();
        while !done(&seen) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "no {what}; {:?}, {:?}",
                seen.notices.last(),
                seen.end
            );
            seen = changed.wait_timeout(seen, left).unwrap().0;
        }
    }

    pub fn wait_for_text(&self, from: &str, text: &str) {
        self.wait(text, |seen| {
            seen.texts()
                .any(|(author, said)| author == from && said == text)
        });
    }

    pub fn texts_from(&self, nick: &str) -> Vec<String> {
        let seen = self.seen.0.lock().unwrap();
        seen.texts()
            .filter(|(author, _)| *author == nick)
            .map(|(_, text)| text.to_owned())
            .collect()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // A closed channel makes the worker leave.
        self.orders = channel().0;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Seen {
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.notices.iter().filter_map(|notice| match notice {
            Notice::Said { from, text, .. } => Some((from.as_str(), text.as_str())),
            _ => None,
        })
    }
}

struct Worker {
    socket: UdpSocket,
    server: SocketAddr,
    nick: String,
    key: StaticKey,
    orders: Receiver<Order>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    attempts: u8,
    asked: Vec<Request>,
}

impl Worker {
    fn new(
        server: SocketAddr,
        nick: String,
        private: [u8; 32],
        orders: Receiver<Order>,
        seen: Arc<(Mutex<Seen>, Condvar)>,
    ) -> Self {
        let socket = UdpSocket::bind(SocketAddr::new(server.ip(), 0)).unwrap();
        socket
            .set_read_timeout(Some(Duration::from_millis(2)))
            .unwrap();
        let key = StaticKey::from_private(private);
        Self {
            socket,
            server,
            nick,
            key,
            orders,
            seen,
            attempts: 0,
            asked: Vec::new(),
        }
    }

    fn run(mut self) {
        while let Some(mut link) = self.join() {
            match self.talk(&mut link) {
                Some(End::Reset | End::TimedOut) => {}
                _ => return,
            }
        }
    }

    fn join(&mut self) -> Option<Link> {
        self.attempts += 1;
        let mut random = [self.attempts; 48];
        let port = self.socket.local_addr().unwrap().port();
        random[..2].copy_from_slice(&port.to_be_bytes());
        let join = Join {
            nick: self.nick.clone(),
            history: 50,
            plaintext: false,
        };
        let mut connector = Connector::new(&self.key, join, random, Instant::now());
        let (mut datagram, mut buffer) = (Vec::new(), [0; 2_048]);
        loop {
            let now = Instant::now();
            while connector.poll_transmit(now, &mut datagram) {
                let _ = self.socket.send_to(&datagram, self.server);
            }
            if let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
                connector.handle(&buffer[..length], Path::to(from), Instant::now());
            }
            match connector.poll_event() {
                Some(ConnectorEvent::ServerKey(_)) => connector.trust_server(Instant::now()),
                Some(ConnectorEvent::Joined { link, .. }) => {
                    self.see(|seen| seen.sessions += 1);
                    return Some(*link);
                }
                Some(ConnectorEvent::Refused(refused)) => {
                    self.see(|seen| seen.refused = Some(refused.code));
                    return None;
                }
                Some(ConnectorEvent::Heard) | None => {}
            }
            self.take_orders()?;
        }
    }

    fn talk(&mut self, link: &mut Link) -> Option<End> {
        let (mut datagram, mut buffer) = (Vec::new(), [0; 2_048]);
        while link.deadline().is_some() {
            let now = Instant::now();
            match self.take_orders() {
                Some(true) => {
                    for request in self.asked.drain(..) {
                        link.send(&Message::encode(&request).unwrap(), Class::Live, now)
                            .unwrap();
                    }
                }
                Some(false) => link.close(CloseReason::Quit, now),
                None => return None,
            }
            link.handle_timeout(now);
            while link.poll_transmit(now, &mut datagram).is_some() {
                let _ = self.socket.send_to(&datagram, self.server);
            }
            if let Ok((length, from)) = self.socket.recv_from(&mut buffer) {
                link.handle(
                    &buffer[..length],
                    Path::to(from),
                    Instant::now(),
                    &mut || true,
                );
            }
            let unacknowledged = link.unacknowledged();
            let events: Vec<_> = std::iter::from_fn(|| link.poll_event()).collect();
            self.see(|seen| {
                seen.unacknowledged = unacknowledged;
                for event in events {
                    match event {
                        Event::Message(message) => {
                            seen.notices.push(Notice::decode(&message).unwrap())
                        }
                        Event::Ended(end) => seen.end = Some(end),
                        Event::Acknowledged(_) | Event::Moved { .. } => {}
                    }
                }
            });
        }
        while link.poll_transmit(Instant::now(), &mut datagram).is_some() {
            let _ = self.socket.send_to(&datagram, self.server);
        }
        self.seen.0.lock().unwrap().end
    }

    /// Collects what is asked for. False if the client is to leave, `None` if it is to vanish.
    fn take_orders(&mut self) -> Option<bool> {
        use std::sync::mpsc::TryRecvError;
        loop {
            match self.orders.try_recv() {
                Ok(Order::Ask(request)) => self.asked.push(request),
                Ok(Order::Vanish) => return None,
                Err(TryRecvError::Empty) => return Some(true),
                Err(TryRecvError::Disconnected) => return Some(false),
            }
        }
    }

    fn see(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.0.lock().unwrap());
        self.seen.1.notify_all();
    }
}
