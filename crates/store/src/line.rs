//! One line of the file: a record, to bytes and back. It knows nothing of files or of other lines.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::{Corruption, InvalidValue};

/// The longest line, in bytes without its newline (1 MiB): a thousand times a user's record, and all that loading ever
/// holds of a file beside its records.
pub const MAX_LINE_BYTES: usize = 1 << 20;

/// Fields of a line beside `key` and `value`: a newer version's, or a person's notes.
pub(crate) type Unknown = serde_json::Map<String, serde_json::Value>;

/// What is kept of a key.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry<V> {
    pub(crate) value: V,
    pub(crate) unknown: Unknown,
}

/// A key and its new entry; `None` removes the key.
pub(crate) type Change<V> = (String, Option<Entry<V>>);

/// The content of a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record<V> {
    pub(crate) change: Change<V>,
    /// Older lines of this key must leave the file soon. Written into the line, so that a crash does not forget it.
    pub(crate) erase: bool,
}

/// Parses one line without its newline; `None` if it is blank. Spaces around the object are allowed.
pub(crate) fn parse<V: DeserializeOwned>(line: &[u8]) -> Result<Option<Record<V>>, Corruption> {
    #[derive(Deserialize)]
    #[serde(bound = "V: DeserializeOwned")]
    struct Line<V> {
        key: String,
        // serde lets a plain `Option` field be missing, so a line without a value would delete.
        #[serde(deserialize_with = "Option::deserialize")]
        value: Option<V>,
        #[serde(default)]
        erase: bool,
        #[serde(flatten)]
        unknown: Unknown,
    }

    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let Line {
        key,
        value,
        erase,
        unknown,
    } = serde_json::from_slice(line).map_err(malformed)?;
    let change = (key, value.map(|value| Entry { value, unknown }));
    Ok(Some(Record { change, erase }))
}

/// Appends the line for `key` and its newline to `out`. [`parse`] accepts every line that this appends: a value that
/// could not be loaded again is refused here, before it can stop the next start.
pub(crate) fn encode<V>(
    key: &str,
    entry: Option<&Entry<V>>,
    erase: bool,
    out: &mut Vec<u8>,
) -> Result<(), InvalidValue>
where
    V: Serialize + DeserializeOwned,
{
    #[derive(Serialize)]
    struct Line<'a, V> {
        key: &'a str,
        value: Option<&'a V>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        erase: bool,
        #[serde(flatten)]
        unknown: Option<&'a Unknown>,
    }

    let start = out.len();
    let line = Line {
        key,
        value: entry.map(|entry| &entry.value),
        erase,
        unknown: entry.map(|entry| &entry.unknown),
    };
    let checked = serde_json::to_writer(&mut *out, &line)
        .map_err(|error| InvalidValue::NotReadable {
            message: error.to_string(),
        })
        .and_then(|()| read_back::<V>(&out[start..], entry.is_some()));
    match checked {
        Ok(()) => out.push(b'\n'),
        Err(_) => out.truncate(start),
    }
    checked
}

fn read_back<V: DeserializeOwned>(line: &[u8], has_value: bool) -> Result<(), InvalidValue> {
    let not_readable = |message| Err(InvalidValue::NotReadable { message });
    if line.len() > MAX_LINE_BYTES {
        return Err(InvalidValue::TooLong {
            length: line.len(),
            limit: MAX_LINE_BYTES,
        });
    }
    match parse::<V>(line) {
        Ok(Some(record)) if record.change.1.is_some() == has_value => Ok(()),
        Ok(_) => not_readable("it is null, which removes the key".to_owned()),
        Err(corruption) => not_readable(corruption.to_string()),
    }
}

fn malformed(error: serde_json::Error) -> Corruption {
    let message = error.to_string();
    // serde_json counts lines from this one; the caller knows the number in the file.
    let place = format!(" at line {} column {}", error.line(), error.column());
    let message = message.strip_suffix(&place).unwrap_or(&message).to_owned();
    Corruption::Malformed {
        column: error.column(),
        message,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn entry<V>(value: V) -> Option<Entry<V>> {
        Some(Entry {
            value,
            unknown: Unknown::new(),
        })
    }

    #[test]
    fn lines_are_what_the_documentation_shows() {
        let mut out = Vec::new();
        encode(
            "192.0.2.7",
            entry("Аня".to_owned()).as_ref(),
            false,
            &mut out,
        )
        .unwrap();
        encode::<String>("192.0.2.7", None, true, &mut out).unwrap();
        let expected = "{\"key\":\"192.0.2.7\",\"value\":\"Аня\"}\n\
                        {\"key\":\"192.0.2.7\",\"value\":null,\"erase\":true}\n";
        assert_eq!(out, expected.as_bytes());
    }

    #[test]
    fn a_line_edited_by_hand_parses() {
        let line = b" \t{ \"value\" : 7 , \"note\": \"by hand\", \"key\":\"a\" } \r";
        let record = parse::<u32>(line).unwrap().unwrap();
        let (key, entry) = (record.change.0, record.change.1.unwrap());
        assert_eq!((key.as_str(), entry.value), ("a", 7));
        assert_eq!(
            serde_json::Value::Object(entry.unknown),
            json!({"note": "by hand"})
        );
        assert_eq!(parse::<u32>(b"  \r"), Ok(None));
    }

    #[test]
    fn what_is_no_record_is_corruption() {
        let lines: [&[u8]; 9] = [
            b"{\"key\":\"a\"}",
            b"{\"value\":1}",
            b"{\"key\":\"a\",\"value\":\"text\"}",
            b"{\"key\":\"a\",\"value\":1,\"value\":2}",
            b"{\"key\":\"a\",\"value\":1} {}",
            b"{\"key\":\"a\",\"value\":1,\"erase\":1}",
            b"{\"key\":\"a\xff\",\"value\":1}",
            b"[]",
            b"\0\0\0",
        ];
        for line in lines {
            assert!(
                matches!(parse::<u32>(line), Err(Corruption::Malformed { .. })),
                "{}",
                line.escape_ascii()
            );
        }
        let Err(Corruption::Malformed { column, message }) = parse::<u32>(b"{\"key\":\"a\"}")
        else {
            panic!()
        };
        assert_eq!((column, message.as_str()), (11, "missing field `value`"));
    }

    #[test]
    fn the_place_of_corruption_is_a_byte_of_the_line() {
        for (line, expected) in [
            ("{\"key\":\"a\"", 10),
            ("{\"key\":\"a\",\"value\":1", 20),
            ("{\"key\":\"a\",\"value\":x}", 20),
            ("x", 1),
        ] {
            let corruption = parse::<u32>(line.as_bytes()).unwrap_err();
            assert!(
                matches!(corruption, Corruption::Malformed { column, .. } if column == expected),
                "{line}: {corruption:?}"
            );
        }
    }

    #[test]
    fn a_value_that_would_not_load_is_refused_and_leaves_no_bytes() {
        let mut out = b"before".to_vec();
        let nan = encode("a", entry(f64::NAN).as_ref(), false, &mut out);
        assert!(
            matches!(nan, Err(InvalidValue::NotReadable { .. })),
            "{nan:?}"
        );
        let null = encode("a", entry(()).as_ref(), false, &mut out);
        assert!(
            matches!(null, Err(InvalidValue::NotReadable { .. })),
            "{null:?}"
        );
        let deep = (0..127).fold(json!(1), |inner, _| json!([inner]));
        let deep = encode("a", entry(deep).as_ref(), false, &mut out);
        assert!(
            matches!(deep, Err(InvalidValue::NotReadable { .. })),
            "{deep:?}"
        );
        let around = r#"{"key":"a","value":""}"#.len();
        let long = encode(
            "a",
            entry("x".repeat(MAX_LINE_BYTES - around + 1)).as_ref(),
            false,
            &mut out,
        );
        assert_eq!(
            long,
            Err(InvalidValue::TooLong {
                length: MAX_LINE_BYTES + 1,
                limit: MAX_LINE_BYTES
            })
        );
        assert_eq!(out, b"before");
        encode(
            "a",
            entry("x".repeat(MAX_LINE_BYTES - around)).as_ref(),
            false,
            &mut out,
        )
        .unwrap();
    }

    proptest! {
        #[test]
        fn every_record_comes_back(
            key: String,
            value: Option<String>,
            erase: bool,
            name in "[a-z]{1,8}",
            note: String,
            number in proptest::num::f64::NORMAL,
        ) {
            prop_assume!(!["key", "value", "erase"].contains(&name.as_str()));
            let unknown = Unknown::from_iter([(name, json!([note, number]))]);
            let entry = value.map(|value| Entry { value, unknown });
            let mut out = Vec::new();
            encode(&key, entry.as_ref(), erase, &mut out).unwrap();
            prop_assert_eq!(out.iter().filter(|&&byte| byte == b'\n').count(), 1);
            let record = Record { change: (key, entry), erase };
            prop_assert_eq!(parse(out.strip_suffix(b"\n").unwrap()).unwrap(), Some(record));
        }
    }
}
