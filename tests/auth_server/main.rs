//! Tests of `auth-server` as clients, administrators and attackers use it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod accounts;
mod console;
mod deaf;
#[path = "../dialogue/client.rs"]
mod dialogue_client;
#[path = "../dialogue/server.rs"]
mod dialogue_server;
mod disk;
mod flood;
mod guessing;
mod hostile;
mod kills;
#[path = "../dialogue/log_lines.rs"]
mod log_lines;
mod notes;
mod owner;
mod secrets;
mod security_log;
mod server;
mod sessions;
mod simulated_users;
mod tls;
