//! Inputs for tests of what must hold of any bytes: the seeds of a fuzz target, and seeds with changes.

use std::fs;
use std::path::Path;

use proptest::prelude::*;

/// The inputs with which the fuzz target of this name begins. `crate_folder` is the `CARGO_MANIFEST_DIR` of its crate.
pub fn fuzz_seeds(crate_folder: &str, target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(crate_folder).join("fuzz/corpus").join(target);
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

/// One of the seeds with a few changes, which make it nearly right.
pub fn changed_seed(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec(any::<(u16, u8, u8)>(), 0..4);
    (prop::sample::select(seeds), changes).prop_map(|(seed, changes)| with_changes(seed, &changes))
}

/// A seed with some of its bytes put elsewhere, changed, or left out. A change is a position, a byte and a kind.
fn with_changes(mut seed: Vec<u8>, changes: &[(u16, u8, u8)]) -> Vec<u8> {
    for &(at, byte, kind) in changes {
        let at = usize::from(at) % (seed.len() + 1);
        match kind % 4 {
            0 => seed.insert(at, byte),
            1 => seed.truncate(at),
            2 => seed.extend_from_within(..at),
            _ => seed.iter_mut().skip(at).take(1).for_each(|old| *old = byte),
        }
    }
    seed
}
