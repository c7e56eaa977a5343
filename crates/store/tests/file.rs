//! The store on a real file: what a person, a crash, another process or a newer version does to it.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use store::{Damage, Error, Store};
use tempfile::TempDir;

/// A folder of its own and a file in it that may not exist yet.
fn place() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder for the test");
    let path = folder.path().join("clients.jsonl");
    (folder, path)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path)
        .expect("the file is there")
        .permissions()
        .mode()
        & 0o777
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let (folder, _) = place();
    let path = folder.path().join("not/yet/there.jsonl");
    let store = Store::open(&path).unwrap();
    assert_eq!(
        store.put_if_absent("192.0.2.7", "Аня".to_owned()).unwrap(),
        None
    );
    assert_eq!(
        store
            .put_if_absent("192.0.2.7", "Bob".to_owned())
            .unwrap()
            .unwrap(),
        "Аня"
    );
    store.put("192.0.2.9", "Bob".to_owned()).unwrap();
    assert!(store.remove("192.0.2.9").unwrap());
    assert!(!store.remove("192.0.2.9").unwrap());
    drop(store);

    let store = Store::<String>::open(&path).unwrap();
    assert_eq!(store.get("192.0.2.7").unwrap(), "Аня");
    assert_eq!((store.stats().records, store.stats().lines), (1, 3));
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_file_is_open_once_and_its_lock_stays() {
    let (_folder, path) = place();
    let store = Store::<u32>::open(&path).unwrap();
    let second = Store::<u32>::open(&path).err().unwrap();
    assert!(matches!(&second, Error::InUse { path: named } if *named == path));
    assert!(
        second.to_string().ends_with(
            "clients.jsonl is in use by another process; stop it or choose another file"
        )
    );
    (0..2_000).for_each(|value| store.put("a", value % 7).unwrap());
    assert!(store.stats().compactions > 0);
    assert!(
        matches!(Store::<u32>::open(&path), Err(Error::InUse { .. })),
        "compacted, still held"
    );
    drop(store);
    assert!(path.with_extension("jsonl.lock").exists());
    let store = Store::<u32>::open(&path).unwrap();
    assert_eq!(
        store.get("a"),
        Some(1_999 % 7),
        "what came after the compaction went to the new file"
    );
}

#[test]
fn a_compacted_file_is_small_private_and_where_it_was() {
    let (folder, path) = place();
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

#[test]
fn what_a_crash_left_is_cleaned_up() {
    let (folder, path) = place();
    let draft = folder.path().join("clients.jsonl.tmp");
    fs::write(&draft, "half a compaction").unwrap();
    fs::write(&path, "{\"key\":\"a\",\"value\":1}\n{\"key\":\"b\",\"va").unwrap();
    let store = Store::<u32>::open(&path).unwrap();
    assert!(!draft.exists());
    store.put("c", 3).unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "{\"key\":\"a\",\"value\":1}\n{\"key\":\"c\",\"value\":3}\n"
    );
}

#[test]
fn a_last_line_without_its_newline_gets_one() {
    let (_folder, path) = place();
    fs::write(&path, "{\"key\":\"a\",\"value\":1}").unwrap();
    let store = Store::<u32>::open(&path).unwrap();
    store.put("b", 2).unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "{\"key\":\"a\",\"value\":1}\n{\"key\":\"b\",\"value\":2}\n"
    );
}

#[test]
fn a_damaged_file_is_refused_and_left_alone() {
    let (_folder, path) = place();
    let file = "{\"key\":\"a\",\"value\":1}\n\n{\"key\":\"b\",\"value\":\"\\u001b[2J\"}\n";
    fs::write(&path, file).unwrap();
    let error = Store::<u32>::open(&path).err().unwrap();
    let Error::Damaged {
        line: 3,
        damage: Damage::Malformed { .. },
        ..
    } = &error
    else {
        panic!("{error}")
    };
    let message = error.to_string();
    assert!(
        message.contains("clients.jsonl is damaged at line 3: invalid type: string"),
        "{message}"
    );
    assert!(!message.contains('\u{1b}'), "{message:?}");
    assert_eq!(fs::read_to_string(&path).unwrap(), file);
}

#[test]
fn what_is_no_file_is_refused() {
    let (folder, path) = place();
    assert!(matches!(
        Store::<u32>::open(folder.path()),
        Err(Error::Open { .. })
    ));
    File::create(&path).unwrap();
    let below_a_file = Store::<u32>::open(&path.join("clients.jsonl"));
    assert!(matches!(below_a_file, Err(Error::Open { .. })));
}

/// As the documentation advises: what this version does not know, it keeps.
#[derive(Clone, Serialize, Deserialize)]
struct User {
    hash: String,
    #[serde(flatten)]
    unknown: serde_json::Map<String, serde_json::Value>,
}

#[test]
fn what_a_newer_version_wrote_is_kept() {
    let (_folder, path) = place();
    fs::write(
        &path,
        r#"{"key":"anna","value":{"hash":"old","since":7},"by":"v2"}"#,
    )
    .unwrap();
    let store = Store::<User>::open(&path).unwrap();
    let rehash = |hash: &str| {
        store.update(|all| {
            let user = User {
                hash: hash.to_owned(),
                ..all.get("anna").unwrap().clone()
            };
            all.put("anna", user);
        })
    };
    let kept = r#"{"key":"anna","value":{"hash":"new","since":7},"by":"v2"}"#;
    rehash("new").unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap().lines().last().unwrap(),
        kept
    );
    (0..1_000).for_each(|_| rehash("new").unwrap());
    drop(store);
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        format!("{kept}\n"),
        "compacted"
    );
}
