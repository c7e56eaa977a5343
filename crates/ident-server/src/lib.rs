//! The identification service: a client is known by its IP address, and greeted by the name that it once gave.
//!
//! [`Ident`] is served on any listener, over a [`Store`](store::Store) of [`Record`]s. What it says is decided apart from
//! sockets and files.

mod dialogue;
mod record;
mod service;
mod strays;

pub use record::Record;
pub use service::Ident;
pub use strays::stray_keys;
