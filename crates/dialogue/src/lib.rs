//! Dialogues over frames: each message is one JSON object, and each request gets one reply, in order.
//!
//! - [`serve`] is the server's loop. It calls a [`Handler`] for every request.
//! - [`Client`] sends a request and waits for the reply.
//! - [`Console`] reads the commands that a client turns into requests, and shows what comes of them.
//!
//! All work over anything that reads and writes. They do not know what the messages mean.

mod client;
mod command;
mod console;
mod error;
mod handler;
mod line;

pub use client::Client;
pub use command::{Commands, Line};
pub use console::{Console, ConsoleError};
pub use error::{ClientError, DialogueError};
pub use handler::{Handler, NETWORK_OVER_SHARE, Response, serve};
pub use line::{BadLine, read_line};

#[cfg(test)]
mod wire;
