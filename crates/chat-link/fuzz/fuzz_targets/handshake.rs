//! Any datagram, before each step of a handshake.
#![no_main]

#[path = "../../tests/hostile/handshake.rs"]
mod handshake;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| handshake::check(bytes));
