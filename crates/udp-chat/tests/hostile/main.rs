//! What must hold of the link, whatever happens to it: for the seeds of the fuzz target, which
//! holds it to the same, and for scripts out of the letters that mean something.

mod link;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[test]
fn the_seeds_of_the_fuzz_target_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/link");
    let mut count = 0;
    for file in fs::read_dir(&folder).expect("the corpus is there") {
        let file = file.expect("it lists");
        if file.file_name().to_string_lossy().starts_with("seed-") {
            println!("{}", file.path().display());
            link::check(&fs::read(file.path()).expect("a seed can be read"));
            count += 1;
        }
    }
    assert!(count > 0, "no seeds in {}", folder.display());
}

/// Both ends say this much before anything goes wrong.
const BEGINNING: &str = "s0 s1 d0 d1 w9 d0 d1 ";

fn scripts(steps: &'static str) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(steps, 0..80)
        .prop_map(|steps| (BEGINNING.to_owned() + &steps.concat()).into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn on_any_network_each_message_arrives_once_in_order_or_is_known_not_to(
        script in scripts("s[0-9]|[dD][0-?]{1,2}|d[0-9]d[0-9]d[0-9]|l[0-9]|[wo][0-~]|i[01]|b[01]|F[01][dapob][0-9]{4}"),
        ending in "(q[01])?",
    ) {
        link::check(&[&script[..], ending.as_bytes()].concat());
    }

    #[test]
    fn a_stranger_who_knows_the_session_breaks_and_swells_nothing(
        script in scripts("s[0-9]|d[0-9]d[0-9]|w[0-~]|f[01][dapob]([0-9]{4}|[0-Z]000|/[0-9]{3}|[0-9]/[0-9]{2}|[0-9]{2}//)|c[0-9]\\PC[0-9\"x]"),
    ) {
        link::check(&script);
    }
}
