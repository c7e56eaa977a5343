//! The wire of Socket Lab: length-prefixed frames over anything that reads and writes.
//!
//! A message is a header of four bytes (the payload's length, big-endian) and then the payload.
//! `PROTOCOL.md`, beside this crate's manifest, says the same for people who write a client in
//! another language; a test holds its examples against this code.
//!
//! - [`FramedSocket`] gives `send_text`, `recv_text` and their JSON kin to every `Read + Write`,
//!   a `TcpStream` among them: the simplest way to talk.
//! - [`FramedStream`] adds buffers: one system call where the bare socket needs two, and one write for all replies to messages
//!   that came together.
//! - [`FrameBuffer`] only takes frames out of bytes. It serves those who look at every read
//!   themselves.
//! - [`converse`] and [`Caller`] are the two halves of a dialogue in JSON, a server's and a
//!   client's.
//! - [`ident`] and [`auth`] are the messages of the two dialogues, with the [`Name`]s and
//!   [`Secret`]s in them.
//!
//! There are no threads, files, flags or log lines here.

pub mod auth;
mod caseless;
pub mod chat;
mod dialogue;
mod error;
mod escape;
mod frame;
mod frame_buffer;
mod frame_read_buffer;
mod framed_stream;
pub mod ident;
mod invisible;
mod json;
mod name;
mod network;
mod observer;
mod read_buffer;
mod secret;
mod socket;

pub use caseless::caseless_key;
pub use dialogue::{Answer, Caller, DialogueError, Passed, Responder, converse};
pub use error::{RecvError, SendError};
pub use escape::Escaped;
pub use frame::{HEADER_BYTES, MAX_DIALOGUE_BYTES, MAX_ECHO_BYTES, header};
pub use frame_buffer::{FrameBuffer, Run, RunEnd};
pub use framed_stream::FramedStream;
pub use json::{InvalidMessage, from_json};
pub use name::{MAX_NAME_CHARS, Name, NameError};
pub use network::Network;
pub use observer::Observer;
pub use secret::Secret;
pub use socket::FramedSocket;
