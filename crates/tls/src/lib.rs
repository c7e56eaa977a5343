//! TLS 1.3 over blocking streams, between ends that know each other by their keys.
//!
//! - [`ServerTls`] accepts handshakes with an identity, and [`connect`] makes one with a server that [`trust`] accepts.
//! - [`TlsStream`] reads and writes data. [`MaybeTls::split`] makes two halves of it for two threads.
//! - [`ServerTls::accept_either`] lets a server speak TLS and plaintext on one port, by the client's first byte.
//! - [`MaybeTls`] is either, for code to which the difference does not matter.
//!
//! Only the key of a certificate counts; names and dates in it are ignored. This crate knows nothing of flags, prompts,
//! log lines, or the meaning of the data.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod alert;
mod ciphertext;
mod client;
mod error;
mod halves;
mod handshake;
mod key_log;
mod maybe_tls;
mod peeked;
mod server;
mod split;
mod stream;
#[cfg(test)]
mod tests;
mod verifier;

pub use alert::Alert;
pub use client::{connect, handshake as client_handshake};
pub use error::{ConnectError, TlsError};
pub use halves::{ReadHalf, WriteHalf};
pub use handshake::HANDSHAKE_LIMIT;
pub use key_log::key_log_warning;
pub use maybe_tls::MaybeTls;
pub use peeked::{Peeked, is_tls_handshake};
pub use server::ServerTls;
pub use split::{TlsReadHalf, TlsWriteHalf};
pub use stream::TlsStream;
