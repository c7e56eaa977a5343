//! Dialogues over frames: each message is one JSON object, and each request gets one reply, in order.
//!
//! - [`serve`] is the server's loop. It calls a [`Handler`] for every request.
//! - [`Client`] sends a request and waits for the reply.
//!
//! Both work over anything that reads and writes. They do not know what the messages mean.

mod client;
mod error;
mod handler;

pub use client::Client;
pub use error::{ClientError, DialogueError};
pub use handler::{Handler, Response, serve};

#[cfg(test)]
mod wire;
