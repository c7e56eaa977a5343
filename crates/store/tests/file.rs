//! The store on a real file: what a person, a crash, another process or a newer version does to it.

use std::fs::{self, File};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use store::{Corruption, Error, Store};
use tempfile::TempDir;

/// A folder of its own and a file in it that may not exist yet.
fn test_file() -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a folder for the test");
    let path = folder.path().join("clients.jsonl");
    (folder, path)
}

#[test]
fn what_was_stored_is_there_after_a_restart() {
    let (folder, _) = test_file();
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
}

#[test]
fn a_file_is_open_once_and_its_lock_stays() {
    let (_folder, path) = test_file();
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
fn what_a_crash_left_is_cleaned_up() {
    let (folder, path) = test_file();
    let temp = folder.path().join("clients.jsonl.tmp");
    fs::write(&temp, "half a compaction").unwrap();
    fs::write(&path, "{\"key\":\"a\",\"value\":1}\n{\"key\":\"b\",\"va").unwrap();
    let store = Store::<u32>::open(&path).unwrap();
    assert!(!temp.exists());
    store.put("c", 3).unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "{\"key\":\"a\",\"value\":1}\n{\"key\":\"c\",\"value\":3}\n"
    );
}

#[test]
fn a_last_line_without_its_newline_gets_one() {
    let (_folder, path) = test_file();
    fs::write(&path, "{\"key\":\"a\",\"value\":1}").unwrap();
    let store = Store::<u32>::open(&path).unwrap();
    store.put("b", 2).unwrap();
    assert_eq!(
        fs::read_to_string(&path).unwrap(),
        "{\"key\":\"a\",\"value\":1}\n{\"key\":\"b\",\"value\":2}\n"
    );
}

#[test]
fn a_corrupt_file_is_refused_and_left_alone() {
    let (_folder, path) = test_file();
    let file = "{\"key\":\"a\",\"value\":1}\n\n{\"key\":\"b\",\"value\":\"\\u001b[2J\"}\n";
    fs::write(&path, file).unwrap();
    let error = Store::<u32>::open(&path).err().unwrap();
    let Error::Corrupt {
        line: 3,
        corruption: Corruption::Malformed { .. },
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
fn a_hard_link_opens_no_file_twice() {
    let (folder, path) = test_file();
    let store = Store::<u32>::open(&path).unwrap();
    if cfg!(unix) {
        let link = folder.path().join("link.jsonl");
        fs::hard_link(&path, &link).unwrap();
        assert!(matches!(
            Store::<u32>::open(&link),
            Err(Error::InUse { .. })
        ));
    }
    store.put("a", 1).unwrap();
}

#[cfg(unix)]
#[test]
fn a_removed_lock_file_opens_no_file_twice() {
    let (folder, path) = test_file();
    let store = Store::<u32>::open(&path).unwrap();
    let lock = folder.path().join("clients.jsonl.lock");
    for compactions in 0..2 {
        fs::remove_file(&lock).unwrap();
        assert!(
            matches!(Store::<u32>::open(&path), Err(Error::InUse { .. })),
            "after {compactions} compactions"
        );
        store
            .update(|all| (0..1_002).for_each(|value| all.put("a", value)))
            .unwrap();
        // Waits for the compaction.
        store.put("a", 1).unwrap();
    }
}

#[cfg_attr(windows, ignore = "Wine lets no open file be replaced")]
#[test]
fn a_file_that_was_replaced_removed_or_changed_takes_no_changes() {
    type Change = fn(&std::path::Path);
    let changes: [Change; 3] = [
        // As sed -i and most editors do.
        |path| {
            let new = path.with_extension("new");
            fs::copy(path, &new).unwrap();
            fs::rename(&new, path).unwrap();
        },
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, "{\"key\":\"b\",\"value\":1}\n{").unwrap(),
    ];
    for change in changes {
        let (_folder, path) = test_file();
        let store = Store::<u32>::open(&path).unwrap();
        store.put("a", 1).unwrap();
        change(&path);
        let left = fs::read_to_string(&path).ok();
        for _ in 0..2 {
            let error = store.update_and_erase(|all| all.put("a", 2)).unwrap_err();
            assert!(matches!(error, Error::Replaced { .. }), "{error}");
            let message = error.to_string();
            assert!(
                message.contains("was replaced, removed or changed"),
                "{message}"
            );
        }
        assert_eq!(store.get("a"), Some(1), "reads go on");
        drop(store);
        assert_eq!(fs::read_to_string(&path).ok(), left, "left alone");
    }
}

#[test]
fn erased_values_are_not_in_the_file() {
    let (_folder, path) = test_file();
    let store = Store::<String>::open(&path).unwrap();
    for number in 0..3 {
        let key = number.to_string();
        store.put(&key, format!("old {number}")).unwrap();
        store
            .update_and_erase(|all| all.put(&key, "new".to_owned()))
            .unwrap();
    }
    drop(store);
    let expected = ["0", "1", "2"].map(|key| format!("{{\"key\":\"{key}\",\"value\":\"new\"}}\n"));
    assert_eq!(fs::read_to_string(&path).unwrap(), expected.concat());
}

#[test]
fn a_closed_store_has_erased_and_takes_no_changes() {
    let (_folder, path) = test_file();
    let store = Store::<u32>::open(&path).unwrap();
    for key in ["a", "b"] {
        store.put(key, 1).unwrap();
        store.update_and_erase(|all| all.remove(key)).unwrap();
    }
    store.put("c", 2).unwrap();
    store.close();
    store.close();
    assert!(matches!(store.put("d", 3), Err(Error::Closed)));
    assert_eq!(store.get("c"), Some(2), "reads go on");
    let file = fs::read_to_string(&path).unwrap();
    assert_eq!(file, "{\"key\":\"c\",\"value\":2}\n");
    assert_eq!(Store::<u32>::open(&path).unwrap().get("c"), Some(2));
}

#[test]
fn what_is_no_file_is_refused() {
    let (folder, path) = test_file();
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
    let (_folder, path) = test_file();
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
