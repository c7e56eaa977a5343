//! Any bytes as a datagram of the chat.
#![no_main]

#[path = "../../tests/hostile/datagrams.rs"]
mod datagrams;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| datagrams::check(bytes));
