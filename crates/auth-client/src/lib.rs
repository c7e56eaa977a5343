//! The authentication client: logs in to an auth server, keeps the session's token as a browser keeps a cookie, and goes on
//! with it.
//!
//! [`Client`] runs over anything that reads and writes, with anything in place of a [`Person`].

mod asking;
mod client;
mod command;
mod error;
mod person;
mod table;
mod token_file;

pub use asking::Asking;
pub use client::Client;
pub use command::Command;
pub use error::Error;
pub use person::{Passwords, Person};
pub use token_file::{TokenFile, TokenFileError};
