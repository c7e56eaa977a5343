//! Any text as a message of the chat, from either side.
#![no_main]

#[path = "../../tests/hostile/messages.rs"]
mod messages;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| messages::check(bytes));
