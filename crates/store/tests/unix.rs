//! The store on a real file: modes and symbolic links.
#![cfg(unix)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use store::Store;

fn mode(path: &Path) -> u32 {
    let found = fs::metadata(path).expect("the file is there");
    found.permissions().mode() & 0o777
}

#[test]
fn a_new_file_is_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clients.jsonl");
    let _store = Store::<u32>::open(&path).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&folder.path().join("clients.jsonl.lock")), 0o600);
}

#[test]
fn a_compacted_file_is_small_private_and_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clients.jsonl");
    let target = folder.path().join("target.jsonl");
    fs::write(
        &target,
        "{\"key\":\"b\",\"value\":1,\"note\":\"by hand\"}\n",
    )
    .unwrap();
    fs::set_permissions(&target, Permissions::from_mode(0o644)).unwrap();
    symlink(&target, &path).unwrap();
    let store = Store::<u32>::open(&path).unwrap();
    assert_eq!(mode(&target), 0o600, "made private");
    store
        .update(|all| (0..1_001).for_each(|value| all.put("a", value)))
        .unwrap();
    store.put("b", 2).unwrap();
    drop(store);
    assert!(path.is_symlink(), "the link still leads to the file");
    assert_eq!(
        fs::read_to_string(&target).unwrap(),
        "{\"key\":\"a\",\"value\":1000}\n{\"key\":\"b\",\"value\":2,\"note\":\"by hand\"}\n"
    );
    assert_eq!(mode(&target), 0o600);
    assert!(!folder.path().join("target.jsonl.tmp").exists());
}
