//! The authentication client: logs in to an auth server, keeps the session's token as a browser keeps a cookie, and
//! uses it at the next start.
//!
//! [`Client`] runs over anything that reads and writes. The user is behind a [`Console`](dialogue::Console): a
//! terminal, or files and pipes.

mod client;
mod command;
mod error;
mod failures;
mod passwords;
mod server;
mod table;
mod token_file;

pub use client::Client;
pub use command::Command;
pub use error::Error;
pub use passwords::Passwords;
pub use server::Server;
pub use token_file::TokenFile;
