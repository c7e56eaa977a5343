//! What must hold of any bytes that come from the network: for the seeds of the fuzz targets, which
//! hold the library to the same properties, and for bytes that are nearly right.

mod dialogues;
mod frames;

use proptest::prelude::*;
use proptest::sample::Index;
use testbed::{changed_seed, fuzz_seeds};

fn seeds(target: &str) -> Vec<Vec<u8>> {
    fuzz_seeds(env!("CARGO_MANIFEST_DIR"), target)
}

fn nearly(target: &str) -> impl Strategy<Value = Vec<u8>> {
    changed_seed(seeds(target))
}

/// Frames, some of them damaged, after the byte that cuts them into pieces.
fn streams() -> impl Strategy<Value = Vec<u8>> {
    let frame = prop_oneof![
        8 => ".{0,60}".prop_map(|text| {
            [&u32::try_from(text.len()).expect("it is short").to_be_bytes()[..], text.as_bytes()].concat()
        }),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => Just(b"\0\0\0\x02\xd0b".to_vec()),
    ];
    let frames = prop::collection::vec(frame, 0..12);
    (any::<u8>(), frames).prop_map(|(size, frames)| [vec![size], frames.concat()].concat())
}

#[test]
fn the_seeds_of_the_fuzz_targets_pass() {
    seeds("frames").iter().for_each(|seed| frames::check(seed));
    seeds("dialogues")
        .iter()
        .for_each(|seed| dialogues::check(seed));
}

proptest! {
    #[test]
    fn any_stream_is_received_alike(stream in streams(), cut: Index, nearly in nearly("frames")) {
        frames::check(&stream[..cut.index(stream.len() + 1)]);
        frames::check(&nearly);
    }

    #[test]
    fn any_text_is_a_message_or_refused(any in "\\PC{0,60}", nearly in nearly("dialogues")) {
        dialogues::check(any.as_bytes());
        dialogues::check(&nearly);
    }
}
