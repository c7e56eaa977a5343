//! JSON that the parser of a server may stumble over.

/// Under the feature `raw_value` an object with this key stands for the JSON text that is its value.
pub const RAW_VALUE_KEY: &str = "$serde_json::private::RawValue";

/// Under the feature `arbitrary_precision` an object with this key stands for a number.
pub const NUMBER_KEY: &str = "$serde_json::private::Number";

/// A value of some 1,700 bytes that a parser with `raw_value` unfolds into 1,500 levels: each level of text in it
/// starts with a fresh limit of depth. It must be an ordinary object of one field.
#[must_use]
pub fn unfolding_json(key: &str) -> String {
    let mut message = String::from("0");
    for _ in 0..6 {
        let nested = format!("{}{message}{}", "[".repeat(125), "]".repeat(125));
        let escaped = nested.replace('\\', r"\\").replace('"', r#"\""#);
        message = format!(r#"{{"{key}":"{escaped}"}}"#);
    }
    message
}

/// Values that are JSON by its grammar, and that many parsers refuse: numbers out of range, half of a surrogate pair,
/// arrays and objects nested deep. A message with one of them fits into the 16 KiB of a dialogue's frame.
#[must_use]
pub fn unreadable_json() -> Vec<String> {
    let nested = |open: &str, levels, close: &str| {
        format!("{}0{}", open.repeat(levels), close.repeat(levels))
    };
    vec![
        "1e400".into(),
        "-1e999".into(),
        r#""\ud800""#.into(),
        r#"{"\udfff":["\ud800",1e400]}"#.into(),
        nested("[", 200, "]"),
        nested("[", 8_000, "]"),
        nested(r#"{"x":"#, 200, "}"),
        nested(r#"{"x":"#, 2_600, "}"),
    ]
}
