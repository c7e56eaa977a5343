//! What members and server say to each other inside a session.
//!
//! The link does not look into these messages. A message whose type is unknown is an error to its reader alone:
//! the link has acknowledged it, and the session goes on.

use std::ops::Not;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::close_reason::CloseReason;
use crate::key::KeyId;

/// The longest text that a member may write, in bytes of UTF-8.
pub const MAX_TEXT_BYTES: usize = 4_096;

/// The longest encoded message. A text of control characters alone takes 24,576 bytes of it.
pub const MAX_MESSAGE_BYTES: usize = 32_768;

/// How many texts to all a server keeps, so the most that a client can ask for.
pub const MAX_HISTORY_TEXTS: usize = 1_000;

/// The most members in one [`Notice::Members`]: each takes up to 130 bytes.
pub const MAX_MEMBERS_AT_ONCE: usize = 100;

/// An encoded message. Clones share the bytes, so that a server encodes a text once for all members.
#[derive(Debug, Clone)]
pub struct Message(Arc<[u8]>);

/// What a member asks of the server. Requests are numbered within a session, from 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Says something to all; answered by [`Notice::Confirmed`] or [`Notice::Error`].
    Say {
        /// The text.
        text: String,
    },
    /// Says to all what the member does (`/me`); answered alike.
    Me {
        /// The text.
        text: String,
    },
    /// Says something to one member alone; answered alike.
    Private {
        /// The addressee's nick.
        to: String,
        /// Whom the author means: the key that held the nick when the author last saw it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<KeyId>,
        /// The text.
        text: String,
    },
    /// Wants another nick; answered by [`Notice::Renamed`] or [`Notice::Error`].
    Nick {
        /// The nick wanted.
        nick: String,
    },
    /// Asks who is present; answered by [`Notice::Members`].
    Who,
}

/// What the server reports to a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Notice {
    /// Who is present: the first message of a session, and the answer to [`Request::Who`].
    Members {
        /// At most [`MAX_MEMBERS_AT_ONCE`] of them.
        members: Vec<Member>,
        /// Whether the next message continues the list.
        #[serde(default, skip_serializing_if = "Not::not")]
        more: bool,
    },
    /// Somebody wrote something.
    Said {
        /// The text's id. Ids rise, also across restarts of the server.
        id: u64,
        /// When the server received it, in Unix milliseconds.
        at: u64,
        /// The author's nick.
        from: String,
        /// The author's key.
        key: KeyId,
        /// To whom, and how.
        kind: Kind,
        /// The text.
        text: String,
        /// Whether it was said before the member joined.
        #[serde(default, skip_serializing_if = "Not::not")]
        history: bool,
    },
    /// The member's own text was relayed.
    Confirmed {
        /// The number of the request.
        request: u64,
        /// The text's id.
        id: u64,
        /// When the server received it, in Unix milliseconds.
        at: u64,
    },
    /// A request was not granted.
    Error {
        /// The number of the request, unless the server acts on its own.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        request: Option<u64>,
        /// Why, for a program.
        code: ErrorCode,
        /// Why, for a person.
        message: String,
    },
    /// Another member joined.
    Joined(Member),
    /// Another member left.
    Left {
        /// Its nick.
        nick: String,
        /// Its key.
        key: KeyId,
        /// Why.
        reason: CloseReason,
    },
    /// A member, perhaps the reader, has another nick from now on.
    Renamed {
        /// The nick so far.
        old: String,
        /// The nick from now on.
        new: String,
        /// The key of the member.
        key: KeyId,
    },
    /// The whole history was sent.
    CaughtUp,
}

/// A member, as others see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Its nick.
    pub nick: String,
    /// Its key.
    pub key: KeyId,
    /// Whether its session is readable on the way.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub plaintext: bool,
}

/// How a text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Said to all.
    Say,
    /// An action of the author's, shown to all.
    Me,
    /// Said to the reader alone.
    Private,
}

/// Why a request is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// The nick breaks the rules for nicks.
    BadNick,
    /// Somebody has the nick, or one that looks like it.
    NickTaken,
    /// Nobody present has this nick.
    NoSuchNick,
    /// The nick belongs to another key than the one given.
    OtherPerson,
    /// The text is longer than [`MAX_TEXT_BYTES`].
    TooLong,
    /// Nothing of the text is visible.
    Empty,
    /// The message is not a request of this version.
    BadMessage,
    /// A code of a later version.
    #[serde(other)]
    Other,
}

/// A message that cannot be sent or read.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// It is too long to be sent.
    #[error("a message of {length} bytes is over the limit of {limit}")]
    TooLong {
        /// Its length.
        length: usize,
        /// [`MAX_MESSAGE_BYTES`].
        limit: usize,
    },
    /// It is not JSON, or not a message of this version.
    #[error("no message of this version, from column {column}")]
    Unknown {
        /// Where it deviates, from 1; 0 if all of it does.
        column: usize,
    },
}

impl Message {
    /// Encodes a request or a notice.
    ///
    /// # Errors
    ///
    /// [`MessageError::TooLong`] past [`MAX_MESSAGE_BYTES`].
    pub fn encode(message: &impl Serialize) -> Result<Self, MessageError> {
        let json = serde_json::to_vec(message)
            .expect("messages have text for keys and no errors of their own");
        if json.len() > MAX_MESSAGE_BYTES {
            let (length, limit) = (json.len(), MAX_MESSAGE_BYTES);
            return Err(MessageError::TooLong { length, limit });
        }
        Ok(Self(json.into()))
    }

    /// The JSON text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Request {
    /// Reads a message of a member.
    ///
    /// # Errors
    ///
    /// [`MessageError::Unknown`].
    pub fn decode(message: &[u8]) -> Result<Self, MessageError> {
        from_object(message)
    }
}

impl Notice {
    /// Reads a message of the server.
    ///
    /// # Errors
    ///
    /// [`MessageError::Unknown`].
    pub fn decode(message: &[u8]) -> Result<Self, MessageError> {
        from_object(message)
    }
}

/// Reads a JSON object. Derived code would also accept an array, as the fields in their order.
fn from_object<'a, M: Deserialize<'a>>(message: &'a [u8]) -> Result<M, MessageError> {
    if message.first() != Some(&b'{') {
        return Err(MessageError::Unknown { column: 0 });
    }
    serde_json::from_slice(message).map_err(|error| MessageError::Unknown {
        column: error.column(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::PublicKey;

    fn key() -> KeyId {
        PublicKey::from_bytes([7; 32]).key_id()
    }

    #[test]
    fn requests_have_the_documented_form() {
        for (request, json) in [
            (
                Request::Say { text: "hi".into() },
                r#"{"type":"say","text":"hi"}"#,
            ),
            (Request::Who, r#"{"type":"who"}"#),
            (
                Request::Private {
                    to: "Boris".into(),
                    key: None,
                    text: "hi".into(),
                },
                r#"{"type":"private","to":"Boris","text":"hi"}"#,
            ),
        ] {
            assert_eq!(
                Message::encode(&request).unwrap().as_bytes(),
                json.as_bytes()
            );
            assert_eq!(Request::decode(json.as_bytes()).unwrap(), request);
        }
    }

    #[test]
    fn notices_have_the_documented_form() {
        let member = Member {
            nick: "Anna".into(),
            key: key(),
            plaintext: false,
        };
        let json = format!(r#"{{"type":"joined","nick":"Anna","key":"{}"}}"#, key());
        let notice = Notice::Joined(member);
        assert_eq!(
            Message::encode(&notice).unwrap().as_bytes(),
            json.as_bytes()
        );
        assert_eq!(Notice::decode(json.as_bytes()).unwrap(), notice);
        let later = br#"{"type":"error","code":"unheard_of","message":"m","more":1}"#;
        let Notice::Error { code, .. } = Notice::decode(later).unwrap() else {
            panic!("another notice")
        };
        assert_eq!(code, ErrorCode::Other);
    }

    #[test]
    fn json_that_is_no_object_is_refused() {
        for bad in [
            "",
            "[]",
            r#"["who"]"#,
            "7",
            r#"{"type":"sing"}"#,
            r#"{"type":"say"}"#,
            "{",
        ] {
            assert!(Request::decode(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_longest_text_fits_in_a_message() {
        let said = Notice::Said {
            id: u64::MAX,
            at: u64::MAX,
            from: "я".repeat(32),
            key: key(),
            kind: Kind::Private,
            text: "\0".repeat(MAX_TEXT_BYTES),
            history: true,
        };
        assert!(Message::encode(&said).is_ok());
        let members = vec![
            Member {
                nick: "я".repeat(32),
                key: key(),
                plaintext: true
            };
            MAX_MEMBERS_AT_ONCE
        ];
        assert!(
            Message::encode(&Notice::Members {
                members,
                more: true
            })
            .is_ok()
        );
        let text = "x".repeat(MAX_MESSAGE_BYTES);
        assert!(Message::encode(&Request::Say { text }).is_err());
    }
}
