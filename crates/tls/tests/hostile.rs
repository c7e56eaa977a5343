//! Hostile first bytes, made up and from the fuzzer's corpus.

#[path = "hostile/accept.rs"]
mod accept;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[test]
fn the_corpus_is_survived() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/accept");
    let mut files = 0;
    for file in fs::read_dir(corpus).expect("the corpus is in the repository") {
        let bytes = fs::read(file.expect("a file").path()).expect("a readable file");
        // Each of its beginnings, too.
        (0..=bytes.len()).for_each(|length| accept::check(&bytes[..length]));
        files += 1;
    }
    assert!(files >= 3, "{files}");
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
