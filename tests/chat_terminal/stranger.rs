//! A server of one member that says what a test wants.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use chat_link::message::{Member, Message, Notice};
use chat_link::{
    Acceptor, AcceptorSettings, Class, CloseReason, Handled, Link, MAX_DATAGRAM_BYTES, Path,
    SessionId, StaticKey,
};

/// The server, and what it is to say.
pub struct Stranger {
    pub address: SocketAddr,
    orders: Sender<Order>,
}

pub enum Order {
    Say(Notice),
    Close(CloseReason),
}

impl Stranger {
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (orders, received) = mpsc::channel();
        // It ends with the test, which drops the other end.
        thread::spawn(move || serve_strangely(&socket, &received));
        Self { address, orders }
    }

    pub fn order(&self, order: Order) {
        self.orders.send(order).unwrap();
    }
}

fn serve_strangely(socket: &UdpSocket, orders: &Receiver<Order>) {
    let settings = AcceptorSettings {
        identity: StaticKey::from_private([7; 32]),
        cookie_key: [7; 32],
        allow_plaintext: false,
    };
    let mut acceptor = Acceptor::new(settings, Instant::now());
    let mut link: Option<Link> = None;
    let mut bytes = [0; MAX_DATAGRAM_BYTES];
    let mut out = Vec::new();
    socket
        .set_read_timeout(Some(Duration::from_millis(10)))
        .unwrap();
    loop {
        let received = socket.recv_from(&mut bytes);
        let now = Instant::now();
        if let Ok((length, from)) = received {
            let (datagram, path) = (&bytes[..length], Path::to(from));
            if datagram[0] != b'{' {
                if let Some(link) = &mut link {
                    link.handle(datagram, path, now, &mut || true);
                }
            } else {
                match acceptor.handle(datagram, path, now, [9; 32]) {
                    Handled::Reply(reply) => drop(socket.send_to(&reply, from)),
                    Handled::Join(request) => {
                        let (key, nick) = (request.key.key_id(), request.join.nick.clone());
                        let session = SessionId::from_bytes([7; 16]);
                        let (reply, mut begun) =
                            acceptor.accept(*request, &nick, session, [7; 32], now);
                        socket.send_to(&reply, from).unwrap();
                        let members = vec![Member {
                            nick,
                            key,
                            plaintext: false,
                        }];
                        say(
                            &mut begun,
                            &Notice::Members {
                                members,
                                more: false,
                            },
                            now,
                        );
                        say(&mut begun, &Notice::CaughtUp, now);
                        link = Some(begun);
                    }
                    Handled::Ignored => {}
                }
            }
        }
        let Some(link) = &mut link else {
            continue;
        };
        match orders.try_recv() {
            Ok(Order::Say(notice)) => say(link, &notice, now),
            Ok(Order::Close(reason)) => link.close(reason, now),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return,
        }
        link.handle_timeout(now);
        while link.poll_event().is_some() {}
        while let Some(path) = link.poll_transmit(now, &mut out) {
            socket.send_to(&out, path.remote).unwrap();
        }
    }
}

fn say(link: &mut Link, notice: &Notice, now: Instant) {
    let message = Message::encode(notice).unwrap();
    link.send(&message, Class::Live, now).unwrap();
}
