//! What must hold of any bytes that come from the network: for the seeds of the fuzz targets, which hold the crate to
//! the same properties, and for bytes that are nearly right.

mod handshake;
mod messages;
mod session;

use proptest::prelude::*;
use testbed::{changed_seed, fuzz_seeds};

fn seeds(target: &str) -> Vec<Vec<u8>> {
    fuzz_seeds(env!("CARGO_MANIFEST_DIR"), target)
}

fn nearly(target: &str) -> impl Strategy<Value = Vec<u8>> {
    changed_seed(seeds(target))
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
