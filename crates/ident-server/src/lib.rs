//! The identification service: a client is known by its IP address, and greeted by the name that it once gave.
//!
//! [`Ident`] is served on any listener, over the [`Names`] of all clients. What it replies is decided apart from
//! sockets and files.

mod decisions;
mod key;
mod names;
mod record;
mod service;

pub use key::ClientKey;
pub use names::{MAX_NAMES, MAX_NAMES_PER_NETWORK, Names, NamesFull};
pub use record::Record;
pub use service::Ident;
