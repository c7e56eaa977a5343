//! What members and server say to each other inside data datagrams.
//!
//! A message whose type is not known here is an error to its reader alone: the link has
//! acknowledged it, and the conversation goes on.

use std::ops::Not;

use super::json::Json;
use serde::{Deserialize, Serialize};

use super::datagram::Reason;
use super::error::DecodeError;

/// How many texts to all a new session is told as history.
pub const HISTORY_TEXTS: usize = 50;

/// What a member asks of the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Request {
    /// Says something to all.
    Say {
        /// A piece of the text.
        text: String,
        /// Whether the next message goes on with it.
        #[serde(default, skip_serializing_if = "Not::not")]
        more: bool,
    },
    /// Tells all what the member does (`/me`).
    Me {
        /// A piece of the text.
        text: String,
        /// Whether the next message goes on with it.
        #[serde(default, skip_serializing_if = "Not::not")]
        more: bool,
    },
    /// Says something to one member alone.
    Private {
        /// Its nick.
        to: String,
        /// A piece of the text.
        text: String,
        /// Whether the next message goes on with it.
        #[serde(default, skip_serializing_if = "Not::not")]
        more: bool,
    },
    /// Wants another nick; answered by [`Notice::Renamed`] or [`Notice::Error`].
    Nick {
        /// The nick wanted.
        nick: String,
    },
    /// Asks who is present; answered by [`Notice::Members`].
    Who,
}

/// What the server tells a member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Notice {
    /// Somebody wrote something.
    Said {
        /// Names the text; all its parts have the same. Ids only rise, also when the server is
        /// started anew.
        id: u64,
        /// When the server got it, in Unix milliseconds.
        at: u64,
        /// Who wrote it.
        from: String,
        /// To whom, and how.
        kind: Kind,
        /// A piece of the text.
        text: String,
        /// Whether the next message goes on with it.
        #[serde(default, skip_serializing_if = "Not::not")]
        more: bool,
        /// Whether it was said before the member joined.
        #[serde(default, skip_serializing_if = "Not::not")]
        history: bool,
    },
    /// Another member joined.
    Joined {
        /// Its nick.
        nick: String,
    },
    /// Another member left.
    Left {
        /// Its nick.
        nick: String,
        /// Why.
        reason: Reason,
    },
    /// A member, perhaps the reader itself, has another nick from now on.
    Renamed {
        /// The nick so far.
        old: String,
        /// The nick from now on.
        new: String,
    },
    /// Who is present.
    Members {
        /// As many nicks as fit.
        nicks: Vec<String>,
        /// Whether the next message goes on with them.
        #[serde(default, skip_serializing_if = "Not::not")]
        more: bool,
    },
    /// A request was not granted.
    Error {
        /// Why, for a program.
        code: Trouble,
        /// Why, for a person.
        message: String,
    },
}

/// How a text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Said to all.
    Say,
    /// Told of oneself to all.
    Me,
    /// Said to the reader alone.
    Private,
}

/// Why a request is not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trouble {
    /// The nick breaks the rules for nicks.
    BadNick,
    /// Somebody present has it, or one that looks like it.
    NickTaken,
    /// Nobody present has this nick.
    NoSuchNick,
    /// The text is longer than [`MAX_TEXT_BYTES`](super::MAX_TEXT_BYTES).
    TooLong,
    /// The message is none the server knows.
    BadMessage,
    /// A code of a later version.
    #[serde(other)]
    Other,
}

impl Request {
    /// Reads what arrived from a member.
    ///
    /// # Errors
    ///
    /// [`DecodeError::NotKnown`].
    pub fn decode(message: &Json) -> Result<Self, DecodeError> {
        from_object(message)
    }
}

impl Notice {
    /// Reads what arrived from the server.
    ///
    /// # Errors
    ///
    /// [`DecodeError::NotKnown`].
    pub fn decode(message: &Json) -> Result<Self, DecodeError> {
        from_object(message)
    }
}

/// Derived code reads an array as an object's fields in order, too.
fn from_object<'a, M: Deserialize<'a>>(message: &'a Json) -> Result<M, DecodeError> {
    if !message.get().starts_with('{') {
        return Err(DecodeError::NotKnown { column: 0 });
    }
    Ok(serde_json::from_str(message.get())?)
}
