//! A server of one member that says what a test wants.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use proto::chat::{
    Body, Challenge, Datagram, Hello, MAX_DATAGRAM_BYTES, Notice, Reason, Request, SessionId,
    Welcome,
};
use udp_chat::{Event, Link};

/// The server, and what it is to say.
pub struct Stranger {
    pub address: SocketAddr,
    says: Sender<Say>,
}

pub enum Say {
    Notice(Notice),
    Bye(Reason),
}

impl Stranger {
    pub fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let (says, wishes) = mpsc::channel();
        // It ends with the test, which drops the other end.
        thread::spawn(move || serve_strangely(&socket, &wishes));
        Self { address, says }
    }

    pub fn say(&self, say: Say) {
        self.says.send(say).unwrap();
    }
}

fn serve_strangely(socket: &UdpSocket, wishes: &Receiver<Say>) {
    let session = SessionId::from_bytes([7; 16]);
    let mut link = Link::new(session, Instant::now());
    let mut bytes = [0; MAX_DATAGRAM_BYTES];
    let mut out = Vec::new();
    socket
        .set_read_timeout(Some(Duration::from_millis(10)))
        .unwrap();
    let mut member = None;
    loop {
        let received = socket.recv_from(&mut bytes);
        let now = Instant::now();
        if let Ok((length, from)) = received {
            member = Some(from);
            let datagram = Datagram::decode(&bytes[..length]).unwrap();
            if let Datagram::Hello(Hello {
                nonce,
                cookie,
                nick,
                ..
            }) = datagram
            {
                let answer = match cookie {
                    None => Datagram::Challenge(Challenge {
                        nonce,
                        cookie: "c".into(),
                    }),
                    Some(_) => Datagram::Welcome(Welcome {
                        nonce,
                        session,
                        nick,
                    }),
                };
                answer.encode(&mut out).unwrap();
                socket.send_to(&out, from).unwrap();
            } else {
                link.handle(&datagram, now);
            }
        }
        let Some(member) = member else {
            continue;
        };
        match wishes.try_recv() {
            Ok(Say::Notice(notice)) => drop(link.send(Body::new(&notice).unwrap()).unwrap()),
            Ok(Say::Bye(reason)) => link.close(reason, now),
            Err(TryRecvError::Empty) => {}
            Err(TryRecvError::Disconnected) => return,
        }
        link.handle_timeout(now);
        while let Some(event) = link.poll_event() {
            if let Event::Arrived(message) = event
                && Request::decode(&message) == Ok(Request::Who)
            {
                let (nicks, more) = (vec!["anna".into()], false);
                let here = Notice::Members { nicks, more };
                link.send(Body::new(&here).unwrap()).unwrap();
            }
        }
        while let Some(datagram) = link.poll_transmit(now) {
            datagram.encode(&mut out).unwrap();
            socket.send_to(&out, member).unwrap();
        }
    }
}
