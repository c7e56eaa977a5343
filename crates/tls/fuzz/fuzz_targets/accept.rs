//! Any bytes as the start of a connection to a server that speaks TLS and plaintext.
#![no_main]

#[path = "../../tests/hostile/accept.rs"]
mod accept;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| accept::check(bytes));
