//! Any text as a message of ident or auth, from either side: what is taken can be said again and
//! is the same then, and what is refused is not quoted.
#![no_main]

use libfuzzer_sys::fuzz_target;
use proto::{RecvError, auth, from_json, ident};

macro_rules! check {
    ($message:ty, $text:expr) => {
        match from_json::<$message>($text) {
            Ok(message) => {
                let said = serde_json::to_string(&message).expect("a message can be said");
                let again: $message = from_json(&said).expect("what we say is a message");
                assert_eq!(said, serde_json::to_string(&again).expect("so can the same"));
            }
            Err(RecvError::UnknownMessage(_)) => assert!(is_json($text)),
            Err(RecvError::NotJson(_)) => assert!(!is_json($text)),
            Err(other) => panic!("{other}"),
        }
    };
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

fuzz_target!(|text: &str| {
    check!(ident::Request, text);
    check!(ident::Reply, text);
    check!(auth::Request, text);
    check!(auth::Reply, text);
});
