//! `udp-chat serve`, the real program, under clients made of the crate's own link.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "chat_serve/client.rs"]
mod client;
#[path = "chat_serve/hostile.rs"]
mod hostile;
#[path = "chat_serve/life.rs"]
mod life;
#[path = "chat_serve/network.rs"]
mod network;

use testbed::{Program, Running};

fn program(flags: &[&str]) -> Program {
    Program::new(env!("CARGO_BIN_EXE_udp-chat"))
        .env("LAB_UDP_CHAT_HOST", "127.0.0.1")
        .env("LAB_UDP_CHAT_PORT", "0")
        .arg("serve")
        .args(flags)
}

fn server(flags: &[&str]) -> Running {
    program(flags).spawn()
}
