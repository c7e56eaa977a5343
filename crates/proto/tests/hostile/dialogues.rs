//! Any text as a message of ident or auth, from either side: what is taken can be said again and
//! is the same then.

use std::fmt::Debug;

use proto::{RecvError, auth, from_json, ident};
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

/// What `serde_json` reads as no value, though it is JSON.
const HOSTILE_VALUES: [&str; 3] = ["1e400", r#"["\ud800"]"#, r#"{"\udfff":-1e999}"#];

pub fn check(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    check_as::<ident::Request>(text);
    check_as::<ident::Reply>(text);
    check_as::<auth::Request>(text);
    check_as::<auth::Reply>(text);
}

fn check_as<M: Serialize + DeserializeOwned + Debug>(text: &str) {
    let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
    let message: M = match from_json(text) {
        Ok(message) => message,
        Err(RecvError::UnknownMessage(_)) => return assert!(is_json),
        Err(RecvError::NotJson(_)) => return assert!(!is_json),
        Err(other) => panic!("{other}"),
    };
    match serde_json::to_string(&message) {
        Ok(said) => {
            for value in HOSTILE_VALUES {
                let with_more = format!(r#"{{"new":{value},{}"#, &said[1..]);
                let again: M = from_json(&with_more).expect("unknown fields may contain any JSON");
                assert_eq!(
                    said,
                    serde_json::to_string(&again).expect("so can the same")
                );
            }
            let again: M = from_json(&said).expect("what we say is a message");
            assert_eq!(
                said,
                serde_json::to_string(&again).expect("so can the same")
            );
        }
        // A code of a newer server is understood, never said.
        Err(_) => assert!(format!("{message:?}").starts_with("Error { code: Other,")),
    }
}
