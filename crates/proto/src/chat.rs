//! The chat's wire: one JSON object a datagram, and the messages that data datagrams carry.
//!
//! This module knows how datagrams look, never when they are sent: that is the link's business
//! (`udp-chat`). `PROTOCOL.md` beside the crate describes both for a client in another language.

mod body;
mod datagram;
mod error;
mod json;
mod message;
mod session;
#[cfg(test)]
mod tests;

pub use body::{Body, MAX_BODY_BYTES, MAX_TEXT_BYTES, Parts, split};
pub use datagram::{
    Ack, Bye, Challenge, Data, Datagram, Hello, MAX_DATAGRAM_BYTES, Ping, Pong, Ranges, Reason,
    Refusal, Refused, VERSION, Welcome, ranges_fit,
};
pub use error::{DecodeError, TooLong};
pub use json::Json;
pub use message::{HISTORY_TEXTS, Kind, Notice, Request, Trouble};
pub use session::{Nonce, SessionId};
