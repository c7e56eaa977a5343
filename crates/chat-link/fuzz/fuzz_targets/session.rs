//! Any bytes as datagrams of a session.
#![no_main]

#[path = "../../tests/hostile/session.rs"]
mod session;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| session::check(bytes));
