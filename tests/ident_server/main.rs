//! `ident-server` as its clients and its owner meet it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod console;
mod deaf;
mod descriptors;
mod dialogue;
#[path = "../dialogue/client.rs"]
mod dialogue_client;
#[path = "../dialogue/server.rs"]
mod dialogue_server;
mod disk;
mod file;
mod flood;
mod hostile;
mod kills;
#[path = "../dialogue/log_lines.rs"]
mod log_lines;
mod many;
mod server;
