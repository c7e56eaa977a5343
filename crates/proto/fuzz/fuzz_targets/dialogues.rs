//! Any text as a message of ident or auth, from either side.
#![no_main]

#[path = "../../tests/hostile/dialogues.rs"]
mod dialogues;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dialogues::check(bytes));
