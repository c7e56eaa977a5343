//! The wire of Socket Lab: length-prefixed frames over anything that reads and writes.
//!
//! A message is a header of four bytes (the payload's length, big-endian) and then the payload. `PROTOCOL.md`, beside
//! this crate's manifest, says the same for people who write a client in another language; a test checks its examples.
//!
//! - [`FramedSocket`] adds `send_text`, `recv_text` and their JSON variants to every `Read + Write`, such as a
//!   `TcpStream`.
//! - [`FramedStream`] adds buffers: one system call where the bare socket needs two, and one write for all replies to
//!   messages that came together.
//! - [`ident`] and [`auth`] are the messages of the two dialogues, with the [`Name`]s and [`Secret`]s in them.
//! - [`Escaped`] shows untrusted text safely.
//! - [`TokenBucket`] limits a rate, and [`EventBudget`] the lines that a server logs about clients who come and go.
//!
//! There are no threads, files, flags or log lines here.

pub mod auth;
mod case_folding;
mod count;
mod error;
mod escape;
mod event_budget;
mod frame;
mod framed_stream;
pub mod ident;
mod invalid_message;
mod invisible;
mod json;
mod json_text;
mod limits;
pub mod log_target;
mod name;
mod network;
mod observer;
mod read_buffer;
mod reason;
mod secret;
mod socket;
mod token_bucket;

pub use case_folding::caseless_key;
pub use count::Count;
pub use error::{RecvError, SendError};
pub use escape::Escaped;
pub use event_budget::{EventBudget, EventKind};
pub use frame::header;
pub use framed_stream::FramedStream;
pub use invalid_message::InvalidMessage;
pub use invisible::is_invisible;
pub use json::from_json;
pub use limits::{HEADER_BYTES, MAX_DIALOGUE_BYTES, MAX_ECHO_BYTES};
pub use name::{MAX_NAME_CHARS, Name, NameError, stored_name};
pub use network::Network;
pub use observer::Observer;
pub use reason::Reason;
pub use secret::Secret;
pub use socket::FramedSocket;
pub use token_bucket::TokenBucket;
