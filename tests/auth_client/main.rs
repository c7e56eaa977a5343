//! `auth-client` as a person and a script use it, against a server inside the test.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod pipe;
mod server;
mod strange;
mod terminal;
mod tls;
mod token_file;
