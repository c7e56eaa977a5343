//! The nine datagrams: what each holds, to bytes and back.
//!
//! Whether a datagram makes sense at this moment is not known here.

use std::borrow::Cow;

use super::json::Json;
use serde::{Deserialize, Serialize};

use super::error::{DecodeError, TooLong};
use super::session::{Nonce, SessionId};

/// The longest datagram as encoded, in bytes: with its headers it passes any IPv6 path whole
/// (RFC 8200 promises 1,280), and QUIC chose the same (RFC 9000, section 14).
pub const MAX_DATAGRAM_BYTES: usize = 1_200;

/// The version of this protocol, said in every hello.
pub const VERSION: u32 = 1;

/// One datagram, borrowing the message inside from the bytes it was read from, or from the link.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Datagram<'a> {
    /// A client asks to join, or to come back.
    Hello(Hello),
    /// The server asks for proof that the client receives at its address.
    Challenge(Challenge),
    /// The server grants a session.
    Welcome(Welcome),
    /// The server grants none.
    Refused(Refused),
    /// One message in sequence.
    Data(Data<'a>),
    /// What has arrived.
    Ack(Ack),
    /// Asks for a sign of life.
    Ping(Ping),
    /// Gives it.
    Pong(Pong),
    /// Ends the session.
    Bye(Bye),
}

/// Asks to join; encoded with a `pad` that makes it exactly [`MAX_DATAGRAM_BYTES`] long, so that
/// no answer is longer than the question and a forged hello amplifies nothing (RFC 9000, 8.1).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename = "hello")]
pub struct Hello {
    /// The protocol's version, [`VERSION`].
    pub version: u32,
    /// Chosen anew for each joining; every answer repeats it.
    pub nonce: Nonce,
    /// The name wanted.
    pub nick: String,
    /// The session to come back to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// From the challenge, unchanged; absent in the first hello.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cookie: Option<String>,
}

/// Answers a hello without a good cookie; the server keeps nothing (RFC 9147, section 5.1).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename = "challenge")]
pub struct Challenge {
    /// The hello's.
    pub nonce: Nonce,
    /// To be repeated in the next hello; its form is the server's secret.
    pub cookie: String,
}

/// Answers a hello with a good cookie.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename = "welcome")]
pub struct Welcome {
    /// The hello's.
    pub nonce: Nonce,
    /// The hello's session when the link goes on, else a new one: both ends start afresh.
    pub session: SessionId,
    /// The name as it will be shown.
    pub nick: String,
}

/// Answers a hello that cannot be granted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename = "refused")]
pub struct Refused {
    /// The hello's.
    pub nonce: Nonce,
    /// Why, for a program.
    pub code: Refusal,
    /// Why, for a person.
    pub message: String,
}

/// Why a hello is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// The nick breaks the rules for nicks.
    BadNick,
    /// Somebody present has it, or one that looks like it.
    NickTaken,
    /// As many members as the server takes.
    Full,
    /// The server is stopping.
    Stopping,
    /// The server does not speak this version.
    BadVersion,
    /// A code of a later version.
    #[serde(other)]
    Other,
}

/// The first and last of sequence numbers that arrived without a gap between them, beyond a gap.
pub type Ranges = Vec<(u64, u64)>;

/// One message, and what the sender has received so far.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename = "data")]
pub struct Data<'a> {
    /// The session it belongs to.
    pub session: SessionId,
    /// The message's place in the sender's sequence, from 1; the same when it is sent again.
    pub seq: u64,
    /// Every message up to this one has arrived from the receiver of this datagram.
    pub ack: u64,
    /// Those that arrived beyond a gap, in rising order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Ranges,
    /// A JSON value that the link does not look into.
    pub message: Cow<'a, Json>,
}

/// What the sender has received so far. It is not acknowledged itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename = "ack")]
pub struct Ack {
    /// The session it belongs to.
    pub session: SessionId,
    /// As in [`Data::ack`].
    pub ack: u64,
    /// As in [`Data::ranges`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Ranges,
}

/// Asks for a [`Pong`] with the same number.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename = "ping")]
pub struct Ping {
    /// The session it belongs to.
    pub session: SessionId,
    /// A new number each time.
    pub id: u64,
}

/// Answers a [`Ping`].
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename = "pong")]
pub struct Pong {
    /// The session it belongs to.
    pub session: SessionId,
    /// The ping's.
    pub id: u64,
}

/// Ends the session; answered by a bye.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "type", rename = "bye")]
pub struct Bye {
    /// The session that ends.
    pub session: SessionId,
    /// Why.
    pub reason: Reason,
}

/// Why a member left or has to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It wanted to.
    Quit,
    /// The server stops.
    Stopping,
    /// It sent more than its share.
    Flooding,
    /// It took messages more slowly than the others wrote them.
    TooSlow,
    /// Nothing was heard of it for too long.
    TimedOut,
    /// A reason of a later version.
    #[serde(other)]
    Other,
}

impl<'a> Datagram<'a> {
    /// The session it belongs to; `None` before there is one (a hello only asks for its own).
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Datagram::Data(Data { session, .. })
            | Datagram::Ack(Ack { session, .. })
            | Datagram::Ping(Ping { session, .. })
            | Datagram::Pong(Pong { session, .. })
            | Datagram::Bye(Bye { session, .. }) => Some(*session),
            Datagram::Hello(_)
            | Datagram::Challenge(_)
            | Datagram::Welcome(_)
            | Datagram::Refused(_) => None,
        }
    }

    /// Puts the encoded datagram in `bytes`, in place of what they held.
    ///
    /// # Errors
    ///
    /// [`TooLong`] when text in it is. That of a [`Body`](super::Body) with ranges that
    /// [`ranges_fit`] admits never is.
    pub fn encode(&self, bytes: &mut Vec<u8>) -> Result<(), TooLong> {
        bytes.clear();
        serde_json::to_writer(&mut *bytes, self)
            .expect("a Vec takes every byte, all keys are text");
        if matches!(self, Datagram::Hello(_)) {
            pad(bytes);
        }
        at_most(MAX_DATAGRAM_BYTES, bytes.len())
    }

    /// Reads one datagram. Fields it does not know are ignored.
    ///
    /// # Errors
    ///
    /// Any [`DecodeError`], the peer's fault.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        at_most(MAX_DATAGRAM_BYTES, bytes.len())?;
        let text = std::str::from_utf8(bytes).map_err(|error| DecodeError::NotUtf8 {
            valid_up_to: error.valid_up_to(),
        })?;
        // Two passes, because serde's own tagged enums cannot lend out the message as it stands.
        let Tag { kind } = serde_json::from_str(text)?;
        Ok(match kind {
            Type::Hello => {
                let hello = serde_json::from_str(text)?;
                if bytes.len() != MAX_DATAGRAM_BYTES {
                    return Err(DecodeError::Unpadded {
                        length: bytes.len(),
                    });
                }
                Datagram::Hello(hello)
            }
            Type::Challenge => Datagram::Challenge(serde_json::from_str(text)?),
            Type::Welcome => Datagram::Welcome(serde_json::from_str(text)?),
            Type::Refused => Datagram::Refused(serde_json::from_str(text)?),
            Type::Data => Datagram::Data(serde_json::from_str(text)?),
            Type::Ack => Datagram::Ack(serde_json::from_str(text)?),
            Type::Ping => Datagram::Ping(serde_json::from_str(text)?),
            Type::Pong => Datagram::Pong(serde_json::from_str(text)?),
            Type::Bye => Datagram::Bye(serde_json::from_str(text)?),
        })
    }
}

/// Whether a data datagram with a body of `body_bytes` has room for so many ranges, whatever
/// their numbers. For three ranges it always has.
pub fn ranges_fit(body_bytes: usize, ranges: usize) -> bool {
    // Numbers stay below 2^53, which is 16 digits.
    const BARE: usize =
        r#"{"type":"data","session":"","seq":,"ack":,"message":}"#.len() + 32 + 2 * 16;
    const LIST: usize = r#","ranges":[]"#.len();
    const RANGE: usize = "[,],".len() + 2 * 16;
    BARE + LIST + ranges * RANGE + body_bytes <= MAX_DATAGRAM_BYTES
}

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "type")]
    kind: Type,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Type {
    Hello,
    Challenge,
    Welcome,
    Refused,
    Data,
    Ack,
    Ping,
    Pong,
    Bye,
}

/// Lengthens an encoded object by a last field of dots to the longest datagram.
fn pad(object: &mut Vec<u8>) {
    object.pop();
    object.extend_from_slice(br#","pad":""#);
    let filled = MAX_DATAGRAM_BYTES.saturating_sub(2).max(object.len());
    object.resize(filled, b'.');
    object.extend_from_slice(br#""}"#);
}

pub(super) fn at_most(limit: usize, length: usize) -> Result<(), TooLong> {
    if length > limit {
        Err(TooLong { length, limit })
    } else {
        Ok(())
    }
}
