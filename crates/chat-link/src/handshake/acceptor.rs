//! The server's half of the handshake, for all clients.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use snow::StatelessTransportState;

use super::cookie::{Cookies, Holder};
use super::datagram::{
    Datagram, Decision, Join, RefusalCode, decode, decode_array, decode_base64, encode_base64,
};
use super::half_open::{Begun, HalfOpen, Key};
use super::noise::{self, Prologue};
use super::{PLAINTEXT, SEALED, VERSION, older};
use crate::key::{PublicKey, StaticKey};
use crate::link::{Link, Path, Start};
use crate::reset::ResetTokens;
use crate::seal::Seal;
use crate::wire::{MAX_DATAGRAM_BYTES, SessionId};

/// The packet number of the sealed answer. Session datagrams begin with 1.
const ANSWER_NUMBER: u64 = 0;

/// What an [`Acceptor`] is made of.
#[derive(Debug, Clone)]
pub struct AcceptorSettings {
    /// The server's key.
    pub identity: StaticKey,
    /// Makes cookies; from the operating system's randomness.
    pub cookie_key: [u8; 32],
    /// Whether plaintext sessions are allowed.
    pub allow_plaintext: bool,
}

/// Answers handshakes, and says so when a session is unknown.
pub struct Acceptor {
    settings: AcceptorSettings,
    cookies: Cookies,
    half_open: HalfOpen,
    resets: ResetTokens,
}

/// What came of a datagram.
#[derive(Debug)]
pub enum Handled {
    /// It is answered with this datagram.
    Reply(Vec<u8>),
    /// Somebody wants to join: decide by [`Acceptor::accept`] or [`Acceptor::refuse`].
    Join(Box<JoinRequest>),
    /// It makes no sense, or there is no room for it.
    Ignored,
}

/// Somebody who has proved an address and a key, and waits for the decision.
#[derive(Debug)]
pub struct JoinRequest {
    /// The client's key.
    pub key: PublicKey,
    /// What it asks for; the nick is as the peer wrote it.
    pub join: Join,
    /// Where it is.
    pub path: Path,
    transport: StatelessTransportState,
    client: Key,
    round_trip: Duration,
}

impl Acceptor {
    /// An acceptor without any handshakes.
    #[must_use]
    pub fn new(settings: AcceptorSettings, now: Instant) -> Self {
        Self {
            cookies: Cookies::new(&settings.cookie_key, now),
            resets: ResetTokens::new(&settings.identity),
            half_open: HalfOpen::default(),
            settings,
        }
    }

    /// Takes a datagram that belongs to no session. `ephemeral` is 32 new bytes of the operating system's randomness.
    pub fn handle(
        &mut self,
        bytes: &[u8],
        path: Path,
        now: Instant,
        ephemeral: [u8; 32],
    ) -> Handled {
        let address = path.remote;
        let Some(datagram) = decode(bytes) else {
            return older::answer(bytes).map_or(Handled::Ignored, Handled::Reply);
        };
        let reply = match datagram {
            Datagram::Hello {
                versions, nonce, ..
            } => self.hello(bytes, &versions, &nonce, address, now),
            Datagram::Noise {
                step: 1,
                nonce,
                cookie: Some(cookie),
                noise,
            } => self.first(&nonce, &cookie, &noise, address, now, ephemeral),
            Datagram::Noise {
                step: 3,
                nonce,
                noise,
                ..
            } => return self.third(&nonce, &noise, path, now),
            _ => None,
        };
        reply.map_or(Handled::Ignored, Handled::Reply)
    }

    /// The reset for a datagram of a session that is unknown, if one may be sent.
    pub fn reset(&mut self, datagram: &[u8], now: Instant) -> Option<Vec<u8>> {
        self.resets.reset(datagram, now)
    }

    /// Lets a client in under `nick`. `session` and `path_secret` are from the operating system's randomness.
    pub fn accept(
        &mut self,
        request: JoinRequest,
        nick: &str,
        session: SessionId,
        path_secret: [u8; 32],
        now: Instant,
    ) -> (Vec<u8>, Link) {
        let token = self.resets.token(session);
        let decision = Decision::Welcome {
            session: encode_base64(session.as_bytes()),
            nick: nick.to_owned(),
            reset: encode_base64(&token),
        };
        let answer = self.answer(&request, &decision, now);
        let seal = if request.join.plaintext {
            Seal::Plaintext
        } else {
            Seal::Sealed(Box::new(request.transport))
        };
        let start = Start {
            session,
            seal,
            path: request.path,
            reset_token: None,
            path_secret: Some(path_secret),
            round_trip: Some(request.round_trip),
        };
        (answer, Link::new(start, now))
    }

    /// Does not let a client in.
    pub fn refuse(
        &mut self,
        request: &JoinRequest,
        code: RefusalCode,
        message: &str,
        now: Instant,
    ) -> Vec<u8> {
        let message = message.to_owned();
        self.answer(request, &Decision::Refused { code, message }, now)
    }

    fn hello(
        &self,
        bytes: &[u8],
        versions: &[u32],
        nonce: &str,
        address: SocketAddr,
        now: Instant,
    ) -> Option<Vec<u8>> {
        if bytes.len() != MAX_DATAGRAM_BYTES {
            return None;
        }
        let holder = Holder {
            address,
            nonce: decode_array(nonce)?,
        };
        if !versions.contains(&VERSION) {
            let refused = Datagram::Refused {
                nonce: nonce.into(),
                code: RefusalCode::BadVersion,
                message: format!("this server speaks version {VERSION} of the protocol").into(),
                versions: vec![VERSION],
            };
            return Some(refused.encode());
        }
        Some(self.cookie_datagram(
            nonce,
            &self.cookies.issue(holder, &noise::digest(bytes), now),
        ))
    }

    /// The same bytes whenever it is made of the same cookie, since the prologue contains them.
    fn cookie_datagram(&self, nonce: &str, cookie: &str) -> Vec<u8> {
        let features = if self.settings.allow_plaintext {
            vec![SEALED, PLAINTEXT]
        } else {
            vec![SEALED]
        };
        Datagram::Cookie {
            versions: vec![VERSION],
            features: features.into_iter().map(Into::into).collect(),
            nonce: nonce.into(),
            cookie: cookie.into(),
        }
        .encode()
    }

    fn first(
        &mut self,
        nonce: &str,
        cookie: &str,
        message: &str,
        address: SocketAddr,
        now: Instant,
        ephemeral: [u8; 32],
    ) -> Option<Vec<u8>> {
        let key = (address, decode_array(nonce)?);
        if let Some(reply) = self.half_open.reply(&key) {
            return Some(reply.to_vec());
        }
        let digest = self.cookies.verify(
            cookie,
            Holder {
                address,
                nonce: key.1,
            },
            now,
        )?;
        // A first message that is late, after the handshake was decided, begins no other.
        if self.half_open.answer(&key).is_some() || !self.half_open.admit(address, now) {
            return None;
        }
        let prologue = Prologue::new(&digest, &self.cookie_datagram(nonce, cookie));
        let mut handshake = noise::responder(&self.settings.identity, &prologue, ephemeral);
        let reply = decode_base64(message)
            .and_then(|message| noise::read(&mut handshake, &message))
            .and_then(|_| noise::write(&mut handshake, &[]));
        let Some(reply) = reply else {
            self.half_open.cancel(address);
            return None;
        };
        let noise = encode_base64(&reply).into();
        let reply = Datagram::Noise {
            step: 2,
            nonce: nonce.into(),
            cookie: None,
            noise,
        }
        .encode();
        self.half_open.insert(
            key,
            Begun {
                handshake,
                reply: reply.clone(),
                at: now,
            },
        );
        Some(reply)
    }

    fn third(&mut self, nonce: &str, message: &str, path: Path, now: Instant) -> Handled {
        let Some(nonce) = decode_array(nonce) else {
            return Handled::Ignored;
        };
        let client = (path.remote, nonce);
        if let Some(answer) = self.half_open.answer(&client) {
            return Handled::Reply(answer.to_vec());
        }
        let request = self.half_open.take(&client, now).and_then(|begun| {
            let mut handshake = begun.handshake;
            let payload = noise::read(&mut handshake, &decode_base64(message)?)?;
            let key = noise::remote_key(&handshake)?;
            let join = serde_json::from_slice(&payload).ok()?;
            let transport = handshake.into_stateless_transport_mode().ok()?;
            let round_trip = now.saturating_duration_since(begun.at);
            Some(JoinRequest {
                key,
                join,
                path,
                transport,
                client,
                round_trip,
            })
        });
        request.map_or(Handled::Ignored, |request| Handled::Join(Box::new(request)))
    }

    fn answer(&mut self, request: &JoinRequest, decision: &Decision, now: Instant) -> Vec<u8> {
        let body = serde_json::to_vec(decision).expect("a decision has text for keys");
        let mut sealed = vec![0; body.len() + 16];
        request
            .transport
            .write_message(ANSWER_NUMBER, &body, &mut sealed)
            .expect("a decision is short, and the buffer has room for the tag");
        let (nonce, sealed) = (
            encode_base64(&request.client.1).into(),
            encode_base64(&sealed).into(),
        );
        let answer = Datagram::Answer { nonce, sealed }.encode();
        self.half_open.remember(request.client, answer.clone(), now);
        answer
    }
}
