//! Members of the chat behind one socket, made of the crate's own link. It knows nothing of what
//! they have to say, nor of when.

use std::collections::HashMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use proto::chat::Json;
use proto::chat::{Datagram, Hello, MAX_DATAGRAM_BYTES, Nonce, SessionId, VERSION};
use socket2::SockRef;
use udp_chat::{Event, Link};

/// Members, and who is told of each message that one of them gets.
pub struct Crowd<H> {
    socket: UdpSocket,
    server: SocketAddr,
    members: HashMap<SessionId, Link>,
    hear: H,
    bytes: Vec<u8>,
    sent: u64,
}

impl<H: FnMut(&Json)> Crowd<H> {
    pub fn new(server: SocketAddr, hear: H) -> Self {
        Self {
            socket: socket(),
            server,
            members: HashMap::new(),
            hear,
            bytes: Vec::new(),
            sent: 0,
        }
    }

    /// Lets in a member of this [`nick`], and waits until it is.
    pub fn join(&mut self, number: usize) -> SessionId {
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let mut hello = Hello {
            version: VERSION,
            nonce: Nonce::from_bytes(nonce),
            nick: nick(number),
            session: None,
            cookie: None,
        };
        let mut again_at = Instant::now();
        loop {
            if again_at <= Instant::now() {
                let encoded = Datagram::Hello(hello.clone());
                encoded.encode(&mut self.bytes).expect("it fits");
                let _ = self.socket.send_to(&self.bytes, self.server);
                self.sent += 1;
                again_at = Instant::now() + Duration::from_secs(1);
            }
            let mut bytes = [0; MAX_DATAGRAM_BYTES];
            let Ok(length) = self.socket.recv(&mut bytes) else {
                continue;
            };
            match Datagram::decode(&bytes[..length]).expect("the server sends datagrams") {
                Datagram::Challenge(challenge) if challenge.nonce == hello.nonce => {
                    hello.cookie = Some(challenge.cookie);
                    again_at = Instant::now();
                }
                Datagram::Welcome(welcome) if welcome.nonce == hello.nonce => {
                    let link = Link::new(welcome.session, Instant::now());
                    self.members.insert(welcome.session, link);
                    return welcome.session;
                }
                other => self.handle(&other),
            }
        }
    }

    /// The link of a member, to say something by; it leaves with the next [`Crowd::tick`].
    pub fn link(&mut self, session: SessionId) -> &mut Link {
        self.members.get_mut(&session).expect("it joined")
    }

    /// Waits a millisecond for a datagram.
    pub fn receive(&mut self) {
        let mut bytes = [0; MAX_DATAGRAM_BYTES];
        if let Ok(length) = self.socket.recv(&mut bytes) {
            self.handle(&Datagram::decode(&bytes[..length]).expect("the server sends datagrams"));
        }
    }

    /// Looks after timers, sends what is to be sent, and tells how many datagrams have left so far.
    pub fn tick(&mut self, now: Instant) -> u64 {
        for link in self.members.values_mut() {
            link.handle_timeout(now);
            self.sent += transmit(link, &self.socket, self.server, &mut self.bytes);
        }
        self.sent
    }

    fn handle(&mut self, datagram: &Datagram<'_>) {
        let session = datagram.session();
        let Some(link) = session.and_then(|session| self.members.get_mut(&session)) else {
            return;
        };
        link.handle(datagram, Instant::now());
        while let Some(event) = link.poll_event() {
            match event {
                Event::Arrived(message) => (self.hear)(&message),
                Event::Ended(end) => panic!("a member's end: {end:?}"),
                Event::Delivered { .. } | Event::Writable => {}
            }
        }
        self.sent += transmit(link, &self.socket, self.server, &mut self.bytes);
    }
}

/// The nick of a member.
pub fn nick(number: usize) -> String {
    format!("guest{number}")
}

pub fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("loopback has a free port");
    let timeout = Some(Duration::from_millis(1));
    socket.set_read_timeout(timeout).expect("above zero");
    // Hundreds of members share it.
    let granted = SockRef::from(&socket).set_recv_buffer_size(4 << 20);
    granted.expect("the system grants what it can");
    socket
}

/// Sends what a link has to send, and counts it.
fn transmit(link: &mut Link, socket: &UdpSocket, server: SocketAddr, bytes: &mut Vec<u8>) -> u64 {
    let mut sent = 0;
    while let Some(datagram) = link.poll_transmit(Instant::now()) {
        datagram.encode(bytes).expect("a link's datagrams fit");
        let _ = socket.send_to(bytes, server);
        sent += 1;
    }
    sent
}
