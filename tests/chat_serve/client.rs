//! A member of the chat: a socket, a link, and a thread that moves datagrams between them.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use proto::chat::{
    Body, Datagram, Hello, MAX_DATAGRAM_BYTES, Nonce, Notice, Parts, Reason, Refusal, Request,
    SessionId, VERSION, split,
};
use rand::TryRng;
use rand::rngs::SysRng;
use udp_chat::{End, Event, Link};

/// How long anything may take in a test; storms and shared machines are slow.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// How soon a wish of the test's is noticed.
const TICK: Duration = Duration::from_millis(5);

/// Silence after which a client says hello beside its link.
const COME_BACK_AFTER: Duration = Duration::from_secs(5);

pub struct Client {
    seen: Arc<(Mutex<Seen>, Condvar)>,
    wishes: Sender<Wish>,
    thread: Option<JoinHandle<()>>,
}

/// What the test can look at.
#[derive(Default)]
pub struct Seen {
    /// Each text as one.
    pub heard: Vec<Notice>,
    pub session: Option<SessionId>,
    /// How many sessions it has had.
    pub sessions: usize,
    pub refused: Option<Refusal>,
    pub end: Option<End>,
    pub is_all_confirmed: bool,
}

enum Wish {
    Send(Body),
    Quit,
    Vanish,
}

impl Client {
    /// Asks to be let in, without waiting.
    pub fn start(server: SocketAddr, nick: &str) -> Self {
        let (wishes, wished) = mpsc::channel();
        let seen = Arc::default();
        let worker = Worker::new(server, nick, wished, Arc::clone(&seen));
        let thread = Some(thread::spawn(move || worker.run()));
        Self {
            seen,
            wishes,
            thread,
        }
    }

    /// Asks to be let in, and waits until it is.
    #[track_caller]
    pub fn join(server: SocketAddr, nick: &str) -> Self {
        let client = Self::start(server, nick);
        client.wait("a welcome", |seen| seen.session.is_some());
        client
    }

    pub fn ask(&self, request: &Request) {
        self.send(Body::new(request).unwrap());
    }

    pub fn say(&self, text: &str) {
        let wrap = |text: &str, more| Request::Say {
            text: text.to_owned(),
            more,
        };
        for body in split(text, wrap).unwrap() {
            self.send(body);
        }
    }

    pub fn send(&self, body: Body) {
        self.wish(Wish::Send(body));
    }

    /// Leaves without a word: its socket closes.
    pub fn vanish(mut self) {
        self.wish(Wish::Vanish);
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    pub fn look(&self, look: impl FnOnce(&Seen)) {
        look(&self.seen.0.lock().unwrap());
    }

    fn wish(&self, wish: Wish) {
        // It may have ended.
        let _ = self.wishes.send(wish);
    }

    /// The texts heard from `nick`, in the order in which they came.
    pub fn texts_from(&self, nick: &str) -> Vec<String> {
        let seen = self.seen.0.lock().unwrap();
        texts(&seen.heard, nick).map(str::to_owned).collect()
    }

    #[track_caller]
    pub fn wait_for_text(&self, nick: &str, text: &str) {
        self.wait(text, |seen| {
            texts(&seen.heard, nick).any(|heard| heard == text)
        });
    }

    #[track_caller]
    pub fn wait_for_notice(&self, notice: &Notice) {
        self.wait("a notice", |seen| seen.heard.contains(notice));
    }

    #[track_caller]
    pub fn wait(&self, what: &str, done: impl Fn(&Seen) -> bool) {
        let (seen, changed) = &*self.seen;
        let seen = seen.lock().unwrap();
        let (seen, timeout) = changed
            .wait_timeout_while(seen, TIME_LIMIT, |seen| !done(seen))
            .unwrap();
        assert!(
            !timeout.timed_out(),
            "waited in vain for {what}; heard {:#?}, refused {:?}, end {:?}",
            seen.heard,
            seen.refused,
            seen.end
        );
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.wish(Wish::Quit);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn texts<'a>(heard: &'a [Notice], nick: &'a str) -> impl Iterator<Item = &'a str> {
    heard.iter().filter_map(move |notice| match notice {
        Notice::Said { from, text, .. } if from == nick => Some(text.as_str()),
        _ => None,
    })
}

struct Worker {
    socket: UdpSocket,
    server: SocketAddr,
    hello: Option<(Hello, Instant)>,
    nick: String,
    link: Option<Link>,
    outbox: Vec<Body>,
    parts: Parts,
    wished: Receiver<Wish>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

impl Worker {
    fn new(
        server: SocketAddr,
        nick: &str,
        wished: Receiver<Wish>,
        seen: Arc<(Mutex<Seen>, Condvar)>,
    ) -> Self {
        let mut worker = Self {
            socket: UdpSocket::bind(SocketAddr::new(server.ip(), 0)).unwrap(),
            server,
            hello: None,
            nick: nick.to_owned(),
            link: None,
            outbox: Vec::new(),
            parts: Parts::default(),
            wished,
            seen,
        };
        worker.knock(None);
        worker
    }

    fn knock(&mut self, session: Option<SessionId>) {
        let mut nonce = [0; 16];
        SysRng.try_fill_bytes(&mut nonce).unwrap();
        let hello = Hello {
            version: VERSION,
            nonce: Nonce::from_bytes(nonce),
            nick: self.nick.clone(),
            session,
            cookie: None,
        };
        self.hello = Some((hello, Instant::now()));
    }

    /// Goes on until it has left.
    fn run(mut self) {
        let mut quits = false;
        loop {
            while let Ok(wish) = self.wished.try_recv() {
                match (wish, &mut self.link) {
                    (Wish::Send(body), _) => self.outbox.push(body),
                    (Wish::Quit, Some(link)) => {
                        link.close(Reason::Quit, Instant::now());
                        quits = true;
                    }
                    (Wish::Quit, None) | (Wish::Vanish, _) => return,
                }
            }
            self.transmit();
            if self.tell() && quits {
                return;
            }
            self.receive();
        }
    }

    fn transmit(&mut self) {
        let now = Instant::now();
        let mut bytes = Vec::new();
        if let Some((hello, at)) = &mut self.hello
            && *at <= now
        {
            *at = now + Duration::from_secs(1);
            let hello = Datagram::Hello(hello.clone());
            hello.encode(&mut bytes).unwrap();
            self.socket.send_to(&bytes, self.server).unwrap();
        }
        let Some(link) = &mut self.link else { return };
        for body in self.outbox.drain(..) {
            link.send(body).unwrap();
        }
        while let Some(datagram) = link.poll_transmit(now) {
            datagram.encode(&mut bytes).unwrap();
            self.socket.send_to(&bytes, self.server).unwrap();
        }
        let away = link.unanswered_since().map(|since| now - since);
        if self.hello.is_none() && away.is_some_and(|away| away >= COME_BACK_AFTER) {
            let session = link.session();
            self.knock(Some(session));
        }
    }

    fn receive(&mut self) {
        let now = Instant::now();
        let deadline = self.link.as_ref().and_then(Link::deadline);
        let wait = deadline.map_or(TICK, |at| at.saturating_duration_since(now));
        let wait = wait.clamp(Duration::from_micros(100), TICK);
        self.socket.set_read_timeout(Some(wait)).unwrap();
        let mut bytes = [0; MAX_DATAGRAM_BYTES + 1];
        let received = self.socket.recv_from(&mut bytes);
        let now = Instant::now();
        match received {
            Ok((length, from)) if from == self.server => {
                let datagram = Datagram::decode(&bytes[..length]).unwrap();
                self.handle(&datagram, now);
            }
            _ => {
                if let Some(link) = &mut self.link {
                    link.handle_timeout(now);
                }
            }
        }
    }

    fn handle(&mut self, datagram: &Datagram<'_>, now: Instant) {
        match (datagram, &mut self.hello) {
            (Datagram::Challenge(challenge), Some((hello, at)))
                if challenge.nonce == hello.nonce =>
            {
                hello.cookie = Some(challenge.cookie.clone());
                *at = now;
            }
            (Datagram::Welcome(welcome), Some((hello, _))) if welcome.nonce == hello.nonce => {
                self.hello = None;
                self.nick = welcome.nick.clone();
                match &mut self.link {
                    Some(link) if link.session() == welcome.session => link.resume(now),
                    _ => {
                        self.link = Some(Link::new(welcome.session, now));
                        let mut seen = self.seen.0.lock().unwrap();
                        seen.session = Some(welcome.session);
                        seen.sessions += 1;
                    }
                }
            }
            (Datagram::Refused(refused), Some((hello, _))) if refused.nonce == hello.nonce => {
                self.hello = None;
                self.seen.0.lock().unwrap().refused = Some(refused.code);
            }
            (datagram, _) => {
                if let Some(link) = &mut self.link {
                    link.handle(datagram, now);
                }
            }
        }
    }

    /// Shows the test what is new, and tells whether the link is over.
    fn tell(&mut self) -> bool {
        let (seen, changed) = &*self.seen;
        let mut seen = seen.lock().unwrap();
        while let Some(event) = self.link.as_mut().and_then(Link::poll_event) {
            match event {
                Event::Arrived(message) => {
                    let mut notice = Notice::decode(&message).unwrap();
                    if let Notice::Said { text, more, .. } = &mut notice {
                        match self.parts.push(text, *more).unwrap() {
                            Some(whole) => (*text, *more) = (whole, false),
                            None => continue,
                        }
                    }
                    seen.heard.push(notice);
                }
                Event::Ended(end) => seen.end = Some(end),
                Event::Delivered { .. } | Event::Writable => {}
            }
        }
        let link = self.link.as_ref();
        seen.is_all_confirmed = link.is_some_and(|link| link.unconfirmed().next().is_none());
        changed.notify_all();
        link.is_some_and(|link| link.deadline().is_none())
    }
}
