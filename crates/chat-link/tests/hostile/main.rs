//! What must hold of any bytes that come from the network: for the seeds of the fuzz targets, which hold the crate to
//! the same properties, and for bytes that are nearly right.

mod handshake;
mod messages;
mod session;

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// The inputs with which the fuzz target of this name begins.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(target);
    let files = fs::read_dir(&folder).expect("the corpus is there");
    let mut paths: Vec<_> = files.map(|file| file.expect("it lists").path()).collect();
    paths.retain(|path| {
        path.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with("seed-"))
    });
    assert!(!paths.is_empty(), "no seeds in {}", folder.display());
    paths.sort();
    let read = |path| fs::read(path).expect("a seed can be read");
    paths.into_iter().map(read).collect()
}

/// A seed with some of its bytes changed, added or left out.
fn nearly(target: &str) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), any::<u8>(), 0..4u8);
    let changes = prop::collection::vec(change, 0..4);
    (prop::sample::select(seeds(target)), changes).prop_map(|(mut bytes, changes)| {
        for (at, byte, how) in changes {
            let at = at.index(bytes.len() + 1);
            match how {
                0 => bytes.insert(at, byte),
                1 => bytes.truncate(at),
                2 => bytes.extend_from_within(..at),
                _ => bytes
                    .iter_mut()
                    .skip(at)
                    .take(1)
                    .for_each(|old| *old = byte),
            }
        }
        bytes
    })
}

#[test]
fn the_seeds_of_the_fuzz_targets_pass() {
    for (target, check) in [
        ("handshake", handshake::check as fn(&[u8])),
        ("messages", messages::check),
        ("session", session::check),
    ] {
        seeds(target).iter().for_each(|seed| check(seed));
    }
}

proptest! {
    // A case of the first two is several handshakes.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_datagram_leaves_a_handshake_alone(
        any in prop::collection::vec(any::<u8>(), 0..200), nearly in nearly("handshake"),
    ) {
        handshake::check(&any);
        handshake::check(&nearly);
    }

    #[test]
    fn any_body_leaves_a_session_usable_or_over(
        any in prop::collection::vec(any::<u8>(), 0..200), nearly in nearly("session"),
    ) {
        session::check(&any);
        session::check(&nearly);
    }

    #[test]
    fn any_text_is_a_message_or_refused(any in "\\PC{0,60}", nearly in nearly("messages")) {
        messages::check(any.as_bytes());
        messages::check(&nearly);
    }
}
