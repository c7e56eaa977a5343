//! The identification client: is greeted by an ident server, or gives it a name, and then runs commands.
//!
//! [`converse`] runs over anything that reads and writes. The user is behind a [`Console`](dialogue::Console): a
//! terminal, or files and pipes.

mod client;
mod command;
mod error;

pub use client::converse;
pub use error::Error;
