//! JSON text taken apart one level at a time. Whatever a value contains, the values beside it can be read.

use std::collections::BTreeMap;
use std::iter;

use serde::de::IgnoredAny;
use serde_json::{Deserializer, Error, Value};

/// Text that is one JSON value.
#[derive(Clone, Copy)]
pub(crate) struct JsonText<'a>(&'a str);

/// What a [`JsonText`] is, one level deep.
pub(crate) enum Parts<'a> {
    /// Fields by name. A repeated one has its last value; one whose name is not Unicode is left out.
    Object(BTreeMap<String, JsonText<'a>>),
    Array(Vec<JsonText<'a>>),
    Scalar(Value),
    /// A number that no Rust type holds (`1e400`), or a string with half of a surrogate pair (`"\ud800"`). Both are
    /// JSON (RFC 8259, sections 6 and 8.2).
    Unreadable,
}

impl<'a> JsonText<'a> {
    /// # Errors
    ///
    /// When `text` is not JSON.
    pub(crate) fn new(text: &'a str) -> Result<Self, Error> {
        // Skipping a value, unlike reading it, uses no stack for its depth, and checks neither ranges nor surrogates.
        serde_json::from_str::<IgnoredAny>(text)?;
        Ok(Self(text.trim()))
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    pub(crate) fn is_string(self) -> bool {
        self.0.starts_with('"')
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    pub(crate) fn parts(self) -> Parts<'a> {
        if self.is_object() {
            Parts::Object(self.fields())
        } else if self.0.starts_with('[') {
            Parts::Array(self.values().collect())
        } else {
            serde_json::from_str(self.0).map_or(Parts::Unreadable, Parts::Scalar)
        }
    }

    pub(crate) fn fields(self) -> BTreeMap<String, JsonText<'a>> {
        let mut values = self.values();
        let fields = iter::from_fn(|| Some((values.next()?, values.next()?)));
        fields
            .filter_map(|(name, value)| Some((serde_json::from_str(name.0).ok()?, value)))
            .collect()
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

    /// Puts the parts together again.
    fn value(text: JsonText<'_>) -> Value {
        match text.parts() {
            Parts::Object(fields) => {
                let fields = fields.into_iter().map(|(name, text)| (name, value(text)));
                Value::Object(fields.collect())
            }
            Parts::Array(values) => Value::Array(values.into_iter().map(value).collect()),
            Parts::Scalar(value) => value,
            Parts::Unreadable => Value::from("unreadable"),
        }
    }

    fn read(text: &str) -> Value {
        value(JsonText::new(text).unwrap())
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
            "a": "unreadable", "b": ["unreadable", "unreadable", 3], "c": 5,
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
                prop_assert!(value(text).to_string().contains("unreadable"));
            }
        }
    }
}
