//! What a text costs the server: 1,000 members in one room, beside a bare relay that seals and sends the same bytes.
//!
//! The room's part of the work is timed: handling datagrams, sealing, and sending to a socket that nobody reads. The
//! clients run between, untimed. `cargo bench -p udp-chat --bench fan_out`; a minute.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use chat_link::message::{Message, Request};
use chat_link::{Class, Connector, ConnectorEvent, Event, Join, Link, Path, StaticKey};
use snow::{Builder, StatelessTransportState};
use udp_chat::{Environment, Room, RoomSettings};

const MEMBERS: u16 = 1_000;
const TEXTS: usize = 100;

/// As long as the texts of the comparison with other protocols.
const TEXT_BYTES: usize = 60;

/// What a packet with such a text holds beside it: acknowledgement, part header, JSON.
const BODY_BYTES: usize = 27 + 12 + 110 + TEXT_BYTES;

struct Counter(u64);

impl Environment for Counter {
    fn random(&mut self) -> io::Result<[u8; 32]> {
        self.0 += 1;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&self.0.to_be_bytes());
        Ok(bytes)
    }

    fn unix_micros(&mut self) -> u64 {
        1_790_000_000_000_000 + self.0
    }
}

fn main() {
    let sink = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    let to = sink.local_addr().expect("an address");
    let relay = bare_relay(&sink, to);
    let (room, packets) = Talk::new().run(&sink, to);
    let ns = |time: Duration| time.as_nanos() as f64 / (TEXTS * usize::from(MEMBERS - 1)) as f64;
    println!("a delivery to {MEMBERS} members, server's processor time:");
    println!("  bare relay that seals and sends: {:6.0} ns", ns(relay));
    println!(
        "  the room:                        {:6.0} ns, {packets:.2} packets in and out",
        ns(room)
    );
    println!(
        "  ratio:                           {:6.2}",
        ns(room) / ns(relay)
    );
}

/// Seals and sends each text for each member, and reads an acknowledgement of each: what no server can do without.
fn bare_relay(sink: &UdpSocket, to: SocketAddr) -> Duration {
    let (server, client) = transport();
    let body = [b'x'; BODY_BYTES];
    let (mut sealed, mut opened) = ([0; 1_200], [0; 1_200]);
    let mut acknowledgement = [0; 100];
    let length = client
        .write_message(0, &body[..27], &mut acknowledgement)
        .expect("it is short");
    let began = Instant::now();
    for number in 0..(TEXTS * usize::from(MEMBERS - 1)) as u64 {
        let length_out = server
            .write_message(number, &body, &mut sealed)
            .expect("it is short");
        let _ = sink.send_to(&sealed[..length_out], to);
        server
            .read_message(0, &acknowledgement[..length], &mut opened)
            .expect("it is authentic");
    }
    began.elapsed()
}

fn transport() -> (StatelessTransportState, StatelessTransportState) {
    let params = || {
        "Noise_NN_25519_ChaChaPoly_SHA256"
            .parse()
            .expect("a name of the specification")
    };
    let mut client = Builder::new(params()).build_initiator().expect("complete");
    let mut server = Builder::new(params()).build_responder().expect("complete");
    let (mut message, mut payload) = ([0; 1_024], [0; 1_024]);
    let length = client.write_message(&[], &mut message).expect("in turn");
    server
        .read_message(&message[..length], &mut payload)
        .expect("in turn");
    let length = server.write_message(&[], &mut message).expect("in turn");
    client
        .read_message(&message[..length], &mut payload)
        .expect("in turn");
    let transport =
        |state: snow::HandshakeState| state.into_stateless_transport_mode().expect("finished");
    (transport(server), transport(client))
}

struct Talk {
    room: Room,
    now: Instant,
    clients: Vec<(SocketAddr, Link)>,
}

impl Talk {
    fn new() -> Self {
        let now = Instant::now();
        let settings = RoomSettings {
            max_members: usize::from(MEMBERS),
            allow_plaintext: false,
            report_texts: false,
            report_traffic: true,
            trace: false,
        };
        let key = StaticKey::from_private([1; 32]);
        let room =
            Room::new(settings, key, Vec::new(), Box::new(Counter(0)), now).expect("randomness");
        let mut talk = Self {
            room,
            now,
            clients: Vec::new(),
        };
        (0..MEMBERS).for_each(|number| talk.join(number));
        talk
    }

    fn join(&mut self, number: u16) {
        let address = SocketAddr::from(([127, 0, 0, 1], 10_000 + number));
        let mut private = [3; 32];
        private[..2].copy_from_slice(&number.to_be_bytes());
        let mut random = [0; 48];
        random[..2].copy_from_slice(&number.to_be_bytes());
        let join = Join {
            nick: format!("n{number}"),
            history: 0,
            plaintext: false,
        };
        let mut connector =
            Connector::new(&StaticKey::from_private(private), join, random, self.now);
        let mut datagram = Vec::new();
        loop {
            while connector.poll_transmit(self.now, &mut datagram) {
                self.room.handle(&datagram, Path::to(address), self.now);
                while let Some(path) = self.room.poll_transmit(self.now, &mut datagram) {
                    if datagram.first() == Some(&b'{') {
                        connector.handle(&datagram, path, self.now);
                    } else {
                        self.deliver(path.remote, &datagram);
                    }
                }
            }
            match connector.poll_event() {
                Some(ConnectorEvent::ServerKey(_)) => connector.trust_server(self.now),
                Some(ConnectorEvent::Joined { link, .. }) => {
                    self.clients.push((address, *link));
                    break;
                }
                _ => {}
            }
        }
        self.now += Duration::from_millis(60);
        self.settle(None);
    }

    /// The server's time for all texts, and the packets for each delivery.
    fn run(mut self, sink: &UdpSocket, to: SocketAddr) -> (Duration, f64) {
        let (mut spent, mut packets) = (Duration::ZERO, 0);
        let say = Message::encode(&Request::Say {
            text: "x".repeat(TEXT_BYTES),
        })
        .expect("it is short");
        for text in 0..TEXTS {
            let author = text % usize::from(MEMBERS);
            self.clients[author]
                .1
                .send(&say, Class::Live, self.now)
                .expect("there is room");
            for _ in 0..3 {
                let (time, count) = self.settle(Some((sink, to)));
                spent += time;
                packets += count;
                self.now += Duration::from_millis(30);
            }
        }
        (
            spent,
            packets as f64 / (TEXTS * usize::from(MEMBERS - 1)) as f64,
        )
    }

    /// Moves datagrams until there are none. Gives the server's time, and the number of datagrams.
    fn settle(&mut self, socket: Option<(&UdpSocket, SocketAddr)>) -> (Duration, usize) {
        let (mut spent, mut packets) = (Duration::ZERO, 0);
        let mut datagram = Vec::new();
        loop {
            let mut incoming = Vec::new();
            for (address, link) in &mut self.clients {
                link.handle_timeout(self.now);
                while link.poll_transmit(self.now, &mut datagram).is_some() {
                    incoming.push((*address, datagram.clone()));
                }
                while let Some(event) = link.poll_event() {
                    assert!(!matches!(event, Event::Ended(_)), "{event:?}");
                }
            }
            let mut outgoing = Vec::new();
            let began = Instant::now();
            for (address, datagram) in &incoming {
                self.room.handle(datagram, Path::to(*address), self.now);
            }
            self.room.handle_timeout(self.now);
            while let Some(path) = self.room.poll_transmit(self.now, &mut datagram) {
                if let Some((socket, to)) = socket {
                    let _ = socket.send_to(&datagram, to);
                }
                outgoing.push((path.remote, datagram.clone()));
            }
            spent += began.elapsed();
            packets += incoming.len() + outgoing.len();
            while self.room.poll_event().is_some() {}
            while self.room.poll_text().is_some() {}
            if outgoing.is_empty() {
                return (spent, packets);
            }
            for (address, datagram) in outgoing {
                self.deliver(address, &datagram);
            }
        }
    }

    fn deliver(&mut self, to: SocketAddr, datagram: &[u8]) {
        let index = usize::from(to.port() - 10_000);
        if let Some((_, link)) = self.clients.get_mut(index) {
            link.handle(
                datagram,
                Path::to(SocketAddr::from(([127, 0, 0, 1], 9_390))),
                self.now,
                &mut || true,
            );
        }
    }
}
