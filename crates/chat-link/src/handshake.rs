//! How a session begins: a cookie against forged addresses, then Noise XX, whose third message carries the nick.
//!
//! ```text
//! client                                                    server
//!   hello, 1,200 bytes: versions, features, nonce    ──▶    keeps nothing
//!   ◀──   cookie: versions, features, nonce, cookie
//!   noise 1: nonce, cookie, e                        ──▶    keeps the handshake for 5 s
//!   ◀──   noise 2: e, ee, s, es                             the client learns the server's key: trust or stop
//!   noise 3: s, se, sealed {"nick", …}               ──▶    the server learns the client's key, and decides
//!   ◀──   answer: sealed welcome or refusal
//! ```
//!
//! The prologue of the Noise handshake is the SHA-256 of the hello and the cookie datagram, so nobody on the way can
//! strip a version or a feature.

mod acceptor;
mod connector;
mod cookie;
mod datagram;
mod half_open;
mod noise;
mod older;

pub use acceptor::{Acceptor, AcceptorSettings, Handled, JoinRequest};
pub use connector::{Connector, ConnectorEvent};
pub use datagram::{Join, RefusalCode, Refused};

/// The version of the protocol that is spoken here.
pub const VERSION: u32 = 2;

/// A feature: bodies are sealed.
pub const SEALED: &str = "sealed";

/// A feature: bodies may be left open, if both ends agree.
pub const PLAINTEXT: &str = "plaintext";
