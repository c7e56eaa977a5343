//! The JSON datagrams of the handshake. Unknown fields are ignored.

use std::borrow::Cow;

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Serialize};

use crate::wire::MAX_DATAGRAM_BYTES;

/// Bytes of a nonce, by which a client knows the answers to its own handshake.
pub(super) const NONCE_BYTES: usize = 16;

/// The most versions or features that are read. Longer lists are no handshake's.
const MAX_LIST: usize = 16;

/// A datagram of the handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Datagram<'a> {
    /// Asks for a cookie. It is padded to 1,200 bytes, so that the answer is never larger.
    Hello {
        versions: Vec<u32>,
        features: Vec<Cow<'a, str>>,
        nonce: Cow<'a, str>,
        pad: Cow<'a, str>,
    },
    /// The answer, which the client shows with its first Noise message.
    Cookie {
        versions: Vec<u32>,
        features: Vec<Cow<'a, str>>,
        nonce: Cow<'a, str>,
        cookie: Cow<'a, str>,
    },
    /// A message of the Noise handshake.
    Noise {
        step: u8,
        nonce: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cookie: Option<Cow<'a, str>>,
        noise: Cow<'a, str>,
    },
    /// The server's decision, sealed as packet 0.
    Answer {
        nonce: Cow<'a, str>,
        sealed: Cow<'a, str>,
    },
    /// The server cannot go on with the handshake at all.
    Refused {
        nonce: Cow<'a, str>,
        code: RefusalCode,
        message: Cow<'a, str>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        versions: Vec<u32>,
    },
}

/// What the client asks for in the third message of the Noise handshake.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The nick wanted.
    pub nick: String,
    /// How many texts of the history to send.
    #[serde(default)]
    pub history: u16,
    /// Whether bodies are to be left open.
    #[serde(default)]
    pub plaintext: bool,
}

/// The sealed decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Decision {
    Welcome {
        /// 16 bytes in base64url, as the token is.
        session: String,
        nick: String,
        reset: String,
    },
    Refused {
        code: RefusalCode,
        message: String,
    },
}

/// Why the server does not let a client in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Why, for a program.
    pub code: RefusalCode,
    /// Why, for a person; as the peer wrote it.
    pub message: String,
    /// The versions that the server speaks, if it speaks none of the client's.
    pub versions: Vec<u32>,
}

/// Why the server does not let a client in, for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// The nick breaks the rules for nicks.
    BadNick,
    /// Somebody has the nick, or one that looks like it.
    NickTaken,
    /// All places are taken.
    Full,
    /// The server is stopping.
    Stopping,
    /// The server speaks other versions.
    BadVersion,
    /// An operator excluded the client's key or address.
    Banned,
    /// The server does not allow plaintext sessions.
    PlaintextRefused,
    /// A code of a later version.
    #[serde(other)]
    Other,
}

impl Datagram<'_> {
    pub(super) fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("these types have text for keys and no errors of their own")
    }
}

/// The datagram that these bytes are.
pub(super) fn decode(bytes: &[u8]) -> Option<Datagram<'_>> {
    if bytes.first() != Some(&b'{') || bytes.len() > MAX_DATAGRAM_BYTES {
        return None;
    }
    serde_json::from_slice(bytes)
        .ok()
        .filter(|datagram| match datagram {
            Datagram::Hello {
                versions, features, ..
            }
            | Datagram::Cookie {
                versions, features, ..
            } => versions.len() <= MAX_LIST && features.len() <= MAX_LIST,
            _ => true,
        })
}

/// A hello of exactly 1,200 bytes.
pub(super) fn padded_hello(nonce: &str, features: &[&'static str]) -> Vec<u8> {
    let hello = |pad: &str| {
        Datagram::Hello {
            versions: vec![super::VERSION],
            features: features.iter().map(|&feature| feature.into()).collect(),
            nonce: nonce.into(),
            pad: pad.into(),
        }
        .encode()
    };
    let bare = hello("").len();
    hello(&"0".repeat(MAX_DATAGRAM_BYTES - bare))
}

/// Base64url without padding.
pub(super) fn encode_base64(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// The bytes of base64url, which are never more than a datagram's.
pub(super) fn decode_base64(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

/// The bytes of base64url, if they have this length.
pub(super) fn decode_array<const N: usize>(text: &str) -> Option<[u8; N]> {
    decode_base64(text)?.try_into().ok()
}
