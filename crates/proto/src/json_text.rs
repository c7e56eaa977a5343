//! Reads JSON text so that a value that cannot be read does not hide the values beside it.

use std::iter;

use serde::de::IgnoredAny;
use serde_json::{Deserializer, Error, Map, Value};

/// Text that is one JSON value.
#[derive(Clone, Copy)]
pub(crate) struct JsonText<'a>(&'a str);

/// The deepest known message, a list of sessions, has three levels. Deeper values are in unknown fields.
const MAX_DEPTH: u8 = 8;

impl<'a> JsonText<'a> {
    /// # Errors
    ///
    /// When `text` is not JSON.
    pub(crate) fn new(text: &'a str) -> Result<Self, Error> {
        // Skipping a value, unlike reading it, uses no stack for its depth, and checks neither ranges nor surrogates.
        serde_json::from_str::<IgnoredAny>(text)?;
        Ok(Self(text.trim()))
    }

    /// The value. A repeated field has its last value; one whose name is not Unicode is left out.
    ///
    /// A number that no Rust type holds (`1e400`), a string with half of a surrogate pair (`"\ud800"`) and a value
    /// nested too deep are JSON too (RFC 8259, sections 6, 8.2 and 9). They become an object without fields, which no
    /// known field takes.
    pub(crate) fn read(self) -> Value {
        self.read_within(MAX_DEPTH)
    }

    fn read_within(self, depth: u8) -> Value {
        let unreadable = || Value::Object(Map::new());
        match self.0.as_bytes().first() {
            Some(b'{' | b'[') if depth == 0 => unreadable(),
            Some(b'{') => {
                let mut values = self.values();
                let fields = iter::from_fn(|| Some((values.next()?, values.next()?)));
                let read = fields.filter_map(|(name, value)| {
                    Some((
                        serde_json::from_str(name.0).ok()?,
                        value.read_within(depth - 1),
                    ))
                });
                Value::Object(read.collect())
            }
            Some(b'[') => self
                .values()
                .map(|value| value.read_within(depth - 1))
                .collect(),
            _ => serde_json::from_str(self.0).unwrap_or_else(|_| unreadable()),
        }
    }

    /// The elements of an array, or the names and values of an object in turn.
    fn values(self) -> impl Iterator<Item = JsonText<'a>> {
        let mut rest = &self.0[1..self.0.len() - 1];
        iter::from_fn(move || {
            // Nothing else stands between the values of an array or object.
            rest = rest.trim_start_matches([' ', '\t', '\n', '\r', ',', ':']);
            let mut stream = Deserializer::from_str(rest).into_iter::<IgnoredAny>();
            stream.next()?.ok()?;
            let (value, after) = rest.split_at(stream.byte_offset());
            rest = after;
            Some(JsonText(value))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Value {
        JsonText::new(text).unwrap().read()
    }

    #[test]
    fn values_are_found_between_what_separates_them() {
        for text in [
            "0",
            " [ ] ",
            "{}",
            "\t[1 ,-2.5e3\n,true,false,null,\"\",\"],:\\\"\\\\\",[[]],{}]\r\n",
            r#"{"a":1,"b" : {"a":[{}],"c":"}"},"":[],"a":"the last"}"#,
        ] {
            assert_eq!(read(text), serde_json::from_str::<Value>(text).unwrap());
        }
    }

    #[test]
    fn what_cannot_be_read_hides_nothing_else() {
        let text = r#"{"a":1e400,"b":["\ud800",-1e999,3],"\udfff":4,"c":5}"#;
        let expected = serde_json::json!({
            "a": {}, "b": [{}, {}, 3], "c": 5,
        });
        assert_eq!(read(text), expected);
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "nul",
            "01",
            "1.",
            "-",
            "+1",
            "1e",
            "[1,]",
            "[1 2]",
            "{\"a\"}",
            "{\"a\" 1}",
            "{1:2}",
            "{a:1}",
            "[",
            "]",
            "{}{}",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\n\"",
            "\u{feff}{}",
            "\u{a0}1",
            "[1}",
            "1e400x",
            "NaN",
        ] {
            assert!(JsonText::new(text).is_err(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn all_that_serde_json_reads_is_read_alike(text in r#"[\[\]{},:"a0-9eE.+ -]{0,24}"#) {
            if let Ok(expected) = serde_json::from_str::<Value>(&text) {
                prop_assert_eq!(read(&text), expected);
            } else if let Ok(text) = JsonText::new(&text) {
                // It is JSON all the same, so a number is out of range.
                let shown = text.read().to_string();
                prop_assert!(shown.contains("{}"), "{shown}");
            }
        }
    }
}
