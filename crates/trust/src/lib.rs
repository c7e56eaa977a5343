//! Who is at the other end: the keys by which servers and clients of Socket Lab know each other.
//!
//! - [`TlsIdentity`] is a TLS server's key and certificate, [`ChatIdentity`] a static key of the chat. Both live in an
//!   identity file, which is made when it is first needed.
//! - [`Fingerprint`] is a public key's hash, written as SSH writes it.
//! - [`KnownServers`] remembers which server showed which fingerprint.
//! - [`Trust`] decides whether a server's key is accepted (trust on first use), and asks a person where it must.
//!
//! This crate knows nothing of sockets, handshakes, flags or terminals: a question goes to a closure.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test fails by panicking"))]

mod decision;
mod error;
pub mod files;
mod fingerprint;
mod identity;
mod known_servers;
mod random;
mod server_id;
mod state_folder;
mod trust;

pub use decision::{Decision, TrustPolicy, decide};
pub use error::{FileError, TrustError, UnknownServerReason};
pub use files::Exposure;
pub use fingerprint::{Fingerprint, FingerprintError};
pub use identity::{ChatIdentity, TlsIdentity};
pub use known_servers::KnownServers;
pub use random::random;
pub use server_id::{Protocol, ServerId};
pub use state_folder::{state_folder, state_folder_from};
pub use trust::{Ask, Question, Trust};
