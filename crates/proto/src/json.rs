//! Parses JSON text as a typed message, with errors that never quote the text: a password may be anywhere in it.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{self, DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::Value;

use crate::error::RecvError;
use crate::invalid_message::InvalidMessage;
use crate::json_text::JsonText;

/// Parses `text` as a message. A repeated field takes its last value. Unknown fields may contain any JSON, nested
/// however deep.
///
/// # Errors
///
/// [`RecvError::NotJson`], or [`RecvError::UnknownMessage`] when it is JSON but not an object
/// with the fields of a message.
pub fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, RecvError> {
    let value = JsonText::new(text).map_err(RecvError::NotJson)?.read();
    // Derived code reads an array as an object's fields in order.
    if !value.is_object() {
        return Err(RecvError::UnknownMessage(InvalidMessage(
            "a message is a JSON object".into(),
        )));
    }
    // Derived code accepts a number as the index of a variant.
    if value.get("type").is_some_and(|kind| !kind.is_string()) {
        return Err(RecvError::UnknownMessage(InvalidMessage(
            "the type of a message is a string".into(),
        )));
    }
    T::deserialize(Json(value)).map_err(RecvError::UnknownMessage)
}

/// A JSON value whose errors are [`InvalidMessage`]s. Those of `serde_json` quote it.
struct Json(Value);

impl<'de> Deserializer<'de> for Json {
    type Error = InvalidMessage;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidMessage> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), ..) => visitor.visit_u64(value),
                (_, Some(value), _) => visitor.visit_i64(value),
                (.., Some(value)) => visitor.visit_f64(value),
                _ => Err(de::Error::custom("a number is out of range")),
            },
            Value::String(text) => visitor.visit_string(text),
            Value::Array(values) => {
                SeqDeserializer::new(values.into_iter().map(Json)).deserialize_any(visitor)
            }
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, Json(value)));
                MapDeserializer::new(fields).deserialize_any(visitor)
            }
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, InvalidMessage> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, InvalidMessage> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, InvalidMessage> {
        match self.0 {
            Value::String(text) => text
                .into_deserializer()
                .deserialize_enum(name, variants, visitor),
            _ => Err(de::Error::custom("a value has to be a string")),
        }
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, InvalidMessage> for Json {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(tag = "type", rename_all = "snake_case")]
    enum Message {
        Plain,
        Full {
            text: String,
            number: u64,
            #[serde(default)]
            maybe: Option<Mood>,
            #[serde(default)]
            list: Vec<i8>,
        },
    }

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Mood {
        Good,
    }

    fn error(json: &str) -> String {
        match from_json::<Message>(json) {
            Err(RecvError::UnknownMessage(error)) => format!("{error} {error:?}"),
            other => panic!("{json}: {other:?}"),
        }
    }

    #[test]
    fn objects_of_known_types_are_messages() {
        assert_eq!(
            from_json::<Message>(r#"{"type":"plain","new":[{}]}"#).unwrap(),
            Message::Plain
        );
        let full = r#"{"number":3,"type":"full","text":"я","maybe":"good","list":[-1,2]}"#;
        assert_eq!(
            from_json::<Message>(full).unwrap(),
            Message::Full {
                text: "я".into(),
                number: 3,
                maybe: Some(Mood::Good),
                list: vec![-1, 2],
            }
        );
        let null = r#"{"type":"full","text":"","number":3,"maybe":null}"#;
        assert!(matches!(
            from_json(null),
            Ok(Message::Full { maybe: None, .. })
        ));
    }

    #[test]
    fn errors_name_what_is_known_and_quote_nothing() {
        for (json, expected) in [
            (r#""hunter22""#, "a JSON object"),
            (r#"["plain","hunter22"]"#, "a JSON object"),
            (r#"{"hunter22":1}"#, "`type`"),
            (r#"{"type":"hunter22"}"#, "plain, full"),
            (r#"{"type":{"hunter22":[]}}"#, "type"),
            (r#"{"type":"full","text":"hunter22"}"#, "`number`"),
            (
                r#"{"type":"full","text":"hunter22","number":"hunter22"}"#,
                "u64",
            ),
            (
                r#"{"type":"full","text":["hunter22"],"number":1}"#,
                "a string",
            ),
            (
                r#"{"type":"full","text":"","number":1,"maybe":"hunter22"}"#,
                "good",
            ),
            (
                r#"{"type":"full","text":"","number":1,"maybe":{"hunter22":1}}"#,
                "good",
            ),
        ] {
            let error = error(json);
            assert!(
                error.contains(expected) && !error.contains("hunter22"),
                "{json}: {error}"
            );
        }
        for (json, value) in [
            (r#"{"type":"full","text":87654321,"number":1}"#, "87654321"),
            (
                r#"{"type":"full","text":"","number":-87654321}"#,
                "87654321",
            ),
            (r#"{"type":"full","text":"","number":1.875}"#, "875"),
            (
                r#"{"type":"full","text":"","number":1,"list":[999]}"#,
                "999",
            ),
        ] {
            let error = error(json);
            assert!(!error.contains(value), "{json}: {error}");
        }
    }

    #[test]
    fn enums_are_read_in_plain_objects_too() {
        #[derive(Debug, Deserialize)]
        struct Plain {
            mood: Mood,
        }
        let read = |json| from_json::<Plain>(json).map_err(|error| error.to_string());
        assert_eq!(read(r#"{"mood":"good"}"#).unwrap().mood, Mood::Good);
        for json in [r#"{"mood":"hunter22"}"#, r#"{"mood":{"hunter22":1}}"#] {
            let error = read(json).unwrap_err();
            assert!(!error.contains("hunter22"), "{error}");
        }
    }

    #[test]
    fn text_that_is_no_json_is_not_quoted_either() {
        for text in [
            "hunter22",
            r#"{"type":"plain"} hunter22"#,
            r#"{"hunter22"#,
            r#"{"a":hunter22}"#,
        ] {
            match from_json::<Message>(text) {
                Err(error @ RecvError::NotJson(_)) => {
                    let shown = format!("{error} {error:?}");
                    assert!(!shown.contains("hunter22"), "{shown}");
                }
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn unknown_fields_may_contain_any_json() {
        for value in [
            "1e400",
            "-1e999",
            r#""\ud800""#,
            r#"{"\udfff":1}"#,
            "[[[[[[[[[[1e400]]]]]]]]]]",
        ] {
            for json in [
                format!(r#"{{"type":"plain","new":{value}}}"#),
                format!(r#"{{"new":[{value},{{"type":{value}}}],"text":{value},"type":"plain"}}"#),
                format!(r#"{{"\ud800":{value},"type":{value},"type":"plain"}}"#),
            ] {
                assert_eq!(
                    from_json::<Message>(&json).unwrap(),
                    Message::Plain,
                    "{json}"
                );
            }
            for json in [
                format!(r#"{{"type":"full","text":{value},"number":1}}"#),
                format!(r#"{{"type":"full","text":"","number":{value}}}"#),
                format!(r#"{{"type":"full","text":"","number":1,"maybe":{value}}}"#),
                format!(r#"{{"type":"full","text":"","number":1,"list":[{value}]}}"#),
            ] {
                error(&json);
            }
        }
        for json in [
            r#"{"type":"\ud800"}"#,
            r#"{"type":1e400}"#,
            "1e400",
            r#""\ud800""#,
        ] {
            error(json);
        }
    }

    #[test]
    fn nesting_uses_no_stack_however_deep() {
        let read_all = || {
            for [open, close] in [["[", "]"], [r#"{"a":"#, "}"]] {
                let levels = (crate::MAX_DIALOGUE_BYTES - 100) / (open.len() + close.len());
                let deep = format!("{}0{}", open.repeat(levels), close.repeat(levels));
                let unknown_field = format!(r#"{{"type":"plain","x":{deep}}}"#);
                assert_eq!(
                    from_json::<Message>(&unknown_field).unwrap(),
                    Message::Plain
                );
                error(&format!(r#"{{"text":{deep},"type":"full","number":1}}"#));
                error(&deep);
                let secret = format!(r#"{{"type":"resume","token":{deep}}}"#);
                assert!(matches!(
                    from_json::<crate::auth::Request>(&secret),
                    Err(RecvError::UnknownMessage(_))
                ));
                let cut_off = from_json::<Message>(&deep[..deep.len() - 1]);
                assert!(matches!(cut_off, Err(RecvError::NotJson(_))));
            }
        };
        // A client's thread has 512 KiB.
        let thread = std::thread::Builder::new().stack_size(64 << 10);
        thread.spawn(read_all).unwrap().join().unwrap();
    }

    proptest! {
        #[test]
        fn it_agrees_with_serde_json_on_objects(
            text in "\\PC{0,20}", number in any::<i64>(), list in prop::collection::vec(any::<i16>(), 0..3),
        ) {
            let json = serde_json::json!({"type": "full", "text": text, "number": number, "list": list});
            let json = json.to_string();
            let (ours, theirs) = (from_json(&json).ok(), serde_json::from_str::<Message>(&json).ok());
            prop_assert_eq!(ours, theirs);
        }
    }
}
