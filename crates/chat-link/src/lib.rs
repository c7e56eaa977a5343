//! The chat's protocol, version 2: the handshake, the reliable link of a session, and the messages in it.
//!
//! This crate has no threads, files, flags, log lines, sockets or clocks: bytes, time and randomness go in; bytes,
//! deadlines and events come out. Programs bring the socket. `CHAT.md` beside it describes the wire for those who
//! write another implementation.
//!
//! A client makes a [`Connector`], which ends in a [`Link`]. A server keeps one [`Acceptor`], which makes a [`Link`]
//! for each [`JoinRequest`] that is accepted. Both ends then speak through the same kind of [`Link`], in which they
//! send [`message::Request`]s and [`message::Notice`]s.

mod close_reason;
mod handshake;
mod key;
mod link;
pub mod message;
mod reset;
mod seal;
mod trace;
mod wire;

pub use close_reason::CloseReason;
pub use handshake::{
    Acceptor, AcceptorSettings, Connector, ConnectorEvent, Handled, Join, JoinRequest, PLAINTEXT,
    RefusalCode, Refused, SEALED, VERSION,
};
pub use key::{KEY_BYTES, KeyId, PublicKey, StaticKey};
pub use link::{Class, End, Event, Link, MAX_WAITING, MessageId, Path, QueueFull};
pub use wire::{MAX_DATAGRAM_BYTES, Protection, SessionId};
