//! The client's half of the handshake.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use snow::{HandshakeState, StatelessTransportState};

use super::datagram::{Datagram, Decision, Join, NONCE_BYTES, RefusalCode, Refused};
use super::datagram::{decode, decode_array, decode_base64, encode_base64, padded_hello};
use super::noise::{self, Prologue};
use super::{PLAINTEXT, SEALED, VERSION};
use crate::key::{PublicKey, StaticKey};
use crate::link::{Link, Path, Start};
use crate::seal::Seal;
use crate::wire::{MAX_DATAGRAM_BYTES, SessionId};

/// When a datagram is repeated, before a round trip was measured and after.
const INITIAL_INTERVAL: Duration = Duration::from_millis(500);
const MIN_INTERVAL: Duration = Duration::from_millis(50);
const MAX_INTERVAL: Duration = Duration::from_secs(1);

/// How long a message of the Noise handshake is repeated before a new handshake begins.
const STEP_LIFE: Duration = Duration::from_secs(5);

/// One attempt to join. It repeats its datagrams until it is dropped: how long to try is its owner's decision.
pub struct Connector {
    key: StaticKey,
    join: Join,
    /// Gives each handshake its own nonce and ephemeral key.
    random: [u8; 48],
    handshakes: u64,
    nonce: String,
    ephemeral: [u8; 32],
    hello: Vec<u8>,
    step: Step,
    /// The datagram that is repeated until it is answered.
    outgoing: Vec<u8>,
    send_at: Instant,
    interval: Duration,
    first_sent_at: Option<Instant>,
    /// Whether the datagram was repeated, so that its answer measures nothing.
    repeated: bool,
    round_trip: Option<Duration>,
    events: VecDeque<ConnectorEvent>,
}

enum Step {
    Hello,
    First(Box<HandshakeState>),
    /// The owner decides whether the server is trusted.
    Trust(Box<HandshakeState>),
    Third(Box<StatelessTransportState>),
    Over,
}

/// What a [`Connector`] reports to its owner.
#[derive(Debug)]
pub enum ConnectorEvent {
    /// The server answered for the first time.
    Heard,
    /// The server's key: answer with [`Connector::trust_server`], or drop the connector.
    ServerKey(PublicKey),
    /// The session has begun.
    Joined {
        /// The session's link.
        link: Box<Link>,
        /// The nick, as the server writes it.
        nick: String,
    },
    /// The server does not let this client in.
    Refused(Refused),
}

impl Connector {
    /// Begins to join. `random` is 48 bytes of the operating system's randomness.
    #[must_use]
    pub fn new(key: &StaticKey, join: Join, random: [u8; 48], now: Instant) -> Self {
        let mut connector = Self {
            key: key.clone(),
            join,
            random,
            handshakes: 0,
            nonce: String::new(),
            ephemeral: [0; 32],
            hello: Vec::new(),
            step: Step::Hello,
            outgoing: Vec::new(),
            send_at: now,
            interval: INITIAL_INTERVAL,
            first_sent_at: None,
            repeated: false,
            round_trip: None,
            events: VecDeque::new(),
        };
        connector.begin(now);
        connector
    }

    /// Begins a handshake, with a nonce and an ephemeral key of its own.
    fn begin(&mut self, now: Instant) {
        self.handshakes += 1;
        let derive = |label: &[u8]| -> [u8; 32] {
            let keyed = Hmac::<Sha256>::new_from_slice(&self.random)
                .expect("HMAC takes a key of any length");
            keyed
                .chain_update(label)
                .chain_update(self.handshakes.to_be_bytes())
                .finalize()
                .into_bytes()
                .into()
        };
        self.ephemeral = derive(b"ephemeral");
        self.nonce = encode_base64(&derive(b"nonce")[..NONCE_BYTES]);
        let feature = if self.join.plaintext {
            PLAINTEXT
        } else {
            SEALED
        };
        self.hello = padded_hello(&self.nonce, &[feature]);
        self.step = Step::Hello;
        self.send(self.hello.clone(), now);
    }

    /// Takes a datagram that came over `path`. What answers another handshake, or none, changes nothing.
    pub fn handle(&mut self, bytes: &[u8], path: Path, now: Instant) {
        let Some(datagram) = decode(bytes) else {
            return;
        };
        match datagram {
            Datagram::Cookie {
                versions,
                features,
                nonce,
                cookie,
            } if nonce == self.nonce => {
                if matches!(self.step, Step::Hello) {
                    self.cookie(bytes, &versions, &features, &cookie, now);
                }
            }
            Datagram::Noise {
                step: 2,
                nonce,
                noise,
                ..
            } if nonce == self.nonce => self.second(&noise, now),
            Datagram::Answer { nonce, sealed } if nonce == self.nonce => {
                self.answer(&sealed, path, now)
            }
            Datagram::Refused {
                nonce,
                code,
                message,
                versions,
            } if nonce == self.nonce => {
                // Anyone on the path can forge it, so it counts only before the server has proved its key.
                if matches!(self.step, Step::Hello) {
                    self.refused(Refused {
                        code,
                        message: message.into_owned(),
                        versions,
                    });
                }
            }
            _ => {}
        }
    }

    /// The server's key is trusted: the handshake goes on.
    pub fn trust_server(&mut self, now: Instant) {
        if !matches!(self.step, Step::Trust(_)) {
            return;
        }
        let Step::Trust(mut handshake) = std::mem::replace(&mut self.step, Step::Over) else {
            return;
        };
        let join = serde_json::to_vec(&self.join).expect("a request to join has text for keys");
        let message = noise::write(&mut handshake, &join);
        let transport = handshake.into_stateless_transport_mode();
        let (Some(message), Ok(transport)) = (message, transport) else {
            let message = "the nick is too long to be sent".to_owned();
            return self.refused(Refused {
                code: RefusalCode::BadNick,
                message,
                versions: Vec::new(),
            });
        };
        let noise = encode_base64(&message).into();
        let third = Datagram::Noise {
            step: 3,
            nonce: self.nonce.as_str().into(),
            cookie: None,
            noise,
        }
        .encode();
        if third.len() > MAX_DATAGRAM_BYTES {
            let message = "the nick is too long to be sent".to_owned();
            return self.refused(Refused {
                code: RefusalCode::BadNick,
                message,
                versions: Vec::new(),
            });
        }
        self.step = Step::Third(Box::new(transport));
        self.send(third, now);
    }

    /// Writes the datagram to send now to `datagram`, if there is one; to be called until there is none.
    pub fn poll_transmit(&mut self, now: Instant, datagram: &mut Vec<u8>) -> bool {
        if matches!(self.step, Step::Trust(_) | Step::Over) || now < self.send_at {
            return false;
        }
        // The server has forgotten a handshake that takes so long.
        let is_old = self.first_sent_at.is_some_and(|at| now >= at + STEP_LIFE);
        if is_old && matches!(self.step, Step::First(_) | Step::Third(_)) {
            self.begin(now);
        }
        self.repeated = self.first_sent_at.is_some();
        self.first_sent_at.get_or_insert(now);
        self.send_at = now + self.interval;
        self.interval = (self.interval * 3 / 2).min(MAX_INTERVAL);
        datagram.clear();
        datagram.extend_from_slice(&self.outgoing);
        true
    }

    /// When [`Connector::poll_transmit`] has something again; `None` while it waits for its owner, or is over.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        (!matches!(self.step, Step::Trust(_) | Step::Over)).then_some(self.send_at)
    }

    /// The next thing that the owner should know.
    pub fn poll_event(&mut self) -> Option<ConnectorEvent> {
        self.events.pop_front()
    }

    fn cookie(
        &mut self,
        bytes: &[u8],
        versions: &[u32],
        features: &[impl AsRef<str>],
        cookie: &str,
        now: Instant,
    ) {
        self.events.push_back(ConnectorEvent::Heard);
        if !versions.contains(&VERSION) {
            let message = "the server speaks another version of the protocol".to_owned();
            let versions = versions.to_vec();
            return self.refused(Refused {
                code: RefusalCode::BadVersion,
                message,
                versions,
            });
        }
        let offers = |wanted: &str| features.iter().any(|feature| feature.as_ref() == wanted);
        if self.join.plaintext && !offers(PLAINTEXT) {
            let message = "the server does not allow plaintext sessions".to_owned();
            return self.refused(Refused {
                code: RefusalCode::PlaintextRefused,
                message,
                versions: Vec::new(),
            });
        }
        self.measure(now);
        let prologue = Prologue::new(&noise::digest(&self.hello), bytes);
        let mut handshake = noise::initiator(&self.key, &prologue, self.ephemeral);
        let Some(message) = noise::write(&mut handshake, &[]) else {
            return;
        };
        let first = Datagram::Noise {
            step: 1,
            nonce: self.nonce.as_str().into(),
            cookie: Some(cookie.into()),
            noise: encode_base64(&message).into(),
        };
        self.step = Step::First(Box::new(handshake));
        self.send(first.encode(), now);
    }

    fn second(&mut self, message: &str, now: Instant) {
        // A repeated reply changes nothing.
        let Step::First(handshake) = &mut self.step else {
            return;
        };
        let payload = decode_base64(message).and_then(|message| noise::read(handshake, &message));
        // A forged message fails, and snow keeps the state of the handshake.
        let Some(key) = payload.and_then(|_| noise::remote_key(handshake)) else {
            return;
        };
        self.measure(now);
        if let Step::First(handshake) = std::mem::replace(&mut self.step, Step::Over) {
            self.step = Step::Trust(handshake);
            self.events.push_back(ConnectorEvent::ServerKey(key));
        }
    }

    fn answer(&mut self, sealed: &str, path: Path, now: Instant) {
        let Step::Third(transport) = &self.step else {
            return;
        };
        let Some(sealed) = decode_base64(sealed) else {
            return;
        };
        let mut body = vec![0; sealed.len()];
        let Ok(length) = transport.read_message(0, &sealed, &mut body) else {
            return;
        };
        let Ok(decision) = serde_json::from_slice(&body[..length]) else {
            return;
        };
        match decision {
            Decision::Welcome {
                session,
                nick,
                reset,
            } => {
                let (Some(session), Some(reset)) = (decode_array(&session), decode_array(&reset))
                else {
                    return;
                };
                self.measure(now);
                let Step::Third(transport) = std::mem::replace(&mut self.step, Step::Over) else {
                    return;
                };
                let seal = if self.join.plaintext {
                    Seal::Plaintext
                } else {
                    Seal::Sealed(transport)
                };
                let start = Start {
                    session: SessionId::from_bytes(session),
                    seal,
                    path,
                    reset_token: Some(reset),
                    path_secret: None,
                    round_trip: self.round_trip,
                };
                let link = Box::new(Link::new(start, now));
                self.events.push_back(ConnectorEvent::Joined { link, nick });
            }
            Decision::Refused { code, message } => {
                self.refused(Refused {
                    code,
                    message,
                    versions: Vec::new(),
                });
            }
        }
    }

    fn refused(&mut self, refused: Refused) {
        self.step = Step::Over;
        self.events.push_back(ConnectorEvent::Refused(refused));
    }

    fn measure(&mut self, now: Instant) {
        if let Some(at) = self.first_sent_at.filter(|_| !self.repeated) {
            self.round_trip = Some(now.saturating_duration_since(at));
        }
    }

    /// The next datagram to send and repeat.
    fn send(&mut self, datagram: Vec<u8>, now: Instant) {
        let interval = self
            .round_trip
            .map_or(INITIAL_INTERVAL, |round_trip| round_trip * 2);
        self.interval = interval.clamp(MIN_INTERVAL, MAX_INTERVAL);
        (
            self.outgoing,
            self.send_at,
            self.first_sent_at,
            self.repeated,
        ) = (datagram, now, None, false);
    }
}
