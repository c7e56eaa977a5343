//! Any text as a message of the chat, from either side: what is taken can be said again and is the same then.

use chat_link::message::{Message, MessageError, Notice, Request};
use serde::Serialize;

pub fn check(bytes: &[u8]) {
    check_as(bytes, Request::decode);
    check_as(bytes, Notice::decode);
}

fn check_as<M: Serialize + PartialEq + std::fmt::Debug>(
    bytes: &[u8],
    decode: impl Fn(&[u8]) -> Result<M, MessageError>,
) {
    let Ok(message) = decode(bytes) else {
        return;
    };
    let said = Message::encode(&message).expect("what is taken can be said");
    let said = said.as_bytes();
    assert_eq!(decode(said).expect("what we say is a message"), message);
    let with_more = [br#"{"later":[{"type":1}],"#, &said[1..]].concat();
    match decode(&with_more) {
        Ok(again) => assert_eq!(again, message),
        Err(error) => panic!("unknown fields are not ignored: {error}: {message:?}"),
    }
}
