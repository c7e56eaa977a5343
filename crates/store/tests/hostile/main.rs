//! What must hold of a store, whatever its file holds: for the seeds of the fuzz target, which holds
//! it to the same, and for files that are nearly right.

mod file;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

#[test]
fn the_seeds_of_the_fuzz_target_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/file");
    let mut count = 0;
    for seed in fs::read_dir(&folder).expect("the corpus is there") {
        let seed = seed.expect("it lists");
        if seed.file_name().to_string_lossy().starts_with("seed-") {
            println!("{}", seed.path().display());
            file::check(&fs::read(seed.path()).expect("a seed can be read"));
            count += 1;
        }
    }
    assert!(count > 0, "no seeds in {}", folder.display());
}

/// Lines of which some are damaged, the last one torn or not, and changes.
const NEARLY: &str = concat!(
    "(\u{feff})?",
    r#"((\{"key":"[a-c]","value":([0-9]|null|"\\\\u00[0-9][0-9]"|-?[0-9]\.[0-9]{17}e?[0-9])"#,
    r#"(,"note":(\[\]|[0-9]\.[0-9]{17}))?\}|[ \t]?)[ \r]?\n){0,6}"#,
    r#"(\{"key":"d","value":4\}?|\PC{0,9}\n?)?"#,
    "#([pire][a-e][0-9a-z]){0,5}(c[a-e][a-z]([pire][a-e][0-9a-z]){0,2})?",
);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_file_is_refused_or_keeps_what_it_says_and_what_is_put(nearly in NEARLY, any: Vec<u8>) {
        file::check(nearly.as_bytes());
        file::check(&any);
    }
}
