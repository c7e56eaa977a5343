//! Any bytes as a store's file, and changes to it.
#![no_main]

#[path = "../../tests/hostile/file.rs"]
mod file;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| file::check(bytes));
