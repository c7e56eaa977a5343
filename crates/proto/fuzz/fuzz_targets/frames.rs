//! Any bytes as a stream of frames, cut anywhere.
#![no_main]

#[path = "../../tests/hostile/frames.rs"]
mod frames;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frames::check(bytes));
