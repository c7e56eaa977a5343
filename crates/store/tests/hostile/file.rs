//! Any bytes as a store's file, and then changes: a file that loads has the content of its lines, one that does not is
//! left alone, and every change is there when the file is loaded again.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use store::{Error, Store};

/// What a file says: the last line for each key, without the key.
type Said = BTreeMap<String, Map<String, Value>>;

/// Up to the first `#` it is the file, then come changes: a letter, a key of one character, and a
/// value that one stands for. `p` puts, `i` puts if there is none, `r` removes, `e` removes and erases, `c` puts a
/// thousand times, so that the file is compacted.
pub fn check(input: &[u8]) {
    let mark = input.iter().position(|&byte| byte == b'#');
    let (file, changes) = input.split_at(mark.unwrap_or(input.len()));
    let folder = tempfile::tempdir().expect("a folder for the file");
    let path = folder.path().join("file.jsonl");
    fs::write(&path, file).expect("the file can be written");

    let store = match Store::<Value>::open(&path) {
        Ok(store) => store,
        Err(error) => return check_refusal(&error, &path, file),
    };
    let repaired = read(&path);
    check_repaired(file, &repaired);
    let mut said = say(&repaired);
    assert_eq!(content(&store), values(&said));

    for change in changes.get(1..).unwrap_or(b"").chunks_exact(3) {
        make(change, &store, &mut said);
        assert_eq!(content(&store), values(&said));
    }
    assert_eq!(store.stats().records, said.len() as u64);
    drop(store);

    let file = read(&path);
    assert_eq!(say(&file), said, "fields of a person's own stay");
    let store = Store::<Value>::open(&path).expect("what a store wrote loads");
    assert_eq!(content(&store), values(&said));
    assert_eq!(read(&path), file, "there was nothing to repair");
}

fn check_refusal(error: &Error, path: &Path, file: &[u8]) {
    assert!(matches!(error, Error::Corrupt { .. }), "{error}");
    assert_eq!(read(path), file, "left alone");
    let message = error.to_string();
    assert!(
        message.len() < 3_000 && !message.contains(char::is_control),
        "{message:?}"
    );
}

/// Only a last line that lacks its newline is repaired: it gets one, or it is cut off.
fn check_repaired(file: &[u8], repaired: &[u8]) {
    let whole_lines = file.iter().rposition(|&byte| byte == b'\n');
    let cut = &file[..whole_lines.map_or(0, |at| at + 1)];
    let ended = [file, b"\n"].concat();
    assert!(
        repaired == file || repaired == cut || repaired == ended,
        "{}",
        repaired.escape_ascii()
    );
}

fn make(change: &[u8], store: &Store<Value>, said: &mut Said) {
    let (key, value) = (char::from(change[1]).to_string(), value(change[2]));
    match change[0] {
        b'p' => tell(
            store.put(&key, value.clone()).map(|()| true),
            key,
            value,
            said,
        ),
        b'i' => {
            let before = store.put_if_absent(&key, value.clone());
            if let Ok(before) = &before {
                assert_eq!(before.as_ref(), values(said).get(&key));
            }
            tell(before.map(|before| before.is_none()), key, value, said);
        }
        b'c' => {
            let many = store.update(|all| (0..1_002).for_each(|_| all.put(&key, value.clone())));
            tell(many.map(|()| true), key, value, said);
        }
        b'r' => {
            let removed = store.remove(&key).expect("a removal can be stored");
            assert_eq!(removed, said.remove(&key).is_some());
        }
        b'e' => {
            let removed = store.update_and_erase(|all| all.remove(&key));
            let removed = removed.expect("a removal can be stored");
            assert_eq!(removed, said.remove(&key).is_some());
        }
        _ => {}
    }
}

/// What is true after a change that was made, or was refused for its value.
fn tell(made: Result<bool, Error>, key: String, value: Value, said: &mut Said) {
    match made {
        Ok(false) => {}
        Ok(true) => _ = said.entry(key).or_default().insert("value".into(), value),
        Err(Error::InvalidValue(_)) => assert!(value.is_null() || value.is_array()),
        Err(error) => panic!("{error}"),
    }
}

/// Values that are simple, awkward, or cannot be kept.
fn value(byte: u8) -> Value {
    match byte {
        b'0' => Value::Null,
        b'1'..=b'9' => (0..16 * usize::from(byte - b'0')).fold(json!(0), |inner, _| json!([inner])),
        b'x' => json!("\u{1b}[2J\r\n\u{2028}\u{feff}\"\\\0"),
        b'z' => json!(0.1 + 0.2),
        byte => json!({ "value": byte, "key": null }),
    }
}

fn content(store: &Store<Value>) -> BTreeMap<String, Value> {
    let mut content = BTreeMap::new();
    store.for_each(|key, value| _ = content.insert(key.to_owned(), value.clone()));
    content
}

fn values(said: &Said) -> BTreeMap<String, Value> {
    let value = |(key, fields): (&String, &Map<_, Value>)| (key.clone(), fields["value"].clone());
    said.iter().map(value).collect()
}

/// The file as any program can read it.
fn say(file: &[u8]) -> Said {
    let file = file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file);
    let lines = file.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    let mut said = Said::new();
    for line in lines.filter(|line| !line.is_empty()) {
        let mut fields: Map<String, Value> = serde_json::from_slice(line).expect("it is loaded");
        let Some(Value::String(key)) = fields.remove("key") else {
            panic!("no key in {}", line.escape_ascii());
        };
        match fields["value"] {
            Value::Null => said.remove(&key),
            _ => said.insert(key, fields),
        };
    }
    said
}

fn read(path: &Path) -> Vec<u8> {
    fs::read(path).expect("the file is there")
}
