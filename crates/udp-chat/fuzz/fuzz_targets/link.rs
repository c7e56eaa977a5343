//! Any bytes as a script of what happens to two links.
#![no_main]

#[path = "../../tests/hostile/link.rs"]
mod link;

libfuzzer_sys::fuzz_target!(|script: &[u8]| link::check(script));
