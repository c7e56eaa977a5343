//! Hostile first bytes, made up and from the fuzzer's corpus.

#[path = "hostile/accept.rs"]
mod accept;

use proptest::prelude::*;
use testbed::fuzz_seeds;

#[test]
fn the_corpus_is_survived() {
    for bytes in fuzz_seeds(env!("CARGO_MANIFEST_DIR"), "accept") {
        // Each of its beginnings, too.
        (0..=bytes.len()).for_each(|length| accept::check(&bytes[..length]));
    }
}

proptest! {
    #[test]
    fn any_bytes_are_survived(mut bytes in prop::collection::vec(any::<u8>(), 0..300), is_tls in any::<bool>()) {
        if let (true, Some(first)) = (is_tls, bytes.first_mut()) {
            *first = 0x16;
        }
        accept::check(&bytes);
    }
}
