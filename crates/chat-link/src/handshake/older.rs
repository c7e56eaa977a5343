//! How a client of version 1 learns that it is too old.
//!
//! Its hello is not padded, and no answer may be longer than the datagram that it answers. So a hello without a cookie
//! first gets a short cookie in the form of version 1. With it the next hello is long enough for a refusal.

use serde::Deserialize;

use super::VERSION;

/// Digits of a nonce of version 1.
const NONCE_DIGITS: usize = 32;

/// What a version-1 client returns in its second hello.
const COOKIE: &str = "too_old";

/// What it shows to its user. The longest that fits is sent.
const MESSAGES: [&str; 3] = [
    "this server speaks version 2 of the protocol",
    "speaks version 2",
    "use v2",
];

#[derive(Deserialize)]
struct Hello<'a> {
    r#type: &'a str,
    version: u32,
    nonce: &'a str,
    cookie: Option<&'a str>,
}

/// The answer to a hello of version 1, or nothing.
pub(super) fn answer(datagram: &[u8]) -> Option<Vec<u8>> {
    let hello: Hello<'_> = serde_json::from_slice(datagram).ok()?;
    let is_digit = |byte: u8| byte.is_ascii_hexdigit();
    if hello.r#type != "hello"
        || hello.nonce.len() != NONCE_DIGITS
        || !hello.nonce.bytes().all(is_digit)
    {
        return None;
    }
    let nonce = hello.nonce;
    let refusal = |message: &str, versions: &str| {
        format!(
            r#"{{"type":"refused","nonce":"{nonce}","code":"bad_version","message":"{message}"{versions}}}"#
        )
    };
    let versions = format!(r#","versions":[{VERSION}]"#);
    let full = MESSAGES.iter().map(|message| refusal(message, &versions));
    // Where there is no room for the list, the message says the version.
    let refusals = full.chain(MESSAGES.iter().map(|message| refusal(message, "")));
    let cookie = format!(r#"{{"type":"challenge","nonce":"{nonce}","cookie":"{COOKIE}"}}"#);
    let is_first = hello.version == 1 && hello.cookie.is_none();
    let answers = refusals.chain(is_first.then_some(cookie));
    answers
        .map(String::into_bytes)
        .find(|answer| answer.len() <= datagram.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_refused_in_two_steps_with_no_more_bytes_than_it_sent() {
        for nick in ["A", "Anna", "Maximiliana"] {
            let nonce = "00112233445566778899aabbccddeeff";
            let hello =
                format!(r#"{{"type":"hello","version":1,"nonce":"{nonce}","nick":"{nick}"}}"#);
            let cookie = answer(hello.as_bytes()).unwrap();
            assert!(cookie.len() <= hello.len());
            let cookie = String::from_utf8(cookie).unwrap();
            let again = if cookie.contains("refused") {
                cookie
            } else {
                assert!(cookie.contains(COOKIE), "{cookie}");
                let again = hello.replace('}', &format!(r#","cookie":"{COOKIE}"}}"#));
                String::from_utf8(answer(again.as_bytes()).unwrap()).unwrap()
            };
            assert!(
                again.contains("bad_version") && again.contains('2'),
                "{again}"
            );
        }
    }

    #[test]
    fn other_datagrams_get_nothing() {
        let short = br#"{"type":"hello","version":1,"nonce":"00","nick":"A"}"#;
        for datagram in [&b""[..], b"{}", b"[]", short, br#"{"type":"ping"}"#] {
            assert_eq!(answer(datagram), None);
        }
    }
}
